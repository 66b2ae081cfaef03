//! Logistic regression on what bins say of a loan, by linfa.
//!
//! Evidence already points towards risk, so evidence whose coefficient comes out negative only corrects its neighbours:
//! it is dropped and the rest is fitted again, until none is left. A bin's position may count either way.

use linfa::{DatasetBase, traits::Fit};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder as _};
use thiserror::Error;

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
        let kept: Vec<&Vec<f64>> = used.iter().map(|input| &inputs[*input].values).collect();
        let fitted = solve(&kept, bad, start)?;
        let weights = fitted.weights();
        let against = |(_, (input, weight)): &(usize, (&usize, &f64))| inputs[**input].risky && **weight < 0.0;
        let worst =
            used.iter().zip(&weights).enumerate().filter(against).min_by(|one, other| one.1.1.total_cmp(other.1.1));
        match worst.map(|(place, _)| place) {
            Some(place) => {
                used.remove(place);
                start = Some(fitted.without(place));
            }
            None => return Ok(scatter(fitted.intercept(), &used, &weights, inputs.len())),
        }
    }
}

fn varies(column: &[f64]) -> bool {
    column.iter().any(|value| Some(value) != column.first())
}

fn scatter(intercept: f64, used: &[usize], values: &[f64], columns: usize) -> Scorecard {
    let mut weights = vec![0.0; columns];
    for (column, weight) in used.iter().zip(values) {
        weights[*column] = *weight;
    }
    Scorecard { intercept, weights }
}

/// One fit as linfa has it, towards the larger class.
struct Fitted {
    /// 1 where that class is bad, else −1.
    sign: f64,
    /// The weights, then the intercept.
    parameters: Vec<f64>,
}

impl Fitted {
    /// Towards bad.
    fn intercept(&self) -> f64 {
        self.parameters.last().map_or(0.0, |intercept| self.sign * intercept)
    }

    /// Towards bad.
    fn weights(&self) -> Vec<f64> {
        let weights = self.parameters.split_last().map_or(&[] as &[f64], |(_, weights)| weights);
        weights.iter().map(|weight| self.sign * weight).collect()
    }

    /// Where the fit without one of the columns may start.
    fn without(mut self, place: usize) -> Array1<f64> {
        self.parameters.remove(place);
        self.parameters.into()
    }
}

fn solve(columns: &[&Vec<f64>], bad: &[bool], start: Option<Array1<f64>>) -> Result<Fitted, ScorecardError> {
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
    let fitted = Fitted { sign, parameters: fitted.params().iter().copied().chain([fitted.intercept()]).collect() };
    let gradient = gradient(columns, bad, fitted.intercept(), &fitted.weights());
    if gradient <= CONVERGED { Ok(fitted) } else { Err(ScorecardError::NotConverged(gradient)) }
}

/// The largest component of the gradient of the penalised log loss, per row.
fn gradient(columns: &[&Vec<f64>], bad: &[bool], intercept: f64, weights: &[f64]) -> f64 {
    let score =
        |row: usize| intercept + columns.iter().zip(weights).map(|(column, weight)| weight * column[row]).sum::<f64>();
    let errors: Vec<f64> =
        (0..bad.len()).map(|row| 1.0 / (1.0 + (-score(row)).exp()) - f64::from(u8::from(bad[row]))).collect();
    let along = |column: &[f64]| column.iter().zip(&errors).map(|(value, error)| value * error).sum::<f64>();
    let slopes = columns.iter().zip(weights).map(|(column, weight)| along(column) + PENALTY * weight);
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
}
