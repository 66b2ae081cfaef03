//! What a predictor pod is told, and what it reports to the operator.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::request::ArtifactRef;

/// The port of the API.
pub const API_PORT: u16 = 9696;
/// The port of probes, metrics and [`ANALYSIS_PATH`].
pub const ADMIN_PORT: u16 = 9697;
/// Where a pod reports an [`Analysis`].
pub const ANALYSIS_PATH: &str = "/analysis";
/// Where the ConfigMap with a [`Traffic`] is mounted.
pub const TRAFFIC_FOLDER: &str = "/etc/underwriter/traffic";
/// The ConfigMap's key.
pub const TRAFFIC_FILE: &str = "traffic.json";
/// Where the pod spools what the log has not taken yet.
pub const SPOOL_FOLDER: &str = "/var/spool/underwriter";

/// What a pod serves; part of the pod template, so that another version is another revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServingRequest {
    /// Format of this value.
    pub format: u32,
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// The PredictionService's name.
    pub service: String,
    /// One version, or two during a rollout.
    pub versions: Vec<ArtifactRef>,
    /// The most reasons an answer gives.
    pub reasons: u8,
    /// When a record is safe.
    pub durability: Durability,
}

/// When a record of the prediction log is safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Durability {
    /// Before the answer leaves it is in the pod's spool file, which survives the process.
    #[default]
    Spooled,
    /// Before the answer leaves it is committed in Postgres.
    Committed,
}

/// Which version answers whom. Changes without a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Traffic {
    /// Format of this value.
    pub format: u32,
    /// Greater than that of any before.
    pub generation: u64,
    /// When all pods switch.
    pub active_from: Timestamp,
    /// The version that answers.
    pub stable: u32,
    /// The version that answers some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
}

/// A version on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Which.
    pub version: u32,
    /// Percent of the applicants it answers, sticky by id.
    pub weight: u8,
}

/// What one pod has seen since it took up its generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Analysis {
    /// The pod's name.
    pub pod: String,
    /// When this process started: after a restart, counts begin again.
    pub started: Timestamp,
    /// The newest traffic it has read.
    pub generation: u64,
    /// Whether that one is in force.
    pub active: bool,
    /// By version, under this generation only.
    pub versions: Vec<VersionFigures>,
}

/// What one version has done in one pod under one generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionFigures {
    /// Which.
    pub version: u32,
    /// Applications it was asked to answer.
    pub predictions: u64,
    /// Those it could not: its score was not finite, or it panicked. Another version answered.
    pub errors: u64,
    /// Median time to score and explain, in microseconds.
    pub latency_p50: f64,
    /// 99th percentile of it.
    pub latency_p99: f64,
}
