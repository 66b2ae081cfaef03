//! Intervals hold the truth as often as they say: on simulated scores, whose truth is known.
//!
//! Scores of good loans are normal, those of bad loans the same, moved to the right: the area under the ROC curve is then
//! Φ(distance / √2). `UNDERWRITER_FULL=1` draws more worlds.

use proptest::{
    prelude::RngExt as _,
    test_runner::{RngAlgorithm, TestRng},
};
use statrs::distribution::{Binomial, ContinuousCDF as _, Discrete as _, Normal};

use crate::{
    interval,
    metrics::{self, Refusing},
};

const STATED: f64 = 0.95;
/// As many bad loans as a test block wants, and the good ones among which they are found.
const BAD: usize = 300;
const GOOD: usize = 1800;

fn worlds() -> usize {
    if std::env::var_os("UNDERWRITER_FULL").is_some() { 10_000 } else { 1000 }
}

/// How many standard errors a rate lies from the stated one.
fn deviation(covered: usize, worlds: usize) -> f64 {
    let worlds = worlds as f64;
    (covered as f64 / worlds - STATED) / (STATED * (1.0 - STATED) / worlds).sqrt()
}

/// Box and Muller's two independent normal numbers.
fn normals(random: &mut TestRng) -> (f64, f64) {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    let (sine, cosine) = (std::f64::consts::TAU * random.random::<f64>()).sin_cos();
    (radius * cosine, radius * sine)
}

/// Scores of two versions that agree in part, the bad loans first and moved by what each version can tell.
fn scores(random: &mut TestRng, distances: (f64, f64), correlation: f64) -> (Vec<f64>, Vec<f64>) {
    let own = (1.0 - correlation * correlation).sqrt();
    let score = |row: usize| {
        let (one, other) = normals(random);
        let moved = |distance: f64| if row < BAD { distance } else { 0.0 };
        (one + moved(distances.0), correlation * one + own * other + moved(distances.1))
    };
    (0..BAD + GOOD).map(score).unzip()
}

fn bad() -> Vec<bool> {
    (0..BAD + GOOD).map(|row| row < BAD).collect()
}

fn area(distance: f64) -> f64 {
    Normal::standard().cdf(distance / std::f64::consts::SQRT_2)
}

fn holds((low, high): (f64, f64), truth: f64) -> bool {
    low <= truth && truth <= high
}

/// How many of the intervals of the area, and of the difference of two areas, hold the truth.
fn covered(distances: (f64, f64), correlation: f64) -> (usize, usize) {
    let (mut random, bad) = (TestRng::deterministic_rng(RngAlgorithm::ChaCha), bad());
    let (truth, difference) = (area(distances.0), area(distances.0) - area(distances.1));
    (0..worlds()).fold((0, 0), |(single, paired), _| {
        let (one, other) = scores(&mut random, distances, correlation);
        let of_one = metrics::roc_auc(&one, &bad).unwrap().interval();
        let of_both = metrics::roc_auc_difference(&one, &other, &bad).unwrap().interval();
        (single + usize::from(holds(of_one, truth)), paired + usize::from(holds(of_both, difference)))
    })
}

#[test]
fn areas_and_their_differences_are_covered_as_often_as_stated() {
    for (distances, correlation) in [((0.7, 0.7), 0.9), ((0.7, 0.65), 0.95), ((0.5, 0.9), 0.3), ((1.6, 1.5), 0.8)] {
        let (single, paired) = covered(distances, correlation);
        println!("{distances:?}, correlation {correlation}: {single} and {paired} of {} covered", worlds());
        for covered in [single, paired] {
            assert!(deviation(covered, worlds()).abs() < 4.0, "{distances:?}, {correlation}: {single}, {paired}");
        }
    }
}

/// How many of the intervals of the difference of two recalls hold the truth: each version refuses at its own threshold,
/// and finds a bad loan where its score, moved by what it can tell, is above.
fn recalls_covered(distances: (f64, f64), thresholds: (f64, f64), correlation: f64) -> usize {
    let (mut random, bad) = (TestRng::deterministic_rng(RngAlgorithm::ChaCha), bad());
    let found = |distance: f64, threshold: f64| Normal::standard().sf(threshold - distance);
    let truth = found(distances.0, thresholds.0) - found(distances.1, thresholds.1);
    let holds_it = |_: &usize| {
        let (one, other) = scores(&mut random, distances, correlation);
        let [one, other] =
            [(&one, thresholds.0), (&other, thresholds.1)].map(|(scores, threshold)| Refusing { scores, threshold });
        let difference = metrics::paired_recall(one, other, &bad);
        holds((difference.low.unwrap(), difference.high.unwrap()), truth)
    };
    (0..worlds()).filter(holds_it).count()
}

/// Where versions nearly always agree, the interval is wider than it must be: half a row in each cell is then much.
#[test]
fn differences_of_recall_are_covered_as_often_as_stated() {
    for (distances, thresholds, correlation) in [
        ((0.7, 0.7), (0.0, 0.0), 0.9),
        ((0.7, 0.7), (-0.2, -0.2), 0.999),
        ((0.7, 0.65), (0.0, 0.2), 0.95),
        ((0.5, 0.9), (-1.0, 0.5), 0.3),
        ((1.6, 1.5), (0.2, 0.2), 0.8),
    ] {
        let covered = recalls_covered(distances, thresholds, correlation);
        println!("{distances:?} at {thresholds:?}, correlation {correlation}: {covered} of {} covered", worlds());
        let deviation = deviation(covered, worlds());
        assert!(
            deviation > -4.0 && (deviation < 4.0 || correlation > 0.99),
            "{distances:?}, {thresholds:?}: {covered}"
        );
    }
}

/// The chance that an interval holds the true share, by summing over every count that may be found.
fn chance(trials: u64, share: f64, holds: impl Fn(u64) -> bool) -> f64 {
    let counts = Binomial::new(share, trials).unwrap();
    (0..=trials).filter(|count| holds(*count)).map(|count| counts.pmf(count)).sum()
}

#[test]
fn shares_are_covered_at_least_as_often_as_stated() {
    let most = if std::env::var_os("UNDERWRITER_FULL").is_some() { 1200 } else { 300 };
    for trials in [1, 2, 7, 50, 150, 300, 1200].into_iter().filter(|trials| *trials <= most) {
        let intervals: Vec<_> = (0..=trials).map(|found| interval::two_sided(found, trials, STATED)).collect();
        let lower: Vec<_> = (0..=trials).map(|found| interval::lower(found, trials, STATED)).collect();
        for share in (1..40).map(|step| f64::from(step) / 40.0) {
            let two_sided = chance(trials, share, |found| holds(intervals[found as usize], share));
            let one_sided = chance(trials, share, |found| lower[found as usize] <= share);
            assert!(two_sided >= STATED - 1e-9 && one_sided >= STATED - 1e-9, "{trials}, {share}");
            // Where counts are many the intervals are no wider than they must be.
            let wide = trials >= 150 && (0.1..0.9).contains(&share) && (two_sided > 0.98 || one_sided > 0.98);
            assert!(!wide, "{trials}, {share}: {two_sided}, {one_sided}");
        }
    }
}
