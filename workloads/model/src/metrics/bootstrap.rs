//! Intervals of figures whose variance has no plain formula, by resampling rows (Efron & Tibshirani 1993).
//!
//! A resample moves the figure away from its value as the value was moved away from the truth: its mean bias is taken
//! off the centre of the interval, and half the width is 1.96 root mean squares of the moves. Percentiles would not do:
//! distances (Kolmogorov–Smirnov, calibration error) only grow by noise. The seed is fixed: an interval is a function of
//! its rows.

use rand_pcg::{
    Pcg64Mcg,
    rand_core::{Rng as _, SeedableRng as _},
};

use super::{
    curve::{self, Step},
    reliability::{self, Sums},
    roc::NORMAL,
};

/// The most and the least replicates.
const REPLICATES: (usize, usize) = (400, 100);
/// Between them, as many as draw this many rows.
const DRAWS: usize = 10_000_000;
const SEED: u64 = 20_110_901;

/// Intervals of average precision and of the Kolmogorov–Smirnov distance: bad and good rows are drawn each from their
/// own, for their numbers are not what these figures judge.
pub(super) fn ranking(scores: &[f64], bad: &[bool]) -> Option<[(f64, f64); 2]> {
    let steps = curve::steps(scores, bad);
    let figures = |steps: &[Step]| Some([curve::average_precision_of(steps)?, curve::kolmogorov_smirnov_of(steps)?]);
    let value = figures(&steps)?;
    let places = |count: fn(&Step) -> u64| -> Vec<usize> {
        let repeat = |(place, step): (usize, &Step)| std::iter::repeat_n(place, count(step) as usize);
        steps.iter().enumerate().flat_map(repeat).collect()
    };
    let (bads, goods) = (places(|step| step.bad), places(|step| step.good));
    let mut drawn = vec![Step::default(); steps.len()];
    let mut moves = Moves::about(value);
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    for _ in 0..replicates(scores.len()) {
        drawn.fill(Step::default());
        bads.iter().for_each(|_| drawn[bads[below(&mut random, bads.len())]].bad += 1);
        goods.iter().for_each(|_| drawn[goods[below(&mut random, goods.len())]].good += 1);
        moves.add(figures(&drawn)?);
    }
    Some(moves.intervals())
}

/// Interval of the calibration error, the bins as they are; any row may be drawn, for how many go bad is what it judges.
/// What the error of the true probabilities would be, by chance alone, is taken off the lower end, where noise adds the
/// most and resamples do not show it.
pub(super) fn calibration_error(probabilities: &[f64], bad: &[bool]) -> Option<(f64, f64)> {
    let places = reliability::places(probabilities, reliability::BINS);
    let mut moves = Moves::about([reliability::calibration_error(probabilities, bad)?]);
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    for _ in 0..replicates(bad.len()) {
        let mut sums = [Sums::default(); reliability::BINS];
        for _ in bad {
            let row = below(&mut random, bad.len());
            sums[places[row]].add(probabilities[row], bad[row]);
        }
        moves.add([reliability::error_of(&sums)?]);
    }
    let [(low, high)] = moves.intervals();
    let above_chance = moves.value[0] - by_chance(&places, probabilities) - moves.width(0);
    Some((low.min(above_chance.max(0.0)), high))
}

/// The expected calibration error of true probabilities: Σ of the bins' mean absolute deviations, √(2/π) times their
/// standard deviations, by the normal approximation.
fn by_chance(places: &[usize], probabilities: &[f64]) -> f64 {
    let mut variances = [0.0; reliability::BINS];
    places.iter().zip(probabilities).for_each(|(place, chance)| variances[*place] += chance * (1.0 - chance));
    let deviations: f64 = variances.iter().map(|variance| variance.sqrt()).sum();
    std::f64::consts::FRAC_2_PI.sqrt() * deviations / probabilities.len() as f64
}

fn replicates(rows: usize) -> usize {
    (DRAWS / rows.max(1)).clamp(REPLICATES.1, REPLICATES.0)
}

/// A whole number below `count`, by Lemire's multiplication (2019); the bias of less than count / 2⁶⁴ is left.
fn below(random: &mut Pcg64Mcg, count: usize) -> usize {
    ((u128::from(random.next_u64()) * count as u128) >> 64) as usize
}

/// How far resamples move some figures.
struct Moves<const FIGURES: usize> {
    value: [f64; FIGURES],
    count: f64,
    sums: [f64; FIGURES],
    squares: [f64; FIGURES],
}

impl<const FIGURES: usize> Moves<FIGURES> {
    const fn about(value: [f64; FIGURES]) -> Self {
        Self { value, count: 0.0, sums: [0.0; FIGURES], squares: [0.0; FIGURES] }
    }

    fn add(&mut self, resampled: [f64; FIGURES]) {
        self.count += 1.0;
        for (figure, resampled) in resampled.into_iter().enumerate() {
            let moved = resampled - self.value[figure];
            self.sums[figure] += moved;
            self.squares[figure] += moved * moved;
        }
    }

    fn width(&self, figure: usize) -> f64 {
        NORMAL * (self.squares[figure] / self.count).sqrt()
    }

    /// Within 0 and 1, where all of these figures lie.
    fn intervals(&self) -> [(f64, f64); FIGURES] {
        std::array::from_fn(|figure| {
            let centre = self.value[figure] - self.sums[figure] / self.count;
            let width = self.width(figure);
            ((centre - width).clamp(0.0, 1.0), (centre + width).clamp(0.0, 1.0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::sigmoid;

    /// A number between 0 and 1.
    fn uniform(random: &mut Pcg64Mcg) -> f64 {
        (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Scores are log-odds between −4 and 1, and the truth: the share of intervals of 200 samples that hold the figures
    /// of a sample of a million.
    fn coverage<const FIGURES: usize>(
        truth: [f64; FIGURES],
        intervals: impl Fn(&[f64], &[bool]) -> [(f64, f64); FIGURES],
    ) -> [f64; FIGURES] {
        const SAMPLES: u64 = 200;
        let mut held = [0.0; FIGURES];
        for seed in 0..SAMPLES {
            let (scores, bad) = sample(1500, seed);
            let intervals = intervals(&scores, &bad);
            let holds = |(low, high): (f64, f64), truth: f64| f64::from(u8::from(low <= truth && truth <= high));
            (0..FIGURES).for_each(|at| held[at] += holds(intervals[at], truth[at]) / SAMPLES as f64);
        }
        held
    }

    fn sample(rows: usize, seed: u64) -> (Vec<f64>, Vec<bool>) {
        let mut random = Pcg64Mcg::seed_from_u64(seed + 99);
        let scores: Vec<f64> = (0..rows).map(|_| 5.0 * uniform(&mut random) - 4.0).collect();
        let bad = scores.iter().map(|score| uniform(&mut random) < sigmoid(*score)).collect();
        (scores, bad)
    }

    #[test]
    fn intervals_hold_the_truth_nineteen_times_in_twenty() {
        let (scores, bad) = sample(1_000_000, 1_000);
        let truth = [curve::average_precision(&scores, &bad), curve::kolmogorov_smirnov(&scores, &bad)];
        let held = coverage(truth.map(Option::unwrap), |scores, bad| ranking(scores, bad).unwrap());
        assert!(held.iter().all(|held| (0.91..=0.99).contains(held)), "{held:?}");
        // probabilities that are half of what they should be
        let halved = |scores: &[f64]| scores.iter().map(|score| sigmoid(*score) / 2.0).collect::<Vec<_>>();
        let truth = reliability::calibration_error(&halved(&scores), &bad).unwrap();
        let held = coverage([truth], |scores, bad| [calibration_error(&halved(scores), bad).unwrap()]);
        assert!(held[0] >= 0.91, "{held:?}");
    }

    #[test]
    fn true_probabilities_may_have_no_calibration_error() {
        let held = coverage([0.0], |scores, bad| {
            let probabilities: Vec<f64> = scores.iter().map(|score| sigmoid(*score)).collect();
            [calibration_error(&probabilities, bad).unwrap()]
        });
        assert!(held[0] >= 0.95, "{held:?}");
        // each bin's deviation is binomial: √(2/π · p (1 − p) n) of them, by the normal approximation
        let chance = by_chance(&[0; 400], &[0.2; 400]);
        assert!((chance - (std::f64::consts::FRAC_2_PI * 0.16 / 400.0).sqrt()).abs() < 1e-12, "{chance}");
    }

    #[test]
    fn the_same_rows_have_the_same_interval() {
        let (scores, bad) = sample(400, 3);
        assert_eq!(ranking(&scores, &bad), ranking(&scores, &bad));
        let [(low, high), _] = ranking(&scores, &bad).unwrap();
        let value = curve::average_precision(&scores, &bad).unwrap();
        assert!(low < value && value < high);
        assert_eq!(ranking(&scores, &[false; 400]), None);
    }
}
