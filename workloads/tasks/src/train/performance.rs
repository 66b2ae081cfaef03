//! What a version does on the test rows beyond its figures: curves, and figures by vintage and by protected group.

use jiff::civil::Date;
use serde::Serialize;
use underwriter_contract::{learning::Data, summary::rounded};
use underwriter_model::metrics;

use super::{
    candidate::{Candidate, Material},
    decision::Decision,
    fairness::{self, ProtectedColumn},
    shares::Share,
    stability::{self, Vintage},
};

/// The most points of the ROC curve.
const POINTS: usize = 200;
/// Bins of the distribution of probabilities.
const BINS: usize = 40;
/// The most rows that are explained for the importance of columns.
const EXPLAINED: usize = 2000;

/// One test row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestRow {
    /// Its place among the loans.
    pub row: usize,
    /// When it was applied for.
    pub date: Option<Date>,
    /// Log-odds.
    pub score: f64,
    /// Calibrated.
    pub probability: f64,
    /// Whether it went bad.
    pub bad: bool,
    /// Whether it is refused.
    pub refused: bool,
}

/// What a version does on the test rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Performance {
    /// The ROC curve: (share of the good refused, share of the bad refused), at most 200 points and the corners.
    pub roc: Vec<(f64, f64)>,
    /// Probabilities by outcome.
    pub distribution: Distribution,
    /// Probabilities against what happened, in ten bins of equal count.
    pub calibration: Vec<CalibrationBin>,
    /// By month or quarter.
    pub vintages: Vec<Vintage>,
    /// By protected group.
    pub protected: Vec<ProtectedColumn>,
    /// What the columns contribute, the most important first.
    pub importance: Vec<Importance>,
}

/// How many rows of each outcome have which probability.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// Ends of bins of equal width; the last bin holds what is above it too.
    pub edges: Vec<f64>,
    /// Good rows in each bin.
    pub good: Vec<u64>,
    /// Bad rows in each bin.
    pub bad: Vec<u64>,
}

/// One bin of the calibration curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalibrationBin {
    /// Mean probability.
    pub probability: f64,
    /// Share that went bad.
    pub bad_rate: Share,
}

/// What a column contributes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Importance {
    /// The column.
    pub column: String,
    /// Mean of what it moves the score by, in log-odds, whatever the direction.
    pub mean_contribution: f64,
}

/// The test rows as they are scored and decided.
pub fn rows(
    test: &[usize],
    scores: &[f64],
    material: &Material,
    decision: &Decision,
    date: impl Fn(usize) -> Option<Date>,
) -> Vec<TestRow> {
    let probabilities = decision.probabilities(scores);
    let row = |((row, score), probability): ((&usize, &f64), f64)| TestRow {
        row: *row,
        date: date(*row),
        score: *score,
        probability,
        bad: material.bad[*row],
        refused: *score >= decision.threshold.score,
    };
    test.iter().zip(scores).zip(probabilities).map(row).collect()
}

/// Everything of it.
pub fn of(rows: &[TestRow], candidate: &Candidate, material: &Material, data: &Data) -> Performance {
    Performance {
        roc: roc(rows),
        distribution: distribution(rows),
        calibration: calibration(rows),
        vintages: stability::vintages(rows),
        protected: fairness::columns(material.features, data, rows),
        importance: importance(rows, candidate, material),
    }
}

fn roc(rows: &[TestRow]) -> Vec<(f64, f64)> {
    let (scores, bad): (Vec<f64>, Vec<bool>) = rows.iter().map(|row| (row.score, row.bad)).unzip();
    let curve = metrics::roc_curve(&scores, &bad);
    let every = curve.len().div_ceil(POINTS).max(1);
    let shown = curve.iter().enumerate().filter(|(at, _)| at % every == 0 || at + 1 == curve.len());
    shown.filter_map(|(_, point)| Some((rounded(point.refused_good)?, rounded(point.found)?))).collect()
}

/// Up to the probability that one row in two hundred exceeds.
fn distribution(rows: &[TestRow]) -> Distribution {
    let mut sorted: Vec<f64> = rows.iter().map(|row| row.probability).collect();
    sorted.sort_by(f64::total_cmp);
    let most = sorted.get(sorted.len() * 199 / 200).copied().unwrap_or(1.0).max(0.01);
    let edges = (0..=BINS).map(|edge| rounded(most * edge as f64 / BINS as f64).unwrap_or_default()).collect();
    let mut counts = [vec![0; BINS], vec![0; BINS]];
    for row in rows {
        let bin = (row.probability / most * BINS as f64) as usize;
        counts[usize::from(row.bad)][bin.min(BINS - 1)] += 1;
    }
    let [good, bad] = counts;
    Distribution { edges, good, bad }
}

fn calibration(rows: &[TestRow]) -> Vec<CalibrationBin> {
    let (probabilities, bad): (Vec<f64>, Vec<bool>) = rows.iter().map(|row| (row.probability, row.bad)).unzip();
    let bin = |bin: metrics::Bin| {
        Some(CalibrationBin { probability: rounded(bin.probability)?, bad_rate: Share::new(bin.bad, bin.rows)? })
    };
    metrics::reliability(&probabilities, &bad, 10).into_iter().filter_map(bin).collect()
}

/// Mean size of the contributions, over rows evenly spread; columns that contribute nothing are left out.
fn importance(rows: &[TestRow], candidate: &Candidate, material: &Material) -> Vec<Importance> {
    let explained: Vec<usize> = rows.iter().step_by(rows.len().div_ceil(EXPLAINED).max(1)).map(|row| row.row).collect();
    let mut sums = vec![0.0; material.features.len()];
    for row in &explained {
        let contributions = candidate.contributions(material, *row).columns;
        sums.iter_mut().zip(contributions).for_each(|(sum, contribution)| *sum += contribution.abs());
    }
    let named = material.features.iter().zip(sums).filter(|(_, sum)| *sum > 0.0);
    let mean = |sum: f64| rounded(sum / explained.len() as f64).unwrap_or_default();
    let mut importance: Vec<Importance> =
        named.map(|(feature, sum)| Importance { column: feature.name.clone(), mean_contribution: mean(sum) }).collect();
    importance.sort_by(|one, other| other.mean_contribution.total_cmp(&one.mean_contribution));
    importance
}

#[cfg(test)]
mod tests {
    use super::{BINS, POINTS, TestRow, calibration, distribution, roc};

    fn rows() -> Vec<TestRow> {
        let probability = |row: usize| (row as f64 + 0.5) / 2000.0;
        let row = |row: usize| TestRow {
            row,
            date: None,
            score: probability(row),
            probability: probability(row),
            bad: row % 4 == 3,
            refused: false,
        };
        (0..1000).map(row).collect()
    }

    #[test]
    fn the_curve_is_short_and_reaches_both_corners() {
        let curve = roc(&rows());
        assert!(curve.len() <= POINTS + 2, "{}", curve.len());
        assert_eq!((curve[0], curve[curve.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
        assert!(curve.is_sorted());
    }

    #[test]
    fn every_row_is_in_a_bin() {
        let distribution = distribution(&rows());
        assert_eq!((distribution.edges.len(), distribution.edges[0]), (BINS + 1, 0.0));
        assert_eq!((distribution.good.iter().sum::<u64>(), distribution.bad.iter().sum::<u64>()), (750, 250));
        let bins = calibration(&rows());
        assert_eq!((bins.len(), bins[0].bad_rate.whole, bins[9].bad_rate.value), (10, 100, 0.25));
        assert!((bins[0].probability - 0.025).abs() < 1e-9);
    }
}
