//! The ConfigMap that says which version answers whom, and what the operator remembers of the rollout.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use underwriter_contract::serving::TRAFFIC_FILE;

use super::{super::state::TrafficState, Parent};
use crate::names::annotation;

/// The ConfigMap. What the operator remembers is an annotation: written in one go with the traffic, and read by no pod.
#[must_use]
pub fn traffic(parent: &Parent<'_>, state: &TrafficState) -> ConfigMap {
    let text = |value: serde_json::Result<String>| value.unwrap_or_default(); // plain values: cannot fail
    let mut metadata = parent.child(parent.name.traffic());
    metadata.annotations =
        Some(BTreeMap::from([(annotation::ROLLOUT.into(), text(serde_json::to_string(&state.record)))]));
    let data = BTreeMap::from([(TRAFFIC_FILE.into(), text(serde_json::to_string(&state.traffic)))]);
    ConfigMap { metadata, data: Some(data), ..ConfigMap::default() }
}
