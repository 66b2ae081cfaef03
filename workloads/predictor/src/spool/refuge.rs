//! Where segments go when a pod ends while the log is away: a folder beside the versions in the artifact store, from
//! where any pod of the service takes them into the log.
//!
//! Two pods may take the same segment in, for the log takes each decision once. What was taken in is emptied rather
//! than deleted: the credentials need no right to delete from a store of records.

use std::{fmt::Display, io, path::Path, time::Duration};

use underwriter_data::{
    log::{Log, LogError, Record},
    store::{Entry, InvalidLocation, Location, Store, StoreError},
};
use uuid::Uuid;

use super::{
    segment::{Contents, survey},
    shipper::MAX_RECORDS,
};
use crate::metrics::LogMetrics;

/// Time between two looks at the folder.
const PAUSE: Duration = Duration::from_secs(60);
/// The largest segment that is taken in; a batch of a thousand long applications may make one larger than usual.
const LIMIT: u64 = 64 << 20;

/// A folder for the segments of a service.
#[derive(Clone)]
pub struct Refuge {
    store: Store,
    folder: Location,
}

/// Why segments were not brought there, or not taken in. They stay where they are.
#[derive(Debug, thiserror::Error)]
pub enum RefugeError {
    /// The artifact store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The prediction log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The spool's folder.
    #[error("the spool cannot be read: {0}")]
    Spool(#[from] io::Error),
}

impl Refuge {
    /// The folder `spool/<service>/` beside the folder of a version.
    ///
    /// # Errors
    /// The version's folder is no location.
    pub fn beside(store: Store, version: &str, service: &str) -> Result<Self, InvalidLocation> {
        let version = version.trim_end_matches('/');
        let model = version.rsplit_once('/').map_or(".", |(model, _)| model);
        Ok(Self { store, folder: format!("{model}/spool/{service}/").parse()? })
    }

    /// Brings all segments of a spool there, under names of their own. Returns how many.
    ///
    /// # Errors
    /// Those not yet brought stay in the spool only.
    pub async fn bring(&self, spool: &Path, pod: &str) -> Result<usize, RefugeError> {
        let (segments, _) = survey(spool)?;
        for segment in &segments {
            let bytes = tokio::fs::read(&segment.path).await?;
            self.store.write(&self.folder.join(&format!("{pod}-{}.jsonl", Uuid::now_v7())), bytes).await?;
        }
        Ok(segments.len())
    }

    /// Takes in what other pods have brought, again and again.
    pub async fn watch(self, log: Log, metrics: LogMetrics) {
        loop {
            match self.take_in(&log, &metrics).await {
                Ok(0) => {}
                Ok(records) => tracing::info!(records, folder = %self.folder, "taken in from pods that have ended"),
                Err(error) => self.complain(&error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes in what there is. Returns how many records.
    ///
    /// # Errors
    /// What was not taken in is still there.
    pub async fn take_in(&self, log: &Log, metrics: &LogMetrics) -> Result<u64, RefugeError> {
        let mut taken = 0;
        for Entry { location, bytes } in self.store.list(&self.folder).await? {
            if bytes > 0 {
                taken += self.take(&location, log, metrics).await?;
            }
        }
        Ok(taken)
    }

    async fn take(&self, location: &Location, log: &Log, metrics: &LogMetrics) -> Result<u64, RefugeError> {
        let bytes = self.store.read(location, LIMIT).await?;
        let Contents { records, damaged } = Contents::<Record>::read(bytes.as_slice())?;
        for part in records.chunks(MAX_RECORDS) {
            log.write(part).await?;
        }
        let taken = records.len() as u64;
        metrics.written.inc_by(taken);
        metrics.damaged.inc_by(damaged);
        self.store.write(location, Vec::new()).await?;
        Ok(taken)
    }

    fn complain(&self, error: &dyn Display) {
        tracing::warn!(%error, folder = %self.folder, "nothing could be taken in from pods that have ended");
    }
}
