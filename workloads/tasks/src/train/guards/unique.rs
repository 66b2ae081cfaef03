//! Columns that name a loan rather than describe it: a text of its own for nearly every loan, or a whole number that counts
//! up with them or is called an id.

use underwriter_contract::manifest::ColumnKind;

use super::names;
use crate::train::features::{Cells, Feature};

/// From how many loans on a value may be called unique.
const MANY: usize = 100;
/// The share of different values from which whole numbers may be counting.
const NEARLY_ALL: f64 = 0.99;
/// The rank correlation with the order of the loans from which they are.
const COUNTING: f64 = 0.9;

/// Says what is unique about a column, if anything is. Loans are in order of time, or as the source has them.
pub fn find(feature: &Feature) -> Option<String> {
    match &feature.cells {
        Cells::Levels { names, codes } => {
            let filled = codes.iter().flatten().count();
            let too_many = feature.kind == ColumnKind::Category && filled > MANY && names.len() * 2 > filled;
            too_many.then(|| format!("{} different texts in {filled} loans", names.len()))
        }
        Cells::Numbers(numbers) => counts(numbers, names::identifier(&feature.name)),
    }
}

/// Spearman's rank correlation of values without ties with their order: 1 − 6 Σ d² / (n (n² − 1)).
fn counts(numbers: &[f64], is_id: bool) -> Option<String> {
    let filled: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    if filled.len() <= MANY || filled.iter().any(|number| number.fract() != 0.0) {
        return None;
    }
    let mut order: Vec<usize> = (0..filled.len()).collect();
    order.sort_by(|one, other| filled[*one].total_cmp(&filled[*other]));
    let different = order.chunk_by(|one, other| filled[*one] == filled[*other]).count();
    let apart: f64 = order.iter().enumerate().map(|(rank, row)| (rank as f64 - *row as f64).powi(2)).sum();
    let rows = filled.len() as f64;
    let correlation = 1.0 - 6.0 * apart / (rows * (rows * rows - 1.0));
    let sign = match (correlation.abs() >= COUNTING, is_id) {
        (true, _) => "in the order of the loans",
        (false, true) => "by the name of an id",
        (false, false) => return None,
    };
    let unique = different as f64 >= NEARLY_ALL * rows;
    unique.then(|| format!("{different} different whole numbers in {rows} loans, {sign}"))
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn what_counts_up_is_an_id_and_what_is_only_different_is_none() {
        let roughly = |row: usize| (1000 + row * 10 + (row * 7919) % 97) as f64;
        assert!(counts(&(0..500).map(roughly).collect::<Vec<_>>(), false).unwrap().starts_with("500 different"));
        let balance = |row: usize| ((row * 7919) % 10_007) as f64;
        assert_eq!(counts(&(0..500).map(balance).collect::<Vec<_>>(), false), None);
        let named = counts(&(0..500).map(balance).collect::<Vec<_>>(), true);
        assert_eq!(named.as_deref(), Some("500 different whole numbers in 500 loans, by the name of an id"));
        assert_eq!(counts(&(0..500).map(|row| (row / 2) as f64).collect::<Vec<_>>(), false), None);
        assert_eq!(counts(&(0..500).map(|row| row as f64 + 0.5).collect::<Vec<_>>(), false), None);
        assert_eq!(counts(&(0..50).map(|row| row as f64).collect::<Vec<_>>(), false), None);
    }
}
