//! Area under the ROC curve with DeLong's variance (DeLong et al. 1988), by midranks in O(n log n) (Sun & Xu 2014).

use underwriter_contract::summary::{Metric, MetricName, rounded};

/// Upper 97.5 % point of the normal distribution.
pub(super) const NORMAL: f64 = 1.959_963_984_540_054;

/// A figure, its standard error and the range it can lie in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// The least and the greatest that it can be.
    pub range: (f64, f64),
}

impl Estimate {
    /// The 95 % interval, within the range.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        let within = |value: f64| value.clamp(self.range.0, self.range.1);
        (within(self.value - NORMAL * self.error), within(self.value + NORMAL * self.error))
    }

    /// The figure times some factor, and moved.
    pub(super) fn scaled(self, factor: f64, by: f64) -> Self {
        let scaled = |value: f64| factor * value + by;
        Self {
            value: scaled(self.value),
            error: factor * self.error,
            range: (scaled(self.range.0), scaled(self.range.1)),
        }
    }

    pub(super) fn metric(&self, name: MetricName) -> Option<Metric> {
        let (low, high) = self.interval();
        Some(Metric { name, value: rounded(self.value)?, low: rounded(low), high: rounded(high) })
    }
}

/// Area under the ROC curve: the chance that a bad row scores above a good one, ties counting half.
#[must_use]
pub fn roc_auc(scores: &[f64], bad: &[bool]) -> Option<Estimate> {
    let components = Components::of(scores, bad)?;
    Some(Estimate { value: components.mean(), error: components.error(), range: (0.0, 1.0) })
}

/// The area of `new` less that of `champion`, on the same rows.
#[must_use]
pub fn roc_auc_difference(new: &[f64], champion: &[f64], bad: &[bool]) -> Option<Estimate> {
    let components = Components::of(new, bad)?.minus(&Components::of(champion, bad)?);
    Some(Estimate { value: components.mean(), error: components.error(), range: (-1.0, 1.0) })
}

/// DeLong's structural components: of each bad row the share of good rows below it, of each good row the share of bad
/// rows above it.
struct Components {
    bad: Vec<f64>,
    good: Vec<f64>,
}

impl Components {
    fn of(scores: &[f64], bad: &[bool]) -> Option<Self> {
        let among = midranks(scores);
        let bad_ranks = own(scores, bad, true);
        let good_ranks = own(scores, bad, false);
        let (bads, goods) = (bad_ranks.len() as f64, good_ranks.len() as f64);
        let rank = |wanted: bool| among.iter().zip(bad).filter(move |(_, bad)| **bad == wanted).map(|(rank, _)| *rank);
        let below = rank(true).zip(&bad_ranks).map(|(all, own)| (all - own) / goods).collect();
        let above = rank(false).zip(&good_ranks).map(|(all, own)| 1.0 - (all - own) / bads).collect();
        (bads > 0.0 && goods > 0.0).then_some(Self { bad: below, good: above })
    }

    fn minus(&self, other: &Self) -> Self {
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self { bad: minus(&self.bad, &other.bad), good: minus(&self.good, &other.good) }
    }

    fn mean(&self) -> f64 {
        mean(&self.bad)
    }

    fn error(&self) -> f64 {
        (variance(&self.bad) / self.bad.len() as f64 + variance(&self.good) / self.good.len() as f64).sqrt()
    }
}

fn own(scores: &[f64], bad: &[bool], wanted: bool) -> Vec<f64> {
    let own: Vec<f64> = scores.iter().zip(bad).filter(|(_, bad)| **bad == wanted).map(|(score, _)| *score).collect();
    midranks(&own)
}

/// Ranks from 1; equal scores share the mean of theirs.
fn midranks(scores: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut ranks = vec![0.0; scores.len()];
    let mut before = 0;
    for ties in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let rank = before as f64 + (ties.len() + 1) as f64 / 2.0;
        ties.iter().for_each(|row| ranks[*row] = rank);
        before += ties.len();
    }
    ranks
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// With n − 1; 0 for a single value.
pub(super) fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len().saturating_sub(1).max(1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(midranks(&[2.0, 1.0, 2.0, 0.0, -0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
    }

    proptest! {
        #[test]
        fn equals_the_count_of_pairs(rows in proptest::collection::vec((0_i32..20, any::<bool>()), 2..60)) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score)).collect();
            let bad: Vec<bool> = rows.iter().map(|(_, bad)| *bad).collect();
            let of = |wanted: bool| rows.iter().filter(move |(_, bad)| *bad == wanted).map(|(score, _)| *score);
            let pairs: Vec<f64> = of(true)
                .flat_map(|bad| of(false).map(move |good| (bad > good) as u8 as f64 + (bad == good) as u8 as f64 / 2.0))
                .collect();
            match roc_auc(&scores, &bad) {
                None => prop_assert!(pairs.is_empty()),
                Some(estimate) => prop_assert!((estimate.value - mean(&pairs)).abs() < 1e-12),
            }
        }
    }
}
