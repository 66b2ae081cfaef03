//! The columns known at application, read as serving reads them.

use std::collections::BTreeMap;

use underwriter_contract::{
    learning::Monotonic,
    manifest::{ColumnKind, ReasonText},
};
use underwriter_model::{Value, parse, value};

use super::{loans::Loans, reasons, table::Table};

/// The share of a column's texts that must read as a number or a date for it to be one.
const READABLE: f64 = 0.99;

/// One column of the loans.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// How its values are read.
    pub kind: ColumnKind,
    /// Its values, one a loan.
    pub cells: Cells,
    /// Texts that are no value of its kind; they count as missing.
    pub unreadable: u64,
    /// How risk must go with it.
    pub monotonic: Option<Monotonic>,
    /// Whether there being no value says nothing.
    pub neutral: bool,
    /// What is said of it in a reason for refusal; none for a column that is never named in one.
    pub reason: Option<ReasonText>,
}

/// The values of a column.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Numbers, or a date's months before the application; not-a-number where there is none.
    Numbers(Vec<f64>),
    /// Categories.
    Levels {
        /// Every distinct value, ascending.
        names: Vec<String>,
        /// The place of each loan's value among them.
        codes: Vec<Option<u32>>,
    },
}

impl Feature {
    /// A column of which nothing is demanded.
    pub fn new(name: &str, kind: ColumnKind, cells: Cells) -> Self {
        let reason = Some(reasons::text(name, kind));
        Self { name: name.to_owned(), kind, cells, unreadable: 0, monotonic: None, neutral: false, reason }
    }

    /// Reads a column of the loans. A column that holds dates is one only where the loans have dates themselves.
    pub fn read(name: &str, loans: &Loans) -> Self {
        let kind = kind(&loans.table, name, loans.dates.is_some());
        let mut unreadable = 0;
        let mut read = |(row, cell): (usize, Option<&str>)| {
            let read = value::read(kind, cell.unwrap_or_default(), loans.date(row));
            unreadable += u64::from(read.is_err());
            read.unwrap_or_default()
        };
        let values: Vec<Value> = loans.table.cells(name).enumerate().map(&mut read).collect();
        let cells = if kind == ColumnKind::Category { levels(&values) } else { numbers(&values) };
        Self { unreadable, ..Self::new(name, kind, cells) }
    }

    /// The value of one loan, as serving would have it.
    pub fn value(&self, row: usize) -> Value {
        match &self.cells {
            Cells::Numbers(numbers) => match numbers.get(row) {
                Some(number) if !number.is_nan() => Value::Number(*number),
                _ => Value::Missing,
            },
            Cells::Levels { names, codes } => {
                let name = codes.get(row).copied().flatten().and_then(|code| names.get(code as usize));
                name.map_or(Value::Missing, |name| Value::Level(name.clone()))
            }
        }
    }

    /// What a function makes of the values of some loans; of a category it is asked once a level.
    pub fn map(&self, rows: &[usize], function: impl Fn(&Value) -> f64) -> Vec<f64> {
        match &self.cells {
            Cells::Numbers(_) => rows.iter().map(|row| function(&self.value(*row))).collect(),
            Cells::Levels { names, codes } => {
                let missing = function(&Value::Missing);
                let known: Vec<f64> = names.iter().map(|name| function(&Value::Level(name.clone()))).collect();
                rows.iter().map(|row| codes[*row].map_or(missing, |code| known[code as usize])).collect()
            }
        }
    }

    /// Its numbers; none of a category.
    pub const fn numbers(&self) -> Option<&Vec<f64>> {
        match &self.cells {
            Cells::Numbers(numbers) => Some(numbers),
            Cells::Levels { .. } => None,
        }
    }

    /// Whether there is no value in some row.
    pub fn nullable(&self) -> bool {
        match &self.cells {
            Cells::Numbers(numbers) => numbers.iter().any(|number| number.is_nan()),
            Cells::Levels { codes, .. } => codes.iter().any(Option::is_none),
        }
    }
}

/// What most of the texts can be read as; dates come first, for `2003-01-01` starts like a number.
fn kind(table: &Table, name: &str, dated: bool) -> ColumnKind {
    let texts = || table.cells(name).flatten().filter(|text| !parse::is_missing(text));
    let count = texts().count() as f64;
    let most = |readable: usize| count > 0.0 && readable as f64 >= READABLE * count;
    if dated && most(texts().filter(|text| parse::date(text).is_some()).count()) {
        ColumnKind::Date
    } else if most(texts().filter(|text| parse::number(text).is_some()).count()) {
        ColumnKind::Number
    } else {
        ColumnKind::Category
    }
}

fn numbers(values: &[Value]) -> Cells {
    let number = |value: &Value| if let Value::Number(number) = value { *number } else { f64::NAN };
    Cells::Numbers(values.iter().map(number).collect())
}

fn levels(values: &[Value]) -> Cells {
    let level = |value: &Value| if let Value::Level(level) = value { Some(level.clone()) } else { None };
    let mut places: BTreeMap<String, u32> = values.iter().filter_map(level).map(|level| (level, 0)).collect();
    places.values_mut().zip(0..).for_each(|(place, next)| *place = next);
    let code = |value: &Value| if let Value::Level(level) = value { places.get(level).copied() } else { None };
    Cells::Levels { codes: values.iter().map(code).collect(), names: places.keys().cloned().collect() }
}

#[cfg(test)]
mod tests {
    use underwriter_contract::manifest::ColumnKind;
    use underwriter_model::Value;

    use super::Feature;
    use crate::train::{loans::Loans, table::Table};

    fn feature(texts: &[&str]) -> Feature {
        let rows: Vec<_> = texts.iter().map(|text| vec![Some((*text).to_owned())]).collect();
        let dates = vec![jiff::civil::date(2011, 12, 1); texts.len()];
        let table = Table::from_rows(&["x"], &rows);
        Feature::read("x", &Loans { table, bad: vec![], dates: Some(dates), left_out: Default::default() })
    }

    #[test]
    fn finds_the_kind_by_content() {
        assert_eq!(feature(&["13.5%", "", "7"]).kind, ColumnKind::Number);
        assert_eq!(feature(&["10+ years", "< 1 year", "n/a"]).kind, ColumnKind::Number);
        assert_eq!(feature(&["Dec-2010", "2011-01-01"]).kind, ColumnKind::Date);
        assert_eq!(feature(&["RENT", "OWN", "1"]).kind, ColumnKind::Category);
        assert_eq!(feature(&["", ""]).kind, ColumnKind::Category);
    }

    #[test]
    fn reads_as_serving_reads() {
        let dates = feature(&["Dec-2010", ""]);
        assert_eq!((dates.value(0), dates.value(1), dates.nullable()), (Value::Number(12.0), Value::Missing, true));
        let levels = feature(&["RENT", "OWN", "RENT"]);
        assert_eq!(levels.value(2), Value::Level("RENT".into()));
        assert_eq!(levels.map(&[1, 0], |value| f64::from(*value == Value::Level("OWN".into()))), [1.0, 0.0]);
    }
}
