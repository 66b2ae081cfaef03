//! Port 9697: probes, metrics and the figures of a rollout. In no Service, and closed by NetworkPolicy to all but the
//! operator, Prometheus and kubelet.

use std::sync::{Arc, OnceLock};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use underwriter_contract::serving::{ANALYSIS_PATH, Analysis};

use crate::{
    metrics::Metrics,
    spool::room::Room,
    stage::Stage,
    traffic::watch::{Current, Status},
};

/// What the probes look at.
#[derive(Debug)]
pub struct Admin {
    /// The pod's name.
    pub pod: String,
    /// When the process started.
    pub started: Timestamp,
    /// How far it has come.
    pub stage: watch::Receiver<Stage>,
    /// The traffic.
    pub traffic: Current,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The spool's, once it is open.
    pub spool: OnceLock<Arc<Room>>,
}

/// Whether requests should come, and what is in the way.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Readiness {
    ready: bool,
    /// What has to happen first.
    pending: Vec<String>,
    /// What is wrong, but does not stop requests from being answered.
    warnings: Vec<String>,
}

/// The routes.
pub fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route(ANALYSIS_PATH, get(analysis))
        .with_state(admin)
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    let readiness = readiness(*admin.stage.borrow(), &admin.traffic.borrow());
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    let (bytes, lag) = admin.spool.get().map_or((0, 0), |spool| (spool.held(), spool.lag(Timestamp::now())));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], admin.metrics.render(bytes, lag))
}

async fn analysis(State(admin): State<Arc<Admin>>) -> Json<Analysis> {
    let status = admin.traffic.borrow().clone();
    let in_force = status.in_force.as_deref();
    Json(Analysis {
        pod: admin.pod.clone(),
        started: admin.started,
        generation: status.generation.unwrap_or_default(),
        active: in_force.is_some_and(|in_force| Some(in_force.generation) == status.generation),
        versions: in_force.map(crate::traffic::InForce::figures).unwrap_or_default(),
    })
}

fn readiness(stage: Stage, traffic: &Status) -> Readiness {
    let Status { in_force, generation, fault } = traffic;
    let mut pending = Vec::new();
    match stage {
        Stage::Loading => pending.push("versions: being loaded".to_owned()),
        Stage::Ending => pending.push("process: ending".to_owned()),
        Stage::Serving => {}
    }
    if in_force.is_none() {
        pending.push(match (fault, generation) {
            (Some(fault), _) => format!("traffic: {fault}"),
            (None, Some(generation)) => format!("traffic: generation {generation} waits for its activeFrom"),
            (None, None) => "traffic: not read yet".to_owned(),
        });
    }
    let warnings = in_force.as_ref().and(fault.as_ref()).map(|fault| format!("traffic: {fault}"));
    Readiness { ready: pending.is_empty(), pending, warnings: warnings.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::readiness;
    use crate::{stage::Stage, testing, traffic::watch::Status};

    #[test]
    fn names_what_is_pending() {
        let loading = readiness(Stage::Loading, &Status::default());
        assert!(!loading.ready);
        assert_eq!(loading.pending, ["versions: being loaded", "traffic: not read yet"]);

        let waiting = Status { generation: Some(3), ..Status::default() };
        let pending = readiness(Stage::Serving, &waiting).pending;
        assert_eq!(pending, ["traffic: generation 3 waits for its activeFrom"]);
    }

    #[test]
    fn a_bad_file_only_warns_while_a_traffic_is_in_force() {
        let in_force = Some(Arc::new(testing::in_force(&[1], None)));
        let traffic = Status { in_force, generation: Some(1), fault: Some("no such file".into()) };
        let serving = readiness(Stage::Serving, &traffic);
        assert!(serving.ready);
        assert_eq!(serving.warnings, ["traffic: no such file"]);
        assert!(!readiness(Stage::Ending, &traffic).ready);
    }
}
