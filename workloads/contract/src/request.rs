//! What the operator asks of a Job, in one environment variable.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Digest,
    learning::{Data, Learning},
};

/// The variable that holds a request as JSON.
pub const REQUEST: &str = "UNDERWRITER_REQUEST";

/// Prefix of the variables with the credentials of `data.secretRef`.
pub const DATA_PREFIX: &str = "DATA_";
/// Prefix of the variables with the credentials of `artifacts.secretRef`.
pub const ARTIFACTS_PREFIX: &str = "ARTIFACTS_";
/// Prefix of the variables with the credentials of `predictionLog.secretRef`; its key is `DATABASE_URL`.
pub const LOG_PREFIX: &str = "LOG_";
/// Prefix of the variables with the credentials of `registry.mlflow.secretRef`.
pub const REGISTRY_PREFIX: &str = "REGISTRY_";

/// Names one version of a model in the artifact store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactRef {
    /// Its number.
    pub version: u32,
    /// The run that made it.
    #[schemars(length(max = 64))]
    pub run: String,
    /// The folder, ending in `/`.
    #[schemars(length(max = 1024))]
    pub uri: String,
    /// Digest of the folder's `manifest.json`, which digests the rest: the root of trust.
    pub digest: Digest,
}

/// Why a run was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TriggerType {
    /// The model had no version yet.
    Initial,
    /// What is to be learnt was changed.
    SpecChange,
    /// Somebody asked for it.
    Request,
    /// A monitor found drift, and there was something new to learn.
    Drift,
    /// Its time had come.
    Schedule,
}

/// Why a run was started, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// The kind of cause.
    #[serde(rename = "type")]
    pub kind: TriggerType,
    /// The token of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub token: Option<String>,
    /// The drift episodes that this run answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 253)))]
    pub episodes: Vec<String>,
    /// The moment of the schedule that this run answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub scheduled: Option<Timestamp>,
}

/// A version that another run need not learn again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// Its number.
    pub version: u32,
    /// Digest of the rows it was learnt from.
    pub data: Digest,
}

/// Train one version of a model. Idempotent: where a finished manifest stands at the destination, it is only summarised.
///
/// A trial of the run's sweep is asked the same, and its number by `JOB_COMPLETION_INDEX`; it writes
/// `trials/<number>.json` below the artifact, and leaves one that stands there as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainRequest {
    /// Format of this value.
    pub format: u32,
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// The number the version will have.
    pub version: u32,
    /// The run's id, in the artifact's path, its manifest and each row of the log.
    pub run: String,
    /// Why.
    pub trigger: Trigger,
    /// What to learn.
    pub learning: Learning,
    /// The folder to write, ending in `/`.
    pub artifact: String,
    /// The version to compare with, on rows later than any it has used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champion: Option<ArtifactRef>,
    /// Outcomes received later than this are left out, so that a second attempt sees the same data.
    /// None: there is no prediction log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes_before: Option<Timestamp>,
    /// Versions after the champion that were learnt in this very way: on the same data there is nothing new to learn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Known>,
}

/// Compare a version with the champion, on loans that neither was made from. Reads, and writes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompareRequest {
    /// Format of this value.
    pub format: u32,
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// The loans, as the model describes them by now.
    pub data: Data,
    /// The version that is to be judged.
    pub version: ArtifactRef,
    /// The version that decides.
    pub champion: ArtifactRef,
    /// Outcomes received later than this are left out. None: there is no prediction log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes_before: Option<Timestamp>,
}

/// Which predictions a scan looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// The last so many, by application time, then answer time, then decision id.
    pub predictions: u32,
}

/// How columns are tested for drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeatureTests {
    /// The family of tests.
    pub test: FeatureTest,
    /// The share of drifted columns from which the whole counts as drifted.
    pub drift_share: f64,
    /// The largest change of a column's share of nulls that is not drift.
    pub nulls_max_change: f64,
}

/// A family of two-sample tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FeatureTest {
    /// Picks and computes as Evidently 0.7 does for more than 1,000 reference rows: the Wasserstein distance by the
    /// reference's standard deviation, or the Jensen–Shannon distance for up to five distinct values and categories,
    /// each against 0.1.
    #[default]
    Evidently,
}

/// Compare the newest predictions with what a version was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftRequest {
    /// Format of this value.
    pub format: u32,
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// The monitor's name.
    pub monitor: String,
    /// The scan's id: the Job's name.
    pub scan: String,
    /// The service whose predictions are looked at.
    pub service: String,
    /// The version whose profile is the reference.
    pub reference: ArtifactRef,
    /// Which predictions.
    pub window: Window,
    /// Fewer than this give no verdict.
    pub min_samples: u32,
    /// The tests.
    pub features: FeatureTests,
    /// The folder for the report, ending in `/`.
    pub report: String,
}

/// Make MLflow show what the cluster holds of a model. Idempotent: what stands there as wanted is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MirrorRequest {
    /// Format of this value.
    pub format: u32,
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// MLflow's address.
    pub tracking_uri: String,
    /// The experiment of the runs; made where there is none.
    pub experiment: String,
    /// The versions to show, oldest first.
    pub versions: Vec<MirroredVersion>,
    /// The version that decides: the alias `champion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champion: Option<u32>,
    /// The version that services try: the alias `challenger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenger: Option<u32>,
}

impl MirrorRequest {
    /// Stands for all that MLflow is to show.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(serde_json::to_string(self).unwrap_or_default().as_bytes()) // a plain value: cannot fail
    }
}

/// One version as MLflow is to show it. What was learnt is read from its artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MirroredVersion {
    /// Where it is.
    pub artifact: ArtifactRef,
    /// When it was made.
    pub created: Timestamp,
    /// Where it stands: `Candidate`, `Champion`, …
    pub state: String,
    /// The last decision about it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
}
