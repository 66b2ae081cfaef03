//! ModelVersion: what was learnt, and every decision made about it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use underwriter_contract::{
    Digest,
    learning::Family,
    request::Trigger,
    summary::{Comparison, DataSummary, Metric},
};

use crate::{JobFailure, ModelRef};

/// What was learnt, and every decision made about it: the version's audit record.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "underwriter.dev",
    version = "v1alpha1",
    kind = "ModelVersion",
    namespaced,
    status = "ModelVersionStatus",
    shortname = "mv",
    category = "underwriter",
    derive = "PartialEq",
    doc = "One version of a LoanModel, written by the operator. People only append to its decisions.",
    selectable = ".spec.modelRef.name",
    printcolumn(name = "Version", type_ = "integer", json_path = ".spec.version"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Trigger", type_ = "string", json_path = ".spec.trigger.type"),
    printcolumn(name = "AUC", type_ = "number", json_path = ".spec.metrics[?(@.name=='rocAuc')].value"),
    printcolumn(name = "Recall", type_ = "number", json_path = ".spec.metrics[?(@.name=='recall')].value"),
    printcolumn(name = "Refused", type_ = "number", json_path = ".spec.metrics[?(@.name=='refusedShare')].value"),
    printcolumn(name = "Threshold", type_ = "number", json_path = ".spec.threshold"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "self.modelRef == oldSelf.modelRef && self.version == oldSelf.version && self.runId == oldSelf.runId && \
     self.configDigest == oldSelf.configDigest && self.artifact == oldSelf.artifact && \
     self.threshold == oldSelf.threshold && self.algorithm == oldSelf.algorithm && \
     self.data == oldSelf.data && self.leaking == oldSelf.leaking && self.trigger == oldSelf.trigger && \
     self.metrics == oldSelf.metrics",
    "what was learnt never changes: only decisions may be appended"
))]
#[x_kube(validation = (
    "has(self.comparedWith) == has(oldSelf.comparedWith) && \
     (!has(self.comparedWith) || self.comparedWith == oldSelf.comparedWith)",
    "what was learnt never changes: only decisions may be appended"
))]
#[x_kube(validation = (
    "oldSelf.decisions.size() <= self.decisions.size() && \
     oldSelf.decisions.all(old, self.decisions.exists(new, new == old))",
    "decisions are a record: append to them, never change or remove one"
))]
pub struct ModelVersionSpec {
    /// The model.
    pub model_ref: ModelRef,
    /// Its number, from 1.
    #[schemars(range(min = 1))]
    pub version: u32,
    /// The run that made it; also in the artifact's path, its manifest and each row of the log.
    #[schemars(length(min = 1, max = 64))]
    pub run_id: String,
    /// Digest of the learning fields it was made from.
    pub config_digest: Digest,
    /// Why it was made.
    pub trigger: Trigger,
    /// Where it is.
    pub artifact: ArtifactLocation,
    /// What it was learnt from.
    pub data: DataSummary,
    /// Columns left out because they tell the outcome, the first ten; the manifest has all, with the evidence.
    #[serde(default)]
    #[schemars(length(max = 10), inner(length(max = 128)))]
    pub leaking: Vec<String>,
    /// What it is made of.
    pub algorithm: Family,
    /// Figures on the test rows.
    #[schemars(length(max = 20))]
    pub metrics: Vec<Metric>,
    /// Probability from which an application is refused.
    pub threshold: f64,
    /// Against the champion of the time, on the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<Comparison>,
    /// What was decided about it, oldest first. Append-only.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub decisions: Vec<DecisionRecord>,
}

/// Where a version is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactLocation {
    /// The folder, ending in `/`.
    #[schemars(length(max = 1024))]
    pub uri: String,
    /// Digest of its manifest, which digests the rest.
    pub digest: Digest,
}

/// One decision about a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionRecord {
    /// What was decided.
    pub decision: Decision,
    /// Who decided.
    #[schemars(length(min = 1, max = 253))]
    pub by: String,
    /// Why.
    #[serde(default)]
    #[schemars(length(max = 512))]
    pub reason: String,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// What can be decided about a version. People decide the first three, the operator the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Decision {
    /// It may decide.
    Approved,
    /// It may not.
    Denied,
    /// It may no longer: the newest previous champion that nobody revoked comes back.
    Revoked,
    /// It is the champion from now on.
    Promoted,
    /// It was tried and went back.
    RolledBack,
    /// A newer version is tried instead.
    Superseded,
    /// It was the champion.
    Retired,
}

/// Where a version stands. Derived from its decisions and gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VersionState {
    /// Its gates hold for a person, or a person must approve.
    Candidate,
    /// A gate or a person said no.
    Rejected,
    /// Services try it.
    Challenger,
    /// It decides.
    Champion,
    /// It decided, or a newer one is tried instead.
    Retired,
    /// It was tried and went back.
    RolledBack,
    /// A person took it back.
    Revoked,
}

/// Where a version stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelVersionStatus {
    /// The generation that was last acted on.
    pub observed_generation: i64,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<VersionState>,
    /// `Ready`: true while it may be served, with the gate that said no where it may not.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The last comparison with a champion that its training did not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<LaterComparison>,
}

/// A comparison with a champion that a version's training did not know.
///
/// It stands in the status, for the spec never changes and it is no decision: lost with the status it is made again, and
/// nothing rests on it once the version is promoted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaterComparison {
    /// The champion.
    pub champion: u32,
    /// The last Job whose end was seen.
    #[schemars(length(max = 63))]
    pub job: String,
    /// What it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Comparison>,
    /// Why it found nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<JobFailure>,
}
