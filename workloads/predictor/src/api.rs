//! The API on port 9696: `POST /predict` and `POST /outcomes`.
//!
//! Every refusal is a problem document; nothing that a client sends ends the process. Not here: probes, metrics and
//! figures ([`crate::admin`]), which are closed to clients.

mod body;
mod outcomes;
mod predict;
mod problem;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
    routing::post,
};
use tokio::sync::watch;
use tower::util::MapResponseLayer;

use self::problem::Refusal;
use crate::{decision::Policy, metrics::Metrics, recording::Recording, stage::Stage, traffic::watch::Current};

/// What the handlers share.
pub struct Server {
    /// What is the same for all decisions.
    pub policy: Policy,
    /// Which version answers whom.
    pub traffic: Current,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where records and outcomes go, where there is a prediction log.
    pub recording: Option<Recording>,
}

/// The routes. Once the process is ending, each answer asks its client to close the connection, so that kept ones move
/// to other pods before this one closes them.
pub fn router(server: Arc<Server>, stage: watch::Receiver<Stage>) -> Router {
    let politely = MapResponseLayer::new(move |mut response: Response| {
        if *stage.borrow() == Stage::Ending {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    });
    Router::new()
        .route("/predict", post(predict::handle))
        .route("/outcomes", post(outcomes::handle))
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_such_path)
        .layer(politely)
        .with_state(server)
}

async fn no_such_path(uri: Uri) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("There is no {}: POST to /predict or /outcomes.", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    let detail = format!("{} takes POST, not {method}.", uri.path());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

#[cfg(test)]
mod tests;
