//! The spec and what it names, read into one value: later steps cannot fail on what a user wrote.

use underwriter_contract::request::ArtifactRef;
use underwriter_crds::{
    LoanModel, ModelVersion, PredictionServiceSpec,
    loan_model::Resolved,
    model_version::Decision,
    prediction_service::{AnalysisBounds, Rollout, Step},
};

use crate::loan_model::build::artifact;

/// What a service is to serve, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Validated {
    /// The versions.
    pub goal: Goal,
    /// The steps of a trial, never none.
    pub steps: Vec<Step>,
    /// What a version on trial must keep to.
    pub bounds: AnalysisBounds,
    /// Secrets and store of the model.
    pub resolved: Resolved,
}

/// The versions a service is to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The champion, and the challenger on trial.
    Follow {
        /// Who is to answer.
        champion: ArtifactRef,
        /// Who is to be tried.
        challenger: Option<ArtifactRef>,
    },
    /// One version, tried first where another is served.
    Pinned(ArtifactRef),
}

/// Why there is nothing that could be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The model is not there.
    #[error("LoanModel {0} does not exist in this namespace: create it, or correct spec.modelRef.name")]
    ModelNotFound(String),
    /// The model has none yet.
    #[error("LoanModel {0} has no champion yet: its conditions say why")]
    WaitingForChampion(String),
    /// A number without a version.
    #[error("ModelVersion {model}-v{version} does not exist: restore it, or name another in spec.modelRef.version")]
    VersionNotFound {
        /// The model.
        model: String,
        /// The number.
        version: u32,
    },
    /// A pinned version that nobody let decide.
    #[error(
        "{model}-v{version} was never champion and is not approved: approve it, or name another in spec.modelRef.version"
    )]
    VersionNotAllowed {
        /// The model.
        model: String,
        /// The number.
        version: u32,
    },
}

/// The reason of a condition, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidReason {
    /// See [`Invalid::ModelNotFound`].
    ModelNotFound,
    /// See [`Invalid::WaitingForChampion`].
    WaitingForChampion,
    /// See [`Invalid::VersionNotFound`].
    VersionNotFound,
    /// See [`Invalid::VersionNotAllowed`].
    VersionNotAllowed,
}

impl Invalid {
    /// It in one word.
    #[must_use]
    pub const fn reason(&self) -> InvalidReason {
        match self {
            Self::ModelNotFound(_) => InvalidReason::ModelNotFound,
            Self::WaitingForChampion(_) => InvalidReason::WaitingForChampion,
            Self::VersionNotFound { .. } => InvalidReason::VersionNotFound,
            Self::VersionNotAllowed { .. } => InvalidReason::VersionNotAllowed,
        }
    }

    /// Whether only a person can help: a pin is the user's own word, while models and champions come by themselves.
    #[must_use]
    pub const fn stalls(&self) -> bool {
        matches!(self, Self::VersionNotAllowed { .. } | Self::VersionNotFound { .. })
    }
}

/// Reads what is to be served.
///
/// # Errors
/// When that cannot be told; what is served stays as it is.
pub fn validate(
    spec: &PredictionServiceSpec,
    model: Option<&LoanModel>,
    versions: &[impl AsRef<ModelVersion>],
) -> Result<Validated, Invalid> {
    let name = &spec.model_ref.name;
    let status = model.ok_or_else(|| Invalid::ModelNotFound(name.clone()))?.status.clone().unwrap_or_default();
    let waiting = || Invalid::WaitingForChampion(name.clone());
    let resolved = status.resolved.ok_or_else(waiting)?;
    let goal = match spec.model_ref.version {
        Some(number) => Goal::Pinned(allowed(name, find(name, number, versions)?)?),
        None => {
            let champion = artifact(find(name, status.champion.ok_or_else(waiting)?, versions)?);
            let challenger = status.challenger.and_then(|number| find(name, number, versions).ok()).map(artifact);
            Goal::Follow { challenger: challenger.filter(|challenger| *challenger != champion), champion }
        }
    };
    let Rollout { steps, analysis } = spec.rollout.clone();
    let steps = if steps.is_empty() { Rollout::default().steps } else { steps };
    Ok(Validated { goal, steps, bounds: analysis, resolved })
}

fn find<'a, T: AsRef<ModelVersion>>(model: &str, number: u32, versions: &'a [T]) -> Result<&'a ModelVersion, Invalid> {
    let mut versions = versions.iter().map(AsRef::as_ref);
    let found = versions.find(|version| version.spec.model_ref.name == model && version.spec.version == number);
    found.ok_or_else(|| Invalid::VersionNotFound { model: model.to_owned(), version: number })
}

/// The last word about a pinned version must be that it may decide; that it was tried or followed by another is none.
fn allowed(model: &str, version: &ModelVersion) -> Result<ArtifactRef, Invalid> {
    let words = version.spec.decisions.iter().rev().map(|record| record.decision);
    let last = words.into_iter().find_map(|decision| match decision {
        Decision::Approved | Decision::Promoted => Some(true),
        Decision::Denied | Decision::Revoked => Some(false),
        Decision::RolledBack | Decision::Superseded | Decision::Retired => None,
    });
    let refused = || Invalid::VersionNotAllowed { model: model.to_owned(), version: version.spec.version };
    last.unwrap_or(false).then(|| artifact(version)).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn version(number: u32, decisions: &[&str]) -> Arc<ModelVersion> {
        let record = |decision: &&str| json!({"decision": decision, "by": "a", "at": "2026-01-01T00:00:00Z"});
        let decisions: Vec<Value> = decisions.iter().map(record).collect();
        let spec = json!({
            "modelRef": {"name": "loans"}, "version": number, "runId": format!("run{number}"), "configDigest": DIGEST,
            "trigger": {"type": "Initial"}, "artifact": {"uri": "s3://a/", "digest": DIGEST}, "algorithm": "Scorecard",
            "data": {"uri": "s3://b/", "digest": DIGEST, "rows": 1}, "metrics": [], "threshold": 0.5, "decisions": decisions
        });
        let object = json!({"metadata": {"name": format!("loans-v{number}")}, "spec": spec});
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn model(status: Value) -> LoanModel {
        let data = json!({"uri": "s3://b/", "label": {"column": "y", "bad": ["1"], "good": ["0"]}});
        let spec = json!({"data": data, "decision": {"recall": {"atLeast": 0.75}}});
        serde_json::from_value(json!({"metadata": {"name": "loans"}, "spec": spec, "status": status})).unwrap()
    }

    fn resolved() -> Value {
        json!({"artifacts": {"uri": "s3://a/"}, "configDigest": DIGEST})
    }

    fn reads(pin: Option<u32>, status: Value, versions: &[Arc<ModelVersion>]) -> Result<Goal, Invalid> {
        let spec = json!({"modelRef": {"name": "loans", "version": pin}});
        let spec: PredictionServiceSpec = serde_json::from_value(spec).unwrap();
        validate(&spec, Some(&model(status)), versions).map(|validated| validated.goal)
    }

    #[test]
    fn champion_and_challenger_are_followed() {
        let versions = [version(1, &["Promoted"]), version(2, &[])];
        let status = json!({"champion": 1, "challenger": 2, "resolved": resolved()});
        let Ok(Goal::Follow { champion, challenger }) = reads(None, status, &versions) else { panic!() };
        assert_eq!((champion.run.as_str(), challenger.unwrap().version), ("run1", 2));
    }

    #[test]
    fn what_is_missing_is_named() {
        let spec: PredictionServiceSpec = serde_json::from_value(json!({"modelRef": {"name": "loans"}})).unwrap();
        let none: [Arc<ModelVersion>; 0] = [];
        assert_eq!(validate(&spec, None, &none), Err(Invalid::ModelNotFound("loans".into())));
        let early = reads(None, json!({"resolved": resolved()}), &none);
        assert_eq!(early, Err(Invalid::WaitingForChampion("loans".into())));
        let gone = reads(None, json!({"champion": 1, "resolved": resolved()}), &none);
        assert!(matches!(gone, Err(Invalid::VersionNotFound { version: 1, .. })));
    }

    #[test]
    fn a_pin_needs_a_version_whose_last_word_lets_it_decide() {
        let status = || json!({"champion": 2, "resolved": resolved()});
        for (decisions, allowed) in [
            (&["Promoted", "Retired"][..], true),
            (&["Approved"], true),
            (&["Denied", "Approved"], true),
            (&["Promoted", "Revoked"], false),
            (&["Approved", "Denied"], false),
            (&["RolledBack"], false),
            (&[], false),
        ] {
            let pinned = reads(Some(1), status(), &[version(1, decisions)]);
            assert_eq!(pinned.is_ok(), allowed, "{decisions:?}: {pinned:?}");
        }
    }
}
