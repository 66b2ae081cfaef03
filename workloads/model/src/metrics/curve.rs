//! Figures that are read off while the threshold sinks from the highest score to the lowest.

/// Average precision: Σ (recall − recall before) · precision over the distinct scores, without interpolation.
#[must_use]
pub fn average_precision(scores: &[f64], bad: &[bool]) -> Option<f64> {
    average_precision_of(&steps(scores, bad))
}

/// The greatest distance between the distributions of the scores of bad and good rows.
#[must_use]
pub fn kolmogorov_smirnov(scores: &[f64], bad: &[bool]) -> Option<f64> {
    kolmogorov_smirnov_of(&steps(scores, bad))
}

/// One point of the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Share of the bad rows at or above a score.
    pub found: f64,
    /// Share of the good rows at or above it.
    pub refused_good: f64,
}

/// The ROC curve, from (0, 0) to (1, 1), one point a distinct score; empty where there is one class only.
#[must_use]
pub fn roc_curve(scores: &[f64], bad: &[bool]) -> Vec<RocPoint> {
    let steps = steps(scores, bad);
    let Step { bad: bads, good: goods } = total(&steps);
    if bads == 0 || goods == 0 {
        return Vec::new();
    }
    let point =
        |Step { bad, good }| RocPoint { found: bad as f64 / bads as f64, refused_good: good as f64 / goods as f64 };
    std::iter::once(Step::default()).chain(above(&steps)).map(point).collect()
}

/// Rows of one distinct score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub bad: u64,
    pub good: u64,
}

impl Step {
    const fn plus(self, other: Self) -> Self {
        Self { bad: self.bad + other.bad, good: self.good + other.good }
    }
}

/// One step a distinct score, the highest first.
pub(super) fn steps(scores: &[f64], bad: &[bool]) -> Vec<Step> {
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(bad.iter().copied()).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let count = |ties: &[(f64, bool)]| {
        let bad = ties.iter().filter(|(_, bad)| *bad).count() as u64;
        Step { bad, good: ties.len() as u64 - bad }
    };
    rows.chunk_by(|a, b| a.0 == b.0).map(count).collect()
}

pub(super) fn average_precision_of(steps: &[Step]) -> Option<f64> {
    let bads = total(steps).bad as f64;
    let gain = |(step, above): (&Step, Step)| match above.bad + above.good {
        0 => 0.0,
        rows => step.bad as f64 * (above.bad as f64 / rows as f64),
    };
    let gains: f64 = steps.iter().zip(above(steps)).map(gain).sum();
    (bads > 0.0).then(|| gains / bads)
}

pub(super) fn kolmogorov_smirnov_of(steps: &[Step]) -> Option<f64> {
    let Step { bad: bads, good: goods } = total(steps);
    let distance = |point: Step| (point.bad as f64 / bads as f64 - point.good as f64 / goods as f64).abs();
    (bads > 0 && goods > 0).then(|| above(steps).map(distance).fold(0.0, f64::max))
}

/// Rows at or above each score.
fn above(steps: &[Step]) -> impl Iterator<Item = Step> {
    steps.iter().scan(Step::default(), |sum, step| {
        *sum = sum.plus(*step);
        Some(*sum)
    })
}

fn total(steps: &[Step]) -> Step {
    steps.iter().fold(Step::default(), |sum, step| sum.plus(*step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking() {
        let (scores, bad) = ([3.0, 2.0, 1.0, 0.0], [true, true, false, false]);
        assert_eq!(average_precision(&scores, &bad), Some(1.0));
        assert_eq!(kolmogorov_smirnov(&scores, &bad), Some(1.0));
        let point = |found, refused_good| RocPoint { found, refused_good };
        let corner = [point(0.0, 0.0), point(0.5, 0.0), point(1.0, 0.0), point(1.0, 0.5), point(1.0, 1.0)];
        assert_eq!(roc_curve(&scores, &bad), corner);
    }

    #[test]
    fn one_score_for_all_says_nothing() {
        let (scores, bad) = ([1.0; 4], [true, false, false, false]);
        assert_eq!(average_precision(&scores, &bad), Some(0.25));
        assert_eq!(kolmogorov_smirnov(&scores, &bad), Some(0.0));
        assert_eq!(roc_curve(&scores, &bad).len(), 2);
        assert!(roc_curve(&scores, &[false; 4]).is_empty());
    }
}
