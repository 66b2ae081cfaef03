//! What clients of the prediction service send and get.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What becomes of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Its score is below the threshold.
    Approve,
    /// Its score is at or above the threshold.
    Refuse,
}

/// The answer to one application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The application's own id, as it was sent.
    pub id: String,
    /// Names this decision in the log.
    pub decision_id: String,
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// The version that decided.
    pub version: u32,
    /// Calibrated probability that the loan goes bad.
    pub probability: f64,
    /// Probability from which an application is refused.
    pub threshold: f64,
    /// What becomes of it.
    pub decision: Verdict,
    /// Why it was refused, the strongest first; empty when it was approved.
    pub reasons: Vec<Reason>,
    /// What was odd about the application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<FieldProblem>,
}

/// One reason for a refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The column.
    pub column: String,
    /// For the applicant.
    pub text: String,
    /// By how much it moved the score, in log-odds, against those who were approved.
    pub contribution: f64,
}

/// The answers to several applications, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// One an application.
    pub predictions: Vec<Answer>,
}

/// How one loan ended, or stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutcomeReport {
    /// The application's id.
    pub id: String,
    /// One of the label's values.
    pub outcome: String,
    /// When that was seen.
    pub observed_at: Timestamp,
    /// Whether the loan was granted.
    #[serde(default = "yes")]
    pub granted: bool,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

const fn yes() -> bool {
    true
}

/// Several outcomes, taken together or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeReports {
    /// One an application.
    pub outcomes: Vec<OutcomeReport>,
}

/// What became of reported outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomesTaken {
    /// New rows.
    pub accepted: u64,
    /// Said before, in the same words.
    pub repeated: u64,
    /// Another value for a moment that has one: set aside for a person.
    pub conflicting: u64,
    /// Of those accepted, ids the log does not know yet: they wait for it.
    pub unknown: u64,
}

/// Why a request was refused (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// In a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do.
    pub detail: String,
    /// Each field at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// What is wrong, or odd, with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The field: `dti`, or `applications[3].dti`.
    pub field: String,
    /// What was expected and what came.
    pub message: String,
}
