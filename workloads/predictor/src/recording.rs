//! What keeps records, from the start of the process to its end: spool, shipper, refuge.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::timeout};
use underwriter_contract::{
    serving::ServingRequest,
    summary::{Failure, FailureReason},
};
use underwriter_data::log::Log;

use crate::{
    metrics::LogMetrics,
    settings::Settings,
    spool::{Spool, SpoolSettings, refuge::Refuge, room::Room, shipper::Shipper},
};

/// How long the spool may take to empty into the log.
const FLUSH: Duration = Duration::from_secs(8);
/// How long it may take to bring what is left to the artifact store.
const RESCUE: Duration = Duration::from_secs(8);

/// The prediction log, and the way to it.
pub struct Recording {
    /// Records wait here.
    pub spool: Spool,
    /// Outcomes are written to it at once.
    pub log: Log,
}

/// The tasks behind it.
pub struct Keeper {
    room: Arc<Room>,
    shipping: JoinHandle<()>,
    refuge: Option<Refuge>,
    spool: PathBuf,
    pod: String,
}

/// Opens the spool and starts shipping, where there is a prediction log.
///
/// # Errors
/// The log's URL is none, or the spool's folder cannot be used.
pub fn open(
    settings: &Settings,
    request: &ServingRequest,
    metrics: LogMetrics,
) -> Result<Option<(Recording, Keeper)>, Failure> {
    let Some(log) = settings.prediction_log().map_err(|error| Failure::new(error.reason(), error))? else {
        tracing::warn!("LOG_DATABASE_URL is not set: decisions are not recorded");
        return Ok(None);
    };
    let folder = settings.spool.clone();
    let unusable = |error| Failure::new(FailureReason::Internal, format_args!("{}: {error}", settings.spool.display()));
    let limit = settings.spool_bytes();
    let (spool, outlet) =
        Spool::open(SpoolSettings { folder, limit, durability: request.durability }).map_err(unusable)?;
    let refuge = refuge(settings, request)?;
    if let Some(refuge) = refuge.clone() {
        tokio::spawn(refuge.watch(log.clone(), metrics.clone()));
    }
    let room = Arc::clone(&outlet.room);
    let shipping = tokio::spawn(Shipper::new(log.clone(), outlet, metrics).run());
    let keeper = Keeper { room, shipping, refuge, spool: settings.spool.clone(), pod: settings.pod.clone() };
    Ok(Some((Recording { spool, log }, keeper)))
}

/// On a laptop there is none: the spool's folder does not go away with the process.
fn refuge(settings: &Settings, request: &ServingRequest) -> Result<Option<Refuge>, Failure> {
    let (None, Some(version)) = (&settings.model, request.versions.first()) else { return Ok(None) };
    let store = settings.artifacts().map_err(|error| Failure::new(error.reason(), error))?;
    let refuge = Refuge::beside(store, &version.uri, &request.service);
    refuge.map(Some).map_err(|error| Failure::new(FailureReason::RequestInvalid, error))
}

impl Keeper {
    /// What the spool holds.
    #[must_use]
    pub const fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Empties the spool into the log; where that is away, into the refuge.
    pub async fn end(mut self, recording: &Recording) {
        recording.spool.close();
        if timeout(FLUSH, &mut self.shipping).await.is_ok() {
            tracing::info!("the spool is empty");
            return;
        }
        self.shipping.abort();
        tracing::warn!(bytes = self.room.held(), "the log did not take the spool in time");
        let Some(refuge) = &self.refuge else { return };
        match timeout(RESCUE, refuge.bring(&self.spool, &self.pod)).await {
            Ok(Ok(segments)) => tracing::info!(segments, "brought to the artifact store, for other pods to take in"),
            Ok(Err(error)) => tracing::error!(%error, "the spool stays in this pod's folder only"),
            Err(_) => tracing::error!("the artifact store took too long: the spool stays in this pod's folder only"),
        }
    }
}
