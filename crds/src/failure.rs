//! A Job that failed beside the runs of a model: nothing but its own purpose waits for it, and it is tried again.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use underwriter_contract::summary::FailureReason;

/// Why what a Job was for is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobFailure {
    /// The kind of fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// What is wrong, where, and what to do.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// Jobs that failed one after the other.
    pub attempts: u32,
    /// When the end of the last was seen.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}
