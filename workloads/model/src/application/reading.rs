//! Reads the fields of one application and gathers what is wrong with them.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value as Json};
use underwriter_contract::{manifest::ColumnKind, predict::FieldProblem};

use super::{Expected, MOST_PROBLEMS};
use crate::{
    parse,
    value::{self, Unreadable, Value},
};

/// Ids are keys of the prediction log.
const LONGEST_ID: usize = 256;
/// Of what came, so much is said back.
const LONGEST_QUOTE: usize = 40;

/// The fields of an application, and what was found wrong or odd so far.
pub(super) struct Reading<'a> {
    fields: &'a Map<String, Json>,
    time: Option<Timestamp>,
    /// The time was a problem: that dates cannot be counted from it is none of its own.
    time_refused: bool,
    problems: Vec<FieldProblem>,
    warnings: Vec<FieldProblem>,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(fields: &'a Map<String, Json>) -> Self {
        Self { fields, time: None, time_refused: false, problems: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn problem(&mut self, field: &str, message: impl FnOnce() -> String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(FieldProblem { field: shortened(field).into_owned(), message: message() });
        }
    }

    /// The warnings, or the problems where there are any.
    pub(super) fn finish(self) -> Result<Vec<FieldProblem>, Vec<FieldProblem>> {
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(self.problems) }
    }

    pub(super) fn id(&mut self, name: &str) -> String {
        match self.fields.get(name).map(name_of) {
            Some(Ok(Some(id))) => return id,
            Some(Err(got)) => {
                self.unexpected(name, &format!("a text of at most {LONGEST_ID} characters, or a number"), &got)
            }
            None | Some(Ok(None)) => self.problem(name, || "is required: it names the application".to_owned()),
        }
        String::new()
    }

    pub(super) fn applicant(&mut self, name: &str) -> Option<String> {
        match self.fields.get(name).map(name_of)? {
            Ok(applicant) => applicant,
            Err(got) => {
                self.unexpected(name, &format!("a text of at most {LONGEST_ID} characters, or a number"), &got);
                None
            }
        }
    }

    /// Must be read before the columns: dates are counted from it.
    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        match self.fields.get(name) {
            None | Some(Json::Null) => self.problem(name, || "is required: it is the application's time".to_owned()),
            Some(Json::String(text)) if parse::time(text).is_some() => self.time = parse::time(text),
            Some(other) => {
                self.unexpected(
                    name,
                    "a date such as 2011-12-01, 2011-12 or Dec-2011, or a time in RFC 3339",
                    &quoted(other),
                );
            }
        }
        self.time_refused = self.time.is_none();
        self.time
    }

    /// The value of a column; missing where there is a problem with it.
    pub(super) fn value(&mut self, column: &Expected) -> Value {
        match self.fields.get(&column.name) {
            None if column.required => {
                let message = || "is required: it was never empty in the data that the model learnt from".to_owned();
                self.problem(&column.name, message);
                Value::Missing
            }
            None => Value::Missing,
            Some(json) => {
                let value = self.read(column, json);
                self.warn(column, &value);
                value.unwrap_or_default()
            }
        }
    }

    fn read(&mut self, column: &Expected, json: &Json) -> Option<Value> {
        let expected = match (column.kind, json) {
            (_, Json::Null) => return Some(Value::Missing),
            (ColumnKind::Number, Json::Number(number)) => match number.as_f64().filter(|number| number.is_finite()) {
                Some(number) => return Some(Value::Number(number)),
                None => Unreadable::Number,
            },
            (kind, Json::String(text)) => match self.text(kind, text) {
                Ok(value) => return Some(value),
                Err(Unreadable::ApplicationTime) if self.time_refused => return None,
                Err(unreadable) => unreadable,
            },
            (ColumnKind::Category, Json::Number(number)) => return Some(Value::Level(number.to_string())),
            (ColumnKind::Category, Json::Bool(truth)) => return Some(Value::Level(truth.to_string())),
            (kind, _) => Unreadable::of(kind),
        };
        self.unexpected(&column.name, &expected.to_string(), &quoted(json));
        None
    }

    fn text(&self, kind: ColumnKind, text: &str) -> Result<Value, Unreadable> {
        value::read(kind, text, self.time.map(|time| TimeZone::UTC.to_datetime(time).date()))
    }

    fn warn(&mut self, column: &Expected, value: &Option<Value>) {
        let message = match value {
            Some(Value::Missing) if column.required => "has no value, as it never happened in training".to_owned(),
            Some(Value::Level(level)) if column.seen.as_ref().is_some_and(|seen| !seen.contains(level)) => {
                format!("`{}` was not seen in training", shortened(level))
            }
            _ => return,
        };
        self.warnings.push(FieldProblem { field: column.name.clone(), message });
    }

    fn unexpected(&mut self, field: &str, expected: &str, got: &str) {
        self.problem(field, || format!("expected {expected}, got {got}"));
    }
}

/// An id's text, none where there is no value, what came where it is no id.
fn name_of(json: &Json) -> Result<Option<String>, String> {
    match json {
        Json::Null => Ok(None),
        Json::Number(number) => Ok(Some(number.to_string())),
        Json::String(text) if text.trim().is_empty() => Ok(None),
        Json::String(text) if text.trim().chars().count() <= LONGEST_ID && !text.contains('\0') => {
            Ok(Some(text.trim().to_owned()))
        }
        other => Err(quoted(other)),
    }
}

/// What came, in a few words.
fn quoted(json: &Json) -> String {
    match json {
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
        Json::String(text) => format!("{:?}", shortened(text)),
        Json::Null | Json::Bool(_) | Json::Number(_) => shortened(&json.to_string()).into_owned(),
    }
}

fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_QUOTE) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}
