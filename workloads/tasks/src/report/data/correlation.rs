//! Spearman's rank correlation of numbers, over the rows where both have a value.

/// The most rows that are compared, evenly spread.
const MOST_ROWS: usize = 5000;

/// Coefficients of every pair; 0 where one of the two does not vary.
pub fn matrix(columns: &[&[f64]], rows: &[usize]) -> Vec<Vec<f64>> {
    let rows: Vec<usize> = rows.iter().copied().step_by(rows.len().div_ceil(MOST_ROWS).max(1)).collect();
    let mut matrix = vec![vec![1.0; columns.len()]; columns.len()];
    for one in 0..columns.len() {
        for other in 0..one {
            let coefficient = spearman(columns[one], columns[other], &rows);
            matrix[one][other] = coefficient;
            matrix[other][one] = coefficient;
        }
    }
    matrix
}

fn spearman(one: &[f64], other: &[f64], rows: &[usize]) -> f64 {
    let both = |row: &&usize| !one[**row].is_nan() && !other[**row].is_nan();
    let (one, other): (Vec<f64>, Vec<f64>) = rows.iter().filter(both).map(|row| (one[*row], other[*row])).unzip();
    pearson(&ranks(&one), &ranks(&other))
}

/// Equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for ties in order.chunk_by(|one, other| values[*one] == values[*other]) {
        ties.iter().for_each(|row| ranks[*row] = before as f64 + ties.len() as f64 / 2.0);
        before += ties.len();
    }
    ranks
}

fn pearson(one: &[f64], other: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (centre, other_centre) = (mean(one), mean(other));
    let sum = |product: &dyn Fn(f64, f64) -> f64| -> f64 {
        one.iter().zip(other).map(|(one, other)| product(one - centre, other - other_centre)).sum()
    };
    let spread = (sum(&|one, _| one * one) * sum(&|_, other| other * other)).sqrt();
    if spread > 0.0 { sum(&|one, other| one * other) / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::matrix;

    #[test]
    fn equals_scipys() {
        // scipy.stats.spearmanr(a, b, nan_policy="omit")
        let a = [1.0, 2.0, 2.0, 5.0, 4.0, 9.0, f64::NAN, 7.0, 3.0, 8.0];
        let b = [2.0, 1.0, 3.0, 4.0, 4.0, 6.0, 9.0, 8.0, f64::NAN, 5.0];
        let ours = matrix(&[&a, &b, &[1.0; 10]], &(0..10).collect::<Vec<_>>());
        assert!((ours[0][1] - 0.8795180722891566).abs() < 1e-12, "{}", ours[0][1]);
        assert_eq!((ours[0][1], ours[0][2], ours[1][1]), (ours[1][0], 0.0, 1.0));
    }
}
