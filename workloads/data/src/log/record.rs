//! A decision as it is spooled and logged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use underwriter_contract::predict::{Reason, Verdict};
use uuid::Uuid;

/// The longest id of an application or an applicant, in characters: what an index entry of Postgres can surely hold.
/// Refuse longer ones where they come in; the log cuts them.
pub const MAX_ID: usize = 256;

/// A decision. Its id and time are fixed before it is written anywhere: they are its key.
///
/// Its JSON is what a pod spools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Names the decision; the same for its live and its shadow rows.
    pub decision_id: Uuid,
    /// When it was answered.
    pub answered_at: Timestamp,
    /// Whether it answered the client.
    pub role: Role,
    /// The application's own id.
    pub application_id: String,
    /// The applicant's id, the same when a person returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applicant_id: Option<String>,
    /// When the application was made; the time of the answer where the model has no time column.
    pub application_time: Timestamp,
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// The PredictionService's name.
    pub service: String,
    /// The version that decided.
    pub version: u32,
    /// The run that made it.
    pub run: String,
    /// All admissible columns of the application, also those that the version does not use.
    pub features: Map<String, Value>,
    /// In log-odds, before calibration. JSON has no word for what is not finite: it comes back as not-a-number.
    #[serde(deserialize_with = "number")]
    pub score: f64,
    /// Calibrated.
    #[serde(deserialize_with = "number")]
    pub probability: f64,
    /// Probability from which an application is refused.
    #[serde(deserialize_with = "number")]
    pub threshold: f64,
    /// What became of the application.
    pub decision: Verdict,
    /// Why it was refused.
    pub reasons: Vec<Reason>,
}

/// What a version was to a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It answered the client.
    Live,
    /// It was only looked at.
    Shadow,
}

impl Role {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
        }
    }
}

fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Option::deserialize(deserializer).map(|number| number.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::Record;

    #[test]
    fn comes_back_from_the_spool_whatever_its_numbers() {
        let text = r#"{"decisionId":"01a20527-8c11-7753-8443-59da4d9f84fc","answeredAt":"2026-01-02T03:04:05.678901Z",
            "role":"live","applicationId":"a","applicationTime":"2010-03-01T00:00:00Z","model":"demo/loans",
            "service":"loan-api","version":1,"run":"0","features":{"dti":11.25,"term":null},"score":-1.5,
            "probability":0.17,"threshold":0.2,"decision":"approve","reasons":[]}"#;
        let record: Record = serde_json::from_str(text).unwrap();
        let spooled = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&spooled).unwrap(), record);

        let odd = Record { score: f64::NAN, probability: f64::INFINITY, ..record };
        let read: Record = serde_json::from_str(&serde_json::to_string(&odd).unwrap()).unwrap();
        assert!(read.score.is_nan() && read.probability.is_nan());
    }
}
