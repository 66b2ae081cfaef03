//! Probes, metrics and the log level, over HTTP.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{get, put},
};
use futures::FutureExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload::Handle};

use crate::Context;

/// Changes the log level while the process runs.
pub type LogFilter = Handle<EnvFilter, Registry>;

#[derive(Clone)]
struct Served {
    context: Arc<Context>,
    filter: LogFilter,
}

/// Serves until shutdown.
///
/// # Errors
/// When the address cannot be bound.
pub async fn serve(
    listen: SocketAddr,
    context: Arc<Context>,
    filter: LogFilter,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, router(context, filter)).with_graceful_shutdown(shutdown).await
}

fn router(context: Arc<Context>, filter: LogFilter) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/log", put(set_filter))
        .with_state(Served { context, filter })
}

/// Ready once the cluster has been read; one that waits to lead is ready to take over.
async fn ready(State(Served { context, .. }): State<Served>) -> (StatusCode, &'static str) {
    let read = context.stores.ready().now_or_never().is_some();
    match (context.metrics.is_leader(), read) {
        (false, _) => (StatusCode::OK, "ok: waits to lead"),
        (true, true) => (StatusCode::OK, "ok: leads"),
        (true, false) => (StatusCode::SERVICE_UNAVAILABLE, "pending: the cluster's objects are being read"),
    }
}

async fn metrics(State(Served { context, .. }): State<Served>) -> Result<String, StatusCode> {
    context.metrics.text().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// `PUT /log` with a filter such as `info,underwriter_operator=debug`.
async fn set_filter(State(Served { filter, .. }): State<Served>, text: String) -> (StatusCode, String) {
    let set = text.trim().parse::<EnvFilter>().map_err(|error| error.to_string());
    match set.and_then(|wanted| filter.reload(wanted).map_err(|error| error.to_string())) {
        Ok(()) => (StatusCode::OK, "ok\n".into()),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}
