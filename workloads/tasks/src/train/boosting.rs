//! Gradient boosting by LightGBM, with trees small enough to serve and explain exactly at no cost worth naming.

use lightgbm3::{Booster, Dataset};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// The most rounds, each one tree.
pub const MOST_ROUNDS: u32 = 300;
/// Splits on the longest path of a tree.
const DEEPEST: u32 = 5;
/// From so many rows on, a second thread is worth its waiting.
const WORTH_TWO_THREADS: usize = 200_000;

/// How each tree is learnt; names and meanings are LightGBM's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    /// The most leaves (`num_leaves`).
    pub leaves: u32,
    /// The share of its own answer that a tree adds (`learning_rate`).
    pub learning_rate: f64,
    /// The fewest loans in a leaf (`min_data_in_leaf`).
    pub min_leaf: u32,
    /// The share of the columns that a tree may use (`feature_fraction`).
    pub column_share: f64,
    /// The share of the loans that a tree is learnt from (`bagging_fraction`, drawn anew for each tree).
    pub row_share: f64,
    /// Penalty on the squares of the leaves' values (`lambda_l2`).
    pub l2: f64,
}

/// Trees to fit: how each is learnt, and how many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boosting {
    /// How each is learnt.
    pub parameters: Parameters,
    /// How many.
    pub rounds: u32,
}

impl Boosting {
    /// No trees, for what needs none.
    pub const NONE: Self = Self { parameters: Parameters::DEFAULT, rounds: 0 };
}

impl Parameters {
    /// What a careful practitioner would start from.
    pub const DEFAULT: Self =
        Self { leaves: 8, learning_rate: 0.05, min_leaf: 50, column_share: 0.8, row_share: 1.0, l2: 0.0 };
    /// Trees held back by large leaves, by few columns and rows each and by a penalty.
    pub const HELD_BACK: Self =
        Self { leaves: 8, learning_rate: 0.05, min_leaf: 200, column_share: 0.5, row_share: 0.7, l2: 10.0 };
}

/// Columns of numbers, and the outcomes of their rows.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Each as long as `bad`; not-a-number where there is no value.
    pub columns: &'a [Vec<f64>],
    /// Whether each row went bad.
    pub bad: &'a [bool],
    /// How risk must go with each column: 1 up, −1 down, 0 as it will.
    pub monotonic: &'a [i8],
    /// Threads to fit with; the trees do not depend on it.
    pub threads: u32,
}

/// Fits trees and gives them in LightGBM's text format.
///
/// # Errors
/// When LightGBM fails.
pub fn fit(sample: Sample, boosting: Boosting, seed: u32) -> lightgbm3::Result<String> {
    Booster::train(sample.dataset()?, &sample.settings(boosting, seed))?.save_string()
}

impl Sample<'_> {
    fn dataset(&self) -> lightgbm3::Result<Dataset> {
        let labels: Vec<f32> = self.bad.iter().map(|bad| f32::from(u8::from(*bad))).collect();
        let width = i32::try_from(self.columns.len()).unwrap_or(i32::MAX);
        Dataset::from_slice(&self.columns.concat(), &labels, width, false)
    }

    /// Nothing here depends on the machine: the same bytes in give the same bytes out.
    fn settings(&self, Boosting { parameters, rounds }: Boosting, seed: u32) -> Json {
        let Parameters { leaves, learning_rate, min_leaf, column_share, row_share, l2 } = parameters;
        json!({
            "objective": "binary", "num_iterations": rounds, "learning_rate": learning_rate, "num_leaves": leaves,
            "max_depth": DEEPEST, "min_data_in_leaf": min_leaf, "feature_fraction": column_share,
            "bagging_fraction": row_share, "bagging_freq": u8::from(row_share < 1.0), "lambda_l2": l2,
            "monotone_constraints": self.constraints(), "seed": seed >> 1, "deterministic": true, "force_row_wise": true,
            "num_threads": self.threads, "verbosity": -1,
        })
    }

    /// In LightGBM's words.
    fn constraints(&self) -> String {
        self.monotonic.iter().map(i8::to_string).collect::<Vec<_>>().join(",")
    }
}

/// One thread for few rows: OpenMP's threads spin while they wait for each other, which on shared cores takes ten times as
/// long as the work itself.
pub const fn threads(rows: usize) -> u32 {
    if rows < WORTH_TWO_THREADS { 1 } else { 2 }
}
