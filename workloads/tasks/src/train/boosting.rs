//! Gradient boosting by LightGBM, with trees small enough to serve and explain exactly at no cost worth naming.

use lightgbm3::{Booster, Dataset};
use serde_json::{Value as Json, json};

/// The most rounds, each one tree.
const MOST_ROUNDS: u32 = 300;
/// Rounds without a lower loss after which to stop.
const PATIENCE: u32 = 30;
/// From so many rows on, a second thread is worth its waiting.
const WORTH_TWO_THREADS: usize = 200_000;

/// Columns of numbers, and the outcomes of their rows.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Each as long as `bad`; not-a-number where there is no value.
    pub columns: &'a [Vec<f64>],
    /// Whether each row went bad.
    pub bad: &'a [bool],
    /// How risk must go with each column: 1 up, −1 down, 0 as it will.
    pub monotonic: &'a [i8],
}

/// How many rounds lower the loss on newer rows.
///
/// # Errors
/// When LightGBM fails.
pub fn rounds(older: Sample, newer: Sample, seed: u32) -> lightgbm3::Result<u32> {
    let training = older.dataset(None)?;
    let validation = newer.dataset(Some(&training))?;
    let booster = Booster::train_with_valid(training, Some(validation), &older.parameters(MOST_ROUNDS, seed))?;
    Ok(u32::try_from(booster.num_iterations()).unwrap_or(1).max(1))
}

/// Fits so many rounds and gives them in LightGBM's text format.
///
/// # Errors
/// When LightGBM fails.
pub fn fit(sample: Sample, rounds: u32, seed: u32) -> lightgbm3::Result<String> {
    Booster::train(sample.dataset(None)?, &sample.parameters(rounds, seed))?.save_string()
}

impl Sample<'_> {
    fn dataset(&self, reference: Option<&Dataset>) -> lightgbm3::Result<Dataset> {
        let labels: Vec<f32> = self.bad.iter().map(|bad| f32::from(u8::from(*bad))).collect();
        let width = i32::try_from(self.columns.len()).unwrap_or(i32::MAX);
        Dataset::from_slice_with_reference(&self.columns.concat(), &labels, width, false, reference)
    }

    /// Nothing here depends on the machine: the same bytes in give the same bytes out.
    fn parameters(&self, rounds: u32, seed: u32) -> Json {
        json!({
            "objective": "binary", "metric": "binary_logloss", "num_iterations": rounds,
            "early_stopping_rounds": PATIENCE, "learning_rate": 0.05, "num_leaves": 8, "max_depth": 5,
            "min_data_in_leaf": 50, "feature_fraction": 0.8, "seed": seed >> 1, "deterministic": true,
            "monotone_constraints": self.constraints(), "force_row_wise": true, "num_threads": self.threads(), "verbosity": -1,
        })
    }

    /// In LightGBM's words.
    fn constraints(&self) -> String {
        self.monotonic.iter().map(i8::to_string).collect::<Vec<_>>().join(",")
    }

    /// One thread for few rows: OpenMP's threads spin while they wait for each other, which on shared cores takes ten
    /// times as long as the work itself.
    const fn threads(&self) -> u32 {
        if self.bad.len() < WORTH_TWO_THREADS { 1 } else { 2 }
    }
}
