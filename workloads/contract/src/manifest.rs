//! `manifest.json`: all of a version but its trees and its reference distributions.
//!
//! An artifact is an immutable folder. The manifest is written last and digests every other file, so that one digest,
//! the manifest's, is the root of trust wherever a version is read.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    Digest,
    learning::{Family, Learning},
    request::Trigger,
    summary::{Comparison, DataSummary, Metric},
};

/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";
/// LightGBM's own text format.
pub const BOOSTER: &str = "booster.txt";
/// The reference distributions, a [`crate::profile::Profile`].
pub const PROFILE: &str = "profile.json";
/// What the run found: guards, folds, blocks, the curve of what each recall costs.
pub const REPORT: &str = "report.json";
/// The same for people to read and sign, with what was learnt: purpose, data, method, figures, limits.
pub const MODEL_CARD: &str = "model-card.html";
/// What exploring the data would have shown: distributions by outcome, missing values, vintages.
pub const DATA_REPORT: &str = "data-report.html";

/// All of a version but its trees and its reference distributions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Format of the whole artifact.
    pub format: u32,
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// Its number.
    pub version: u32,
    /// The run that made it.
    pub run: String,
    /// Version of the code that made it.
    pub code: String,
    /// Why it was made.
    pub trigger: Trigger,
    /// The configuration, as it was.
    pub learning: Learning,
    /// Its digest.
    pub config_digest: Digest,
    /// What it was learnt from.
    pub data: DataSummary,
    /// Outcomes received later than this were not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes_before: Option<Timestamp>,
    /// The rows by their role.
    pub blocks: Blocks,
    /// Every column known at application, in the order in which values are passed around.
    pub columns: Vec<Column>,
    /// What the guards found.
    pub findings: Vec<Finding>,
    /// What it is made of.
    pub algorithm: Family,
    /// How an application becomes a score in log-odds.
    pub scorer: Scorer,
    /// How the score becomes a probability.
    pub calibration: Platt,
    /// From where an application is refused.
    pub threshold: Threshold,
    /// Figures on the test rows.
    pub metrics: Vec<Metric>,
    /// Against the champion of the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<Comparison>,
    /// The other files of the folder and their digests.
    pub files: BTreeMap<String, Digest>,
}

/// The rows by their role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocks {
    /// Encodings, scorers and the choice between them.
    pub fit: Block,
    /// Calibration and threshold.
    pub calibrate: Block,
    /// Figures.
    pub test: Block,
}

/// Some rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// How many.
    pub rows: u64,
    /// How many of them are bad.
    pub bad: u64,
    /// The oldest application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

/// A column known at application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How its values are read.
    pub kind: ColumnKind,
    /// Whether it was ever empty in training. Where it was not, a request must have it.
    pub nullable: bool,
    /// What was learnt from it; none for columns that are only kept in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learnt: Option<Learnt>,
}

/// How a column's values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnKind {
    /// A number, or a text that starts like one: `13.5%`, `36 months`, `10+ years`, `< 1 year` (0).
    Number,
    /// A date, learnt from as whole months before the application.
    Date,
    /// One of a few texts.
    Category,
}

/// What was learnt from a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Learnt {
    /// What its values say.
    pub evidence: Evidence,
    /// Median of the fit rows, from which a number is called high or low; none for categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// Mean contribution to the score among the approved calibrate rows: what a reason is measured against.
    pub baseline: f64,
    /// The text of a reason; none for a column that is never named in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonText>,
}

/// What a value says of the risk, in log-odds; higher is riskier. Of a category it is the weight of evidence, ln(share of
/// the bad / share of the good), smoothed. Of a number it is that too where only trees were fitted; where the linear
/// scorer was, it is the points of the bin: evidence and a straight line through the bins' ranks, as the regression has
/// weighted them (the term's own weight is then 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Evidence {
    /// For numbers and dates.
    Bins(Bins),
    /// For categories.
    Levels(Levels),
}

/// Evidence of the intervals of a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// Inner edges, ascending: bin i holds edges[i-1] <= x < edges[i].
    pub edges: Vec<f64>,
    /// One more than there are edges.
    pub evidence: Vec<f64>,
    /// Where there is no value.
    pub missing: f64,
    /// What the trees see where there is no value; none: not-a-number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<f64>,
}

/// Weight of evidence of the values of a category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Of each value seen often enough.
    pub evidence: BTreeMap<String, f64>,
    /// Values seen in training, but rarely: they share `other`.
    pub rare: Vec<String>,
    /// Of rare values, and of those that were never seen.
    pub other: f64,
    /// Where there is no value.
    pub missing: f64,
}

/// The texts of a reason for refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonText {
    /// The value is above the median (numbers), or this value is riskier than others (categories).
    pub high: String,
    /// The value is at or below the median.
    pub low: String,
    /// There is no value.
    pub missing: String,
    /// The category was not seen in training.
    pub unseen: String,
}

/// z = weight · linear + (1 − weight) · trees, in log-odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scorer {
    /// Between 0 and 1.
    pub weight: f64,
    /// Present where weight > 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<Linear>,
    /// Present where weight < 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trees: Option<Trees>,
}

/// intercept + Σ weight · weight of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Log-odds where all evidence is zero.
    pub intercept: f64,
    /// One a learnt column.
    pub terms: Vec<Term>,
}

/// One column of the linear scorer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// The column.
    pub column: String,
    /// Its coefficient.
    pub weight: f64,
    /// Mean evidence of the fit rows: its contribution is weight · (evidence − mean).
    pub mean: f64,
}

/// Boosted trees in [`BOOSTER`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trees {
    /// The columns in the order of the booster's features: numbers as they are (no value is [`Bins::instead`]),
    /// categories as their weight of evidence.
    pub columns: Vec<String>,
}

/// probability = 1 / (1 + exp(−(slope · z + intercept))), slope > 0 (Platt 1999).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    /// Greater than 0.
    pub slope: f64,
    /// In log-odds.
    pub intercept: f64,
}

/// From where an application is refused: score >= `score`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Threshold {
    /// In log-odds, before calibration, midway between two neighbouring scores of the calibrate rows.
    pub score: f64,
    /// The same as a probability.
    pub probability: f64,
    /// Bad calibrate rows at or above it.
    pub found: u64,
    /// Bad calibrate rows.
    pub bad: u64,
    /// The one-sided lower bound of recall that this gives.
    pub recall_low: f64,
}

/// What a guard found about a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The column.
    pub column: String,
    /// The guard.
    pub guard: Guard,
    /// What it saw.
    pub evidence: String,
    /// What was done.
    pub action: Action,
}

impl Finding {
    /// Whether the column tells the outcome and is gone for good.
    #[must_use]
    pub fn leaks(&self) -> bool {
        self.guard.leaks() && self.action == Action::Dropped
    }
}

/// What was done about a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// It is gone for good: not even kept in the log.
    Dropped,
    /// It is kept in the log, but not learnt from.
    NotLearnt,
    /// It is learnt from, but there being no value says nothing.
    Neutralised,
    /// It is learnt from as it is.
    Warned,
}

/// What looks at a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guard {
    /// Known by its name to be written after the loan was granted.
    LeaksByName,
    /// A value, or being filled, occurs with one outcome only, on enough rows.
    LeaksByPurity,
    /// One value only.
    Constant,
    /// Nearly every row has a text of its own, or a number that counts up.
    Unique,
    /// Known by its name to tell where somebody lives.
    Location,
    /// Known by its name to tell who somebody is.
    Personal,
    /// It is empty up to some month, or from some month on: there being no value tells the vintage.
    EmptyByVintage,
}

impl Guard {
    /// Whether the column tells the outcome: then it is not even kept in the log.
    #[must_use]
    pub const fn leaks(self) -> bool {
        matches!(self, Self::LeaksByName | Self::LeaksByPurity)
    }
}
