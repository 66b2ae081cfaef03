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

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Method, Request, Response},
    };
    use kube::{Client, runtime::events::Recorder};
    use tower::ServiceExt as _;

    use super::*;
    use crate::{metrics::Metrics, prediction_service::figures, settings::Settings, stores::Stores};

    /// A process whose API server never answers.
    fn context() -> Arc<Context> {
        let (service, _server) = tower_test::mock::pair::<Request<kube::client::Body>, Response<kube::client::Body>>();
        let client = Client::new(service, "n");
        let least = ["o", "--tasks-image", "t", "--predictor-image", "p", "--artifacts-uri", "s3://a/"];
        let settings = <Settings as clap::Parser>::try_parse_from(least).unwrap();
        let (stores, _watches) = Stores::watching(&client, None);
        let recorder = Recorder::new(client.clone(), "o".into());
        let (metrics, pods) = (Metrics::default(), figures::client().unwrap());
        Arc::new(Context { client, settings, stores, recorder, metrics, pods, now: jiff::Timestamp::now })
    }

    async fn ask(context: &Arc<Context>, method: Method, path: &str, body: &'static str) -> (StatusCode, String) {
        let (_layer, filter) = tracing_subscriber::reload::Layer::new(EnvFilter::new("info"));
        let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
        let answer = router(Arc::clone(context), filter).oneshot(request).await.unwrap();
        let code = answer.status();
        let text = to_bytes(answer.into_body(), 100_000).await.unwrap();
        (code, String::from_utf8(text.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_names_what_is_pending() {
        let context = context();
        assert_eq!(ask(&context, Method::GET, "/readyz", "").await, (StatusCode::OK, "ok: waits to lead".into()));
        context.metrics.leads(true);
        let (code, text) = ask(&context, Method::GET, "/readyz", "").await;
        assert!(code == StatusCode::SERVICE_UNAVAILABLE && text.starts_with("pending: "), "{text}");
    }

    #[tokio::test]
    async fn a_filter_that_cannot_be_read_is_refused() {
        let context = context();
        assert_eq!(ask(&context, Method::PUT, "/log", "info,underwriter_operator=debug").await.0, StatusCode::OK);
        assert_eq!(ask(&context, Method::PUT, "/log", "a=b=c").await.0, StatusCode::BAD_REQUEST);
        assert!(ask(&context, Method::GET, "/metrics", "").await.1.contains("resident_memory_bytes"));
    }
}
