//! The figures by which versions are judged, each as its reference implementation defines it.
//!
//! ROC AUC, average precision, Brier score and log loss equal scikit-learn's, the Kolmogorov–Smirnov distance scipy's.
//! Every figure carries a 95 % interval: ROC AUC and Gini by DeLong, mean losses by the error of a mean, shares by
//! Clopper and Pearson, the rest by resampling; differences of two versions by DeLong, and by Agresti and Min. Scores
//! are finite, `bad` and scores are of the same rows, and a figure that one class alone does not define is left out.

mod bootstrap;
mod curve;
mod loss;
mod matched;
mod reliability;
mod roc;

pub use curve::{RocPoint, average_precision, kolmogorov_smirnov, roc_curve};
pub use loss::{brier, brier_estimate, log_loss, log_loss_estimate};
pub use matched::Matched;
pub use reliability::{Bin, calibration_error, reliability};
pub use roc::{Estimate, roc_auc, roc_auc_difference};
use underwriter_contract::summary::{Metric, MetricName, rounded};

use crate::interval;

const CONFIDENCE: f64 = 0.95;

/// All figures of one version with their 95 % intervals, rounded as a status wants it; the most important come first.
#[must_use]
pub fn all(scores: &[f64], probabilities: &[f64], bad: &[bool], threshold: f64) -> Vec<Metric> {
    let area = roc_auc(scores, bad);
    let [precision, distance] = bootstrap::ranking(scores, bad).map_or([None; 2], |both| both.map(Some));
    let ranking = [
        area.and_then(|estimate| estimate.metric(MetricName::RocAuc)),
        average_precision(scores, bad).and_then(|value| within(MetricName::AveragePrecision, value, precision)),
        kolmogorov_smirnov(scores, bad).and_then(|value| within(MetricName::Ks, value, distance)),
        brier_estimate(probabilities, bad).and_then(|estimate| estimate.metric(MetricName::Brier)),
        log_loss_estimate(probabilities, bad).and_then(|estimate| estimate.metric(MetricName::LogLoss)),
    ];
    let error = calibration_error(probabilities, bad);
    let around = error.and_then(|_| bootstrap::calibration_error(probabilities, bad));
    let derived = [
        error.and_then(|value| within(MetricName::CalibrationError, value, around)),
        area.and_then(|estimate| estimate.scaled(2.0, -1.0).metric(MetricName::Gini)),
    ];
    let decided = at_threshold(scores, bad, threshold);
    ranking.into_iter().flatten().chain(decided).chain(derived.into_iter().flatten()).collect()
}

/// Recall, precision, refused share and approval rate, where scores at or above a threshold are refused.
#[must_use]
pub fn at_threshold(scores: &[f64], bad: &[bool], threshold: f64) -> Vec<Metric> {
    let counts = Counts::at(threshold, scores, bad);
    let shares = [
        share(MetricName::Recall, counts.found, counts.bad),
        share(MetricName::Precision, counts.found, counts.refused),
        share(MetricName::RefusedShare, counts.refused, counts.rows),
        share(MetricName::ApprovalRate, counts.rows - counts.refused, counts.rows),
    ];
    shares.into_iter().flatten().collect()
}

/// ROC AUC of one version less that of the champion, on the same rows, with its paired 95 % interval. Not known (and
/// then 0 with the widest interval) where there is one class only.
#[must_use]
pub fn paired(new: &[f64], champion: &[f64], bad: &[bool]) -> Metric {
    let unknown = Metric { name: MetricName::RocAuc, value: 0.0, low: Some(-1.0), high: Some(1.0) };
    roc_auc_difference(new, champion, bad).and_then(|estimate| estimate.metric(MetricName::RocAuc)).unwrap_or(unknown)
}

/// What a version refuses: scores at or above its threshold.
#[derive(Clone, Copy, Debug)]
pub struct Refusing<'a> {
    /// Its scores.
    pub scores: &'a [f64],
    /// From where on it refuses.
    pub threshold: f64,
}

/// Recall of one version less that of the champion, each at its own threshold, on the same rows, with its paired 95 %
/// interval. Not known (and then 0 with the widest interval) where no row is bad.
#[must_use]
pub fn paired_recall(new: Refusing<'_>, champion: Refusing<'_>, bad: &[bool]) -> Metric {
    let refused = |version: Refusing<'_>, row: usize| version.scores[row] >= version.threshold;
    let rows = (0..bad.len()).filter(|row| bad[*row]);
    let counts = Matched::count(rows.map(|row| (refused(new, row), refused(champion, row))));
    let unknown = Metric { name: MetricName::Recall, value: 0.0, low: Some(-1.0), high: Some(1.0) };
    let metric = counts.difference().and_then(|value| within(MetricName::Recall, value, Some(counts.interval())));
    metric.unwrap_or(unknown)
}

fn within(name: MetricName, value: f64, interval: Option<(f64, f64)>) -> Option<Metric> {
    let (low, high) = interval.unzip();
    Some(Metric { name, value: rounded(value)?, low: low.and_then(rounded), high: high.and_then(rounded) })
}

fn share(name: MetricName, part: u64, whole: u64) -> Option<Metric> {
    let value = part as f64 / whole as f64;
    within(name, value, Some(interval::two_sided(part, whole, CONFIDENCE)))
}

#[derive(Default)]
struct Counts {
    rows: u64,
    bad: u64,
    refused: u64,
    found: u64,
}

impl Counts {
    fn at(threshold: f64, scores: &[f64], bad: &[bool]) -> Self {
        scores.iter().zip(bad).fold(Self::default(), |counts, (score, bad)| {
            let refused = *score >= threshold;
            Self {
                rows: counts.rows + 1,
                bad: counts.bad + u64::from(*bad),
                refused: counts.refused + u64::from(refused),
                found: counts.found + u64::from(refused && *bad),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_at_a_threshold() {
        let scores = [0.9, 0.8, 0.7, 0.6, 0.5];
        let bad = [true, false, true, false, true];
        let metrics = all(&scores, &scores, &bad, 0.7);
        let value = |name| metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value);
        assert_eq!(value(MetricName::Recall), Some(0.666_667));
        assert_eq!(value(MetricName::Precision), Some(0.666_667));
        assert_eq!(value(MetricName::RefusedShare), Some(0.6));
        assert_eq!(value(MetricName::ApprovalRate), Some(0.4));
        assert_eq!(metrics.len(), 11);
        assert!(metrics.iter().all(|metric| metric.low <= Some(metric.value) && Some(metric.value) <= metric.high));
    }

    #[test]
    fn what_is_not_defined_is_left_out() {
        assert!(all(&[], &[], &[], 0.0).is_empty());
        let names: Vec<_> = all(&[1.0], &[0.5], &[false], 2.0).into_iter().map(|metric| metric.name).collect();
        assert_eq!(
            names,
            [
                MetricName::Brier,
                MetricName::LogLoss,
                MetricName::RefusedShare,
                MetricName::ApprovalRate,
                MetricName::CalibrationError
            ]
        );
        assert_eq!(paired(&[1.0], &[1.0], &[true]).low, Some(-1.0));
    }

    #[test]
    fn equal_scores_do_not_differ() {
        let scores = [0.1, 0.4, 0.35, 0.8];
        let difference = paired(&scores, &scores, &[false, false, true, true]);
        assert_eq!((difference.value, difference.low, difference.high), (0.0, Some(0.0), Some(0.0)));
    }

    #[test]
    fn recall_is_paired_on_the_bad_rows_alone() {
        let (new, champion) = ([0.9, 0.8, 0.1, 0.2], [0.9, 0.1, 0.1, 0.9]);
        let refusing = |scores| Refusing { scores, threshold: 0.5 };
        let difference = |bad: &[bool]| {
            let Metric { value, low, high, .. } = paired_recall(refusing(&new), refusing(&champion), bad);
            (value, low.unwrap(), high.unwrap())
        };
        assert_eq!(difference(&[true, true, true, false]).0, 0.333_333);
        assert_eq!(difference(&[false; 4]), (0.0, -1.0, 1.0));
        let (value, low, high) = difference(&[true, false, true, false]);
        assert!(value == 0.0 && low == -high && high < 1.0, "{low} to {high}: equal on two rows is little proof");
    }
}
