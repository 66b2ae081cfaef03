//! How the penalised log loss slopes and is bent at some weights, which foretells its minimum, also with fewer inputs: one
//! look at the loans, by columns and in the same order on every machine.

use underwriter_model::calibration;

use super::{Inputs, PENALTY};

/// Loans that are looked at together: their values stay in the processor's cache.
const TOGETHER: usize = 1024;
/// Sums that are kept side by side.
const LANES: usize = 8;

/// The loss around a place.
#[derive(Clone, Debug)]
pub struct Curvature {
    /// The place: the weights, then the intercept.
    pub parameters: Vec<f64>,
    /// First derivatives.
    slopes: Vec<f64>,
    /// The lower triangle of the second derivatives.
    bends: Vec<Vec<f64>>,
    rows: usize,
}

impl Curvature {
    /// At some parameters.
    pub fn at(inputs: &Inputs, bad: &[bool], parameters: Vec<f64>) -> Self {
        let (rows, columns) = (bad.len(), inputs.risky.len());
        let penalised = |row: usize| (0..=row).map(|column| f64::from(u8::from(column == row)) * PENALTY).collect();
        let mut slopes: Vec<f64> = parameters[..columns].iter().map(|weight| PENALTY * weight).collect();
        slopes.push(0.0);
        let mut bends: Vec<Vec<f64>> = (0..columns).map(penalised).collect();
        bends.push(vec![0.0; columns + 1]);
        let mut here = Self { parameters, slopes, bends, rows };
        for start in (0..rows).step_by(TOGETHER) {
            let some = start..(start + TOGETHER).min(rows);
            let columns: Vec<&[f64]> = (0..columns).map(|at| &inputs.column(at, rows)[some.clone()]).collect();
            here.add(&columns, &bad[some]);
        }
        here
    }

    /// The largest slope, per row.
    pub fn gradient(&self) -> f64 {
        self.slopes.iter().fold(0.0, |most: f64, slope| most.max(slope.abs())) / self.rows as f64
    }

    /// Where the loss is least when all weights but some are 0, as far as can be seen from here: a step of Newton's method.
    /// `kept` are places of weights, ascending; what comes back are these, then the intercept.
    pub fn foretold(&self, kept: &[usize]) -> Vec<f64> {
        let last = self.parameters.len() - 1;
        let free: Vec<usize> = kept.iter().copied().chain([last]).collect();
        let dropped: Vec<usize> = (0..last).filter(|place| kept.binary_search(place).is_err()).collect();
        let bent = |one: usize, other: usize| self.bends[one.max(other)][one.min(other)];
        let pulled = |row: usize| dropped.iter().map(|place| bent(row, *place) * self.parameters[*place]).sum::<f64>();
        let pull = |row: &usize| pulled(*row) - self.slopes[*row];
        let among = |(at, row): (usize, &usize)| free[..=at].iter().map(|column| bent(*row, *column)).collect();
        let moved = solve(free.iter().enumerate().map(among).collect(), free.iter().map(pull).collect());
        free.iter().zip(moved).map(|(place, moved)| self.parameters[*place] + moved).collect()
    }

    /// Adds what some loans say.
    fn add(&mut self, columns: &[&[f64]], bad: &[bool]) {
        let chances = self.chances(columns, bad.len());
        let errors: Vec<f64> =
            chances.iter().zip(bad).map(|(chance, bad)| chance - f64::from(u8::from(*bad))).collect();
        let weights: Vec<f64> = chances.into_iter().map(|chance| chance * (1.0 - chance)).collect();
        let ones = vec![1.0; bad.len()];
        let column = |at: usize| columns.get(at).copied().unwrap_or(&ones);
        for (at, (slope, bends)) in self.slopes.iter_mut().zip(&mut self.bends).enumerate() {
            *slope += dot(&errors, column(at));
            let bent: Vec<f64> = column(at).iter().zip(&weights).map(|(value, weight)| value * weight).collect();
            bends.iter_mut().enumerate().for_each(|(other, sum)| *sum += dot(&bent, column(other)));
        }
    }

    /// The probability that each of some loans goes bad.
    fn chances(&self, columns: &[&[f64]], rows: usize) -> Vec<f64> {
        let mut scores = vec![self.parameters.last().copied().unwrap_or_default(); rows];
        for (column, weight) in columns.iter().zip(&self.parameters) {
            scores.iter_mut().zip(*column).for_each(|(score, value)| *score += weight * value);
        }
        scores.into_iter().map(calibration::sigmoid).collect()
    }
}

/// Sums in lanes, in an order that no machine changes.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(one, other)| one * other).sum();
    for (one, other) in ones.zip(others) {
        lanes.iter_mut().zip(one.iter().zip(other)).for_each(|(lane, (one, other))| *lane += one * other);
    }
    lanes.iter().sum::<f64>() + rest
}

/// Solves for the lower triangle of a positive definite matrix (Cholesky).
fn solve(mut lower: Vec<Vec<f64>>, mut values: Vec<f64>) -> Vec<f64> {
    for row in 0..lower.len() {
        let (above, below) = lower.split_at_mut(row);
        let current = &mut below[0];
        for (column, pivot) in above.iter().enumerate() {
            current[column] = (current[column] - dot(&current[..column], &pivot[..column])) / pivot[column];
        }
        current[row] = (current[row] - dot(&current[..row], &current[..row])).sqrt();
        values[row] = (values[row] - dot(&current[..row], &values[..row])) / current[row];
    }
    for row in (0..lower.len()).rev() {
        values[row] /= lower[row][row];
        let value = values[row];
        values[..row].iter_mut().zip(&lower[row]).for_each(|(left, factor)| *left -= factor * value);
    }
    values
}
