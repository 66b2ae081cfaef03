//! One column of a window against the same column of the reference.
//!
//! The test is the one that Evidently 0.7 picks for more than 1,000 reference rows
//! (`_get_default_stattest` in `calculations/stattests/registry.py`): numbers with more than five distinct values on both
//! sides together by their Wasserstein distance, other numbers and categories by their Jensen–Shannon distance, each
//! against 0.1. Values that are missing take no part in it. Two things differ: Evidently goes by the rows that have a
//! value, and tests a column that is mostly empty as a small sample, where this goes by the rows of the reference; and a
//! change of the share of nulls counts as drift too.

use serde::Serialize;
use underwriter_contract::{
    request::FeatureTests,
    summary::{ColumnDrift, rounded},
};

use crate::drift::{
    counts::{Counts, Number},
    statistics,
    window::{Column, Sides},
};

/// From this distance on a column has drifted, by either test (`default_threshold` of both).
const THRESHOLD: f64 = 0.1;
/// The most distinct values of a number that is compared as a category.
const FEW_VALUES: usize = 5;

/// How a column was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Test {
    /// Wasserstein distance by the reference's standard deviation.
    Wasserstein,
    /// Jensen–Shannon distance.
    JensenShannon,
}

/// What a test found in one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The column.
    pub name: String,
    /// The test.
    pub test: Test,
    /// None where either side has no value, or where its numbers are too large to be compared.
    pub distance: Option<f64>,
    /// From where it counts.
    pub threshold: f64,
    /// Share of the reference's rows without a value.
    pub reference_nulls: f64,
    /// Share of the window's rows without a value.
    pub current_nulls: f64,
    /// Whether distance or nulls count.
    pub drifted: bool,
}

impl Comparison {
    /// Compares a column of a window of `rows` rows with its reference of `reference_rows` rows.
    #[must_use]
    pub fn new(column: &Column, reference_rows: u64, rows: u64, tests: &FeatureTests) -> Self {
        let (test, distance) = match &column.sides {
            Sides::Numbers { reference, current } => test_numbers(reference, current),
            Sides::Levels { reference, current } => test_levels(reference, current),
        };
        let reference_nulls = share(column.reference_nulls, reference_rows);
        let current_nulls = share(rows.saturating_sub(column.filled()), rows);
        let far = distance.is_some_and(|distance| distance >= THRESHOLD);
        let emptier = rows > 0 && (current_nulls - reference_nulls).abs() > tests.nulls_max_change;
        let (name, drifted) = (column.name.to_owned(), far || emptier);
        Self { name, test, distance, threshold: THRESHOLD, reference_nulls, current_nulls, drifted }
    }

    /// As the summary tells it.
    #[must_use]
    pub fn summary(&self) -> ColumnDrift {
        ColumnDrift {
            name: self.name.clone(),
            distance: self.distance.and_then(rounded).unwrap_or_default(),
            threshold: self.threshold,
            nulls_change: rounded(self.current_nulls - self.reference_nulls).unwrap_or_default(),
            drifted: self.drifted,
        }
    }

    /// The distance in units of its threshold.
    #[must_use]
    pub fn severity(&self) -> f64 {
        self.distance.unwrap_or_default() / self.threshold
    }

    /// Whether the values of the two sides differ at all.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.distance.is_some_and(|distance| distance > 0.0)
    }
}

/// Share of `rows`, 0 of none.
fn share(part: u64, rows: u64) -> f64 {
    if rows == 0 { 0.0 } else { part as f64 / rows as f64 }
}

fn test_numbers(reference: &[(f64, u64)], current: &[Number]) -> (Test, Option<f64>) {
    let reference: Counts<_> =
        reference.iter().filter_map(|(value, count)| Some((Number::new(*value)?, *count))).collect();
    let current: Counts<_> = current.iter().map(|value| (*value, 1)).collect();
    if reference.beside(&current).nth(FEW_VALUES).is_some() {
        (Test::Wasserstein, statistics::wasserstein(&reference, &current).filter(|distance| distance.is_finite()))
    } else {
        (Test::JensenShannon, statistics::jensen_shannon(&reference, &current))
    }
}

fn test_levels<'a>(
    reference: &'a [(String, u64)],
    current: impl IntoIterator<Item = (&'a String, &'a u64)>,
) -> (Test, Option<f64>) {
    let reference: Counts<&str> = reference.iter().map(|(value, count)| (value.as_str(), *count)).collect();
    let current: Counts<&str> = current.into_iter().map(|(value, count)| (value.as_str(), *count)).collect();
    (Test::JensenShannon, statistics::jensen_shannon(&reference, &current))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underwriter_contract::{
        manifest::{self, ColumnKind},
        profile::{ColumnProfile, Values},
        request::FeatureTest,
    };
    use underwriter_model::Value;

    use super::*;

    fn compare(nulls: u64, values: Values, rows: u64, current: &[Value]) -> Comparison {
        let profile = ColumnProfile { name: "dti".into(), nulls, values };
        let known = manifest::Column { name: "dti".into(), kind: ColumnKind::Number, nullable: true, learnt: None };
        let mut column = Column::new(&profile, &known);
        current.iter().for_each(|value| column.push(value.clone()));
        let tests = FeatureTests { test: FeatureTest::Evidently, drift_share: 0.5, nulls_max_change: 0.05 };
        Comparison::new(&column, rows, current.len() as u64, &tests)
    }

    fn numbers(values: &[f64]) -> Vec<Value> {
        values.iter().map(|value| Value::Number(*value)).collect()
    }

    #[test]
    fn the_distinct_values_of_both_sides_pick_the_test() {
        let reference = || Values::Numbers(vec![(1.0, 1), (2.0, 1), (3.0, 1)]);
        let few = compare(0, reference(), 3, &numbers(&[3.0, 4.0, 5.0]));
        let many = compare(0, reference(), 3, &numbers(&[4.0, 5.0, 6.0]));
        assert_eq!((few.test, many.test), (Test::JensenShannon, Test::Wasserstein));
    }

    #[test]
    fn a_column_that_empties_has_drifted_without_a_distance() {
        let found = compare(0, Values::Levels(vec![("RENT".into(), 10)]), 10, &[Value::Missing, Value::Missing]);
        assert_eq!((found.distance, found.current_nulls, found.drifted), (None, 1.0, true));
    }

    #[test]
    fn a_column_that_was_empty_and_is_has_not_drifted() {
        let found = compare(10, Values::Numbers(Vec::new()), 10, &[Value::Missing]);
        assert_eq!((found.distance, found.drifted), (None, false));
    }

    #[test]
    fn a_small_change_of_nulls_is_none() {
        let emptier_by = |nulls: usize| {
            let mut current = numbers(&[1.0; 100]);
            current.iter_mut().take(nulls).for_each(|value| *value = Value::Missing);
            compare(0, Values::Numbers(vec![(1.0, 100)]), 100, &current).drifted
        };
        assert_eq!((emptier_by(4), emptier_by(6)), (false, true));
    }

    #[test]
    fn an_empty_window_and_numbers_out_of_range_are_survived() {
        let reference = || Values::Numbers((0..9).map(|n| (f64::from(n) * 1e307, 1)).collect());
        assert!(!compare(0, reference(), 9, &[]).drifted);
        assert!(compare(0, reference(), 9, &numbers(&[f64::MAX, -f64::MAX])).summary().distance.is_finite());
    }

    proptest! {
        #[test]
        fn a_window_like_the_reference_is_quiet(values in prop::collection::vec(-50.0..50.0_f64, 1..60)) {
            let reference = Values::Numbers(values.iter().map(|value| (*value, 1)).collect());
            let found = compare(0, reference, values.len() as u64, &numbers(&values));
            prop_assert!(!found.drifted, "{found:?}");
        }
    }
}
