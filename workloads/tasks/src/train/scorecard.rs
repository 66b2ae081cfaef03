//! Logistic regression on what bins say of a loan, by linfa.
//!
//! Evidence already points towards risk, so evidence whose coefficient comes out negative only corrects its neighbours:
//! it is dropped and the rest is fitted again, until none is left. A bin's position may count either way.
//!
//! How the loss is bent where a fit ends foretells the fits with fewer inputs, so that loans are only fitted again once none
//! of the weights that are foretold is negative.

mod curvature;

use linfa::{DatasetBase, traits::Fit};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder as _};
use thiserror::Error;

use self::curvature::Curvature;

/// Strength of the L2 penalty, α/2 · ‖w‖² beside the sum of the losses (scikit-learn's C = 0.1): the best of .001 to 1
/// on later loans where there are few bad ones, and no different where there are many.
const PENALTY: f64 = 10.0;
/// The largest gradient per row at which a fit counts as converged.
const CONVERGED: f64 = 1e-6;
/// L-BFGS needs some dozens.
const MOST_ITERATIONS: u64 = 1000;

/// One input of the regression, a value a loan.
#[derive(Clone, Debug)]
pub struct Input {
    /// The values.
    pub values: Vec<f64>,
    /// Whether higher values are riskier, so that its weight must not be negative.
    pub risky: bool,
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
}

/// Fits inputs, each as long as `bad`.
///
/// # Errors
/// When the solver fails or stops before it has converged.
pub fn fit(inputs: &[Input], bad: &[bool]) -> Result<Scorecard, ScorecardError> {
    let mut used: Vec<usize> = (0..inputs.len()).filter(|input| varies(&inputs[*input].values)).collect();
    let mut start = None;
    loop {
        let columns: Vec<&[f64]> = used.iter().map(|input| inputs[*input].values.as_slice()).collect();
        let fitted = solve(&columns, bad, start)?;
        let risky = |place: usize| inputs[used[place]].risky;
        if (0..used.len()).all(|place| !risky(place) || fitted.parameters[place] >= 0.0) {
            return Ok(scatter(&fitted.parameters, &used, inputs.len()));
        }
        let curvature = Curvature::at(&columns, &fitted.parameters);
        let kept = kept(&curvature, &fitted.parameters, risky);
        start = Some(fitted.turned(curvature.without_others(&fitted.parameters, &kept)));
        used = kept.into_iter().map(|place| used[place]).collect();
    }
}

/// The places of the inputs that stay when one with the most negative weight after the other is dropped.
fn kept(curvature: &Curvature, minimum: &[f64], risky: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..minimum.len() - 1).collect();
    loop {
        let weights = curvature.without_others(minimum, &kept);
        let against =
            kept.iter().zip(&weights).enumerate().filter(|(_, (place, weight))| risky(**place) && **weight < 0.0);
        match against.min_by(|one, other| one.1.1.total_cmp(other.1.1)).map(|(at, _)| at) {
            Some(at) => kept.remove(at),
            None => return kept,
        };
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

/// One fit.
struct Fitted {
    /// 1 where linfa fits towards bad, else −1.
    sign: f64,
    /// The weights, then the intercept, towards bad.
    parameters: Vec<f64>,
}

impl Fitted {
    /// Parameters as linfa has them, for the next fit to start from.
    fn turned(&self, parameters: Vec<f64>) -> Array1<f64> {
        parameters.into_iter().map(|parameter| self.sign * parameter).collect()
    }
}

fn solve(columns: &[&[f64]], bad: &[bool], start: Option<Array1<f64>>) -> Result<Fitted, ScorecardError> {
    // column by column, for the gradient goes along columns
    let records = Array2::from_shape_fn((bad.len(), columns.len()).f(), |(row, column)| columns[column][row]);
    let dataset = DatasetBase::new(records, Array1::from_iter(bad.iter().copied()));
    let fitted = LogisticRegression::default()
        .alpha(PENALTY)
        .max_iterations(MOST_ITERATIONS)
        .gradient_tolerance(0.1 * CONVERGED * bad.len() as f64)
        .initial_params(start.unwrap_or_else(|| Array1::zeros(columns.len() + 1)))
        .fit(&dataset)?;
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let parameters: Vec<f64> =
        fitted.params().iter().chain([&fitted.intercept()]).map(|parameter| sign * parameter).collect();
    let gradient = gradient(columns, bad, &parameters);
    if gradient <= CONVERGED { Ok(Fitted { sign, parameters }) } else { Err(ScorecardError::NotConverged(gradient)) }
}

fn chance(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// The largest component of the gradient of the penalised log loss, per row.
fn gradient(columns: &[&[f64]], bad: &[bool], parameters: &[f64]) -> f64 {
    let intercept = parameters.last().copied().unwrap_or_default();
    let score = |row: usize| {
        intercept + columns.iter().zip(parameters).map(|(column, weight)| weight * column[row]).sum::<f64>()
    };
    let errors: Vec<f64> = (0..bad.len()).map(|row| chance(score(row)) - f64::from(u8::from(bad[row]))).collect();
    let along = |column: &[f64]| column.iter().zip(&errors).map(|(value, error)| value * error).sum::<f64>();
    let slopes = columns.iter().zip(parameters).map(|(column, weight)| along(column) + PENALTY * weight);
    slopes.chain([errors.iter().sum()]).fold(0.0, |most: f64, slope| most.max(slope.abs())) / bad.len() as f64
}

#[cfg(test)]
mod tests {
    use super::{Input, fit};

    /// `x0` raises the odds of bad, `x1` is `x0` with some rows turned over, `x2` never varies.
    fn data() -> (Vec<Vec<f64>>, Vec<bool>) {
        let x0: Vec<f64> = (0..4000).map(|row| f64::from(row % 4)).collect();
        let x1 = (0..4000).map(|row| if row % 7 == 0 { 0.0 } else { f64::from(row % 4) }).collect();
        let bad = (0..4000).map(|row: u32| (row / 4).wrapping_mul(2_654_435_761) % 10 < 1 + 2 * (row % 4)).collect();
        (vec![x0, x1, vec![1.0; 4000]], bad)
    }

    fn inputs(risky: bool) -> (Vec<Input>, Vec<bool>) {
        let (columns, bad) = data();
        (columns.into_iter().map(|values| Input { values, risky }).collect(), bad)
    }

    #[test]
    fn points_towards_bad_and_drops_what_points_back() {
        let (inputs, bad) = inputs(true);
        let scorecard = fit(&inputs, &bad).unwrap();
        assert!(scorecard.weights.iter().all(|weight| *weight >= 0.0), "{scorecard:?}");
        assert!(scorecard.weights[0] > 0.5);
        assert_eq!(scorecard.weights[2], 0.0);
        let turned: Vec<bool> = bad.iter().map(|bad| !bad).collect();
        let constant = fit(&inputs, &turned).unwrap();
        assert_eq!(constant.weights, [0.0; 3]);
        let rate = turned.iter().filter(|bad| **bad).count() as f64 / 4000.0;
        assert!((constant.intercept - (rate / (1.0 - rate)).ln()).abs() < 1e-5);
    }

    #[test]
    fn what_is_not_risky_by_nature_may_point_either_way() {
        let (inputs, bad) = inputs(false);
        let turned: Vec<bool> = bad.iter().map(|bad| !bad).collect();
        assert!(fit(&inputs, &turned).unwrap().weights[0] < -0.5);
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
        let mut used: Vec<Input> = (0..20).map(|at| Input { values: column(at), risky: true }).collect();
        let odds = |row: usize| (0..3).map(|at| 2.0 * noise(row, at)).sum::<f64>() - 1.5;
        let bad: Vec<bool> = (0..3000).map(|row| noise(row, 99) + 0.5 < 1.0 / (1.0 + (-odds(row)).exp())).collect();
        let fitted = fit(&used, &bad).unwrap();
        let weights = loop {
            let free: Vec<Input> = used.iter().map(|input| Input { risky: false, ..input.clone() }).collect();
            let weights = fit(&free, &bad).unwrap().weights;
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
