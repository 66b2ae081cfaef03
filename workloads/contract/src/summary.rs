//! What a Job tells the operator: its termination message, at most [`MAX_BYTES`] by construction, and its exit code.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, learning::Family};

/// The longest termination message written here (kubelet cuts at 4096 bytes, blindly).
pub const MAX_BYTES: usize = 2048;
/// The most columns a summary names.
pub const MAX_COLUMNS: usize = 10;
/// The longest message of a failure, in characters.
pub const MAX_MESSAGE: usize = 800;

/// How a Job ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Summary {
    /// A version stands in the artifact store.
    Trained(Box<Trained>),
    /// The data and the configuration are those of the champion, or of a version after it: there was nothing to learn.
    Skipped(Skipped),
    /// A window was compared.
    Scanned(Box<Scanned>),
    /// It did not work, and why.
    Failed(Failure),
    /// A trial of a sweep has a result.
    Tried(Tried),
    /// MLflow shows what the cluster holds.
    Mirrored(Mirrored),
    /// A version was compared with the champion.
    Compared(Compared),
}

/// What came of one trial of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// The run.
    pub run: String,
    /// The trial's number.
    pub trial: u32,
    /// Mean log loss on inner folds.
    pub loss: f64,
}

/// Nothing new to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// The run.
    pub run: String,
    /// The version that was learnt from the same data in the same way.
    pub same_as: u32,
}

/// MLflow shows what the cluster holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mirrored {
    /// Digest of the request: of all that MLflow shows.
    pub digest: Digest,
    /// The versions that it shows.
    pub versions: u32,
    /// Those among them that it did not know before.
    pub added: u32,
}

/// A version was compared with the champion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// The version's run.
    pub run: String,
    /// How it does against the champion.
    pub comparison: Comparison,
}

/// The data that a version was learnt from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataSummary {
    /// Where it was read.
    #[schemars(length(max = 1024))]
    pub uri: String,
    /// Digest of the rows used, outcomes from the log included.
    pub digest: Digest,
    /// Finished loans used.
    pub rows: u64,
    /// The oldest application, where there is a time column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub from: Option<Date>,
    /// The newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub to: Option<Date>,
}

/// The figures by which versions are judged. All are taken on the test rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MetricName {
    /// Area under the ROC curve.
    RocAuc,
    /// Average precision.
    AveragePrecision,
    /// Kolmogorov–Smirnov distance between the scores of bad and good.
    Ks,
    /// Mean squared error of the probability.
    Brier,
    /// Mean negative log likelihood.
    LogLoss,
    /// Share of the bad loans that would have been refused: the bad loans avoided.
    Recall,
    /// Share of the refused loans that are bad.
    Precision,
    /// Share of all loans that would have been refused: the price of the recall.
    RefusedShare,
    /// 2 · ROC AUC − 1.
    Gini,
    /// Expected calibration error: mean distance of probabilities from what happened, in ten bins of equal count.
    CalibrationError,
    /// Share of all loans that would have been granted.
    ApprovalRate,
    /// A figure that this code does not know yet.
    #[serde(other)]
    Unknown,
}

/// A figure with its 95 % interval where one is known; rounded to six decimals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Which.
    pub name: MetricName,
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// A version against the champion, on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The champion it was compared with.
    pub version: u32,
    /// The rows both were scored on.
    pub rows: u64,
    /// Whether one of the two had already used some of these rows: then they are no proof.
    pub reused: bool,
    /// Paired differences, new minus champion.
    #[schemars(length(max = 10))]
    pub differences: Vec<Metric>,
}

/// A version stands in the artifact store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trained {
    /// The run.
    pub run: String,
    /// Digest of the manifest.
    pub manifest: Digest,
    /// What it was learnt from.
    pub data: DataSummary,
    /// What it is made of.
    pub algorithm: Family,
    /// Its figures on the test rows.
    pub metrics: Vec<Metric>,
    /// Probability from which an application is refused.
    pub threshold: f64,
    /// Against the champion, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<Comparison>,
    /// Columns that leak, the first ten.
    pub leaking: Vec<String>,
}

/// One column's part in a scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ColumnDrift {
    /// The column.
    #[schemars(length(max = 128))]
    pub name: String,
    /// The distance, by the test of its kind.
    pub distance: f64,
    /// From where it counts.
    pub threshold: f64,
    /// Change of its share of nulls.
    pub nulls_change: f64,
    /// Whether it counts.
    pub drifted: bool,
}

/// What a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// Like the reference.
    Quiet,
    /// Not like the reference.
    Drifted,
    /// Too few predictions to tell.
    TooFewSamples,
}

/// A window was compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scanned {
    /// The scan.
    #[schemars(length(max = 63))]
    pub scan: String,
    /// When it read the log.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The version whose profile was the reference.
    pub reference_version: u32,
    /// Predictions looked at.
    pub rows: u64,
    /// The oldest application among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub from: Option<Timestamp>,
    /// The newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub to: Option<Timestamp>,
    /// What it found.
    pub verdict: Verdict,
    /// Share of the columns that drifted.
    pub drifted_share: f64,
    /// The ten worst columns, worst first.
    #[schemars(length(max = 10))]
    pub columns: Vec<ColumnDrift>,
    /// Bad outcomes known now that the reference version was not trained on: what there is to learn from.
    pub new_bad: u64,
    /// Where the report is.
    #[schemars(length(max = 1024))]
    pub report: String,
}

/// Why a Job did not work. The operator shows it as a condition's reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FailureReason {
    /// The request cannot be read: operator and task are of different releases.
    RequestInvalid,
    /// A column named in the spec is not in the data.
    ColumnNotFound,
    /// The label has one class only, or values that nobody named.
    LabelInvalid,
    /// Rows of the data cannot be read.
    DataInvalid,
    /// There are too few bad loans for the blocks that a run needs.
    TooFewBad,
    /// No threshold promises the wanted recall.
    RecallOutOfReach,
    /// An artifact's bytes are not those of its digest.
    ArtifactCorrupt,
    /// Bucket or object do not exist.
    NotFound,
    /// The credentials were refused.
    AccessDenied,
    /// The store or the database cannot be reached.
    Unreachable,
    /// A fault of this program.
    Internal,
}

impl FailureReason {
    /// The exit code: 2 invalid input, 3 refused credentials or missing bucket, 1 worth another try.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::RequestInvalid
            | Self::ColumnNotFound
            | Self::LabelInvalid
            | Self::DataInvalid
            | Self::TooFewBad
            | Self::RecallOutOfReach
            | Self::ArtifactCorrupt => 2,
            Self::NotFound | Self::AccessDenied => 3,
            Self::Unreachable | Self::Internal => 1,
        }
    }
}

/// It did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The kind of fault.
    pub reason: FailureReason,
    /// What is wrong, where, and what to do: at most [`MAX_MESSAGE`] characters.
    pub message: String,
}

impl Failure {
    /// A failure whose message is cut to what fits.
    #[must_use]
    pub fn new(reason: FailureReason, message: impl std::fmt::Display) -> Self {
        Self { reason, message: message.to_string().chars().take(MAX_MESSAGE).collect() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Failure {}

/// Rounds to six decimals; not-a-number and infinities have no place in a status and become `None`.
#[must_use]
pub fn rounded(value: f64) -> Option<f64> {
    value.is_finite().then(|| (value * 1e6).round() / 1e6)
}
