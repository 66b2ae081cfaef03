//! The part of a LoanModel that decides what is learnt: data, algorithm, decision.
//!
//! These types are embedded in the CRD (with its bounds and CEL rules) and sent to the training task as they are, so
//! that one YAML file means the same in a cluster and on a laptop. [`Learning::digest`] tells whether a change of the
//! spec is a reason to train again.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Duration};

/// Everything that changes what a model learns, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Learning {
    /// The loans and what their columns mean.
    pub data: Data,
    /// How to learn from them.
    #[serde(default)]
    pub training: Training,
    /// When to refuse.
    pub decision: Decision,
}

/// The loans and what their columns mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Data {
    /// Where the loans are: `s3://bucket/key.csv`, or a prefix ending in `/` whose parts are read in the order of their
    /// names; `https://host/file`; or `kaggle://owner/dataset/file`. CSV and Parquet are understood, plain or packed by
    /// gzip, zstd or zip.
    #[schemars(length(min = 1, max = 1024), extend("x-kubernetes-validations" = [{
        "rule": "self.matches('^(s3://[^/]+(/.*)?|https://[^/]+/.+|kaggle://[^/]+/[^/]+/.+)$')",
        "message": "must be s3://bucket/…, https://host/file or kaggle://owner/dataset/file (a file can only be read on a laptop)"
    }]))]
    pub uri: String,
    /// Secret with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where they differ from AWS's own, `AWS_REGION`
    /// and `AWS_ENDPOINT_URL`; for Kaggle `KAGGLE_USERNAME` and `KAGGLE_KEY`. Default: the installation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// The column that tells how a loan ended.
    pub label: Label,
    /// When the application was made; without it rows are split at random and drift of time is invisible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeColumn>,
    /// The application's unique id: with it outcomes can be reported and joined. Never a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<IdColumns>,
    /// What single columns are for. Every other column is a feature, unless a guard drops it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub columns: Vec<ColumnRule>,
    /// Whether matured outcomes from the prediction log join the training data, by application id.
    #[serde(default)]
    pub outcomes: Outcomes,
    /// How old an application must be for its outcome to count. Default: the newest months are cut while less than 95 %
    /// of their loans are finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maturity: Option<Maturity>,
    /// What happens to columns that tell the outcome.
    #[serde(default)]
    pub leakage: Leakage,
}

/// How old an application must be for its outcome to count: of younger ones only early defaults and early pay-offs are
/// known, which are like neither.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Maturity {
    /// Younger applications are left out even where they are finished.
    pub window: Duration,
    /// The day by which age is judged. Default: that of the newest application or outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub as_of: Option<Date>,
}

/// What happens to columns that tell the outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Leakage {
    /// They are gone for good.
    #[default]
    Enforce,
    /// They are learnt from, and named in the report.
    Warn,
    /// Nobody looks for them.
    Disabled,
}

/// A Secret in the object's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The column that tells how a loan ended, and its vocabulary. Rows with any other value are not finished and not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Its name.
    #[schemars(length(min = 1, max = 128))]
    pub column: String,
    /// The values of a loan that was not paid back.
    #[schemars(length(min = 1, max = 20), inner(length(max = 128)))]
    pub bad: Vec<String>,
    /// The values of a loan that was.
    #[schemars(length(min = 1, max = 20), inner(length(max = 128)))]
    pub good: Vec<String>,
}

impl Label {
    /// Whether a value means bad (`Some(true)`), good (`Some(false)`) or not finished (`None`).
    #[must_use]
    pub fn is_bad(&self, value: &str) -> Option<bool> {
        let value = value.trim();
        let among = |values: &[String]| values.iter().any(|known| known == value);
        if among(&self.bad) { Some(true) } else { among(&self.good).then_some(false) }
    }
}

/// The column with the application's date: `2011-12-01`, `2011-12`, `Dec-2011` or a time in RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimeColumn {
    /// Its name.
    #[schemars(length(min = 1, max = 128))]
    pub column: String,
}

/// The columns that name an application and who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdColumns {
    /// The application's unique id.
    #[schemars(length(min = 1, max = 128))]
    pub application: String,
    /// The applicant's id, the same when a person returns: canaries are sticky by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub applicant: Option<String>,
}

/// What one column is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!(has(self.monotonic) || has(self.reason)) || !has(self.role) || self.role == 'Feature'",
    "message": "monotonic and reason are for columns that are learnt from: role Feature"
}]))]
pub struct ColumnRule {
    /// The column.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// Its role.
    #[serde(default)]
    pub role: ColumnRole,
    /// How risk must go with a number, whatever the data say; of a date, with the time since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monotonic: Option<Monotonic>,
    /// What is said of the column in a reason for refusal, in the place of the text made from its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub reason: Option<String>,
}

/// How risk goes with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Monotonic {
    /// More is never safer.
    Increasing,
    /// More is never riskier.
    Decreasing,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ColumnRole {
    /// Learnt from, also where it tells where or who somebody is, or is nearly unique. What tells the outcome is still
    /// dropped.
    #[default]
    Feature,
    /// Known when the application is made and kept in the log, but not learnt from.
    Excluded,
    /// Never learnt from; kept as evidence of fairness.
    Protected,
}

/// Whether outcomes from the prediction log are training data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Outcomes {
    /// They are, where the data has ids.
    #[default]
    Include,
    /// They are not.
    Ignore,
}

/// How to learn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Training {
    /// The family of models.
    pub algorithm: Algorithm,
    /// Seed of everything random. The same bytes in and the same seed give the same bytes out.
    pub seed: u32,
    /// How rows become fit, calibrate and test rows; default: by time where there is a time column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// What of the trees is fixed; the rest is chosen on inner folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hyperparameters: Option<Hyperparameters>,
    /// Tries more trees, in pods of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

/// Trees are tried in pods of their own before the run trains, which then chooses among the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// How many points are tried; which, follows from their numbers and the seed.
    #[schemars(range(min = 1, max = 200))]
    pub trials: u32,
    /// How many pods try at the same time.
    #[serde(default = "parallelism")]
    #[schemars(range(min = 1, max = 50))]
    pub parallelism: u32,
}

const fn parallelism() -> u32 {
    2
}

/// What of boosted trees is fixed. Whatever is left out is chosen on inner folds, newer loans each time than those learnt
/// from. Trees stay small, so that reasons are exact and cost next to nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Hyperparameters {
    /// The most leaves of a tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 16))]
    pub leaves: Option<u32>,
    /// The share of its own answer that each tree adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.005, max = 0.5))]
    pub learning_rate: Option<f64>,
    /// How many trees.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 300))]
    pub rounds: Option<u32>,
    /// The fewest loans in a leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 20, max = 10_000))]
    pub min_leaf: Option<u32>,
    /// The share of the columns that each tree may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1.0))]
    pub column_share: Option<f64>,
    /// The share of the loans that each tree is learnt from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1.0))]
    pub row_share: Option<f64>,
    /// Penalty on the squares of the leaves' values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub l2: Option<f64>,
}

/// A family of models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// Logistic regression, unless another or a blend has clearly lower log loss on inner folds.
    #[default]
    Auto,
    /// Boosted trees (LightGBM).
    GradientBoosting,
    /// Logistic regression on the weight of evidence of monotonic bins: risk only rises or only falls with a number.
    Scorecard,
    /// Logistic regression on the weight of evidence and the ranks of bins, whose risk may rise and fall.
    LogisticRegression,
}

/// What a version is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Family {
    /// Boosted trees.
    GradientBoosting,
    /// Logistic regression on the weight of evidence of monotonic bins.
    Scorecard,
    /// Logistic regression on the weight of evidence and the ranks of bins.
    LogisticRegression,
    /// Trees and one of the regressions: the weighted mean of their log-odds.
    Blend,
}

/// How rows become fit, calibrate and test rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Split {
    /// The oldest fit, the newest test, and a month is never divided.
    Time,
    /// At random, by the seed.
    Random,
}

/// When to refuse, and what the answer means to the caller: exactly one of recall, cost, approvalRate and threshold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.recall), has(self.cost), has(self.approvalRate), has(self.threshold)].filter(x, x).size() == 1",
    "message": "exactly one of recall, cost, approvalRate and threshold"
}]))]
pub struct Decision {
    /// Find at least this share of the loans that go bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall: Option<RecallTarget>,
    /// Keep the cost of wrong decisions lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Approve at least this share of the applications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_rate: Option<ApprovalRate>,
    /// Refuse from this probability on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0001, max = 0.9999))]
    pub threshold: Option<f64>,
    /// Whether the caller acts on the answer.
    #[serde(default)]
    pub mode: DecisionMode,
}

/// By what the threshold is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'a> {
    /// The share of bad loans to find.
    Recall(&'a RecallTarget),
    /// What wrong decisions cost.
    Cost(&'a Cost),
    /// The share of applications to approve.
    ApprovalRate(&'a ApprovalRate),
    /// The probability itself.
    Threshold(f64),
}

impl Decision {
    /// The one that is set; none where it is none or more than one.
    #[must_use]
    pub fn target(&self) -> Option<Target<'_>> {
        match (&self.recall, &self.cost, &self.approval_rate, self.threshold) {
            (Some(recall), None, None, None) => Some(Target::Recall(recall)),
            (None, Some(cost), None, None) => Some(Target::Cost(cost)),
            (None, None, Some(rate), None) => Some(Target::ApprovalRate(rate)),
            (None, None, None, Some(probability)) => Some(Target::Threshold(probability)),
            _ => None,
        }
    }
}

/// What wrong decisions cost, in any one unit: the threshold is falsePositive / (falsePositive + falseNegative) as a
/// probability (Elkan 2001).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Of a bad loan that is granted.
    #[schemars(range(min = 0.000001, max = 1e12))]
    pub false_negative: f64,
    /// Of a good applicant who is refused.
    #[schemars(range(min = 0.000001, max = 1e12))]
    pub false_positive: f64,
}

/// The share of applications to approve. The threshold is the lowest that approves it among the calibrate rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRate {
    /// Share of all applications, between 0 and 1.
    #[schemars(range(min = 0.01, max = 0.99))]
    pub at_least: f64,
}

/// The share of bad loans to find. The threshold is the highest that promises it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecallTarget {
    /// Share of the bad loans that must be refused, between 0 and 1.
    #[schemars(range(min = 0.01, max = 0.99))]
    pub at_least: f64,
    /// One-sided confidence of that promise, for loans like those it was calibrated on.
    #[serde(default = "confidence")]
    #[schemars(range(min = 0.5, max = 0.999))]
    pub confidence: f64,
}

const fn confidence() -> f64 {
    0.95
}

/// Whether the caller acts on the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DecisionMode {
    /// Refused applications are not granted, so their outcomes will never be known.
    #[default]
    Enforce,
    /// The answer is advice; loans are granted by others and all outcomes come in.
    Advise,
}

impl Learning {
    /// What decides whether a change of the spec is a reason to train again. Where credentials are kept is none, and
    /// neither is what the caller does with an answer.
    ///
    /// What stands at its default is left out, so that a field added later changes no digest; golden tests hold it
    /// still.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let Self { data, training, decision } = self;
        let Data { uri, secret_ref: _, label, time, id, columns, outcomes, maturity, leakage } = data;
        let Training { algorithm, seed, split, hyperparameters, sweep } = training;
        let trials = sweep.map(|Sweep { trials, parallelism: _ }| trials);
        let Decision { recall, cost, approval_rate, threshold, mode: _ } = decision;
        let (at_least, confidence) = recall.as_ref().map(|recall| (recall.at_least, recall.confidence)).unzip();
        let mut columns: Vec<_> = columns.iter().collect();
        columns.sort_by_key(|rule| &rule.name);
        let columns: Vec<_> = columns.into_iter().map(ColumnRule::digested).collect();
        let mut value = serde_json::json!({
            "learning": 1, "uri": uri, "label": label, "time": time, "id": id, "columns": chosen(&columns),
            "outcomes": chosen(outcomes), "algorithm": chosen(algorithm), "seed": chosen(seed), "split": split,
            "recall": at_least, "confidence": confidence, "cost": cost, "approvalRate": approval_rate,
            "threshold": threshold, "maturity": maturity, "leakage": chosen(leakage),
            "hyperparameters": chosen(&hyperparameters.unwrap_or_default()), "trials": trials,
        });
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|_, field| !field.is_null());
        }
        Digest::of(value.to_string().as_bytes())
    }
}

impl ColumnRule {
    /// Name and role, and the rest where there is any.
    fn digested(&self) -> serde_json::Value {
        let Self { name, role, monotonic, reason } = self;
        match (monotonic, reason) {
            (None, None) => serde_json::json!([name, role]),
            _ => serde_json::json!([name, role, monotonic, reason]),
        }
    }
}

/// A value as JSON, or null where it stands at its default.
fn chosen<T: Default + PartialEq + Serialize>(value: &T) -> serde_json::Value {
    if *value == T::default() { serde_json::Value::Null } else { serde_json::json!(value) }
}
