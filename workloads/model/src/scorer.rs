//! A whole version: from values to score, probability and verdict.
//!
//! [`Model::load`] takes nothing on trust: whatever the manifest says is checked, so that a version that loads can
//! decide. Only a score can still go wrong, where finite numbers overflow; then there is no verdict.

pub(crate) mod check;

use thiserror::Error;
use underwriter_contract::{
    manifest::{Manifest, Platt},
    predict::Verdict,
};

use crate::{
    booster::BoosterError,
    calibration,
    ensemble::{Contributions, Ensemble},
    value::Value,
};

/// Why an artifact is no version that can decide.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// Written by a release too new or too old.
    #[error("manifest: format {0} cannot be read by this release")]
    Format(u32),
    /// A value that cannot be right.
    #[error("manifest: {place} must be {expected}")]
    Value {
        /// Where it stands.
        place: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A column is named that nothing was learnt from, or twice.
    #[error("manifest: {place} names `{column}`, {fault}")]
    Column {
        /// Where it is named.
        place: &'static str,
        /// The column.
        column: String,
        /// What is wrong with that.
        fault: &'static str,
    },
    /// A part of the scorer is not there.
    #[error("{part} is missing, which a weight {weight} needs")]
    Absent {
        /// The part.
        part: &'static str,
        /// The weights that need it.
        weight: &'static str,
    },
    /// Booster and manifest do not belong together.
    #[error("the booster has {booster} features, scorer.trees names {manifest} columns")]
    Features {
        /// Features of the booster.
        booster: usize,
        /// Columns of the manifest.
        manifest: usize,
    },
    /// The booster's text cannot be read.
    #[error(transparent)]
    Booster(#[from] BoosterError),
}

/// The score of an applicant is not a finite number: this version cannot decide on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the score is not a finite number")]
pub struct NotFinite;

/// A version that can decide.
#[derive(Clone, Debug)]
pub struct Model {
    manifest: Manifest,
    ensemble: Ensemble,
}

/// What a version says of an applicant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// In log-odds, before calibration.
    pub score: f64,
    /// Calibrated probability that the loan goes bad.
    pub probability: f64,
    /// Refused where the score is at or above the threshold.
    pub verdict: Verdict,
}

impl Model {
    /// Puts a version together from its artifact; `booster` is the text of its trees, where it has any.
    ///
    /// # Errors
    /// What in the artifact cannot be right, and where.
    pub fn load(manifest: Manifest, booster: Option<&str>) -> Result<Self, ModelError> {
        if !underwriter_contract::readable(manifest.format) {
            return Err(ModelError::Format(manifest.format));
        }
        let Platt { slope, intercept } = manifest.calibration;
        check::positive("calibration.slope", slope)?;
        check::finite("calibration.intercept", intercept)?;
        check::finite("threshold.score", manifest.threshold.score)?;
        check::share("threshold.probability", manifest.threshold.probability)?;
        let ensemble = Ensemble::new(&manifest.columns, &manifest.scorer, booster)?;
        Ok(Self { manifest, ensemble })
    }

    /// What it was loaded from.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Decides on the values of an application, in the manifest's column order.
    ///
    /// # Errors
    /// [`NotFinite`] where the numbers overflow.
    pub fn score(&self, values: &[Value]) -> Result<Scored, NotFinite> {
        let score = self.ensemble.score(values);
        if !score.is_finite() {
            return Err(NotFinite);
        }
        let refused = score >= self.manifest.threshold.score;
        let verdict = if refused { Verdict::Refuse } else { Verdict::Approve };
        Ok(Scored { score, probability: calibration::apply(&self.manifest.calibration, score), verdict })
    }

    /// What each column adds to the score.
    #[must_use]
    pub fn contributions(&self, values: &[Value]) -> Contributions {
        self.ensemble.contributions(values)
    }
}

#[cfg(test)]
mod tests;
