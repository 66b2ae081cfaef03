//! The threshold: with a recall guarantee, for a share of approvals, or where a probability says.
//!
//! Recall on unseen loans like the calibrate rows is at least the lower Clopper–Pearson bound of what was found among
//! them, with the wanted confidence. Scores are fixed before these rows are seen, and the bound rises with the number
//! found, so the search for the threshold asks for no correction.

use thiserror::Error;
use underwriter_contract::learning::RecallTarget;

use crate::interval;

/// Of the lower bound of recall where none was asked for.
pub const CONFIDENCE: f64 = 0.95;

/// From where to refuse, and what that promises.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Refuse where the score is at or above this.
    pub score: f64,
    /// Bad rows at or above it.
    pub found: u64,
    /// Bad rows.
    pub bad: u64,
    /// The one-sided lower bound of recall that this gives.
    pub recall_low: f64,
}

/// Refusing everybody would not promise the wanted recall: there are too few bad rows.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error(
    "recall {at_least} at {confidence} confidence is out of reach: {bad} bad rows promise at most {reachable:.4}, \
     {needed} would be needed"
)]
pub struct OutOfReach {
    /// The recall that was wanted.
    pub at_least: f64,
    /// With this confidence.
    pub confidence: f64,
    /// The bad rows there are.
    pub bad: u64,
    /// The recall that they can promise.
    pub reachable: f64,
    /// The least number of bad rows with which the wanted recall could be promised.
    pub needed: u64,
}

/// The highest threshold that promises the recall, midway between two neighbouring distinct scores of these rows.
///
/// `scores` (finite) and `bad` are of the same rows.
///
/// # Errors
/// [`OutOfReach`] when no threshold promises it.
pub fn choose(scores: &[f64], bad: &[bool], target: &RecallTarget) -> Result<Choice, OutOfReach> {
    let mut bad_scores: Vec<f64> = scores.iter().zip(bad).filter(|(_, bad)| **bad).map(|(score, _)| *score).collect();
    bad_scores.sort_by(|a, b| b.total_cmp(a));
    let count = bad_scores.len() as u64;
    let promised = |found: u64| interval::lower(found, count, target.confidence);
    let out_of_reach = || OutOfReach {
        at_least: target.at_least,
        confidence: target.confidence,
        bad: count,
        reachable: promised(count),
        needed: needed(target),
    };
    let must_find = least(count, |found| promised(found) >= target.at_least).ok_or_else(out_of_reach)?;
    let last = must_find.checked_sub(1).and_then(|index| bad_scores.get(usize::try_from(index).ok()?));
    let upper = *last.ok_or_else(out_of_reach)?;
    let found = bad_scores.partition_point(|score| *score >= upper) as u64;
    Ok(Choice { score: below(upper, scores), found, bad: count, recall_low: promised(found) })
}

/// The lowest threshold under which at least this share of the rows is approved.
#[must_use]
pub fn approving(scores: &[f64], bad: &[bool], at_least: f64) -> Choice {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let approved = (at_least * sorted.len() as f64).ceil() as usize;
    let last = approved.checked_sub(1).and_then(|last| sorted.get(last)).copied().unwrap_or(f64::NEG_INFINITY);
    let refused = sorted.into_iter().find(|score| *score > last);
    at(refused.unwrap_or_else(|| last.next_up()), scores, bad)
}

/// The threshold that divides the rows as `cut` does, midway between two neighbouring distinct scores.
#[must_use]
pub fn at(cut: f64, scores: &[f64], bad: &[bool]) -> Choice {
    let upper = scores.iter().copied().filter(|score| *score >= cut).min_by(f64::total_cmp);
    let score = upper.map_or(cut, |upper| below(upper, scores));
    let rows = || scores.iter().zip(bad).filter(|(_, bad)| **bad);
    let (found, bad) = (rows().filter(|(one, _)| **one >= score).count() as u64, rows().count() as u64);
    Choice { score, found, bad, recall_low: interval::lower(found, bad, CONFIDENCE) }
}

/// The least of 1..=`most` that is enough; `enough` is monotone.
fn least(most: u64, enough: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut low, mut high) = (1, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle + 1 }
    }
    (high >= 1 && enough(high)).then_some(high)
}

/// The least number of bad rows with which a recall can be promised: all n found promise (1 − confidence)^(1/n).
#[must_use]
pub fn needed(target: &RecallTarget) -> u64 {
    ((1.0 - target.confidence).ln() / target.at_least.ln()).ceil() as u64
}

/// Midway between `upper` and the next lower score; `upper` itself where there is none, or no number in between.
fn below(upper: f64, scores: &[f64]) -> f64 {
    let lower = scores.iter().copied().filter(|score| *score < upper).max_by(f64::total_cmp);
    let middle = lower.map(|lower| (lower, lower / 2.0 + upper / 2.0));
    middle.filter(|(lower, middle)| lower < middle && *middle <= upper).map_or(upper, |(_, middle)| middle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(at_least: f64) -> RecallTarget {
        RecallTarget { at_least, confidence: 0.95 }
    }

    /// Knuth's MMIX generator: uniform in [0, 1), the same on every machine.
    struct Uniform(u64);

    impl Uniform {
        fn draw(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        fn scores(&mut self, count: usize) -> Vec<f64> {
            (0..count).map(|_| self.draw()).collect()
        }
    }

    #[test]
    fn the_promise_holds_in_simulated_worlds() {
        // Bad loans score uniformly in [0, 1): the true recall of a threshold t is 1 − t.
        let mut uniform = Uniform(7);
        let kept = (0..200).filter(|_| {
            let choice = choose(&uniform.scores(300), &[true; 300], &target(0.8)).unwrap();
            1.0 - choice.score >= 0.8
        });
        let kept = kept.count();
        assert!((182..200).contains(&kept), "{kept} of 200");
    }

    #[test]
    fn too_few_bad_rows_are_told_how_many_are_needed() {
        let refused = choose(&[0.1, 0.2, 0.3], &[true, false, true], &target(0.75)).unwrap_err();
        assert_eq!((refused.bad, refused.needed), (2, 11));
        assert!((refused.reachable - 0.05_f64.sqrt()).abs() < 1e-12);
        let scores: Vec<f64> = (0..11).map(f64::from).collect();
        assert!(choose(&scores, &[true; 11], &target(0.75)).is_ok());
        assert!(choose(&scores[1..], &[true; 10], &target(0.75)).is_err());
        assert_eq!(choose(&[], &[], &target(0.75)).unwrap_err().reachable, 0.0);
    }

    #[test]
    fn lies_midway_between_neighbours() {
        let mut scores: Vec<f64> = (0..100).map(f64::from).collect();
        let mut bad = vec![true; 100];
        let choice = choose(&scores, &bad, &target(0.75)).unwrap();
        assert_eq!(choice.score.fract(), 0.5);
        let upper = choice.score + 0.5;
        scores.push(upper - 0.25);
        bad.push(false);
        assert_eq!(choose(&scores, &bad, &target(0.75)).unwrap().score, upper - 0.125, "good rows are neighbours too");
    }

    #[test]
    fn approves_the_share_asked_for_and_no_more() {
        let scores: Vec<f64> = (0..100).map(f64::from).collect();
        let bad: Vec<bool> = scores.iter().map(|score| *score >= 50.0).collect();
        let choice = approving(&scores, &bad, 0.8);
        assert_eq!((choice.score, choice.found, choice.bad), (79.5, 20, 50));
        assert_eq!(approving(&[1.0; 10], &[true; 10], 0.5).found, 0, "equal scores are approved together");
        assert!(approving(&[], &[], 0.5).score < 0.0);
    }

    #[test]
    fn a_probability_divides_the_rows_where_it_says() {
        let platt = underwriter_contract::manifest::Platt { slope: 2.0, intercept: -1.0 };
        let cut = crate::calibration::score(&platt, 0.25);
        assert!((crate::calibration::apply(&platt, cut) - 0.25).abs() < 1e-12);
        let choice = at(cut, &[-1.0, 0.0, 1.0, 2.0], &[true, true, false, true]);
        assert_eq!((choice.score, choice.found, choice.bad), (-0.5, 2, 3));
        assert_eq!(at(9.0, &[1.0, 2.0], &[true, false]).score, 9.0);
    }

    #[test]
    fn neighbouring_floats_and_ties_have_a_threshold() {
        let upper = 1.0_f64;
        assert_eq!(below(upper, &[upper.next_down(), upper]), upper);
        assert_eq!(below(upper, &[upper, upper]), upper);
        let choice = choose(&[2.0; 50], &[true; 50], &target(0.75)).unwrap();
        assert_eq!((choice.score, choice.found), (2.0, 50));
        assert_eq!(below(f64::MAX, &[f64::MIN, f64::MAX]), 0.0);
    }

    proptest! {
        #[test]
        fn the_highest_that_promises(
            rows in proptest::collection::vec((0_i32..60, any::<bool>()), 1..200),
            at_least in 0.05_f64..0.95,
        ) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score)).collect();
            let bad: Vec<bool> = rows.iter().map(|(_, bad)| *bad).collect();
            let at_or_above = |from: f64| rows.iter().filter(|(s, b)| *b && f64::from(*s) >= from).count() as u64;
            let count = at_or_above(f64::NEG_INFINITY);
            match choose(&scores, &bad, &target(at_least)) {
                Err(refused) => prop_assert!(refused.reachable < at_least && refused.needed > count),
                Ok(choice) => {
                    prop_assert_eq!((at_or_above(choice.score), count), (choice.found, choice.bad));
                    prop_assert!(choice.recall_low >= at_least);
                    let higher = scores.iter().copied().filter(|score| *score >= choice.score).min_by(f64::total_cmp);
                    let fewer = at_or_above(higher.unwrap().next_up());
                    prop_assert!(interval::lower(fewer, count, 0.95) < at_least);
                }
            }
        }

        #[test]
        fn more_recall_never_raises_the_threshold(scores in proptest::collection::vec(-5.0_f64..5.0, 50..150)) {
            let bad = vec![true; scores.len()];
            let chosen = [0.3, 0.5, 0.7, 0.9].map(|at_least| choose(&scores, &bad, &target(at_least)).unwrap().score);
            prop_assert!(chosen.is_sorted_by(|higher, lower| higher >= lower));
        }
    }
}
