//! A version that is loaded and ready to decide.

use std::collections::HashSet;

use serde_json::{Map, Value};
use underwriter_contract::{
    learning::{IdColumns, Label},
    manifest::Manifest,
};
use underwriter_model::{Model, ModelError, Schema};

use crate::metrics::Tally;

/// A version that is loaded and ready to decide.
#[derive(Debug)]
pub struct Version {
    /// Scores and explains.
    pub model: Model,
    /// What an application must look like.
    pub schema: Schema,
    /// What it did since the process started.
    pub tally: Tally,
    columns: HashSet<String>,
}

impl Version {
    /// Makes a version of a verified artifact.
    ///
    /// # Errors
    /// Manifest and booster do not fit together.
    pub fn new(manifest: Manifest, booster: Option<&str>, tally: Tally) -> Result<Self, ModelError> {
        let columns = manifest.columns.iter().map(|column| column.name.clone()).collect();
        Ok(Self { schema: Schema::new(&manifest), model: Model::load(manifest, booster)?, tally, columns })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.model.manifest().version
    }

    /// What outcomes may be.
    #[must_use]
    pub fn label(&self) -> &Label {
        &self.model.manifest().learning.data.label
    }

    /// Whether it knows a field of an application: a column, an id, the time.
    #[must_use]
    pub fn knows(&self, field: &str) -> bool {
        let data = &self.model.manifest().learning.data;
        let is_id = |IdColumns { application, applicant }: &IdColumns| {
            application == field || applicant.as_deref() == Some(field)
        };
        self.columns.contains(field)
            || data.id.as_ref().is_some_and(is_id)
            || data.time.as_ref().is_some_and(|time| time.column == field)
    }

    /// Who applies, as it was sent: the applicant, else the application.
    #[must_use]
    pub fn applicant(&self, fields: &Map<String, Value>) -> Option<String> {
        let ids = self.model.manifest().learning.data.id.as_ref()?;
        let applicant = ids.applicant.as_ref().and_then(|column| text(fields.get(column)?));
        applicant.or_else(|| text(fields.get(&ids.application)?))
    }

    /// Keeps the columns known at application, which are what the prediction log wants of the fields.
    pub fn retain_columns(&self, fields: &mut Map<String, Value>) {
        fields.retain(|field, _| self.columns.contains(field));
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
