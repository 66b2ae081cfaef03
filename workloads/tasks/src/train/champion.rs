//! The version that decides today: has it learnt this already, and how does the new one do on the same rows?

use underwriter_contract::{
    Digest,
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

/// A version that decides.
#[derive(Debug)]
pub struct Champion {
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

impl Champion {
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
            let message = format!("the champion, {}, cannot score: {cause}", reference.uri);
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
        self.model.manifest().version
    }

    /// Whether it was learnt from the same data in the same way.
    pub fn has_learnt(&self, data: &Digest, config: &Digest) -> bool {
        let manifest = self.model.manifest();
        manifest.data.digest == *data && manifest.config_digest == *config
    }

    /// The new version against it, on the same rows.
    pub fn compare(&self, loans: &Loans, new: Tested) -> Comparison {
        let scores: Vec<f64> = new.rows.iter().map(|row| self.score(loans, *row)).collect();
        let own = Refusing { scores: &scores, threshold: self.model.manifest().threshold.score };
        let differences = vec![
            metrics::paired(new.refusing.scores, own.scores, new.bad),
            metrics::paired_recall(new.refusing, own, new.bad),
        ];
        Comparison {
            version: self.version(),
            rows: new.rows.len() as u64,
            reused: self.has_used(loans, new.rows),
            differences,
        }
    }

    /// Whether it has used a row as new as one of these; without dates, nobody knows.
    fn has_used(&self, loans: &Loans, rows: &[usize]) -> bool {
        let oldest = rows.iter().filter_map(|row| loans.date(*row)).min();
        oldest.zip(self.model.manifest().data.to).is_none_or(|(oldest, newest_used)| newest_used >= oldest)
    }

    /// Log-odds of a loan, read by the champion's own columns. Where it has no finite score it refuses.
    pub fn score(&self, loans: &Loans, row: usize) -> f64 {
        let columns = &self.model.manifest().columns;
        let read = |column: &underwriter_contract::manifest::Column| -> Value {
            let text = loans.table.column(&column.name).and_then(|cells| cells.get(row)).unwrap_or_default();
            value::read(column.kind, text, loans.date(row)).unwrap_or_default()
        };
        let values: Vec<Value> = columns.iter().map(read).collect();
        self.model.score(&values).map_or(f64::MAX, |scored| scored.score)
    }
}
