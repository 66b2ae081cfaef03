//! The loans to learn from: finished, mature, each once, oldest first.
//!
//! Rows whose outcome is in the prediction log join here, before any split; where the file has the same application,
//! the file's row is kept.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use underwriter_contract::{
    Digest,
    learning::Data,
    summary::{Failure, FailureReason},
};
use underwriter_model::parse;

use super::{
    maturity::{self, Vintage, young_from},
    table::Table,
};

/// The largest share of finished loans whose time may be unreadable.
const MOST_UNDATED: f64 = 0.01;
/// In tables with fewer columns, different applications may well agree in all of them.
const MANY_COLUMNS: usize = 8;
/// How many values that nobody named are reported.
const NAMED: usize = 10;

/// The loans to learn from.
#[derive(Debug)]
pub struct Loans {
    /// Their cells, one row a loan.
    pub table: Table,
    /// Whether each went bad.
    pub bad: Vec<bool>,
    /// When each was applied for, ascending, where there is a time column.
    pub dates: Option<Vec<Date>>,
    /// The rows that were not taken.
    pub left_out: LeftOut,
}

/// Rows that were not taken, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Their label is neither good nor bad.
    pub not_finished: u64,
    /// The most frequent such labels.
    pub labels: BTreeMap<String, u64>,
    /// Their application has come before, in the same or another source.
    pub duplicates: u64,
    /// Their time cannot be read.
    pub undated: u64,
    /// They are younger than their outcome takes.
    pub young: u64,
    /// The first day of the applications that are too young.
    pub young_from: Option<Date>,
    /// Loans by month, and how many of them are finished.
    pub vintages: Vec<Vintage>,
}

/// One row that may be taken.
#[derive(Clone, Copy)]
struct Candidate {
    row: usize,
    bad: bool,
    date: Option<Date>,
}

impl Loans {
    /// Takes the finished loans of a table whose columns were checked.
    ///
    /// # Errors
    /// As [`Self::select_as_of`].
    pub fn select(table: &Table, data: &Data) -> Result<Self, Failure> {
        Self::select_as_of(table, data, None)
    }

    /// Takes the finished and mature loans of a table whose columns were checked, of which one outcome is as new as
    /// `observed`.
    ///
    /// # Errors
    /// `LabelInvalid`, when there are only good or only bad ones; `DataInvalid`, when many have no readable time.
    pub fn select_as_of(table: &Table, data: &Data, observed: Option<Date>) -> Result<Self, Failure> {
        let mut left_out = LeftOut::default();
        let (finished, others) = finished(table, data, &mut left_out);
        let finished = once(table, data, finished, &mut left_out);
        let dated = dated(table, data, finished, &mut left_out)?;
        both_classes(&dated, data)?;
        let mut mature = Vintages::of(table, data, &dated, &others, observed).mature(data, dated, &mut left_out);
        mature.sort_by_key(|candidate| candidate.date);
        some_mature(&mature, &left_out)?;
        both_classes(&mature, data)?;
        let rows: Vec<usize> = mature.iter().map(|candidate| candidate.row).collect();
        let dates = mature.iter().map(|candidate| candidate.date).collect();
        let bad = mature.iter().map(|candidate| candidate.bad).collect();
        Ok(Self { table: table.take(&rows), bad, dates, left_out })
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "there are always loans of both classes")]
    pub fn len(&self) -> usize {
        self.bad.len()
    }

    /// How many rows they were taken from.
    pub const fn rows_read(&self) -> u64 {
        let LeftOut { not_finished, duplicates, undated, young, .. } = &self.left_out;
        self.bad.len() as u64 + *not_finished + *duplicates + *undated + *young
    }

    /// The date of one of them.
    pub fn date(&self, row: usize) -> Option<Date> {
        self.dates.as_ref().and_then(|dates| dates.get(row).copied())
    }

    /// Whether some of them are bad and others good.
    pub fn have_both_classes(&self, rows: &[usize]) -> bool {
        let bad = rows.iter().filter(|row| self.bad[**row]).count();
        bad > 0 && bad < rows.len()
    }

    /// Digest of every cell, by the names of the columns, not their order.
    pub fn digest(&self) -> Digest {
        let mut names: Vec<&str> = self.table.names().collect();
        names.sort_unstable();
        let mut hasher = Sha256::new();
        for name in names {
            absorb(&mut hasher, Some(name));
            self.table.cells(name).for_each(|cell| absorb(&mut hasher, cell));
        }
        Digest::finish(hasher)
    }
}

/// A cell goes in with its length; none is told from an empty one.
fn absorb(hasher: &mut Sha256, cell: Option<&str>) {
    let length = cell.map_or(u64::MAX, |cell| cell.len() as u64);
    hasher.update(length.to_le_bytes());
    hasher.update(cell.unwrap_or_default());
}

/// The finished loans, and the rows of all others.
fn finished(table: &Table, data: &Data, left_out: &mut LeftOut) -> (Vec<Candidate>, Vec<usize>) {
    let mut others: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut candidates, mut unfinished) = (Vec::new(), Vec::new());
    for (row, cell) in table.cells(&data.label.column).enumerate() {
        let label = cell.unwrap_or_default();
        match data.label.is_bad(label) {
            Some(bad) => candidates.push(Candidate { row, bad, date: None }),
            None => {
                *others.entry(label).or_default() += 1;
                unfinished.push(row);
            }
        }
    }
    left_out.not_finished = others.values().sum();
    left_out.labels = most_frequent(others);
    (candidates, unfinished)
}

fn most_frequent(counts: BTreeMap<&str, u64>) -> BTreeMap<String, u64> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().take(NAMED).map(|(label, count)| (label.to_owned(), count)).collect()
}

/// Keeps the first row of each application. Where applications have no ids, rows that agree in every one of many columns
/// are of the same.
fn once(table: &Table, data: &Data, candidates: Vec<Candidate>, left_out: &mut LeftOut) -> Vec<Candidate> {
    let before = candidates.len();
    let kept = match data.id.as_ref().and_then(|id| table.column(&id.application)) {
        Some(ids) => first_of_each(candidates, |row| ids.get(row).map(str::trim)),
        None if table.names().count() >= MANY_COLUMNS => {
            let hashes = hashes(table);
            first_of_each(candidates, |row| hashes.get(row).copied())
        }
        None => candidates,
    };
    left_out.duplicates = (before - kept.len()) as u64;
    kept
}

/// What has no key is kept.
fn first_of_each<K: Eq + Hash>(candidates: Vec<Candidate>, key: impl Fn(usize) -> Option<K>) -> Vec<Candidate> {
    let mut seen = HashSet::new();
    candidates.into_iter().filter(|candidate| key(candidate.row).is_none_or(|key| seen.insert(key))).collect()
}

/// Of all cells of each row.
fn hashes(table: &Table) -> Vec<u64> {
    let mut hashers = vec![DefaultHasher::new(); table.height()];
    for name in table.names() {
        hashers.iter_mut().zip(table.cells(name)).for_each(|(hasher, cell)| cell.hash(hasher));
    }
    hashers.iter().map(Hasher::finish).collect()
}

/// The loans by month, finished or not, and the newest day of all.
struct Vintages {
    months: Vec<Vintage>,
    newest: Option<Date>,
}

impl Vintages {
    fn of(table: &Table, data: &Data, finished: &[Candidate], others: &[usize], observed: Option<Date>) -> Self {
        let cells = data.time.as_ref().and_then(|time| table.column(&time.column));
        let unfinished = others.iter().filter_map(|row| parse::date(cells?.get(*row)?).map(|date| (date, false)));
        let finished = finished.iter().filter_map(|candidate| Some((candidate.date?, true)));
        let all: Vec<(Date, bool)> = finished.chain(unfinished).collect();
        let newest = all.iter().map(|(date, _)| *date).chain(observed).max();
        Self { months: maturity::vintages(all), newest }
    }

    /// The loans that are old enough.
    fn mature(self, data: &Data, candidates: Vec<Candidate>, left_out: &mut LeftOut) -> Vec<Candidate> {
        let young = self.newest.and_then(|newest| young_from(data.maturity.as_ref(), &self.months, newest));
        let before = candidates.len();
        let is_old = |candidate: &Candidate| young.is_none_or(|young| candidate.date.is_none_or(|date| date < young));
        let mature: Vec<Candidate> = candidates.into_iter().filter(is_old).collect();
        left_out.young = (before - mature.len()) as u64;
        left_out.young_from = young;
        left_out.vintages = self.months;
        mature
    }
}

/// Gives each row its date.
fn dated(
    table: &Table,
    data: &Data,
    candidates: Vec<Candidate>,
    left_out: &mut LeftOut,
) -> Result<Vec<Candidate>, Failure> {
    let Some(time) = &data.time else { return Ok(candidates) };
    let Some(cells) = table.column(&time.column) else { return Ok(candidates) };
    let (before, mut example) = (candidates.len(), None);
    let mut date = |row: usize| {
        let cell = cells.get(row).unwrap_or_default();
        let date = parse::date(cell);
        example = example.take().or_else(|| date.is_none().then(|| cell.to_owned()));
        date
    };
    let kept: Vec<Candidate> = candidates
        .into_iter()
        .filter_map(|candidate| Some(Candidate { date: Some(date(candidate.row)?), ..candidate }))
        .collect();
    let undated = before - kept.len();
    left_out.undated = undated as u64;
    if undated as f64 > MOST_UNDATED * before as f64 {
        let message = format!(
            "{undated} of {before} finished loans have no readable time in column {:?}, {:?} for one; 2011-12-01, \
             2011/12/1, 2011-12, Dec-2011 and RFC 3339 can be read",
            time.column,
            example.unwrap_or_default()
        );
        return Err(Failure::new(FailureReason::DataInvalid, message));
    }
    Ok(kept)
}

fn some_mature(mature: &[Candidate], left_out: &LeftOut) -> Result<(), Failure> {
    let Some(young) = left_out.young_from.filter(|_| mature.is_empty()) else { return Ok(()) };
    let message = format!(
        "all {} finished loans were applied for from {young} on, and loans of that time are not finished yet: give older \
         ones, or say in data.maturity how long an outcome takes",
        left_out.young
    );
    Err(Failure::new(FailureReason::DataInvalid, message))
}

fn both_classes(candidates: &[Candidate], data: &Data) -> Result<(), Failure> {
    let bad = candidates.iter().filter(|candidate| candidate.bad).count();
    if bad > 0 && bad < candidates.len() {
        return Ok(());
    }
    let label = &data.label;
    let message = format!(
        "column {:?} has {bad} bad ({}) and {} good loans ({}): both are needed; values are compared as they are written",
        label.column,
        label.bad.join(", "),
        candidates.len() - bad,
        label.good.join(", ")
    );
    Err(Failure::new(FailureReason::LabelInvalid, message))
}

#[cfg(test)]
mod tests {
    use super::Loans;
    use crate::train::{source, table::Table};

    fn data() -> underwriter_contract::learning::Data {
        serde_json::from_value(serde_json::json!({
            "uri": "s3://loans/", "label": {"column": "status", "bad": ["Off"], "good": ["Paid"]},
            "time": {"column": "when"}, "id": {"application": "id"},
        }))
        .unwrap()
    }

    fn table(rows: &str) -> Table {
        source::read(&[("a.csv".to_owned(), format!("id,when,status,x\n{rows}"))]).unwrap().table
    }

    #[test]
    fn takes_finished_loans_once_and_oldest_first() {
        let rows = "1,2011-02,Paid,a\n2,2011-01,Off,b\n2,2011-01,Paid,c\n3,2011-03,Current,d\n4,2011-01-01,Paid,e\n";
        let loans = Loans::select(&table(rows), &data()).unwrap();
        assert_eq!(loans.table.column("x").unwrap().iter().flatten().collect::<String>(), "bea");
        assert_eq!(loans.bad, [true, false, false]);
        assert_eq!((loans.left_out.duplicates, loans.left_out.not_finished), (1, 1));
        assert_eq!(loans.left_out.labels["Current"], 1);
    }

    #[test]
    fn needs_both_classes_and_readable_times() {
        let one_class = Loans::select(&table("1,2011-02,Paid,a\n2,2011-02,Current,a\n"), &data()).unwrap_err();
        assert!(one_class.to_string().starts_with("LabelInvalid: column \"status\" has 0 bad (Off) and 1 good"));
        let undated = Loans::select(&table("1,soon,Paid,a\n2,2011-02,Off,a\n"), &data()).unwrap_err();
        assert!(undated.to_string().contains("column \"when\", \"soon\" for one"), "{undated}");
    }

    #[test]
    fn leaves_out_vintages_that_are_not_finished() {
        let status = |row: usize| ["Paid", "Paid", "Off", if row < 200 { "Paid" } else { "Current" }][row % 4];
        let month = |row: usize| 1 + row / 100;
        let rows: String = (0..300).map(|row| format!("{row},2011-{:02},{},a\n", month(row), status(row))).collect();
        let loans = Loans::select(&table(&rows), &data()).unwrap();
        assert_eq!((loans.len(), loans.left_out.young, loans.left_out.not_finished), (200, 75, 25));
        assert_eq!(loans.rows_read(), 300);
        assert_eq!(loans.left_out.young_from, Some(jiff::civil::date(2011, 3, 1)));
        let window = |days: u32| {
            let mut data = data();
            data.maturity = serde_json::from_value(serde_json::json!({"window": format!("{days}d")})).unwrap();
            Loans::select_as_of(&table(&rows), &data, Some(jiff::civil::date(2011, 4, 15)))
        };
        assert_eq!(window(80).unwrap().left_out.young, 175);
        let none = window(900).unwrap_err().to_string();
        assert!(none.starts_with("DataInvalid: all 275 finished loans were applied for from 2008-10-28 on"), "{none}");
    }

    #[test]
    fn rows_that_agree_in_many_columns_are_one_application() {
        let data = serde_json::from_value(serde_json::json!({
            "uri": "s3://loans/", "label": {"column": "c0", "bad": ["1"], "good": ["0"]},
        }))
        .unwrap();
        let duplicates = |columns: usize| {
            let names: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
            let rows = ["0,1,1,1,1,1,1,1", "1,1,1,1,1,1,1,1", "0,1,1,1,1,1,1,1"]
                .map(|row| row.split(',').take(columns).map(|cell| Some(cell.to_owned())).collect::<Vec<_>>());
            let table = Table::from_rows(&names.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
            Loans::select(&table, &data).unwrap().left_out.duplicates
        };
        assert_eq!((duplicates(8), duplicates(7)), (1, 0));
    }

    #[test]
    fn digests_cells_by_name() {
        let loans = |rows: &str| Loans::select(&table(rows), &data()).unwrap().digest();
        let rows = "1,2011-02,Paid,a\n2,2011-02,Off,b\n";
        assert_eq!(loans(rows), loans(&format!("{rows}3,2011-02,Current,b\n")));
        assert_ne!(loans(rows), loans("1,2011-02,Paid,a\n2,2011-02,Off,c\n"));
        assert_ne!(loans(rows), loans("1,2011-02,Paid,\n2,2011-02,Off,ab\n"));
    }
}
