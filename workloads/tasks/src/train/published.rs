//! A version as its artifact has it: what it has used, how it scores, and how another does against it on the same rows.
//!
//! Whether what was found is enough to promote is for the operator's gates.

use underwriter_contract::{
    Digest,
    learning::Split,
    manifest::{BOOSTER, Manifest},
    request::ArtifactRef,
    summary::{Comparison, Failure, FailureReason},
};
use underwriter_data::{artifact, store::Store};
use underwriter_model::{
    Model, Value,
    metrics::{self, Refusing},
    value,
};

use super::loans::Loans;

/// A version that can score.
#[derive(Debug)]
pub struct Published {
    model: Model,
}

/// How a version does on the test rows.
#[derive(Clone, Copy, Debug)]
pub struct Tested<'a> {
    /// The test rows.
    pub rows: &'a [usize],
    /// How the loans ended.
    pub bad: &'a [bool],
    /// Its scores of them, and its threshold.
    pub refusing: Refusing<'a>,
}

impl Published {
    /// Reads and verifies its artifact.
    ///
    /// # Errors
    /// When it cannot be read, or is not what its digest says.
    pub async fn load(store: &Store, reference: &ArtifactRef) -> Result<Self, Failure> {
        let failed = |error: artifact::ArtifactError| Failure::new(error.reason(), error);
        let manifest = artifact::load(store, reference, &[]).await.map_err(failed)?.manifest;
        let wanted: &[&str] = if manifest.files.contains_key(BOOSTER) { &[BOOSTER] } else { &[] };
        let mut loaded = artifact::load(store, reference, wanted).await.map_err(failed)?;
        Self::new(manifest, loaded.files.remove(BOOSTER)).map_err(|cause| {
            let message = format!("the version in {} cannot score: {cause}", reference.uri);
            Failure::new(FailureReason::ArtifactCorrupt, message)
        })
    }

    fn new(manifest: Manifest, booster: Option<Vec<u8>>) -> Result<Self, String> {
        let booster = booster.map(String::from_utf8).transpose().map_err(|error| error.to_string())?;
        Ok(Self { model: Model::load(manifest, booster.as_deref()).map_err(|error| error.to_string())? })
    }

    /// All of it but its trees.
    pub fn manifest(&self) -> &Manifest {
        self.model.manifest()
    }

    /// Its number.
    pub fn version(&self) -> u32 {
        self.manifest().version
    }

    /// Whether it was learnt from the same data in the same way.
    pub fn has_learnt(&self, data: &Digest, config: &Digest) -> bool {
        let manifest = self.manifest();
        manifest.data.digest == *data && manifest.config_digest == *config
    }

    /// Another version against it, on the same rows.
    pub fn compare(&self, loans: &Loans, new: Tested) -> Comparison {
        let scores = self.scores(loans, new.rows);
        let own = Refusing { scores: &scores, threshold: self.manifest().threshold.score };
        let differences = vec![
            metrics::paired(new.refusing.scores, own.scores, new.bad),
            metrics::paired_recall(new.refusing, own, new.bad),
        ];
        Comparison {
            version: self.version(),
            rows: new.rows.len() as u64,
            reused: new.rows.iter().any(|row| !self.is_older_than(loans, *row)),
            differences,
        }
    }

    /// Whether a loan is newer than any that it has used, be it to test; without dates, nobody knows.
    pub fn is_older_than(&self, loans: &Loans, row: usize) -> bool {
        loans.date(row).zip(self.manifest().data.to).is_some_and(|(date, newest)| date > newest)
    }

    /// Whether it was neither fitted nor calibrated on a loan: where rows were divided by time, its test rows are among
    /// those.
    pub fn is_untouched_by(&self, loans: &Loans, row: usize) -> bool {
        let Manifest { learning, blocks, .. } = self.manifest();
        match blocks.test.from.filter(|_| learning.training.split != Some(Split::Random)) {
            Some(first) => loans.date(row).is_some_and(|date| date >= first),
            None => self.is_older_than(loans, row),
        }
    }

    /// Log-odds of some loans.
    pub fn scores(&self, loans: &Loans, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|row| self.score(loans, *row)).collect()
    }

    /// Log-odds of a loan, read by its own columns. Where it has no finite score it refuses.
    fn score(&self, loans: &Loans, row: usize) -> f64 {
        let columns = &self.manifest().columns;
        let read = |column: &underwriter_contract::manifest::Column| -> Value {
            let text = loans.table.column(&column.name).and_then(|cells| cells.get(row)).unwrap_or_default();
            value::read(column.kind, text, loans.date(row)).unwrap_or_default()
        };
        let values: Vec<Value> = columns.iter().map(read).collect();
        self.model.score(&values).map_or(f64::MAX, |scored| scored.score)
    }
}
