//! What is written down of a decision.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use underwriter_crds::{
    PredictionService, PredictionServiceStatus,
    conditions::{ConditionType, Wanted, merge},
};

use super::{
    build::{self, Parent, endpoint},
    decide::Decision,
    state::Observed,
};
use crate::Error;

/// The status that a decision comes to.
#[must_use]
pub fn status(
    parent: &Parent<'_>,
    observed: &Observed,
    decision: &Decision,
    now: Timestamp,
) -> PredictionServiceStatus {
    let deployment = observed.deployment.clone().unwrap_or_default();
    PredictionServiceStatus {
        observed_generation: parent.service.metadata.generation.unwrap_or_default(),
        stable: decision.stable,
        rollout: decision.rollout.clone(),
        rejected_versions: decision.rejected.clone(),
        endpoint: observed.deployment.is_some().then(|| endpoint::url(parent)),
        replicas: deployment.replicas,
        ready_replicas: deployment.ready,
        selector: Some(build::selector_text(&parent.name)),
        conditions: merged(parent.service, decision.conditions.clone(), now),
    }
}

/// The status of a service that an error stops until a person helps: all else stands.
#[must_use]
pub fn stalled(service: &PredictionService, error: &Error, now: Timestamp) -> PredictionServiceStatus {
    let status = service.status.clone().unwrap_or_default();
    let wanted = |kind, holds: bool| Wanted::new(kind, holds, error.category(), error.to_string());
    let serving = status.ready_replicas > 0;
    let conditions = vec![wanted(ConditionType::Ready, serving), wanted(ConditionType::Stalled, true)];
    let observed_generation = service.metadata.generation.unwrap_or_default();
    PredictionServiceStatus { observed_generation, conditions: merged(service, conditions, now), ..status }
}

fn merged(service: &PredictionService, wanted: Vec<Wanted>, now: Timestamp) -> Vec<Condition> {
    let standing = service.status.as_ref().map_or(&[][..], |status| &status.conditions);
    merge(standing, wanted, service.metadata.generation, now)
}
