//! What is written down of a decision.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use underwriter_crds::{
    DriftMonitor, DriftMonitorStatus,
    conditions::{ConditionType, Wanted, merge},
};

use super::{decide::Decision, episode::Tally};
use crate::Error;

/// The status that a decision comes to.
#[must_use]
pub fn status(monitor: &DriftMonitor, decision: &Decision, now: Timestamp) -> DriftMonitorStatus {
    let Tally { last_scan, history, episode } = decision.tally.clone();
    DriftMonitorStatus {
        observed_generation: monitor.metadata.generation.unwrap_or_default(),
        last_scan,
        scan: decision.scan.clone(),
        history,
        episode,
        last_schedule: decision.last_schedule,
        next_scan: decision.next_scan,
        last_handled_scan_request: decision.last_request.clone(),
        conditions: merged(monitor, decision.conditions.clone(), now),
    }
}

/// The status of a monitor that an error stops until a person helps: all else stands.
#[must_use]
pub fn stalled(monitor: &DriftMonitor, error: &Error, now: Timestamp) -> DriftMonitorStatus {
    let wanted = |kind, holds: bool| Wanted::new(kind, holds, error.category(), error.to_string());
    let conditions = vec![wanted(ConditionType::Ready, false), wanted(ConditionType::Stalled, true)];
    let observed_generation = monitor.metadata.generation.unwrap_or_default();
    let conditions = merged(monitor, conditions, now);
    DriftMonitorStatus { observed_generation, conditions, ..monitor.status.clone().unwrap_or_default() }
}

fn merged(monitor: &DriftMonitor, wanted: Vec<Wanted>, now: Timestamp) -> Vec<Condition> {
    let standing = monitor.status.as_ref().map_or(&[][..], |status| &status.conditions);
    merge(standing, wanted, monitor.metadata.generation, now)
}
