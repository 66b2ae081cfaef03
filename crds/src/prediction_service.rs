//! PredictionService: where a model decides.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use underwriter_contract::serving::Durability;

use crate::{Duration, Template};

/// Where a model decides.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "underwriter.dev",
    version = "v1alpha1",
    kind = "PredictionService",
    namespaced,
    status = "PredictionServiceStatus",
    shortname = "pred",
    category = "underwriter",
    derive = "PartialEq",
    doc = "Serves the champion of a LoanModel at POST /predict, and tries its challenger on a share of the applicants.",
    validation = "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 40",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Model", type_ = "string", json_path = ".spec.modelRef.name"),
    printcolumn(name = "Stable", type_ = "integer", json_path = ".status.stable"),
    printcolumn(name = "Trying", type_ = "integer", json_path = ".status.rollout.version"),
    printcolumn(name = "Weight", type_ = "integer", json_path = ".status.rollout.weight"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct PredictionServiceSpec {
    /// The model it serves.
    pub model_ref: ServedModel,
    /// Pods.
    #[serde(default = "two")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,
    /// How a challenger is tried.
    #[serde(default)]
    pub rollout: Rollout,
    /// When a record of the prediction log is safe.
    #[serde(default)]
    pub durability: Durability,
    /// The most reasons given with a refusal; 0 turns them off.
    #[serde(default = "four")]
    #[schemars(range(max = 20))]
    pub reasons: u8,
    /// Added to the pods.
    #[serde(default)]
    pub template: Template,
}

const fn two() -> i32 {
    2
}

const fn four() -> u8 {
    4
}

/// The model a service serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServedModel {
    /// The LoanModel's name.
    #[schemars(length(min = 1, max = 40))]
    pub name: String,
    /// Pins one version, which was champion or is approved; default: follow the champion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub version: Option<u32>,
}

/// How a challenger is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Rollout {
    /// One after the other; after the last the challenger has passed.
    #[schemars(length(min = 1, max = 10))]
    pub steps: Vec<Step>,
    /// What it must keep to.
    pub analysis: AnalysisBounds,
}

impl Default for Rollout {
    fn default() -> Self {
        let step = Step { weight: 10, predictions: 200, hold: Duration::seconds(0) };
        Self { steps: vec![step], analysis: AnalysisBounds::default() }
    }
}

/// A share of the applicants, until enough of them were answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Percent of the applicants the challenger answers, sticky by id.
    #[schemars(range(min = 1, max = 100))]
    pub weight: u8,
    /// Answers of the challenger that the step waits for.
    #[serde(default = "enough")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub predictions: u64,
    /// The shortest time the step lasts.
    #[serde(default = "no_hold")]
    pub hold: Duration,
}

const fn enough() -> u64 {
    200
}

const fn no_hold() -> Duration {
    Duration::seconds(0)
}

/// What a challenger must keep to while it is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisBounds {
    /// Applications that it could not score (the champion answered them).
    pub error_rate: ErrorRate,
    /// Time to score and explain, against the champion over the same time; only reported unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_p99: Option<LatencyBound>,
}

impl Default for AnalysisBounds {
    fn default() -> Self {
        Self { error_rate: ErrorRate { at_most: 0.005 }, latency_p99: None }
    }
}

/// A bound on errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorRate {
    /// The largest share of its applications, between 0 and 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub at_most: f64,
}

/// A bound on the 99th percentile of latency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatencyBound {
    /// The largest multiple of the champion's.
    #[schemars(range(min = 1.0, max = 1000.0))]
    pub max_ratio: f64,
}

/// What the operator knows of a PredictionService.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PredictionServiceStatus {
    /// The generation that was last acted on.
    pub observed_generation: i64,
    /// The version that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable: Option<u32>,
    /// The version on trial, and how far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,
    /// Versions that were tried here and went back, the newest last.
    #[schemars(length(max = 10))]
    pub rejected_versions: Vec<RejectedVersion>,
    /// Where clients within the cluster find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Pods.
    pub replicas: i32,
    /// Pods that are ready.
    pub ready_replicas: i32,
    /// Selector of the pods, for the scale subresource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// `Ready`, `Reconciling`, `Stalled`, `RollingOut`, `RolledBack`.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A version on trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// Which.
    pub version: u32,
    /// How far it is.
    pub phase: RolloutPhase,
    /// Index of its step, from 0.
    pub step: u32,
    /// Percent of the applicants it answers.
    pub weight: u8,
    /// Generation of the traffic that says so.
    pub generation: u64,
    /// When the step began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
    /// Applications it was asked to answer in this step, all pods together.
    pub predictions: u64,
    /// Those it could not.
    pub errors: u64,
    /// The last reading of each pod, so that a vanished pod's still counts, once.
    #[schemars(length(max = 1000))]
    pub readings: Vec<Reading>,
}

/// One pod's figures of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// The pod.
    #[schemars(length(max = 253))]
    pub pod: String,
    /// When its process started.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// Applications the version on trial was asked to answer.
    pub predictions: u64,
    /// Those it could not.
    pub errors: u64,
}

/// How far a trial is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RolloutPhase {
    /// Pods that hold both versions are coming up.
    Loading,
    /// It answers some applicants.
    Stepping,
    /// It has passed every step, and waits to become champion.
    Passed,
    /// It did not keep to its bounds; its applicants go back to the stable version.
    Failed,
}

/// A version that was tried and went back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedVersion {
    /// Which.
    pub version: u32,
    /// The run that made it: a number may come again after a restore, a run never does.
    #[schemars(length(max = 64))]
    pub run: String,
    /// Why.
    #[schemars(length(max = 512))]
    pub reason: String,
}
