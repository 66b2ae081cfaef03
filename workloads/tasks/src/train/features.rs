//! The columns known at application, read as serving reads them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use jiff::civil::Date;
use underwriter_contract::{
    learning::Monotonic,
    manifest::{ColumnKind, ReasonText},
};
use underwriter_model::{Value, parse, value};

use super::{loans::Loans, reasons, texts::Texts};

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
    ascending: OnceLock<Vec<u32>>,
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
        Self {
            name: name.to_owned(),
            kind,
            cells,
            unreadable: 0,
            monotonic: None,
            neutral: false,
            reason,
            ascending: OnceLock::new(),
        }
    }

    /// Reads a column of the loans. A column that holds dates is one only where the loans have dates themselves.
    pub fn read(name: &str, loans: &Loans) -> Self {
        let nothing = Texts::default();
        let texts = loans.table.column(name).unwrap_or(&nothing);
        let kind = kind(texts, loans.dates.is_some());
        let (cells, unreadable) = match kind {
            ColumnKind::Category => levels(texts),
            ColumnKind::Number => numbers(&texts.map(|text| number(kind, text, None))),
            ColumnKind::Date => {
                let cells = texts.iter().enumerate();
                numbers(&cells.map(|(row, text)| number(kind, text, loans.date(row))).collect::<Vec<_>>())
            }
        };
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

    /// The numbers of some loans with their rows, ascending; nothing for a category. Loans are put in order once, however
    /// often some of them are asked for.
    pub fn ascending(&self, rows: &[usize]) -> Vec<(f64, usize)> {
        let Cells::Numbers(numbers) = &self.cells else { return Vec::new() };
        let mut wanted = vec![false; numbers.len()];
        rows.iter().for_each(|row| wanted[*row] = true);
        let order = self.ascending.get_or_init(|| ascending(numbers)).iter().map(|row| *row as usize);
        order.filter(|row| wanted[*row]).map(|row| (numbers[row], row)).collect()
    }

    /// Whether there is no value in some row.
    pub fn nullable(&self) -> bool {
        match &self.cells {
            Cells::Numbers(numbers) => numbers.iter().any(|number| number.is_nan()),
            Cells::Levels { codes, .. } => codes.iter().any(Option::is_none),
        }
    }
}

fn ascending(numbers: &[f64]) -> Vec<u32> {
    let filled = (0..).zip(numbers).filter(|(_, number)| !number.is_nan());
    let mut order: Vec<u32> = filled.map(|(row, _)| row).collect();
    order.sort_by(|one, other| numbers[*one as usize].total_cmp(&numbers[*other as usize]));
    order
}

/// What most of the texts can be read as; dates come first, for `2003-01-01` starts like a number.
fn kind(texts: &Texts, dated: bool) -> ColumnKind {
    let counts: Vec<(&str, usize)> = texts.counts().filter(|(text, _)| !parse::is_missing(text)).collect();
    let count = |is: &dyn Fn(&str) -> bool| -> usize {
        counts.iter().filter(|(text, _)| is(text)).map(|(_, count)| count).sum()
    };
    let all = count(&|_| true) as f64;
    let most = |is: &dyn Fn(&str) -> bool| all > 0.0 && count(is) as f64 >= READABLE * all;
    if dated && most(&|text| parse::date(text).is_some()) {
        ColumnKind::Date
    } else if most(&|text| parse::number(text).is_some()) {
        ColumnKind::Number
    } else {
        ColumnKind::Category
    }
}

/// A text as a number, not-a-number where it says that there is none; none where it cannot be read.
fn number(kind: ColumnKind, text: Option<&str>, application: Option<Date>) -> Option<f64> {
    match value::read(kind, text.unwrap_or_default(), application) {
        Ok(Value::Number(number)) => Some(number),
        Ok(_) => Some(f64::NAN),
        Err(_) => None,
    }
}

/// Numbers, and how many cannot be read.
fn numbers(numbers: &[Option<f64>]) -> (Cells, u64) {
    let unreadable = numbers.iter().filter(|number| number.is_none()).count() as u64;
    (Cells::Numbers(numbers.iter().map(|number| number.unwrap_or(f64::NAN)).collect()), unreadable)
}

/// Categories, and how many texts are none.
fn levels(texts: &Texts) -> (Cells, u64) {
    let read = |text: &str| value::read(ColumnKind::Category, text, None);
    let level = |text: &str| if let Ok(Value::Level(level)) = read(text) { Some(level) } else { None };
    let unreadable = texts.counts().filter(|(text, _)| read(text).is_err()).map(|(_, count)| count as u64).sum();
    let names: BTreeSet<String> = texts.counts().filter_map(|(text, _)| level(text)).collect();
    let places: BTreeMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    let codes = texts.map(|text| places.get(level(text?)?.as_str()).copied());
    drop(places);
    (Cells::Levels { names: names.into_iter().collect(), codes }, unreadable)
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
