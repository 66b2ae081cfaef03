//! Which family: the one with the lower log loss on inner folds, newer rows each time than those it learnt from.

use serde::Serialize;
use underwriter_contract::learning::Algorithm;
use underwriter_model::{calibration, metrics};

use super::{
    candidate::{Candidate, Family, FitError, Material},
    folds::{self, Fold},
    split::Ordered,
};

/// Mean log loss of both families on the newer rows of one fold.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoldLosses {
    /// Rows learnt from.
    pub older: usize,
    /// Rows looked at.
    pub newer: usize,
    /// Logistic regression on weights of evidence.
    pub scorecard: f64,
    /// Boosted trees.
    pub gradient_boosting: f64,
}

/// The family that was chosen, fitted on all rows.
#[derive(Debug)]
pub struct Chosen {
    /// Which.
    pub family: Family,
    /// Its fit.
    pub candidate: Candidate,
    /// By which it was chosen; empty where the spec has chosen.
    pub losses: Vec<FoldLosses>,
}

/// Fits the family that the spec names, or the better one.
///
/// # Errors
/// When the library that fits a family fails.
pub fn choose(algorithm: Algorithm, material: &Material, rows: &Ordered) -> Result<Chosen, FitError> {
    let losses = match algorithm {
        Algorithm::Auto => compare(material, rows)?,
        Algorithm::GradientBoosting | Algorithm::Scorecard => Vec::new(),
    };
    let family = match algorithm {
        Algorithm::Auto => better(&losses),
        Algorithm::GradientBoosting => Family::GradientBoosting,
        Algorithm::Scorecard => Family::Scorecard,
    };
    Ok(Chosen { family, candidate: material.fit(family, rows)?, losses })
}

/// Each newer row counts the same; without any fold, the simpler family.
fn better(losses: &[FoldLosses]) -> Family {
    let total = |loss: fn(&FoldLosses) -> f64| losses.iter().map(|fold| fold.newer as f64 * loss(fold)).sum::<f64>();
    let trees_win = total(|fold| fold.gradient_boosting) < total(|fold| fold.scorecard);
    if trees_win { Family::GradientBoosting } else { Family::Scorecard }
}

fn compare(material: &Material, rows: &Ordered) -> Result<Vec<FoldLosses>, FitError> {
    folds::expanding(rows, material.bad).iter().map(|fold| losses(material, fold)).collect()
}

fn losses(material: &Material, fold: &Fold) -> Result<FoldLosses, FitError> {
    let newer = &fold.newer.rows;
    let loss = |family| -> Result<f64, FitError> {
        let scores = material.fit(family, &fold.older)?.scores(material, newer);
        let probabilities: Vec<f64> = scores.into_iter().map(calibration::sigmoid).collect();
        Ok(metrics::log_loss(&probabilities, &material.outcomes(newer)).unwrap_or(f64::INFINITY))
    };
    Ok(FoldLosses {
        older: fold.older.rows.len(),
        newer: newer.len(),
        scorecard: loss(Family::Scorecard)?,
        gradient_boosting: loss(Family::GradientBoosting)?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use underwriter_contract::{learning::Algorithm, manifest::ColumnKind};
    use underwriter_model::calibration;

    use super::{Family, choose};
    use crate::train::{
        candidate::Material,
        features::{Cells, Feature},
        split::Ordered,
    };

    /// Knuth's multiplicative hash of row and column, as a number between 0 and 1.
    fn uniform(row: usize, column: usize) -> f64 {
        let mixed = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add((column as u64 + 1) << 33);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn chosen(columns: usize, truth: impl Fn(&[f64]) -> f64) -> super::Chosen {
        const ROWS: usize = 6000;
        let cells = |column| Cells::Numbers((0..ROWS).map(|row| uniform(row, column)).collect());
        let feature = |column: usize| Feature {
            name: format!("x{column}"),
            kind: ColumnKind::Number,
            cells: cells(column),
            unreadable: 0,
        };
        let features: Vec<Feature> = (0..columns).map(feature).collect();
        let learnt: BTreeSet<String> = features.iter().map(|feature| feature.name.clone()).collect();
        let log_odds = |row| truth(&(0..columns).map(|column| uniform(row, column)).collect::<Vec<_>>());
        let bad: Vec<bool> = (0..ROWS).map(|row| uniform(row, 99) < calibration::sigmoid(log_odds(row))).collect();
        let material = Material { features: &features, learnt: &learnt, bad: &bad, seed: 1 };
        choose(Algorithm::Auto, &material, &Ordered::at_random((0..ROWS).collect(), 1)).unwrap()
    }

    #[test]
    fn each_family_wins_where_the_truth_is_its_own() {
        let linear = chosen(16, |x| x.iter().map(|x| 2.0 * (x - 0.5)).sum::<f64>() - 1.0);
        assert_eq!((linear.family, linear.losses.len()), (Family::Scorecard, 3), "{:?}", linear.losses);
        let crossed = chosen(4, |x| if (x[0] > 0.5) == (x[1] > 0.5) { 1.5 } else { -1.5 });
        assert_eq!(crossed.family, Family::GradientBoosting);
        let clearly = |fold: &super::FoldLosses| fold.gradient_boosting < fold.scorecard - 0.05;
        assert!(crossed.losses.iter().all(clearly), "{:?}", crossed.losses);
    }
}
