//! Logistic regression on what bins say of a loan, by linfa.
//!
//! Evidence already points towards risk, so evidence whose coefficient comes out negative only corrects its neighbours:
//! it is dropped and the rest is fitted again, until none is left. A bin's position may count either way.
//!
//! L-BFGS, which linfa has, looks at the loans some hundred times from nothing, and once from where the loss is least. How
//! the loss is bent foretells that place ([`curvature`]), with all inputs and with fewer, so that loans are only fitted
//! again once none of the weights that are foretold is negative.

mod curvature;

use linfa::{DatasetBase, traits::Fit};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, ArrayView2, ShapeBuilder as _, ShapeError};
use thiserror::Error;

use self::curvature::Curvature;

/// Strength of the L2 penalty, α/2 · ‖w‖² beside the sum of the losses (scikit-learn's C = 0.1): the best of .001 to 1
/// on later loans where there are few bad ones, and no different where there are many.
const PENALTY: f64 = 10.0;
/// The largest gradient per row at which a fit counts as converged.
const CONVERGED: f64 = 1e-6;
/// L-BFGS needs some dozens from nothing.
const MOST_ITERATIONS: u64 = 1000;
/// Newton's method needs six or so from nothing.
const MOST_STEPS: usize = 20;

/// What the regression is fitted on.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The values of the loans, one input behind the other.
    pub values: Vec<f64>,
    /// Of each input whether higher values are riskier, so that its weight must not be negative.
    pub risky: Vec<bool>,
}

/// intercept + Σ weight · input.
#[derive(Clone, Debug, PartialEq)]
pub struct Scorecard {
    /// Log-odds where all inputs are zero.
    pub intercept: f64,
    /// One an input, 0 where it was dropped.
    pub weights: Vec<f64>,
}

/// Why there is no fit.
#[derive(Debug, Error)]
pub enum ScorecardError {
    /// The solver gave up.
    #[error("logistic regression failed: {0}")]
    Solver(#[from] linfa_logistic::error::Error),
    /// It stopped too early.
    #[error("logistic regression stopped at a gradient of {0:e} per row")]
    NotConverged(f64),
    /// Not as many values as there are inputs and loans.
    #[error("logistic regression: {0}")]
    Shape(#[from] ShapeError),
}

impl Inputs {
    /// Adds an input.
    pub fn push(&mut self, values: &[f64], risky: bool) {
        self.values.extend_from_slice(values);
        self.risky.push(risky);
    }

    fn column(&self, at: usize, rows: usize) -> &[f64] {
        &self.values[at * rows..(at + 1) * rows]
    }

    /// Only the inputs at some places, ascending.
    fn keep(&mut self, places: &[usize], rows: usize) {
        for (to, from) in places.iter().enumerate() {
            self.values.copy_within(from * rows..(from + 1) * rows, to * rows);
        }
        self.values.truncate(places.len() * rows);
        self.risky = places.iter().map(|place| self.risky[*place]).collect();
    }
}

/// Fits inputs, each as long as `bad`.
///
/// # Errors
/// When the solver fails or stops before it has converged.
pub fn fit(mut inputs: Inputs, bad: &[bool]) -> Result<Scorecard, ScorecardError> {
    let all = inputs.risky.len();
    let mut used: Vec<usize> = (0..all).filter(|input| varies(inputs.column(*input, bad.len()))).collect();
    inputs.keep(&used, bad.len());
    let mut start = vec![0.0; used.len() + 1];
    loop {
        let curvature = solve(&inputs, bad, start)?;
        let kept = kept(&curvature, |place| inputs.risky[place]);
        if kept.len() == used.len() {
            return Ok(scatter(&curvature.parameters, &used, all));
        }
        start = curvature.foretold(&kept);
        used = kept.iter().map(|place| used[*place]).collect();
        inputs.keep(&kept, bad.len());
    }
}

/// The places of the inputs that stay when one with the most negative weight after the other is dropped.
fn kept(minimum: &Curvature, risky: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..minimum.parameters.len() - 1).collect();
    let mut weights = minimum.parameters.clone();
    loop {
        let against =
            kept.iter().zip(&weights).enumerate().filter(|(_, (place, weight))| risky(**place) && **weight < 0.0);
        match against.min_by(|one, other| one.1.1.total_cmp(other.1.1)).map(|(at, _)| at) {
            Some(at) => kept.remove(at),
            None => return kept,
        };
        weights = minimum.foretold(&kept);
    }
}

fn varies(column: &[f64]) -> bool {
    column.iter().any(|value| Some(value) != column.first())
}

fn scatter(parameters: &[f64], used: &[usize], columns: usize) -> Scorecard {
    let mut weights = vec![0.0; columns];
    for (column, weight) in used.iter().zip(parameters) {
        weights[*column] = *weight;
    }
    Scorecard { intercept: parameters.last().copied().unwrap_or_default(), weights }
}

/// Where the loss is least.
fn solve(inputs: &Inputs, bad: &[bool], start: Vec<f64>) -> Result<Curvature, ScorecardError> {
    let near = newton(inputs, bad, start);
    let parameters = lbfgs(inputs, bad, &near.parameters)?;
    let minimum = if parameters == near.parameters { near } else { Curvature::at(inputs, bad, parameters) };
    let gradient = minimum.gradient();
    if gradient <= CONVERGED { Ok(minimum) } else { Err(ScorecardError::NotConverged(gradient)) }
}

/// As near as Newton's method comes to the minimum; where a step leads astray, the place before.
fn newton(inputs: &Inputs, bad: &[bool], start: Vec<f64>) -> Curvature {
    let mut here = Curvature::at(inputs, bad, start);
    let all: Vec<usize> = (0..inputs.risky.len()).collect();
    for _ in 0..MOST_STEPS {
        let next = Curvature::at(inputs, bad, here.foretold(&all));
        if next.gradient().is_nan() || next.gradient() >= here.gradient() {
            return here;
        }
        here = next;
        if here.gradient() < 0.01 * CONVERGED {
            return here;
        }
    }
    here
}

/// The minimum by linfa: weights, then the intercept.
fn lbfgs(inputs: &Inputs, bad: &[bool], start: &[f64]) -> Result<Vec<f64>, ScorecardError> {
    let records = ArrayView2::from_shape((bad.len(), inputs.risky.len()).f(), &inputs.values)?;
    let dataset = DatasetBase::new(records, Array1::from_iter(bad.iter().copied()));
    // linfa fits towards what there is more of
    let sign = |towards_bad: bool| if towards_bad { 1.0 } else { -1.0 };
    let foreseen = sign(2 * bad.iter().filter(|bad| **bad).count() > bad.len());
    let fitted = LogisticRegression::default()
        .alpha(PENALTY)
        .max_iterations(MOST_ITERATIONS)
        .gradient_tolerance(0.1 * CONVERGED * bad.len() as f64)
        .initial_params(start.iter().map(|parameter| foreseen * parameter).collect())
        .fit(&dataset)?;
    let sign = sign(fitted.labels().pos.class);
    Ok(fitted.params().iter().chain([&fitted.intercept()]).map(|parameter| sign * parameter).collect())
}

#[cfg(test)]
mod tests {
    use super::{Inputs, fit};

    /// `x0` raises the odds of bad, `x1` is `x0` with some rows turned over, `x2` never varies.
    fn data() -> (Vec<Vec<f64>>, Vec<bool>) {
        let x0: Vec<f64> = (0..4000).map(|row| f64::from(row % 4)).collect();
        let x1 = (0..4000).map(|row| if row % 7 == 0 { 0.0 } else { f64::from(row % 4) }).collect();
        let bad = (0..4000).map(|row: u32| (row / 4).wrapping_mul(2_654_435_761) % 10 < 1 + 2 * (row % 4)).collect();
        (vec![x0, x1, vec![1.0; 4000]], bad)
    }

    fn inputs(risky: bool) -> (Inputs, Vec<bool>) {
        let (columns, bad) = data();
        (all(&columns, risky), bad)
    }

    fn all(columns: &[Vec<f64>], risky: bool) -> Inputs {
        let mut inputs = Inputs::default();
        columns.iter().for_each(|column| inputs.push(column, risky));
        inputs
    }

    #[test]
    fn points_towards_bad_and_drops_what_points_back() {
        let (inputs, bad) = inputs(true);
        let scorecard = fit(inputs.clone(), &bad).unwrap();
        assert!(scorecard.weights.iter().all(|weight| *weight >= 0.0), "{scorecard:?}");
        assert!(scorecard.weights[0] > 0.5);
        assert_eq!(scorecard.weights[2], 0.0);
        let turned: Vec<bool> = bad.iter().map(|bad| !bad).collect();
        let constant = fit(inputs, &turned).unwrap();
        assert_eq!(constant.weights, [0.0; 3]);
        let rate = turned.iter().filter(|bad| **bad).count() as f64 / 4000.0;
        assert!((constant.intercept - (rate / (1.0 - rate)).ln()).abs() < 1e-5);
    }

    #[test]
    fn what_is_not_risky_by_nature_may_point_either_way() {
        let (inputs, bad) = inputs(false);
        let turned: Vec<bool> = bad.iter().map(|bad| !bad).collect();
        assert!(fit(inputs, &turned).unwrap().weights[0] < -0.5);
    }

    /// Noise beside three columns that tell: what is dropped is what dropping one after the other, each time fitted to the
    /// end, would drop.
    #[test]
    fn drops_what_dropping_one_after_the_other_drops() {
        let noise = |row: usize, column: usize| {
            let mixed = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add((column as u64 + 1) << 33);
            let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        };
        let column = |column: usize| (0..3000).map(|row| noise(row, column)).collect::<Vec<f64>>();
        let mut used: Vec<Vec<f64>> = (0..20).map(column).collect();
        let odds = |row: usize| (0..3).map(|at| 2.0 * noise(row, at)).sum::<f64>() - 1.5;
        let bad: Vec<bool> = (0..3000).map(|row| noise(row, 99) + 0.5 < 1.0 / (1.0 + (-odds(row)).exp())).collect();
        let fitted = fit(all(&used, true), &bad).unwrap();
        let weights = loop {
            let weights = fit(all(&used, false), &bad).unwrap().weights;
            let worst = (0..used.len()).min_by(|one, other| weights[*one].total_cmp(&weights[*other])).unwrap();
            if weights[worst] >= 0.0 {
                break weights;
            }
            used.remove(worst);
        };
        let kept: Vec<f64> = fitted.weights.iter().copied().filter(|weight| *weight != 0.0).collect();
        assert!(weights.len() < 15 && kept.len() == weights.len(), "{fitted:?}");
        assert!(kept.iter().zip(&weights).all(|(one, other)| (one - other).abs() < 1e-4), "{kept:?} {weights:?}");
    }
}
