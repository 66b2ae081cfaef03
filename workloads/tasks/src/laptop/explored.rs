//! What there is to say of loans before anything is learnt: labels, vintages, columns, what the guards found.

use std::collections::{BTreeMap, BTreeSet};

use underwriter_contract::{learning::Data, manifest::Finding};
use underwriter_model::evidence as weight;

use super::{
    layout::{Table, count, percent, section},
    learnt,
};
use crate::train::{
    evidence::{self, Binning},
    features::{Cells, Feature},
    guards::Columns,
    loans::Loans,
    source::Source,
};

/// The most vintages that are shown by month; more are shown by year.
const MONTHS: usize = 24;
/// How many values of the label are shown.
const LABELS: usize = 20;

/// The text for a terminal.
pub fn text(source: &Source, loans: &Loans, columns: &Columns, data: &Data) -> String {
    let bad = loans.bad.iter().filter(|bad| **bad).count() as u64;
    let mut text = format!(
        "{}\n{} rows, {} finished loans, {} of them bad ({})\n",
        data.uri,
        count(source.table.height() as u64),
        count(loans.len() as u64),
        count(bad),
        percent(bad, loans.len() as u64)
    );
    text.push_str(&section("Rows that were not taken", &left_out(source, loans)));
    text.push_str(&section(&format!("Label {}", data.label.column), &labels(source, data)));
    text.push_str(&section("Vintages", &vintages(loans)));
    text.push_str(&section("Columns known at application, by what they say of the outcome", &known(loans, columns)));
    text.push_str(&section("What the guards found", &learnt::findings(&columns.findings)));
    text
}

fn left_out(source: &Source, loans: &Loans) -> Table {
    let mut table = Table::new(["", "rows", ""], 1);
    let first = source.examples.first().cloned().unwrap_or_default();
    for (what, rows, why) in [
        ("neither bad nor good", loans.left_out.not_finished, String::new()),
        ("duplicates", loans.left_out.duplicates, String::new()),
        ("without a readable time", loans.left_out.undated, String::new()),
        (
            "too young",
            loans.left_out.young,
            loans.left_out.young_from.map_or_else(String::new, |day| format!("from {day} on")),
        ),
        ("broken", source.broken, first),
    ] {
        if rows > 0 {
            table.row([what.to_owned(), count(rows), why]);
        }
    }
    table
}

fn labels(source: &Source, data: &Data) -> Table {
    let mut table = Table::new(["", "rows", "share", "means"], 1);
    let Some(label) = source.table.column(&data.label.column) else { return table };
    let mut values: Vec<(&str, usize)> = label.counts().collect();
    values.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    for (value, rows) in values.into_iter().take(LABELS) {
        let meaning = match data.label.is_bad(value) {
            Some(true) => "bad",
            Some(false) => "good",
            None => "not finished",
        };
        let rows = rows as u64;
        table.row([value.to_owned(), count(rows), percent(rows, source.table.height() as u64), meaning.to_owned()]);
    }
    table
}

fn vintages(loans: &Loans) -> Table {
    let mut table = Table::new(["", "loans", "bad", "bad rate"], 0);
    let by = |length: usize| {
        let mut vintages: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (date, bad) in loans.dates.iter().flatten().zip(&loans.bad) {
            let name = date.to_string().chars().take(length).collect();
            let (rows, bads) = vintages.entry(name).or_default();
            *rows += 1;
            *bads += u64::from(*bad);
        }
        vintages
    };
    let months = by("2011-12".len());
    for (name, (rows, bad)) in if months.len() > MONTHS { by("2011".len()) } else { months } {
        table.row([name, count(rows), count(bad), percent(bad, rows)]);
    }
    table
}

/// Each column with its information value, the largest first.
fn known(loans: &Loans, columns: &Columns) -> Table {
    let mut table = Table::new(["", "kind", "missing", "distinct", "information", ""], 1);
    let rows: Vec<usize> = (0..loans.len()).collect();
    let mut found: Vec<(f64, &Feature)> =
        columns.features.iter().map(|feature| (information_value(feature, &loans.bad, &rows), feature)).collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let found_odd: BTreeSet<&str> = columns.findings.iter().map(|Finding { column, .. }| column.as_str()).collect();
    for (value, feature) in found {
        let (missing, distinct) = shape(feature, loans);
        let note = match (columns.learnt.contains(&feature.name), found_odd.contains(feature.name.as_str())) {
            (true, false) => "",
            (true, true) => "see below",
            (false, true) => "not learnt from: see below",
            (false, false) => "not learnt from",
        };
        table.row([
            feature.name.clone(),
            format!("{:?}", feature.kind),
            percent(missing, loans.len() as u64),
            count(distinct),
            format!("{value:.4}"),
            note.to_owned(),
        ]);
    }
    table
}

/// How many values are missing, and how many are different.
fn shape(feature: &Feature, loans: &Loans) -> (u64, u64) {
    let distinct = loans.table.column(&feature.name).map_or(0, |texts| texts.counts().count());
    let missing = match &feature.cells {
        Cells::Numbers(numbers) => numbers.iter().filter(|number| number.is_nan()).count(),
        Cells::Levels { codes, .. } => codes.iter().filter(|code| code.is_none()).count(),
    };
    (missing as u64, distinct as u64)
}

/// Sum over the bins of (share of the bad − share of the good) · weight of evidence: 0 says nothing, above .3 much, above
/// 1 more than honest columns do as a rule (Siddiqi 2006).
fn information_value(feature: &Feature, bad: &[bool], rows: &[usize]) -> f64 {
    let found = evidence::fit(feature, bad, rows, Binning::Quantiles);
    let weights = feature.map(rows, |value| weight::of(&found, value));
    let mut bins: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (weight, bad) in weights.iter().zip(bad) {
        let (bads, goods) = bins.entry(weight.to_bits()).or_default();
        *(if *bad { bads } else { goods }) += 1.0;
    }
    let (bads, goods) = bins.values().fold((0.0, 0.0), |all, bin| (all.0 + bin.0, all.1 + bin.1));
    bins.iter().map(|(weight, bin)| (bin.0 / bads - bin.1 / goods) * f64::from_bits(*weight)).sum()
}

#[cfg(test)]
mod tests {
    use super::information_value;
    use crate::train::{features::Feature, loans::Loans, table::Table};

    /// Of two levels with 100 and 300 bad of 1,000 each: (1/4 − 9/16)·ln(4/9) + (3/4 − 7/16)·ln(12/7) = .4218.
    #[test]
    fn information_is_siddiqis() {
        let bad: Vec<bool> = (0..2000).map(|row| row % 10 < if row < 1000 { 1 } else { 3 }).collect();
        let rows: Vec<_> = (0..2000).map(|row| vec![Some(if row < 1000 { "a" } else { "b" }.to_owned())]).collect();
        let table = Table::from_rows(&["x"], &rows);
        let loans = Loans { table, bad: bad.clone(), dates: None, left_out: Default::default() };
        let value = information_value(&Feature::read("x", &loans), &bad, &(0..2000).collect::<Vec<_>>());
        assert!((value - 0.4218).abs() < 0.003, "{value}");
    }
}
