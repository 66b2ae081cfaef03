//! Whether the data has the columns that the spec names.

use std::collections::BTreeSet;

use underwriter_contract::{
    learning::{ColumnRule, Data},
    manifest::{Column, Manifest},
    summary::{Failure, FailureReason},
};

use super::table::Table;

/// From which likeness on a name may be the one that was meant.
const LIKELY: f64 = 0.4;

/// Checks that every column of the spec is there, if need be in other letters: then it gets the spelling of the spec.
///
/// # Errors
/// `ColumnNotFound`, with all that are missing and, for each, the name that is nearest to it.
pub fn check(table: &mut Table, data: &Data) -> Result<(), Failure> {
    required(data).into_iter().for_each(|name| table.spell(name));
    let names: Vec<&str> = table.names().collect();
    let missing: Vec<String> =
        required(data).into_iter().filter(|name| !names.contains(name)).map(|name| describe(name, &names)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("{} has no column {}; it has {}", data.uri, missing.join(", "), names.join(", "));
    Err(Failure::new(FailureReason::ColumnNotFound, message))
}

/// The spec by which some versions score: every column that one of them has learnt from must be there, and no other.
pub fn needed<'a>(data: &Data, versions: impl IntoIterator<Item = &'a Manifest>) -> Data {
    let learnt = versions.into_iter().flat_map(|manifest| &manifest.columns).filter(|column| column.learnt.is_some());
    let rule = |column: &Column| ColumnRule { name: column.name.clone(), ..ColumnRule::default() };
    Data { columns: learnt.map(rule).collect(), ..data.clone() }
}

/// The columns that are no features: label, time and ids.
pub fn reserved(data: &Data) -> BTreeSet<&str> {
    let ids = data.id.iter().flat_map(|id| std::iter::once(&id.application).chain(&id.applicant));
    let time = data.time.iter().map(|time| &time.column);
    std::iter::once(&data.label.column).chain(time).chain(ids).map(String::as_str).collect()
}

fn required(data: &Data) -> BTreeSet<&str> {
    let mut names = reserved(data);
    names.extend(data.columns.iter().map(|rule| rule.name.as_str()));
    names
}

fn describe(name: &str, names: &[&str]) -> String {
    let likely = names.iter().map(|other| (likeness(name, other), other)).filter(|(likeness, _)| *likeness >= LIKELY);
    match likely.max_by(|one, other| one.0.total_cmp(&other.0)) {
        Some((_, nearest)) => format!("{name:?} (is {nearest:?} meant?)"),
        None => format!("{name:?}"),
    }
}

/// Dice's coefficient of the pairs of neighbouring letters, between 0 and 1.
fn likeness(one: &str, other: &str) -> f64 {
    let pairs = |text: &str| -> BTreeSet<(char, char)> {
        let text = text.to_lowercase();
        text.chars().zip(text.chars().skip(1)).collect()
    };
    let (one, other) = (pairs(one), pairs(other));
    let size = one.len() + other.len();
    if size == 0 { 0.0 } else { 2.0 * one.intersection(&other).count() as f64 / size as f64 }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::train::table::Table;

    #[test]
    fn names_all_missing_columns_and_the_nearest() {
        let data = serde_json::from_value(serde_json::json!({
            "uri": "s3://loans/", "label": {"column": "loan_state", "bad": ["Off"], "good": ["Paid"]},
            "columns": [{"name": "xyz", "role": "Excluded"}, {"name": "dti", "role": "Excluded"}],
        }))
        .unwrap();
        let failure = check(&mut Table::from_rows(&["loan_status", "DTI"], &[]), &data).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "ColumnNotFound: s3://loans/ has no column \"loan_state\" (is \"loan_status\" meant?), \"xyz\"; it has loan_status, dti"
        );
    }
}
