//! How a version does on finished loans, and whether they prove anything: those it was made from do not.

use std::fmt::Write as _;

use underwriter_contract::manifest::Manifest;
use underwriter_model::{calibration, metrics};

use super::{
    layout::{count, percent, section},
    learnt,
};
use crate::train::{loans::Loans, published::Published, source::Source};

/// The text for a terminal.
pub fn text(version: &Published, source: &Source, loans: &Loans) -> String {
    let manifest = version.manifest();
    let rows: Vec<usize> = (0..loans.len()).collect();
    let later: Vec<usize> = rows.iter().copied().filter(|row| version.is_older_than(loans, *row)).collect();
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
    if loans.have_both_classes(&later) {
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

fn figures(version: &Published, loans: &Loans, rows: &[usize]) -> super::layout::Table {
    let manifest = version.manifest();
    let scores = version.scores(loans, rows);
    let probability = |score: &f64| calibration::apply(&manifest.calibration, *score);
    let probabilities: Vec<f64> = scores.iter().map(probability).collect();
    let bad: Vec<bool> = rows.iter().map(|row| loans.bad[*row]).collect();
    learnt::metrics(&metrics::all(&scores, &probabilities, &bad, manifest.threshold.score))
}
