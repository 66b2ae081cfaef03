//! The figures by which versions are judged, each as its reference implementation defines it.
//!
//! ROC AUC and average precision equal scikit-learn's, the Kolmogorov–Smirnov distance scipy's; ROC AUC carries a DeLong
//! interval, shares carry Clopper–Pearson ones. Scores are finite, `bad` and scores are of the same rows, and a figure
//! that one class alone does not define is left out.

mod curve;
mod roc;

pub use curve::{average_precision, kolmogorov_smirnov};
pub use roc::{Estimate, roc_auc, roc_auc_difference};
use underwriter_contract::summary::{Metric, MetricName, rounded};

use crate::interval;

const CONFIDENCE: f64 = 0.95;
/// As near to 0 and 1 as scikit-learn lets a probability come before it takes the logarithm.
const CLIP: f64 = f64::EPSILON;

/// All figures of one version, with 95 % intervals where one is known; rounded as a status wants it.
#[must_use]
pub fn all(scores: &[f64], probabilities: &[f64], bad: &[bool], threshold: f64) -> Vec<Metric> {
    let ranking = [
        roc_auc(scores, bad).and_then(|estimate| estimate.metric(MetricName::RocAuc)),
        average_precision(scores, bad).and_then(|value| point(MetricName::AveragePrecision, value)),
        kolmogorov_smirnov(scores, bad).and_then(|value| point(MetricName::Ks, value)),
        brier(probabilities, bad).and_then(|value| point(MetricName::Brier, value)),
        log_loss(probabilities, bad).and_then(|value| point(MetricName::LogLoss, value)),
    ];
    let counts = Counts::at(threshold, scores, bad);
    let shares = [
        share(MetricName::Recall, counts.found, counts.bad),
        share(MetricName::Precision, counts.found, counts.refused),
        share(MetricName::RefusedShare, counts.refused, counts.rows),
    ];
    ranking.into_iter().chain(shares).flatten().collect()
}

/// ROC AUC of one version less that of the champion, on the same rows, with its paired 95 % interval. Not known (and
/// then 0 with the widest interval) where there is one class only.
#[must_use]
pub fn paired(new: &[f64], champion: &[f64], bad: &[bool]) -> Metric {
    let unknown = Metric { name: MetricName::RocAuc, value: 0.0, low: Some(-1.0), high: Some(1.0) };
    roc_auc_difference(new, champion, bad).and_then(|estimate| estimate.metric(MetricName::RocAuc)).unwrap_or(unknown)
}

/// Mean squared error of the probabilities.
#[must_use]
pub fn brier(probabilities: &[f64], bad: &[bool]) -> Option<f64> {
    mean(probabilities, bad, |probability, bad| (probability - f64::from(u8::from(bad))).powi(2))
}

/// Mean negative log likelihood; probabilities are clipped to within the rounding error of 1.
#[must_use]
pub fn log_loss(probabilities: &[f64], bad: &[bool]) -> Option<f64> {
    mean(probabilities, bad, |probability, bad| {
        let probability = probability.clamp(CLIP, 1.0 - CLIP);
        if bad { -probability.ln() } else { -(-probability).ln_1p() }
    })
}

fn mean(values: &[f64], bad: &[bool], loss: impl Fn(f64, bool) -> f64) -> Option<f64> {
    let total: f64 = values.iter().zip(bad).map(|(value, bad)| loss(*value, *bad)).sum();
    (!values.is_empty()).then(|| total / values.len() as f64)
}

fn point(name: MetricName, value: f64) -> Option<Metric> {
    Some(Metric { name, value: rounded(value)?, low: None, high: None })
}

fn share(name: MetricName, part: u64, whole: u64) -> Option<Metric> {
    let value = rounded(part as f64 / whole as f64)?;
    let (low, high) = interval::two_sided(part, whole, CONFIDENCE);
    Some(Metric { name, value, low: rounded(low), high: rounded(high) })
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
        assert_eq!(metrics.len(), 8);
    }

    #[test]
    fn what_is_not_defined_is_left_out() {
        assert!(all(&[], &[], &[], 0.0).is_empty());
        let names: Vec<_> = all(&[1.0], &[0.5], &[false], 2.0).into_iter().map(|metric| metric.name).collect();
        assert_eq!(names, [MetricName::Brier, MetricName::LogLoss, MetricName::RefusedShare]);
        assert_eq!(paired(&[1.0], &[1.0], &[true]).low, Some(-1.0));
    }

    #[test]
    fn equal_scores_do_not_differ() {
        let scores = [0.1, 0.4, 0.35, 0.8];
        let difference = paired(&scores, &scores, &[false, false, true, true]);
        assert_eq!((difference.value, difference.low, difference.high), (0.0, Some(0.0), Some(0.0)));
    }
}
