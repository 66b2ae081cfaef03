//! `profile.json`: the reference distributions that drift is measured against.
//!
//! Profiles are exact: every distinct value with its count.

use serde::{Deserialize, Serialize};

/// Reference distributions of the columns, over the newest 40 % of the rows a version was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Format of this value.
    pub format: u32,
    /// Rows it was taken from.
    pub rows: u64,
    /// Learnt columns, and those that never varied: what was constant and no longer is has drifted.
    pub columns: Vec<ColumnProfile>,
}

/// One column's distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// The column.
    pub name: String,
    /// Rows without a value.
    pub nulls: u64,
    /// The values that there are.
    pub values: Values,
}

/// Distinct values, ascending, each with its count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Values {
    /// Of numbers; a date counts as its months before the application.
    Numbers(Vec<(f64, u64)>),
    /// Of categories.
    Levels(Vec<(String, u64)>),
}
