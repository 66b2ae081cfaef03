//! The newest applications, column by column, each beside its reference.
//!
//! Applications are pushed one after the other and forgotten: what is kept is a number a row and column, and a count a
//! category, so that a window of a million fits into memory. Reading the log is not here.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Map, Value as Json};
use underwriter_contract::{
    manifest::{self, ColumnKind},
    profile::{ColumnProfile, Profile, Values},
};
use underwriter_model::{Value, value};

use crate::drift::counts::Number;

/// The newest applications.
#[derive(Debug)]
pub struct Window<'a> {
    /// How many there are.
    pub rows: u64,
    /// The oldest one's time.
    pub from: Option<Timestamp>,
    /// The newest one's.
    pub to: Option<Timestamp>,
    /// The columns of the reference.
    pub columns: Vec<Column<'a>>,
}

/// A column of the window beside its reference.
#[derive(Debug)]
pub struct Column<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether the version learnt from it.
    pub learnt: bool,
    /// Rows of the reference without a value.
    pub reference_nulls: u64,
    /// The values of both.
    pub sides: Sides<'a>,
    kind: ColumnKind,
}

/// The values of a column: in the reference with their counts, in the window one by one or counted.
#[derive(Debug)]
pub enum Sides<'a> {
    /// Numbers, and dates as months before the application.
    Numbers {
        /// Value and count.
        reference: &'a [(f64, u64)],
        /// One an application that has one.
        current: Vec<Number>,
    },
    /// Categories.
    Levels {
        /// Value and count.
        reference: &'a [(String, u64)],
        /// Value and count.
        current: HashMap<String, u64>,
    },
}

/// A profile and a manifest that do not belong together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile has a column {0:?} that the manifest has not; train the version again")]
pub struct UnknownColumn(String);

impl<'a> Window<'a> {
    /// An empty window beside a profile, to be read as the manifest's columns say.
    ///
    /// # Errors
    /// The manifest does not have a column of the profile.
    pub fn new(profile: &'a Profile, columns: &[manifest::Column]) -> Result<Self, UnknownColumn> {
        let known: HashMap<_, _> = columns.iter().map(|column| (column.name.as_str(), column)).collect();
        let column = |profile: &'a ColumnProfile| match known.get(profile.name.as_str()) {
            Some(column) => Ok(Column::new(profile, column)),
            None => Err(UnknownColumn(profile.name.clone())),
        };
        let columns = profile.columns.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Self { rows: 0, from: None, to: None, columns })
    }

    /// Takes in one application as the log has it.
    pub fn push(&mut self, time: Timestamp, features: &Map<String, Json>) {
        let date = TimeZone::UTC.to_datetime(time).date();
        for column in &mut self.columns {
            let value = features.get(column.name).map_or(Value::Missing, |json| read(column.kind, json, date));
            column.push(value);
        }
        self.rows += 1;
        self.from = Some(self.from.map_or(time, |from| from.min(time)));
        self.to = Some(self.to.map_or(time, |to| to.max(time)));
    }
}

impl<'a> Column<'a> {
    /// A column without a value beside its reference.
    #[must_use]
    pub fn new(profile: &'a ColumnProfile, column: &manifest::Column) -> Self {
        let sides = match &profile.values {
            Values::Numbers(reference) => Sides::Numbers { reference, current: Vec::new() },
            Values::Levels(reference) => Sides::Levels { reference, current: HashMap::new() },
        };
        let learnt = column.learnt.is_some();
        Self { name: &profile.name, learnt, reference_nulls: profile.nulls, sides, kind: column.kind }
    }

    /// Takes in a value; one that is not of the reference's kind counts as none.
    pub fn push(&mut self, value: Value) {
        match (&mut self.sides, value) {
            (Sides::Numbers { current, .. }, Value::Number(number)) => current.extend(Number::new(number)),
            (Sides::Levels { current, .. }, Value::Level(level)) => *current.entry(level).or_default() += 1,
            (_, Value::Missing | Value::Number(_) | Value::Level(_)) => {}
        }
    }

    /// How many rows of the window have a value.
    #[must_use]
    pub fn filled(&self) -> u64 {
        match &self.sides {
            Sides::Numbers { current, .. } => current.len() as u64,
            Sides::Levels { current, .. } => current.values().sum(),
        }
    }
}

/// A value as the reference's version reads it. What another version answered and this one cannot read is missing to it.
fn read(kind: ColumnKind, json: &Json, application: Date) -> Value {
    let text = |text: &str| value::read(kind, text, Some(application)).unwrap_or_default();
    match json {
        Json::String(string) => text(string),
        Json::Number(_) | Json::Bool(_) => text(&json.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Missing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn date() -> Date {
        Date::constant(2011, 12, 1)
    }

    #[test]
    fn values_are_read_as_in_training() {
        let number = |value| Value::Number(value);
        for (kind, json, wanted) in [
            (ColumnKind::Number, json!(24.08), number(24.08)),
            (ColumnKind::Number, json!(1e-7), number(1e-7)),
            (ColumnKind::Number, json!("10+ years"), number(10.0)),
            (ColumnKind::Number, json!([1]), Value::Missing),
            (ColumnKind::Number, json!("soon"), Value::Missing),
            (ColumnKind::Date, json!("2001-12-01"), number(120.0)),
            (ColumnKind::Category, json!(" RENT "), Value::Level("RENT".into())),
            (ColumnKind::Category, json!(3), Value::Level("3".into())),
            (ColumnKind::Category, json!(null), Value::Missing),
        ] {
            assert_eq!(read(kind, &json, date()), wanted, "{kind:?} {json}");
        }
    }

    #[test]
    fn a_value_of_another_kind_counts_as_none() {
        let profile =
            ColumnProfile { name: "purpose".into(), nulls: 0, values: Values::Levels(vec![("car".into(), 1)]) };
        let known =
            manifest::Column { name: "purpose".into(), kind: ColumnKind::Category, nullable: false, learnt: None };
        let mut column = Column::new(&profile, &known);
        for value in [Value::Level("car".into()), Value::Number(1.0), Value::Missing] {
            column.push(value);
        }
        assert_eq!(column.filled(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            for kind in [ColumnKind::Number, ColumnKind::Date, ColumnKind::Category] {
                let value = read(kind, &json!(text), date());
                prop_assert!(!matches!(value, Value::Number(number) if !number.is_finite()));
            }
        }
    }
}
