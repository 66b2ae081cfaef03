//! From score to probability by a logistic curve (Platt 1999), fitted by Newton's method on his smoothed targets.

use underwriter_contract::manifest::Platt;

/// The least slope: the probability must rise with the score, however little.
const LEAST_SLOPE: f64 = 1e-3;
const MOST_STEPS: usize = 100;
/// Steps smaller than this change nothing that anybody could measure.
const CONVERGED: f64 = 1e-12;
/// Keeps the Hessian regular where all scores are alike.
const RIDGE: f64 = 1e-12;

/// Calibrated probability of a score; strictly rising as far as floats can tell.
#[must_use]
pub fn apply(platt: &Platt, score: f64) -> f64 {
    sigmoid(platt.slope * score + platt.intercept)
}

/// The score that has a probability, strictly between 0 and 1: the inverse of [`apply`].
#[must_use]
pub fn score(platt: &Platt, probability: f64) -> f64 {
    ((probability / (1.0 - probability)).ln() - platt.intercept) / platt.slope
}

/// 1 / (1 + exp(−x)), without overflow or cancellation.
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        return 1.0 / (1.0 + (-x).exp());
    }
    let power = x.exp();
    power / (1.0 + power)
}

/// The curve of least log loss on these rows (finite scores), its slope kept above 0.
#[must_use]
pub fn fit(scores: &[f64], bad: &[bool]) -> Platt {
    let rows = Rows::new(scores, bad);
    let start = Platt { slope: 0.0, intercept: rows.prior() };
    let free = rows.minimise(start, Loss::step);
    if free.slope >= LEAST_SLOPE {
        free
    } else {
        rows.minimise(Platt { slope: LEAST_SLOPE, ..start }, Loss::step_of_intercept)
    }
}

/// Scores, and the targets that Platt puts in the place of 1 and 0 so that probabilities stay inside (0, 1).
struct Rows<'a> {
    scores: &'a [f64],
    bad: &'a [bool],
    target_bad: f64,
    target_good: f64,
}

impl<'a> Rows<'a> {
    fn new(scores: &'a [f64], bad: &'a [bool]) -> Self {
        let count = bad.iter().filter(|bad| **bad).count() as f64;
        let good = bad.len() as f64 - count;
        Self { scores, bad, target_bad: (count + 1.0) / (count + 2.0), target_good: 1.0 / (good + 2.0) }
    }

    fn iter(&self) -> impl Iterator<Item = (f64, f64)> {
        let target = |bad: &bool| if *bad { self.target_bad } else { self.target_good };
        self.scores.iter().copied().zip(self.bad.iter().map(target))
    }

    /// Log-odds of a bad row, whatever its score.
    fn prior(&self) -> f64 {
        let bad = self.bad.iter().filter(|bad| **bad).count() as f64;
        ((bad + 1.0) / (self.bad.len() as f64 - bad + 1.0)).ln()
    }

    fn minimise(&self, start: Platt, step: fn(&Loss) -> (f64, f64)) -> Platt {
        let mut platt = start;
        let mut loss = Loss::at(self, &platt);
        for _ in 0..MOST_STEPS {
            let (slope, intercept) = step(&loss);
            if slope.abs().max(intercept.abs()) < CONVERGED {
                break;
            }
            let Some((next, lower)) = self.descend(&platt, &loss, slope, intercept) else { break };
            (platt, loss) = (next, lower);
        }
        platt
    }

    /// The first of the step and its halves that lowers the loss.
    fn descend(&self, from: &Platt, loss: &Loss, slope: f64, intercept: f64) -> Option<(Platt, Loss)> {
        std::iter::successors(Some(1.0), |share| Some(share / 2.0)).take(40).find_map(|share| {
            let next = Platt { slope: from.slope + share * slope, intercept: from.intercept + share * intercept };
            let lower = Loss::at(self, &next);
            (lower.value < loss.value).then_some((next, lower))
        })
    }
}

/// Log loss at a point, with its first and second derivatives.
#[derive(Default)]
struct Loss {
    value: f64,
    by_slope: f64,
    by_intercept: f64,
    by_slope_twice: f64,
    by_both: f64,
    by_intercept_twice: f64,
}

impl Loss {
    fn at(rows: &Rows, platt: &Platt) -> Self {
        let mut loss = Self { by_slope_twice: RIDGE, by_intercept_twice: RIDGE, ..Self::default() };
        rows.iter().for_each(|(score, target)| loss.add(score, target, platt.slope * score + platt.intercept));
        loss
    }

    fn add(&mut self, score: f64, target: f64, log_odds: f64) {
        let probability = sigmoid(log_odds);
        let (error, curvature) = (probability - target, probability * (1.0 - probability));
        self.value += log_odds.max(0.0) - target * log_odds + (-log_odds.abs()).exp().ln_1p();
        self.by_slope += error * score;
        self.by_intercept += error;
        self.by_slope_twice += curvature * score * score;
        self.by_both += curvature * score;
        self.by_intercept_twice += curvature;
    }

    /// Newton's step in slope and intercept.
    fn step(&self) -> (f64, f64) {
        let determinant = self.by_slope_twice * self.by_intercept_twice - self.by_both * self.by_both;
        let slope = self.by_both * self.by_intercept - self.by_intercept_twice * self.by_slope;
        let intercept = self.by_both * self.by_slope - self.by_slope_twice * self.by_intercept;
        (slope / determinant, intercept / determinant)
    }

    /// Newton's step in the intercept alone.
    fn step_of_intercept(&self) -> (f64, f64) {
        (0.0, -self.by_intercept / self.by_intercept_twice)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_sigmoid_neither_overflows_nor_cancels() {
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!((sigmoid(-800.0), sigmoid(800.0)), (0.0, 1.0));
        assert!((sigmoid(-40.0) - 4.248_354_255_291_589e-18).abs() < 1e-30);
    }

    #[test]
    fn a_ranking_turned_round_still_rises() {
        let scores: Vec<f64> = (0..100).map(f64::from).collect();
        let bad: Vec<bool> = (0..100).map(|row| row < 50).collect();
        let platt = fit(&scores, &bad);
        assert_eq!(platt.slope, LEAST_SLOPE);
        let mean = scores.iter().map(|score| apply(&platt, *score)).sum::<f64>() / 100.0;
        assert!((mean - 0.5).abs() < 1e-9, "the intercept still makes up for the level: {mean}");
    }

    #[test]
    fn one_class_or_no_rows_give_a_curve() {
        for (scores, bad) in [(vec![], vec![]), (vec![1.0, 2.0], vec![true, true]), (vec![3.0; 9], vec![false; 9])] {
            let platt = fit(&scores, &bad);
            assert!(platt.slope > 0.0 && platt.slope.is_finite() && platt.intercept.is_finite(), "{platt:?}");
        }
    }

    proptest! {
        #[test]
        fn is_where_the_gradient_vanishes(rows in proptest::collection::vec((-4.0_f64..4.0, any::<bool>()), 1..80)) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| *score).collect();
            let bad: Vec<bool> = rows.iter().map(|(_, bad)| *bad).collect();
            let platt = fit(&scores, &bad);
            prop_assert!(platt.slope >= LEAST_SLOPE && platt.slope.is_finite() && platt.intercept.is_finite());
            let loss = Loss::at(&Rows::new(&scores, &bad), &platt);
            prop_assert!(loss.by_intercept.abs() < 1e-5, "{}", loss.by_intercept);
            prop_assert!(platt.slope == LEAST_SLOPE || loss.by_slope.abs() < 1e-5, "{}", loss.by_slope);
        }
    }
}
