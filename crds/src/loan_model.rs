//! LoanModel: what to learn, and when a version may decide.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use underwriter_contract::{
    learning::{
        Algorithm, Data, Decision, Hyperparameters, Learning, SecretRef, Split, Sweep, Training as LearningTraining,
    },
    request::{Trigger, TriggerType},
    summary::{FailureReason, MetricName},
};

use crate::{Duration, JobFailure, Template};

/// What to learn, and when a version may decide.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "underwriter.dev",
    version = "v1alpha1",
    kind = "LoanModel",
    namespaced,
    status = "LoanModelStatus",
    shortname = "lm",
    category = "underwriter",
    derive = "PartialEq",
    doc = "Describes a loan-default model: what it learns from, when it may refuse, and how a new version comes to decide.",
    validation = "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 40",
    printcolumn(name = "Champion", type_ = "integer", json_path = ".status.champion"),
    printcolumn(name = "Challenger", type_ = "integer", json_path = ".status.challenger"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct LoanModelSpec {
    /// The loans and what their columns mean.
    pub data: Data,
    /// Where versions are kept; default: the installation's store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<Artifacts>,
    /// The log of the model's predictions; its services and monitors use it. Default: the installation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction_log: Option<PredictionLog>,
    /// How to learn.
    #[serde(default)]
    pub training: Training,
    /// When to refuse.
    pub decision: Decision,
    /// When a version may decide.
    #[serde(default)]
    pub promotion: Promotion,
    /// When to train again.
    #[serde(default)]
    pub retraining: Retraining,
    /// Starts no new run. Services go on, and so does a rollout.
    #[serde(default)]
    pub suspend: bool,
    /// Where else versions are shown. Nothing is read from there, and nothing waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<Registry>,
    /// Whether versions go when the model goes. Artifacts and the prediction log are records and stay.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// The most ModelVersions that are kept: older ones go first, but never the champion, the one before it, the
    /// challenger, one that a service names, or one that waits for a person. Artifacts stay.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 1000))]
    pub history_limit: u32,
}

const fn twenty() -> u32 {
    20
}

/// Whether versions go when the model goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// They stay, and a model of the same name adopts them.
    #[default]
    Retain,
    /// They go. A backup that restores them without their model loses them again.
    Delete,
}

impl LoanModelSpec {
    /// The part that decides what is learnt.
    #[must_use]
    pub fn learning(&self) -> Learning {
        let Training { algorithm, seed, split, hyperparameters, sweep, .. } = self.training;
        let training = LearningTraining { algorithm, seed, split, hyperparameters, sweep };
        Learning { data: self.data.clone(), training, decision: self.decision.clone() }
    }
}

/// Where versions are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifacts {
    /// The folder: `s3://bucket/prefix/`. Versions are written below `<namespace>/<model>/`.
    #[schemars(length(max = 512), regex(pattern = r"^s3://[^/]+/(.*/)?$"))]
    pub uri: String,
    /// Secret with the same keys as that of `data.secretRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// The log of a model's predictions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PredictionLog {
    /// Secret with the key `DATABASE_URL`: `postgres://user:password@host:5432/database`.
    pub secret_ref: SecretRef,
}

/// How to learn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!(has(self.hyperparameters) || has(self.sweep)) || self.algorithm in ['Auto', 'GradientBoosting']",
    "message": "hyperparameters and sweep are of trees: algorithm must be Auto or GradientBoosting"
}]))]
pub struct Training {
    /// The family of models.
    pub algorithm: Algorithm,
    /// Seed of everything random. The same bytes in and the same seed give the same bytes out.
    pub seed: u32,
    /// How rows become fit, calibrate and test rows; default: by time where there is a time column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// The longest a run may take, all its retries together.
    pub deadline: Duration,
    /// How often a run that failed for no fault of its input is tried again.
    #[schemars(range(max = 10))]
    pub retries: u8,
    /// Added to the training pods.
    pub template: Template,
    /// What of the trees is fixed; the rest is chosen on inner folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hyperparameters: Option<Hyperparameters>,
    /// Tries more trees, in pods of their own, before the run trains. Of the deadline each of the two has one half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            seed: 0,
            split: None,
            deadline: Duration::hours(1),
            retries: 2,
            template: Template::default(),
            hyperparameters: None,
            sweep: None,
        }
    }
}

/// When a version may decide.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Promotion {
    /// Whether a person must approve.
    pub policy: PromotionPolicy,
    /// What a version must reach; the first that says no wins. Default: recall is not below its target (or the
    /// refused share not above what the approval rate leaves), and the ROC AUC
    /// is not worse than the champion's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub gates: Vec<Gate>,
}

/// Whether a person must approve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PromotionPolicy {
    /// The gates are enough.
    #[default]
    Automatic,
    /// Somebody appends `Approved` to the ModelVersion's decisions.
    Manual,
}

/// One figure that a version must reach; exactly one of the three bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.atLeast), has(self.atMost), has(self.versusChampion)].filter(x, x).size() == 1",
    "message": "exactly one of atLeast, atMost and versusChampion"
}, {
    "rule": "self.metric == 'logLoss' || ((!has(self.atLeast) || (self.atLeast >= 0.0 && self.atLeast <= 1.0)) && (!has(self.atMost) || (self.atMost >= 0.0 && self.atMost <= 1.0)))",
    "message": "the metric is a share: write 0.75 for 75 %"
}, {
    "rule": "self.metric != 'unknown'",
    "message": "name a metric; the versions of a model have theirs in spec.metrics"
}]))]
pub struct Gate {
    /// The figure, on the test rows.
    pub metric: MetricName,
    /// Fails where the upper end of the figure's interval is below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Fails where the lower end of the figure's interval is above this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Against the champion on the same rows; passes where there is no champion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versus_champion: Option<VersusChampion>,
}

/// A paired difference on rows that are later than any that either version has used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersusChampion {
    /// Passes where the worse end of the interval loses less than this, fails where even the better end loses, and holds
    /// for a person in between.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_loss: f64,
}

/// When to train again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.schedule) || !has(self.timeZone)",
    "message": "timeZone is that of a schedule: set schedule too"
}]))]
pub struct Retraining {
    /// When a monitor finds drift.
    pub on_drift: OnDrift,
    /// When a run comes by itself: minute, hour, day, month and weekday as in a CronJob, and up to five minutes later, by
    /// the model's name. Of missed runs only one is caught up with, and none after `suspend`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), regex(pattern = r"^\s*\S+(\s+\S+){4}\s*$"))]
    pub schedule: Option<String>,
    /// The zone whose clocks the schedule means, by its name in the IANA database; default: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,
}

/// What drift leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OnDrift {
    /// Whether it starts a run.
    pub mode: OnDriftMode,
    /// The shortest time since the last run that drift started.
    pub cooldown: Duration,
    /// The most runs that drift starts within seven days.
    #[schemars(range(min = 1, max = 100))]
    pub max_per_week: u32,
    /// Bad outcomes that the champion was not trained on; with fewer there is nothing new to learn.
    #[schemars(range(max = 1_000_000))]
    pub min_bad: u64,
}

impl Default for OnDrift {
    fn default() -> Self {
        Self { mode: OnDriftMode::Enabled, cooldown: Duration::hours(24), max_per_week: 2, min_bad: 100 }
    }
}

/// Whether drift starts a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnDriftMode {
    /// It does.
    #[default]
    Enabled,
    /// It is only said, as the condition `RetrainingRequired`.
    Warn,
    /// It is ignored.
    Disabled,
}

/// Where else versions are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registry {
    /// An MLflow server: each version becomes a run and a version of the registered model `<namespace>.<name>`, champion
    /// and challenger become aliases.
    pub mlflow: Mlflow,
}

/// An MLflow server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mlflow {
    /// Its address.
    #[schemars(length(min = 1, max = 512), extend("x-kubernetes-validations" = [{
        "rule": "self.matches('^https?://[^/?#@]+(/[^?#@]*)?$')",
        "message": "must be http://host:port or https://host:port, without credentials: those belong in the Secret"
    }]))]
    pub tracking_uri: String,
    /// The experiment of the runs, made where there is none; default: `<namespace>/<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 250))]
    pub experiment: Option<String>,
    /// Secret with `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or with `MLFLOW_TRACKING_TOKEN`; where
    /// clients of MLflow write files into a bucket themselves, also with the keys of `data.secretRef` for it (default:
    /// those of the artifacts).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// What the operator knows of a LoanModel. All of it can be derived again from ModelVersions and Jobs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoanModelStatus {
    /// The generation that was last acted on.
    pub observed_generation: i64,
    /// The version that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub champion: Option<u32>,
    /// The version that services try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenger: Option<u32>,
    /// The greatest number given to a version, or to a run that may become one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<u32>,
    /// The run that is going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The last run that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
    /// Token of the last request for a run that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_retrain_request: Option<String>,
    /// When the next run comes by its schedule; in the past while it waits for another run to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub next_scheduled_run: Option<Timestamp>,
    /// What the model's services and monitors use, with the installation's defaults filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved>,
    /// `Ready`, `Reconciling`, `Stalled`, `AwaitingApproval`, `RetrainingRequired`, `RegistryMirrored`.
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What the registry shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
}

/// What the registry shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    /// Digest of all that it was last made to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<underwriter_contract::Digest>,
    /// The versions among that.
    #[serde(default)]
    pub versions: u32,
    /// The last Job whose end was seen.
    #[schemars(length(max = 63))]
    pub job: String,
    /// When that Job was created.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created: Timestamp,
    /// Why the registry lags behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<JobFailure>,
}

/// A run that is going on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The version it will make.
    pub version: u32,
    /// Why.
    pub trigger: Trigger,
    /// Its Job.
    pub job: String,
    /// 1, or more after an attempt that failed.
    pub attempt: u32,
    /// When its first Job was created.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// How its sweep is doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepProgress>,
    /// What the Job or its pod waits for, where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub waiting: Option<String>,
}

/// How a sweep is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SweepProgress {
    /// Trials in all.
    pub trials: u32,
    /// Those that have a result.
    pub succeeded: u32,
    /// Those that will have none.
    pub failed: u32,
}

/// A run that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// Its id.
    pub id: String,
    /// The version it made, or would have made.
    pub version: u32,
    /// 1, or more after an attempt that failed.
    pub attempt: u32,
    /// Why it was started.
    pub trigger: TriggerType,
    /// How it ended.
    pub result: RunResult,
    /// The kind of fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// What is wrong, where, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
    /// Digest of the learning fields it was started with.
    pub config_digest: underwriter_contract::Digest,
    /// When its end was seen.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RunResult {
    /// There is a new ModelVersion.
    Succeeded,
    /// There was nothing new to learn.
    Skipped,
    /// It did not work.
    Failed,
}

/// What a model's services and monitors use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resolved {
    /// The artifact store.
    pub artifacts: Artifacts,
    /// The log, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction_log: Option<PredictionLog>,
    /// Digest of the learning fields.
    pub config_digest: underwriter_contract::Digest,
}
