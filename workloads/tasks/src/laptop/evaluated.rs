//! How a version does on finished loans, and whether they prove anything: those it was made from do not.

use std::fmt::Write as _;

use underwriter_contract::{
    learning::{ColumnRole, ColumnRule, Data},
    manifest::Manifest,
};
use underwriter_model::{calibration, metrics};

use super::{
    layout::{count, percent, section},
    learnt,
};
use crate::train::{champion::Champion, loans::Loans, source::Source};

/// The spec of the training data, and every column that was learnt from as one that must be there.
pub fn needed(data: &Data, manifest: &Manifest) -> Data {
    let learnt = manifest.columns.iter().filter(|column| column.learnt.is_some());
    let columns = learnt
        .map(|column| ColumnRule { name: column.name.clone(), role: ColumnRole::Feature, ..ColumnRule::default() })
        .collect();
    Data { columns, ..data.clone() }
}

/// The text for a terminal.
pub fn text(version: &Champion, source: &Source, loans: &Loans) -> String {
    let manifest = version.manifest();
    let rows: Vec<usize> = (0..loans.len()).collect();
    let later: Vec<usize> = rows.iter().copied().filter(|row| is_later(manifest, loans, *row)).collect();
    let bad = loans.bad.iter().filter(|bad| **bad).count() as u64;
    let mut text = format!(
        "{} version {} on {} finished loans, {} of them bad ({}); {} rows have no outcome yet, {} are too young \
         for theirs to count, {} are broken\n",
        manifest.model,
        manifest.version,
        count(loans.len() as u64),
        count(bad),
        percent(bad, loans.len() as u64),
        count(loans.left_out.not_finished),
        count(loans.left_out.young),
        count(source.broken)
    );
    if later.len() == rows.len() {
        text.push_str(&section("All are later than what it was made from", &figures(version, loans, &rows)));
        return text;
    }
    // writing to a String cannot fail
    let _ = writeln!(text, "\nWarning: {}", why(manifest, rows.len() - later.len()));
    text.push_str(&section("On all of these loans, which is no proof", &figures(version, loans, &rows)));
    if both_classes(loans, &later) {
        let heading = format!("On the {} loans that are later", count(later.len() as u64));
        text.push_str(&section(&heading, &figures(version, loans, &later)));
    }
    text
}

fn why(manifest: &Manifest, used: usize) -> String {
    match manifest.data.to {
        Some(newest) => format!(
            "{} of these loans are not later than {newest}, the newest that it was made from, and may be among them",
            count(used as u64)
        ),
        None => "it was made from loans without dates: nobody can tell whether these are among them".to_owned(),
    }
}

/// Whether a loan is newer than any that the version has used; without dates, nobody knows.
fn is_later(manifest: &Manifest, loans: &Loans, row: usize) -> bool {
    loans.date(row).zip(manifest.data.to).is_some_and(|(date, newest)| date > newest)
}

fn both_classes(loans: &Loans, rows: &[usize]) -> bool {
    let bad = rows.iter().filter(|row| loans.bad[**row]).count();
    bad > 0 && bad < rows.len()
}

fn figures(version: &Champion, loans: &Loans, rows: &[usize]) -> super::layout::Table {
    let manifest = version.manifest();
    let scores: Vec<f64> = rows.iter().map(|row| version.score(loans, *row)).collect();
    let probability = |score: &f64| calibration::apply(&manifest.calibration, *score);
    let probabilities: Vec<f64> = scores.iter().map(probability).collect();
    let bad: Vec<bool> = rows.iter().map(|row| loans.bad[*row]).collect();
    learnt::metrics(&metrics::all(&scores, &probabilities, &bad, manifest.threshold.score))
}
