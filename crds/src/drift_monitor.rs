//! DriftMonitor: whether the world still looks like the data.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use underwriter_contract::{
    request::FeatureTest,
    summary::{Scanned, Verdict},
};

use crate::ModelRef;

/// Whether the world still looks like the data.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "underwriter.dev",
    version = "v1alpha1",
    kind = "DriftMonitor",
    namespaced,
    status = "DriftMonitorStatus",
    shortname = "dm",
    category = "underwriter",
    derive = "PartialEq",
    doc = "Compares the newest applications with the data that the champion was trained on.",
    validation = "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 40",
    printcolumn(name = "Model", type_ = "string", json_path = ".spec.modelRef.name"),
    printcolumn(name = "Drifted", type_ = "string", json_path = ".status.conditions[?(@.type=='Drifted')].status"),
    printcolumn(name = "Share", type_ = "number", json_path = ".status.lastScan.driftedShare"),
    printcolumn(name = "Reference", type_ = "integer", json_path = ".status.lastScan.referenceVersion"),
    printcolumn(name = "Last Scan", type_ = "date", json_path = ".status.lastScan.at"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct DriftMonitorSpec {
    /// The model whose champion is the reference.
    pub model_ref: ModelRef,
    /// Whose applications are looked at.
    pub source: Source,
    /// When, as in a CronJob, in UTC.
    #[serde(default = "half_hourly")]
    #[schemars(length(min = 1, max = 100))]
    pub schedule: String,
    /// Which of them.
    #[serde(default)]
    pub window: Window,
    /// How their columns are compared.
    #[serde(default)]
    pub features: Features,
    /// Verdicts in a row before it counts.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 10))]
    pub consecutive: u32,
    /// Starts no new scan.
    #[serde(default)]
    pub suspend: bool,
}

fn half_hourly() -> String {
    "*/30 * * * *".into()
}

const fn two() -> u32 {
    2
}

/// Whose applications are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// A PredictionService that serves the model.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
}

/// Which applications are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Window {
    /// The newest so many, by the application's time.
    #[schemars(range(min = 100, max = 1_000_000))]
    pub predictions: u32,
    /// With fewer there is no verdict.
    #[schemars(range(min = 100, max = 1_000_000))]
    pub min_samples: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { predictions: 3000, min_samples: 500 }
    }
}

/// How columns are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Features {
    /// The family of tests.
    pub test: FeatureTest,
    /// The share of drifted columns from which the whole counts as drifted.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub drift_share: f64,
    /// Shares of nulls.
    pub nulls: Nulls,
}

impl Default for Features {
    fn default() -> Self {
        Self { test: FeatureTest::default(), drift_share: 0.5, nulls: Nulls::default() }
    }
}

/// How shares of nulls are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Nulls {
    /// The largest change that is not drift.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_change: f64,
}

impl Default for Nulls {
    fn default() -> Self {
        Self { max_change: 0.05 }
    }
}

/// What the operator knows of a DriftMonitor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DriftMonitorStatus {
    /// The generation that was last acted on.
    pub observed_generation: i64,
    /// The newest scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scan: Option<Scanned>,
    /// The scan that is going on: its Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<String>,
    /// Verdicts of the newest scans, oldest first.
    #[schemars(length(max = 10))]
    pub history: Vec<PastScan>,
    /// The drift that is going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episode: Option<Episode>,
    /// The scheduled time of the last scan by schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_schedule: Option<Timestamp>,
    /// When the next scan is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub next_scan: Option<Timestamp>,
    /// Token of the last request for a scan that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_scan_request: Option<String>,
    /// `Ready`, `Drifted`, `Reconciling`, `Stalled`.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// One scan of the past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastScan {
    /// Its id.
    #[schemars(length(max = 63))]
    pub scan: String,
    /// When it read the log.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// What it was compared with.
    pub reference_version: u32,
    /// What it found.
    pub verdict: Verdict,
    /// Share of the columns that drifted.
    pub drifted_share: f64,
}

/// Drift against one reference, from its first drifted scan on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Episode {
    /// Names it: the monitor's UID, the reference version and the first drifted scan.
    #[schemars(length(max = 253))]
    pub id: String,
    /// The version it is drift against.
    pub reference_version: u32,
    /// Drifted verdicts in a row.
    pub scans: u32,
    /// When the first of them was.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
}
