//! Columns that tell the outcome: some value, or being filled at all, occurs with one outcome only, on enough loans.
//!
//! Money is recovered from charged-off loans alone, so a column that is zero for every other loan was written after the
//! outcome, whatever its name. Ranking power is no such sign: honest columns may rank well, and real leaks badly.

use crate::train::features::{Cells, Feature};

/// Fewer loans prove nothing.
const ENOUGH: usize = 50;
/// The chance that any group of an honest column is pure, all groups of all columns taken together (Bonferroni).
const CHANCE: f64 = 1e-6;

/// Some loans that share something.
#[derive(Clone, Debug, PartialEq)]
struct Group {
    /// "0", "empty", "above 12".
    what: String,
    rows: usize,
    bad: usize,
}

/// Says which loans give the outcome away, if any do. `columns` is how many columns are looked at.
pub fn find(feature: &Feature, bad: &[bool], columns: usize) -> Option<String> {
    let base = bad.iter().filter(|bad| **bad).count() as f64 / bad.len() as f64;
    let groups = groups(feature, bad);
    let chance = CHANCE / (groups.len() * columns).max(1) as f64;
    let proof = groups.iter().find(|group| group.rows >= ENOUGH && group.chance(base) < chance)?;
    let outcome = if proof.bad == 0 { "none of them" } else { "all of them" };
    let (rows, what) = (proof.rows, &proof.what);
    Some(format!("it is {what} for {rows} loans, and {outcome} went bad ({:.1} % of all loans did)", 100.0 * base))
}

impl Group {
    /// The chance that so many loans have one outcome only, if they went bad as often as all do; 1 where they have both.
    fn chance(&self, base: f64) -> f64 {
        let rate = if self.bad == 0 { 1.0 - base } else { base };
        if self.bad == 0 || self.bad == self.rows { rate.powf(self.rows as f64) } else { 1.0 }
    }

    fn of(what: impl Into<String>, loans: impl Iterator<Item = bool>) -> Self {
        let (rows, bad) = loans.fold((0, 0), |(rows, bad), is_bad| (rows + 1, bad + usize::from(is_bad)));
        Self { what: what.into(), rows, bad }
    }
}

fn groups(feature: &Feature, bad: &[bool]) -> Vec<Group> {
    let where_missing = |is_missing: &dyn Fn(usize) -> bool| {
        let among = |missing: bool| (0..bad.len()).filter(move |row| is_missing(*row) == missing).map(|row| bad[row]);
        [Group::of("empty", among(true)), Group::of("filled", among(false))]
    };
    match &feature.cells {
        Cells::Numbers(numbers) => {
            let mut groups = of_numbers(numbers, bad);
            groups.extend(where_missing(&|row| numbers[row].is_nan()));
            groups
        }
        Cells::Levels { names, codes } => {
            let mut groups = of_levels(names, codes, bad);
            groups.extend(where_missing(&|row| codes[row].is_none()));
            groups
        }
    }
}

fn of_levels(names: &[String], codes: &[Option<u32>], bad: &[bool]) -> Vec<Group> {
    let empty = |name: &String| Group { what: format!("{name:?}"), rows: 0, bad: 0 };
    let mut groups: Vec<Group> = names.iter().map(empty).collect();
    for (code, bad) in codes.iter().zip(bad).filter_map(|(code, bad)| Some(((*code)?, bad))) {
        groups[code as usize].rows += 1;
        groups[code as usize].bad += usize::from(*bad);
    }
    groups.retain(|group| group.rows >= ENOUGH);
    groups
}

/// Each frequent value, zero and the rest, and the longest stretch of one outcome at either end.
fn of_numbers(numbers: &[f64], bad: &[bool]) -> Vec<Group> {
    let mut values: Vec<(f64, bool)> = numbers.iter().copied().zip(bad.iter().copied()).collect();
    values.retain(|(number, _)| !number.is_nan());
    values.sort_by(|one, other| one.0.total_cmp(&other.0));
    let not_zero = values.iter().filter(|(number, _)| *number != 0.0).map(|(_, bad)| *bad);
    let mut groups = vec![Group::of("not 0", not_zero)];
    let same: Vec<&[(f64, bool)]> = values.chunk_by(|one, other| one.0 == other.0).collect();
    groups.extend(tail("at most", same.iter().copied()));
    groups.extend(tail("at least", same.iter().rev().copied()));
    let frequent = same.iter().filter(|run| run.len() >= ENOUGH);
    groups.extend(frequent.map(|run| Group::of(run[0].0.to_string(), run.iter().map(|(_, bad)| *bad))));
    groups
}

/// The longest stretch of one outcome from one end. Where it ends is given by the outcomes, where it begins is not, so
/// its chance is that of its length.
fn tail<'a>(side: &str, mut runs: impl Iterator<Item = &'a [(f64, bool)]>) -> Option<Group> {
    let first = runs.next().filter(|run| is_pure(run))?;
    let outcome = first[0].1;
    let (mut last, mut rows) = (first[0].0, first.len());
    for run in runs.take_while(|run| is_pure(run) && run[0].1 == outcome) {
        last = run[0].0;
        rows += run.len();
    }
    Some(Group { what: format!("{side} {last}"), rows, bad: if outcome { rows } else { 0 } })
}

fn is_pure(run: &[(f64, bool)]) -> bool {
    run.iter().all(|(_, bad)| *bad == run[0].1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underwriter_contract::manifest::ColumnKind;

    use super::find;
    use crate::train::features::{Cells, Feature};

    fn number(cells: Vec<f64>) -> Feature {
        Feature::new("x", ColumnKind::Number, Cells::Numbers(cells))
    }

    /// Every fifth loan is bad.
    fn outcomes() -> Vec<bool> {
        (0..2000).map(|row| row % 5 == 0).collect()
    }

    fn of(value: impl Fn(usize) -> f64) -> Option<String> {
        find(&number((0..2000).map(value).collect()), &outcomes(), 60)
    }

    #[test]
    fn finds_a_value_that_only_bad_loans_have() {
        let recovered = of(|row| if row % 10 == 0 { row as f64 } else { 0.0 }).unwrap();
        assert_eq!(recovered, "it is not 0 for 199 loans, and all of them went bad (20.0 % of all loans did)");
        assert!(
            of(|row| if row % 10 == 0 { 7.0 } else { 8.0 + (row % 3) as f64 }).unwrap().starts_with("it is at most 7")
        );
        assert!(of(|row| if row % 10 == 0 { f64::NAN } else { 1.0 }).unwrap().starts_with("it is empty for 200"));
        assert!(of(|row| if row % 5 == 1 { 5.0 } else { (row % 11) as f64 }).is_none());
        assert!(of(|row| if row % 5 == 1 { 5.5 } else { (row % 11) as f64 }).unwrap().contains("none of them"));
    }

    #[test]
    fn finds_a_level_that_only_bad_loans_have() {
        let names = vec!["no".to_owned(), "yes".to_owned()];
        let codes = (0..2000).map(|row| Some(u32::from(row % 10 == 0))).collect();
        let feature = Feature::new("x", ColumnKind::Category, Cells::Levels { names, codes });
        assert!(find(&feature, &outcomes(), 60).unwrap().starts_with("it is \"yes\" for 200 loans"));
    }

    proptest! {
        #[test]
        fn leaves_honest_columns(numbers in proptest::collection::vec(prop_oneof![Just(f64::NAN), Just(0.0), -9.0..9.0], 2000)) {
            prop_assert_eq!(find(&number(numbers), &outcomes(), 60), None);
        }
    }
}
