//! How the penalised log loss is bent at its minimum, which foretells the minimum with fewer inputs: one look at the loans,
//! by columns and in the same order on every machine.

use super::{PENALTY, chance};

/// Loans that are looked at together: their values stay in the processor's cache.
const TOGETHER: usize = 1024;
/// Sums that are kept side by side.
const LANES: usize = 8;

/// The lower triangle of the second derivatives, by the weights and then the intercept.
#[derive(Clone, Debug)]
pub struct Curvature(Vec<Vec<f64>>);

impl Curvature {
    /// At some parameters, of columns that are equally long.
    pub fn at(columns: &[&[f64]], parameters: &[f64]) -> Self {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut sums: Vec<Vec<f64>> = (0..parameters.len()).map(|row| vec![0.0; row + 1]).collect();
        sums.iter_mut().take(columns.len()).enumerate().for_each(|(at, sum)| sum[at] = PENALTY);
        for start in (0..rows).step_by(TOGETHER) {
            let some: Vec<&[f64]> = columns.iter().map(|column| &column[start..(start + TOGETHER).min(rows)]).collect();
            add(&mut sums, &some, parameters);
        }
        Self(sums)
    }

    /// Where the loss is least when all weights but some are 0. `minimum` is where it is least with all of them, `kept` are
    /// places of weights, ascending.
    pub fn without_others(&self, minimum: &[f64], kept: &[usize]) -> Vec<f64> {
        let last = minimum.len() - 1;
        let free: Vec<usize> = kept.iter().copied().chain([last]).collect();
        let dropped: Vec<usize> = (0..last).filter(|place| kept.binary_search(place).is_err()).collect();
        let bent = |one: usize, other: usize| self.0[one.max(other)][one.min(other)];
        let pull = |row: &usize| dropped.iter().map(|place| bent(*row, *place) * minimum[*place]).sum();
        let among = |(at, row): (usize, &usize)| free[..=at].iter().map(|column| bent(*row, *column)).collect();
        let moved = solve(free.iter().enumerate().map(among).collect(), free.iter().map(pull).collect());
        free.iter().zip(moved).map(|(place, moved)| minimum[*place] + moved).collect()
    }
}

/// Adds what some loans say.
fn add(sums: &mut [Vec<f64>], columns: &[&[f64]], parameters: &[f64]) {
    let rows = columns.first().map_or(0, |column| column.len());
    let mut scores = vec![parameters.last().copied().unwrap_or_default(); rows];
    for (column, weight) in columns.iter().zip(parameters) {
        scores.iter_mut().zip(*column).for_each(|(score, value)| *score += weight * value);
    }
    let bends: Vec<f64> = scores.into_iter().map(chance).map(|chance| chance * (1.0 - chance)).collect();
    let ones = vec![1.0; rows];
    let column = |at: usize| columns.get(at).copied().unwrap_or(&ones);
    for (at, sums) in sums.iter_mut().enumerate() {
        let bent: Vec<f64> = column(at).iter().zip(&bends).map(|(value, bend)| value * bend).collect();
        sums.iter_mut().enumerate().for_each(|(other, sum)| *sum += dot(&bent, column(other)));
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
