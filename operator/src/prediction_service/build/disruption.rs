//! The PodDisruptionBudget: a drained node takes one pod at a time.

use k8s_openapi::{
    api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::Parent;

/// The budget.
#[must_use]
pub fn budget(parent: &Parent<'_>) -> PodDisruptionBudget {
    let spec = PodDisruptionBudgetSpec {
        max_unavailable: Some(IntOrString::Int(1)),
        selector: Some(LabelSelector { match_labels: Some(parent.selector()), match_expressions: None }),
        ..PodDisruptionBudgetSpec::default()
    };
    PodDisruptionBudget { metadata: parent.child(parent.name.to_string()), spec: Some(spec), status: None }
}
