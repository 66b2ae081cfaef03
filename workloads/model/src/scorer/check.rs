//! What must hold of a manifest's numbers and names before they may decide.

use underwriter_contract::manifest::{Bins, Column, ColumnKind, Evidence, Learnt, Levels};

use super::ModelError;
use crate::ensemble::Places;

fn value(place: impl Into<String>, expected: &'static str) -> ModelError {
    ModelError::Value { place: place.into(), expected }
}

/// Neither infinite nor not-a-number.
pub(crate) fn finite(place: impl Into<String>, number: f64) -> Result<f64, ModelError> {
    if number.is_finite() { Ok(number) } else { Err(value(place, "finite")) }
}

/// Finite and above 0.
pub(crate) fn positive(place: &str, number: f64) -> Result<f64, ModelError> {
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err(value(place, "above 0 and finite")) }
}

/// Between 0 and 1.
pub(crate) fn share(place: &str, number: f64) -> Result<f64, ModelError> {
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err(value(place, "between 0 and 1")) }
}

/// Checks what was learnt from each column and says where those stand from which anything was.
pub(crate) fn columns(columns: &[Column]) -> Result<Places<'_>, ModelError> {
    let mut places = Places::new();
    for (at, column) in columns.iter().enumerate() {
        if places.insert(column.name.as_str(), at).is_some() {
            return Err(named("columns", &column.name, "which is there twice"));
        }
        column.learnt.as_ref().map_or(Ok(()), |learnt| check_learnt(column, learnt))?;
    }
    places.retain(|_, at| columns.get(*at).is_some_and(|column| column.learnt.is_some()));
    Ok(places)
}

/// The places of the named columns; each must be learnt from, and named once.
pub(crate) fn places<'a>(
    part: &'static str,
    names: impl Iterator<Item = &'a str>,
    places: &Places,
) -> Result<Vec<usize>, ModelError> {
    let mut found = Vec::new();
    for name in names {
        let at = *places.get(name).ok_or_else(|| named(part, name, "from which nothing was learnt"))?;
        if found.contains(&at) {
            return Err(named(part, name, "which it has named before"));
        }
        found.push(at);
    }
    Ok(found)
}

fn named(place: &'static str, column: &str, fault: &'static str) -> ModelError {
    ModelError::Column { place, column: column.to_owned(), fault }
}

fn check_learnt(column: &Column, learnt: &Learnt) -> Result<(), ModelError> {
    let place = |part: &str| format!("columns `{}`.learnt.{part}", column.name);
    finite(place("baseline"), learnt.baseline)?;
    learnt.median.map_or(Ok(0.0), |median| finite(place("median"), median))?;
    let evidence = place("evidence");
    match (column.kind, &learnt.evidence) {
        (ColumnKind::Number | ColumnKind::Date, Evidence::Bins(bins)) => check_bins(&evidence, bins),
        (ColumnKind::Category, Evidence::Levels(levels)) => check_levels(&evidence, levels),
        (ColumnKind::Number | ColumnKind::Date, Evidence::Levels(_)) => Err(value(evidence, "bins, as it is a number")),
        (ColumnKind::Category, Evidence::Bins(_)) => Err(value(evidence, "levels, as it is a category")),
    }
}

fn check_bins(place: &str, bins: &Bins) -> Result<(), ModelError> {
    let Bins { edges, evidence, missing, instead } = bins;
    if !edges.iter().all(|edge| edge.is_finite()) || !edges.is_sorted_by(|a, b| a < b) {
        return Err(value(format!("{place}.edges"), "finite and ascending"));
    }
    if evidence.len() != edges.len() + 1 {
        return Err(value(format!("{place}.evidence"), "one more than there are edges"));
    }
    evidence.iter().chain([missing]).chain(instead).try_for_each(|number| finite(place, *number).map(drop))
}

fn check_levels(place: &str, levels: &Levels) -> Result<(), ModelError> {
    let Levels { evidence, rare: _, other, missing } = levels;
    evidence.values().chain([other, missing]).try_for_each(|number| finite(place, *number).map(drop))
}
