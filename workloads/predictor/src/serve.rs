//! The life of the process: load, answer, end.
//!
//! It ends in an order that fails no request: readiness first, so that no new clients are sent here; requests are
//! answered on, each with the word that its connection will close; then the listener closes and what is in flight is
//! finished; last the spool is emptied into the log.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::serve::ListenerExt as _;
use jiff::Timestamp;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::{oneshot, watch},
    time::sleep,
};
use underwriter_contract::{
    FORMAT,
    manifest::Manifest,
    request::ArtifactRef,
    serving::{Durability, ServingRequest, Traffic},
    summary::{Failure, FailureReason},
};

use crate::{
    admin::{self, Admin},
    api::{self, Server},
    decision::Policy,
    load,
    metrics::Metrics,
    recording,
    settings::Settings,
    stage::Stage,
    traffic::{
        InForce, Versions,
        watch::{self as traffic, Status},
    },
};

/// How long requests in flight may take to finish once the listener is closed. With the drain before and the emptying of
/// the spool after it, this fits into the 30 seconds that Kubernetes gives a pod.
const FINISH: Duration = Duration::from_secs(8);
/// The most reasons on a laptop, the default of a PredictionService.
const REASONS: u8 = 4;

/// Runs until it is told to end.
///
/// # Errors
/// It cannot serve, and why; the reason has an exit code.
pub async fn run(settings: Settings) -> Result<(), Failure> {
    let mut end = End::listen()?;
    let (stage, stages) = watch::channel(Stage::Loading);
    let (status, current) = watch::channel(Status::default());
    let metrics = Arc::new(Metrics::default());
    let admin = Arc::new(Admin {
        pod: settings.pod.clone(),
        started: Timestamp::now(),
        stage: stages.clone(),
        traffic: current.clone(),
        metrics: Arc::clone(&metrics),
        spool: OnceLock::new(),
    });
    let probes = bind(settings.admin_listen).await?;
    tokio::spawn(axum::serve(probes, admin::router(Arc::clone(&admin))).into_future());

    let request = tokio::select! {
        loaded = start(&settings, &metrics, status) => loaded?,
        () = end.told() => return Ok(()),
    };
    let (recording, keeper) = recording::open(&settings, &request, metrics.log.clone())?.unzip();
    if let Some(keeper) = &keeper {
        let _ = admin.spool.set(Arc::clone(keeper.room())); // it is opened once
    }
    let policy = Policy { model: request.model, service: request.service, reasons: usize::from(request.reasons) };
    let server = Arc::new(Server { policy, traffic: current, metrics, recording });
    let listener = bind(settings.listen).await?;
    stage.send_replace(Stage::Serving);
    tracing::info!(address = %settings.listen, "serving");
    answer(listener, api::router(Arc::clone(&server), stages), stage, settings.drain, end).await?;
    if let (Some(keeper), Some(recording)) = (keeper, &server.recording) {
        keeper.end(recording).await;
    }
    Ok(())
}

/// Loads the versions and takes up the traffic: the operator's, or on a laptop all of it to the one version.
async fn start(
    settings: &Settings,
    metrics: &Metrics,
    status: watch::Sender<Status>,
) -> Result<ServingRequest, Failure> {
    let store = settings.artifacts().map_err(|error| Failure::new(error.reason(), error))?;
    let request = match (&settings.serving, &settings.model) {
        (Some(request), _) => request.clone(),
        (None, Some(folder)) => local(load::local(&store, folder).await?),
        (None, None) => return Err(Failure::new(FailureReason::RequestInvalid, "name a version with --model")),
    };
    let versions = load::versions(&store, &request.versions, metrics).await?;
    if settings.model.is_some() {
        status.send_replace(whole(&versions)?);
    } else {
        tokio::spawn(traffic::run(settings.traffic.clone(), versions, status));
    }
    Ok(request)
}

fn local((manifest, reference): (Manifest, ArtifactRef)) -> ServingRequest {
    ServingRequest {
        format: FORMAT,
        model: manifest.model,
        service: "local".to_owned(),
        versions: vec![reference],
        reasons: REASONS,
        durability: Durability::Spooled,
    }
}

/// All of the traffic to the one version there is.
fn whole(versions: &Versions) -> Result<Status, Failure> {
    let stable = versions.first().map(|version| version.number()).unwrap_or_default();
    let traffic = Traffic { format: FORMAT, generation: 0, active_from: Timestamp::UNIX_EPOCH, stable, canary: None };
    let in_force = InForce::new(&traffic, versions).map_err(|error| Failure::new(FailureReason::Internal, error))?;
    Ok(Status { in_force: Some(Arc::new(in_force)), generation: Some(0), fault: None })
}

/// Answers requests until the end, and for as long after it as requests may still be sent here.
async fn answer(
    listener: TcpListener,
    router: axum::Router,
    stage: watch::Sender<Stage>,
    drain: Duration,
    mut end: End,
) -> Result<(), Failure> {
    let (closing, closed) = oneshot::channel();
    let graceful = async move {
        end.told().await;
        tracing::info!("ending: no longer ready");
        stage.send_replace(Stage::Ending);
        sleep(drain).await;
        let _ = closing.send(()); // the time limit below may have gone
    };
    let prompt = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    let overtime = async {
        let _ = closed.await;
        sleep(FINISH).await;
    };
    tokio::select! {
        served = axum::serve(prompt, router).with_graceful_shutdown(graceful).into_future() => {
            served.map_err(|error| Failure::new(FailureReason::Internal, error))
        }
        () = overtime => {
            tracing::warn!("requests in flight did not finish in time");
            Ok(())
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::new(FailureReason::Internal, format_args!("cannot listen on {address}: {error}")))
}

/// The signals that end the process.
struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl End {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::new(FailureReason::Internal, error));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
