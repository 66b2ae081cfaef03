//! The operator's process: one of several leads and works, until it is told to end or loses its lease.

use std::{io::IsTerminal as _, sync::Arc};

use anyhow::Context as _;
use clap::Parser as _;
use futures::{
    FutureExt as _,
    future::{BoxFuture, try_join_all},
};
use jiff::{Timestamp, Unit};
use kube::{
    Client,
    runtime::events::{Recorder, Reporter},
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _};
use underwriter_operator::{
    Context,
    controller::Shutdown,
    drift_monitor,
    health::{self, LogFilter},
    leader::Leadership,
    loan_model,
    metrics::Metrics,
    names::MANAGER,
    prediction_service::{self, figures},
    settings::{LogFormat, Settings},
    stores::Stores,
};

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::parse();
    let filter = start_log(&settings)?;
    let provider = rustls::crypto::ring::default_provider().install_default();
    provider.map_err(|_| anyhow::anyhow!("another TLS provider is installed already"))?;
    let client = Client::try_default().await.context("no cluster: neither in a pod nor in a kubeconfig")?;
    let shutdown = on_signal()?;
    let (stores, watches) = Stores::watching(&client, settings.namespace.as_deref());
    let reporter = Reporter { controller: MANAGER.into(), instance: Some(settings.pod_name.clone()) };
    let recorder = Recorder::new(client.clone(), reporter);
    let listen = settings.http_listen;
    let (metrics, pods, now) = (Metrics::default(), figures::client()?, clock as fn() -> Timestamp);
    let context = Arc::new(Context { client, settings, stores, recorder, metrics, pods, now });
    let served = health::serve(listen, Arc::clone(&context), filter, shutdown.clone());
    let served = async { served.await.with_context(|| format!("cannot listen on {listen}")) };
    tokio::try_join!(served, lead(context, shutdown, watches)).map(|_| ())
}

/// Waits to lead, then works until shutdown; what is being done then is finished. An error where the lease is lost.
async fn lead(context: Arc<Context>, shutdown: Shutdown, watches: BoxFuture<'static, ()>) -> anyhow::Result<()> {
    let leadership =
        Leadership::join(context.client.clone(), &context.settings).await.context("cannot join the election")?;
    tokio::select! {
        () = leadership.won() => {}
        () = shutdown.clone() => return Ok(()),
    }
    context.metrics.leads(true);
    tracing::info!("leads");
    let watching = tokio::spawn(watches);
    let controllers = [
        tokio::spawn(loan_model::run(Arc::clone(&context), shutdown.clone())),
        tokio::spawn(prediction_service::run(Arc::clone(&context), shutdown.clone())),
        tokio::spawn(drift_monitor::run(Arc::clone(&context), shutdown)),
    ];
    let result = tokio::select! {
        () = leadership.lost() => Err(anyhow::anyhow!("the lease was lost")),
        ended = try_join_all(controllers) => ended.map(|_| ()).context("a controller broke off"),
    };
    watching.abort();
    leadership.resign().await;
    result
}

/// The time in whole milliseconds: it is written down for people.
fn clock() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

fn start_log(settings: &Settings) -> anyhow::Result<LogFilter> {
    let wanted = EnvFilter::try_new(&settings.log).with_context(|| format!("--log {}", settings.log))?;
    let (filter, handle) = reload::Layer::new(wanted);
    let registry = tracing_subscriber::registry().with(filter);
    match settings.log_format {
        LogFormat::Text => {
            registry.with(tracing_subscriber::fmt::layer().with_ansi(std::io::stdout().is_terminal())).init()
        }
        LogFormat::Json => registry.with(tracing_subscriber::fmt::layer().json()).init(),
    }
    Ok(handle)
}

fn on_signal() -> std::io::Result<Shutdown> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let either = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(either.boxed().shared())
}
