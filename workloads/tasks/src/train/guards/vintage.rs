//! Columns that are empty up to some month and filled later, or the other way round: there being no value tells when an
//! application was made, not who made it.

use jiff::civil::Date;

use crate::train::features::{Cells, Feature};

/// The largest share of filled cells in the months that count as empty.
const STRAY: f64 = 0.01;
/// Fewer empty loans prove nothing.
const ENOUGH: usize = 50;
/// The chance that so many loans in a row are empty in a column that is filled as often as the others are.
const CHANCE: f64 = 1e-6;

/// Some loans in a row.
#[derive(Clone, Copy, Default)]
struct Stretch {
    rows: usize,
    filled: usize,
}

/// Says which months are empty, if that is no chance. `dates` are ascending, one a loan.
pub fn find(feature: &Feature, dates: &[Date]) -> Option<String> {
    let filled: Vec<bool> = match &feature.cells {
        Cells::Numbers(numbers) => numbers.iter().map(|number| !number.is_nan()).collect(),
        Cells::Levels { codes, .. } => codes.iter().map(Option::is_some).collect(),
    };
    let months = months(&filled, dates);
    let oldest = empty(months.iter().copied()).map(|stretch| ("before", stretch, stretch.rows));
    let newest = || empty(months.iter().rev().copied()).map(|stretch| ("from", stretch, dates.len() - stretch.rows));
    let (side, stretch, turn) = oldest.or_else(newest)?;
    let others = Stretch::of(&filled).minus(stretch);
    let share = others.filled as f64 / others.rows.max(1) as f64;
    let by_chance = (1.0 - share).powf(stretch.rows as f64);
    let month = dates.get(turn).map(|date| date.strftime("%Y-%m"))?;
    (by_chance < CHANCE).then(|| {
        let (rows, share) = (stretch.rows, 100.0 * share);
        format!("it is empty for the {rows} loans {side} {month}, and filled for {share:.1} % of the others")
    })
}

fn months(filled: &[bool], dates: &[Date]) -> Vec<Stretch> {
    let month = |date: &Date| (date.year(), date.month());
    let mut from = 0;
    let stretch = |dates: &[Date]| {
        let rows = &filled[from..from + dates.len()];
        from += dates.len();
        Stretch::of(rows)
    };
    dates.chunk_by(|one, other| month(one) == month(other)).map(stretch).collect()
}

/// The longest stretch of months, from one end, with next to no value.
fn empty(months: impl Iterator<Item = Stretch>) -> Option<Stretch> {
    let sums = months.scan(Stretch::default(), |sum, month| {
        *sum = sum.plus(month);
        Some(*sum)
    });
    sums.take_while(|sum| sum.filled as f64 <= STRAY * sum.rows as f64).last().filter(|sum| sum.rows >= ENOUGH)
}

impl Stretch {
    fn of(filled: &[bool]) -> Self {
        Self { rows: filled.len(), filled: filled.iter().filter(|filled| **filled).count() }
    }

    const fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, filled: self.filled + other.filled }
    }

    const fn minus(self, other: Self) -> Self {
        Self { rows: self.rows - other.rows, filled: self.filled - other.filled }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil::date};
    use underwriter_contract::manifest::ColumnKind;

    use super::find;
    use crate::train::features::{Cells, Feature};

    /// A hundred loans a month from January 2011.
    fn of(value: impl Fn(usize) -> f64) -> Option<String> {
        let dates: Vec<_> = (0..2000).map(|row| date(2011, 1, 1) + (row / 100).months()).collect();
        let feature = Feature::new("x", ColumnKind::Number, Cells::Numbers((0..2000).map(value).collect()));
        find(&feature, &dates)
    }

    #[test]
    fn finds_where_a_column_begins_and_ends() {
        let begins = of(|row| if row < 500 { f64::NAN } else { 1.0 }).unwrap();
        assert_eq!(begins, "it is empty for the 500 loans before 2011-06, and filled for 100.0 % of the others");
        let ends = of(|row| if row >= 1800 { f64::NAN } else { (row % 2) as f64 }).unwrap();
        assert_eq!(ends, "it is empty for the 200 loans from 2012-07, and filled for 100.0 % of the others");
        let stray = |row: usize| if row < 500 && row != 17 { f64::NAN } else { 1.0 };
        assert!(of(stray).is_some());
    }

    #[test]
    fn leaves_what_is_empty_at_any_time() {
        let never = |row: usize| if row.is_multiple_of(9) { 1.0 } else { f64::NAN };
        assert_eq!(of(never), None);
        assert_eq!(of(|row| if row == 1999 { 1.0 } else { f64::NAN }), None);
        assert_eq!(of(|_| 1.0), None);
    }
}
