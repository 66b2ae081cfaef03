//! The points of the linear scorer: what each bin and level adds to the log-odds.
//!
//! Weight of evidence is what a column says by itself, and with few bad loans some of its ups and downs are chance: so it
//! is held out from the loans it is learnt from. In a scorecard that is all. In the logistic regression each number
//! enters by the position of its bin as well, a straight line through the ranks that can also count against the
//! evidence (a larger loan is riskier only at the same income). Both are constant within a bin, so their sum is again
//! one figure a bin.

use rayon::prelude::*;
use underwriter_contract::manifest::{Bins, Evidence, Linear, Term};
use underwriter_model::{Value, evidence as apply};

use super::{
    candidate::Material,
    evidence::{self, Binning},
    features::{Cells, Feature},
    scorecard::{self, Inputs, Scorecard, ScorecardError},
};

/// Parts of the rows: the evidence of a loan is that of the four parts it is not in.
const PARTS: usize = 5;

/// Which linear scorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regression {
    /// On the evidence of monotonic bins.
    Scorecard,
    /// On evidence and position of quantile bins.
    Logistic,
}

impl Regression {
    /// How numbers are divided for it.
    #[must_use]
    pub const fn binning(self) -> Binning {
        match self {
            Self::Scorecard => Binning::Monotonic,
            Self::Logistic => Binning::Quantiles,
        }
    }
}

/// Fits the linear scorer on some rows. The evidence of numbers becomes their points, with a weight of 1.
///
/// # Errors
/// When the solver fails.
pub fn fit(
    columns: &mut [(&Feature, Evidence)],
    material: &Material,
    rows: &[usize],
    regression: Regression,
) -> Result<Linear, ScorecardError> {
    let positions: Vec<Vec<f64>> = match regression {
        Regression::Logistic => columns.par_iter().map(|(feature, fitted)| positions(feature, fitted, rows)).collect(),
        Regression::Scorecard => Vec::new(),
    };
    let inputs = inputs(columns, &positions, material, rows, regression.binning());
    let fitted = scorecard::fit(inputs, &material.outcomes(rows))?;
    let Scorecard { intercept, weights } = fitted;
    let (by_evidence, by_position) = weights.split_at(columns.len());
    let mut terms = Vec::new();
    for (at, (feature, evidence)) in columns.iter_mut().enumerate() {
        let position = positions.get(at).map_or((&[][..], 0.0), |positions| (positions, by_position[at]));
        let weight = total(evidence, by_evidence[at], position);
        let sum: f64 = feature.map(rows, |value| apply::of(evidence, value)).iter().sum();
        terms.push(Term { column: feature.name.clone(), weight, mean: sum / rows.len() as f64 });
    }
    terms.retain(|term| term.weight != 0.0);
    Ok(Linear { intercept, terms })
}

/// Held-out evidence of every column, then the position of every column where positions count; zeros for categories.
fn inputs(
    columns: &[(&Feature, Evidence)],
    positions: &[Vec<f64>],
    material: &Material,
    rows: &[usize],
    binning: Binning,
) -> Inputs {
    let held_out = columns.par_iter().map(|(feature, _)| held_out(feature, material.bad, rows, binning));
    let placed = columns.par_iter().zip(positions).map(|((feature, evidence), positions)| {
        feature.map(rows, |value| bin(evidence, value).map_or(0.0, |bin| positions[bin]))
    });
    let mut inputs = Inputs::default();
    held_out.collect::<Vec<_>>().iter().for_each(|values| inputs.push(values, true));
    placed.collect::<Vec<_>>().iter().for_each(|values| inputs.push(values, false));
    inputs
}

/// The evidence of each row, learnt from the rows of the other parts.
fn held_out(feature: &Feature, bad: &[bool], rows: &[usize], binning: Binning) -> Vec<f64> {
    let mut values = vec![0.0; rows.len()];
    for part in 0..PARTS {
        let others: Vec<usize> =
            rows.iter().enumerate().filter(|(at, _)| at % PARTS != part).map(|(_, row)| *row).collect();
        let evidence = evidence::fit(feature, bad, &others, binning);
        let own: Vec<usize> = rows.iter().copied().skip(part).step_by(PARTS).collect();
        let told = feature.map(&own, |value| apply::of(&evidence, value));
        values.iter_mut().skip(part).step_by(PARTS).zip(told).for_each(|(value, told)| *value = told);
    }
    values
}

/// Mean rank of the loans in each bin, with mean 0 and standard deviation 1 were the ranks spread evenly. Zeros where risk
/// must go one way: a line could turn it.
fn positions(feature: &Feature, evidence: &Evidence, rows: &[usize]) -> Vec<f64> {
    let (Evidence::Bins(bins), Cells::Numbers(_)) = (evidence, &feature.cells) else { return Vec::new() };
    if feature.monotonic.is_some() {
        return vec![0.0; bins.evidence.len()];
    }
    let mut counts = vec![0.0; bins.evidence.len()];
    for bin in rows.iter().filter_map(|row| bin(evidence, &feature.value(*row))) {
        counts[bin] += 1.0;
    }
    let all: f64 = counts.iter().sum();
    let below = counts.iter().scan(0.0, |sum, count| Some(std::mem::replace(sum, *sum + count)));
    below.zip(&counts).map(|(below, count)| ((below + count / 2.0) / all.max(1.0) - 0.5) * 12_f64.sqrt()).collect()
}

/// The bin of a number; none for categories and where there is no value.
fn bin(evidence: &Evidence, value: &Value) -> Option<usize> {
    match (evidence, value) {
        (Evidence::Bins(bins), Value::Number(number)) => Some(bins.edges.partition_point(|edge| edge <= number)),
        _ => None,
    }
}

/// Turns a number's evidence into its points; the weight that is left, 1 for points.
fn total(evidence: &mut Evidence, by_evidence: f64, (positions, by_position): (&[f64], f64)) -> f64 {
    let Evidence::Bins(Bins { evidence, missing, .. }) = evidence else { return by_evidence };
    for (bin, points) in evidence.iter_mut().enumerate() {
        *points = by_evidence * *points + by_position * positions.get(bin).copied().unwrap_or_default();
    }
    *missing *= by_evidence;
    f64::from(u8::from(by_evidence != 0.0 || by_position != 0.0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use underwriter_contract::manifest::{ColumnKind, Evidence};

    use super::{Binning, Regression, apply, evidence, fit, positions};
    use crate::train::{
        candidate::Material,
        features::{Cells, Feature},
    };

    fn number(name: &str, cells: Vec<f64>) -> Feature {
        Feature::new(name, ColumnKind::Number, Cells::Numbers(cells))
    }

    #[test]
    fn positions_are_mean_ranks() {
        let feature = number("x", (0..400).map(|row| if row < 100 { 1.0 } else { 2.0 }).collect());
        let rows: Vec<usize> = (0..400).collect();
        let bad: Vec<bool> = (0..400).map(|row| row % 5 == 0).collect();
        let evidence = evidence::fit(&feature, &bad, &rows, Binning::Quantiles);
        assert_eq!(
            positions(&feature, &evidence, &rows),
            [(0.125 - 0.5) * 12_f64.sqrt(), (0.625 - 0.5) * 12_f64.sqrt()]
        );
    }

    /// The amount is riskier only at the same income, and by itself says nothing: evidence alone cannot learn it.
    #[test]
    fn learns_what_only_shows_beside_another_column() {
        const ROWS: usize = 8000;
        let noise = |row: usize, salt: u64| {
            let mixed = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 11) as f64 / (1u64 << 53) as f64
        };
        let income: Vec<f64> = (0..ROWS).map(|row| noise(row, 1)).collect();
        let amount: Vec<f64> = (0..ROWS).map(|row| income[row] + 0.7 * noise(row, 2)).collect();
        let odds = |row: usize| 4.0 * (amount[row] - 0.35) - 4.0 * income[row] - 1.5;
        let bad: Vec<bool> = (0..ROWS).map(|row| noise(row, 3) < 1.0 / (1.0 + (-odds(row)).exp())).collect();
        let features = [number("income", income.clone()), number("amount", amount.clone())];
        let rows: Vec<usize> = (0..ROWS).collect();
        let material = Material { features: &features, learnt: &BTreeSet::new(), bad: &bad, seed: 0 };
        let mut columns: Vec<(&Feature, Evidence)> =
            features.iter().map(|feature| (feature, evidence::fit(feature, &bad, &rows, Binning::Quantiles))).collect();
        let linear = fit(&mut columns, &material, &rows, Regression::Logistic).unwrap();
        assert_eq!(linear.terms.iter().map(|term| term.weight).collect::<Vec<_>>(), [1.0, 1.0]);
        let score =
            |row: usize| columns.iter().map(|(feature, points)| apply::of(points, &feature.value(row))).sum::<f64>();
        let scores: Vec<f64> = rows.iter().map(|row| score(*row)).collect();
        let truth: Vec<f64> = rows.iter().map(|row| odds(*row)).collect();
        let auc = |scores: &[f64]| underwriter_model::metrics::roc_auc(scores, &bad).unwrap().value;
        assert!(auc(&scores) > auc(&truth) - 0.01, "{} of {}", auc(&scores), auc(&truth));
    }
}
