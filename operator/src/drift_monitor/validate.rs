//! The spec and what it names, read into one value: later steps cannot fail on what a user wrote.

use underwriter_contract::request::ArtifactRef;
use underwriter_crds::{DriftMonitorSpec, LoanModel, ModelVersion, PredictionService, loan_model::Resolved};

use crate::{
    loan_model::build::artifact,
    schedule::{InvalidSchedule, Schedule},
};

/// What a monitor is to do.
#[derive(Clone, Debug)]
pub struct Validated {
    /// When to scan.
    pub schedule: Schedule,
    /// What to compare with.
    pub reference: ArtifactRef,
    /// The drift episodes that it was trained for.
    pub answers: Vec<String>,
    /// Where the model's versions and its log are.
    pub resolved: Resolved,
    /// Verdicts in a row before drift counts, at least 1.
    pub consecutive: u32,
    /// Whether no scan is to be started.
    pub suspend: bool,
}

/// Why nothing can be scanned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The schedule cannot be read.
    #[error("spec.schedule: {0}")]
    Schedule(#[from] InvalidSchedule),
    /// The model is not there.
    #[error("LoanModel {0} does not exist in this namespace: create it, or correct spec.modelRef.name")]
    ModelNotFound(String),
    /// The model has no champion yet, so there is nothing to compare with.
    #[error("LoanModel {0} has no champion yet: its conditions say why")]
    WaitingForChampion(String),
    /// The champion's ModelVersion is gone.
    #[error("ModelVersion {model}-v{version} does not exist: restore it")]
    VersionNotFound {
        /// The model.
        model: String,
        /// The number.
        version: u32,
    },
    /// The model keeps no log, so there is nothing to look at.
    #[error(
        "LoanModel {0} has no prediction log: set spec.predictionLog of the model, or a default of the installation"
    )]
    NoPredictionLog(String),
    /// The service is not there.
    #[error("PredictionService {0} does not exist in this namespace: create it, or correct spec.source.service")]
    ServiceNotFound(String),
    /// The service serves something else.
    #[error(
        "PredictionService {service} serves {serves}, not {model}: correct spec.source.service or spec.modelRef.name"
    )]
    ServiceOfOtherModel {
        /// The service.
        service: String,
        /// Its model.
        serves: String,
        /// The monitor's.
        model: String,
    },
}

/// The reason of a condition, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidReason {
    /// See [`Invalid::Schedule`].
    InvalidSchedule,
    /// See [`Invalid::ModelNotFound`].
    ModelNotFound,
    /// See [`Invalid::WaitingForChampion`].
    WaitingForChampion,
    /// See [`Invalid::VersionNotFound`].
    VersionNotFound,
    /// See [`Invalid::NoPredictionLog`].
    NoPredictionLog,
    /// See [`Invalid::ServiceNotFound`].
    ServiceNotFound,
    /// See [`Invalid::ServiceOfOtherModel`].
    ServiceOfOtherModel,
}

impl Invalid {
    /// It in one word.
    #[must_use]
    pub const fn reason(&self) -> InvalidReason {
        match self {
            Self::Schedule(_) => InvalidReason::InvalidSchedule,
            Self::ModelNotFound(_) => InvalidReason::ModelNotFound,
            Self::WaitingForChampion(_) => InvalidReason::WaitingForChampion,
            Self::VersionNotFound { .. } => InvalidReason::VersionNotFound,
            Self::NoPredictionLog(_) => InvalidReason::NoPredictionLog,
            Self::ServiceNotFound(_) => InvalidReason::ServiceNotFound,
            Self::ServiceOfOtherModel { .. } => InvalidReason::ServiceOfOtherModel,
        }
    }

    /// Whether only a person can help; models, services and champions come by themselves.
    #[must_use]
    pub const fn stalls(&self) -> bool {
        matches!(self, Self::Schedule(_) | Self::NoPredictionLog(_) | Self::ServiceOfOtherModel { .. })
    }
}

/// What a spec names, as it is found.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The model.
    pub model: Option<&'a LoanModel>,
    /// Its champion.
    pub champion: Option<&'a ModelVersion>,
    /// The service.
    pub service: Option<&'a PredictionService>,
}

/// Reads what is to be scanned.
///
/// # Errors
/// When that cannot be told; then no scan is started.
pub fn validate(spec: &DriftMonitorSpec, named: Named<'_>) -> Result<Validated, Invalid> {
    let name = &spec.model_ref.name;
    let schedule = Schedule::parse(&spec.schedule, None)?;
    let status = named.model.ok_or_else(|| Invalid::ModelNotFound(name.clone()))?.status.clone().unwrap_or_default();
    serves(spec, named.service)?;
    let waiting = || Invalid::WaitingForChampion(name.clone());
    let (resolved, version) = (status.resolved.ok_or_else(waiting)?, status.champion.ok_or_else(waiting)?);
    if resolved.prediction_log.is_none() {
        return Err(Invalid::NoPredictionLog(name.clone()));
    }
    let champion = named.champion.ok_or_else(|| Invalid::VersionNotFound { model: name.clone(), version })?;
    let (reference, answers) = (artifact(champion), champion.spec.trigger.episodes.clone());
    Ok(Validated {
        schedule,
        reference,
        answers,
        resolved,
        consecutive: spec.consecutive.max(1),
        suspend: spec.suspend,
    })
}

fn serves(spec: &DriftMonitorSpec, service: Option<&PredictionService>) -> Result<(), Invalid> {
    let (named, model) = (&spec.source.service, &spec.model_ref.name);
    let service = service.ok_or_else(|| Invalid::ServiceNotFound(named.clone()))?;
    let serves = &service.spec.model_ref.name;
    let other =
        || Invalid::ServiceOfOtherModel { service: named.clone(), serves: serves.clone(), model: model.clone() };
    if serves == model { Ok(()) } else { Err(other()) }
}
