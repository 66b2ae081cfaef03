//! A request's fields become the values that a version scores.
//!
//! All that is wrong with an application is said at once, each time with the field, what was expected and what came.
//! What is only odd (a category that training never saw, a null where training had none) is a warning: the application
//! is answered. Not here: scoring, and the shape of the request around the application.

mod nearest;
mod reading;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use underwriter_contract::{
    manifest::{Column, ColumnKind, Evidence, Learnt, Manifest},
    predict::FieldProblem,
};

use self::reading::Reading;
use crate::value::Value;

/// The most problems that are told at once.
pub const MOST_PROBLEMS: usize = 50;

/// An application that the version can score.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// Its own id; empty where the model has no id column.
    pub id: String,
    /// Who made it, where the model has a column for that and the request names one.
    pub applicant: Option<String>,
    /// When it was made (midnight UTC of a date), where the model has a time column.
    pub time: Option<Timestamp>,
    /// One a column, in the manifest's order.
    pub values: Vec<Value>,
    /// What was odd, but no reason to refuse an answer.
    pub warnings: Vec<FieldProblem>,
}

/// What an application for one version looks like.
#[derive(Clone, Debug)]
pub struct Schema {
    id: Option<String>,
    applicant: Option<String>,
    time: Option<String>,
    columns: Vec<Expected>,
    fields: HashMap<String, Field>,
}

/// What is expected of one column.
#[derive(Clone, Debug)]
struct Expected {
    name: String,
    kind: ColumnKind,
    /// Learnt from, and never empty in training.
    required: bool,
    /// The categories seen in training.
    seen: Option<HashSet<String>>,
}

/// What a field's name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// A column, or what names the application.
    Known,
    /// Tells the outcome, so that no application can have it.
    AfterTheOutcome,
}

impl Schema {
    /// Derives it from the manifest.
    #[must_use]
    pub fn new(manifest: &Manifest) -> Self {
        let data = &manifest.learning.data;
        let id = data.id.as_ref().map(|id| id.application.clone());
        let applicant = data.id.as_ref().and_then(|id| id.applicant.clone());
        let time = data.time.as_ref().map(|time| time.column.clone());
        let columns: Vec<Expected> = manifest.columns.iter().map(Expected::of).collect();
        let leaking = manifest.findings.iter().filter(|finding| finding.leaks()).map(|finding| &finding.column);
        let known = columns.iter().map(|column| &column.name).chain(&id).chain(&applicant).chain(&time);
        let mut fields: HashMap<String, Field> =
            leaking.chain([&data.label.column]).map(|name| (name.clone(), Field::AfterTheOutcome)).collect();
        fields.extend(known.map(|name| (name.clone(), Field::Known)));
        Self { id, applicant, time, columns, fields }
    }

    /// Reads an application.
    ///
    /// # Errors
    /// All that is wrong with it, the first [`MOST_PROBLEMS`].
    pub fn parse(&self, fields: &Map<String, Json>) -> Result<Application, Vec<FieldProblem>> {
        let mut reading = Reading::new(fields);
        let id = self.id.as_deref().map(|name| reading.id(name));
        let applicant = self.applicant.as_deref().and_then(|name| reading.applicant(name));
        let time = self.time.as_deref().and_then(|name| reading.time(name));
        let values = self.columns.iter().map(|column| reading.value(column)).collect();
        fields.keys().for_each(|name| self.check_known(name, &mut reading));
        let warnings = reading.finish()?;
        Ok(Application { id: id.unwrap_or_default(), applicant, time, values, warnings })
    }

    fn check_known(&self, name: &str, reading: &mut Reading) {
        match self.fields.get(name) {
            Some(Field::Known) => {}
            Some(Field::AfterTheOutcome) => reading.problem(name, || {
                "is known only after the outcome: an application cannot have it, and the model does not use it"
                    .to_owned()
            }),
            None => reading.problem(name, || match nearest::nearest(name, self.known()) {
                Some(near) => format!("is not known to this model; did you mean `{near}`?"),
                None => "is not known to this model".to_owned(),
            }),
        }
    }

    fn known(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|(_, field)| **field == Field::Known).map(|(name, _)| name.as_str())
    }
}

impl Expected {
    fn of(column: &Column) -> Self {
        let Column { name, kind, nullable, learnt } = column;
        let seen = learnt.as_ref().and_then(seen);
        Self { name: name.clone(), kind: *kind, required: learnt.is_some() && !nullable, seen }
    }
}

fn seen(learnt: &Learnt) -> Option<HashSet<String>> {
    match &learnt.evidence {
        Evidence::Bins(_) => None,
        Evidence::Levels(levels) => Some(levels.evidence.keys().chain(&levels.rare).cloned().collect()),
    }
}

#[cfg(test)]
mod tests;
