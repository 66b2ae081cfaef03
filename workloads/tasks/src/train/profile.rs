//! The reference distributions that drift is measured against: the newest 40 % of the rows, exactly.
//!
//! All rows would never let a retraining recover, the last few would call a season drift. Columns that never varied are
//! profiled too: a value that was never seen is the plainest drift there is.

use std::collections::BTreeMap;

use underwriter_contract::{
    FORMAT,
    manifest::{Finding, Guard},
    profile::{ColumnProfile, Profile, Values},
};

use super::{
    candidate::Material,
    features::{Cells, Feature},
};

/// Profiles the learnt and the constant columns; loans are in order of time.
pub fn of(material: &Material, findings: &[Finding]) -> Profile {
    let rows = material.bad.len();
    let oldest = rows - rows * 2 / 5;
    let constant =
        |name: &str| findings.iter().any(|finding| finding.guard == Guard::Constant && finding.column == name);
    let profiled =
        material.features.iter().filter(|feature| material.learnt.contains(&feature.name) || constant(&feature.name));
    let columns = profiled.map(|feature| column(feature, oldest)).collect();
    Profile { format: FORMAT, rows: (rows - oldest) as u64, columns }
}

fn column(feature: &Feature, oldest: usize) -> ColumnProfile {
    let (nulls, values) = match &feature.cells {
        Cells::Numbers(numbers) => of_numbers(&numbers[oldest..]),
        Cells::Levels { names, codes } => of_levels(names, &codes[oldest..]),
    };
    ColumnProfile { name: feature.name.clone(), nulls: nulls as u64, values }
}

fn of_numbers(numbers: &[f64]) -> (usize, Values) {
    let mut filled: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    filled.sort_by(f64::total_cmp);
    let counts = filled.chunk_by(|one, other| one == other).map(|same| (same[0], same.len() as u64));
    (numbers.len() - filled.len(), Values::Numbers(counts.collect()))
}

fn of_levels(names: &[String], codes: &[Option<u32>]) -> (usize, Values) {
    let mut counts: BTreeMap<&String, u64> = BTreeMap::new();
    for name in codes.iter().flatten().filter_map(|code| names.get(*code as usize)) {
        *counts.entry(name).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(name, count)| (name.clone(), count)).collect();
    (codes.iter().filter(|code| code.is_none()).count(), Values::Levels(counts))
}

#[cfg(test)]
mod tests {
    use underwriter_contract::profile::Values;

    #[test]
    fn counts_every_value() {
        let (nulls, values) = super::of_numbers(&[2.0, f64::NAN, 1.0, 2.0]);
        assert_eq!((nulls, values), (1, Values::Numbers(vec![(1.0, 1), (2.0, 2)])));
        let names = ["a", "b", "c"].map(str::to_owned);
        let (nulls, values) = super::of_levels(&names, &[Some(2), None, Some(0), Some(2)]);
        assert_eq!((nulls, values), (1, Values::Levels(vec![("a".into(), 1), ("c".into(), 2)])));
    }
}
