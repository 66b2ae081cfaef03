//! A LoanModel's spec with the installation's defaults filled in; later steps cannot fail on what a user wrote.

use kube::ResourceExt as _;
use underwriter_contract::{
    Digest,
    learning::{Learning, Outcomes, Target},
    summary::MetricName,
};
use underwriter_crds::{
    Duration, LoanModel, RETRAIN_REQUESTED, Template,
    loan_model::{
        DeletionPolicy, Gate, Mlflow, OnDrift, PredictionLog, PromotionPolicy, Resolved, Retraining, VersusChampion,
    },
};

use super::gates::{Bound, Check};
use crate::{
    Error,
    names::Name,
    pod::Secrets,
    schedule::{InvalidSchedule, Schedule},
    settings::Settings,
};

/// The ROC AUC that a new version may lose against the champion.
const MAX_LOSS: f64 = 0.01;

/// What a LoanModel asks for.
#[derive(Clone, Debug)]
pub struct Validated {
    /// Its name.
    pub name: Name,
    /// Its namespace.
    pub namespace: String,
    /// Its UID, which goes into the id of each run.
    pub uid: String,
    /// Its generation.
    pub generation: Option<i64>,
    /// What to learn.
    pub learning: Learning,
    /// Stores and digest.
    pub resolved: Resolved,
    /// Credentials of a training pod.
    pub secrets: Secrets,
    /// What a person said of training pods.
    pub template: Template,
    /// The longest a run may take.
    pub deadline: Duration,
    /// Further tries.
    pub retries: u8,
    /// What a version must reach, in order.
    pub gates: Vec<Check>,
    /// Whether a person must approve.
    pub policy: PromotionPolicy,
    /// What drift leads to.
    pub on_drift: OnDrift,
    /// When runs come by themselves, if they do.
    pub schedule: Option<Schedule>,
    /// Whether new runs are held back.
    pub suspend: bool,
    /// The most versions that are kept.
    pub history_limit: usize,
    /// Whether versions go when the model goes.
    pub deletion_policy: DeletionPolicy,
    /// The token by which a run is asked for.
    pub request: Option<String>,
    /// Where else versions are shown.
    pub mlflow: Option<Mlflow>,
}

impl Validated {
    /// Digest of what is to be learnt.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.resolved.config_digest
    }

    /// Whether outcomes from the prediction log join the data.
    #[must_use]
    pub fn uses_outcomes(&self) -> bool {
        let data = &self.learning.data;
        self.resolved.prediction_log.is_some() && data.id.is_some() && data.outcomes == Outcomes::Include
    }
}

/// Reads a spec.
///
/// # Errors
/// Where it says what the CRD's validation would have refused.
pub fn validate(model: &LoanModel, settings: &Settings) -> Result<Validated, Error> {
    let spec = &model.spec;
    let learning = spec.learning();
    let prediction_log = spec.prediction_log.clone();
    let default_log = || settings.prediction_log_secret.clone().map(|secret_ref| PredictionLog { secret_ref });
    let resolved = Resolved {
        artifacts: spec.artifacts.clone().unwrap_or_else(|| settings.artifacts()),
        prediction_log: prediction_log.or_else(default_log),
        config_digest: learning.digest(),
    };
    let secrets = Secrets {
        data: spec.data.secret_ref.clone().or_else(|| settings.data_secret.clone()),
        artifacts: resolved.artifacts.secret_ref.clone(),
        log: resolved.prediction_log.as_ref().map(|log| log.secret_ref.clone()),
        registry: None,
    };
    let (name, namespace) = (Name::of(model)?, model.namespace().unwrap_or_default());
    Ok(Validated {
        schedule: schedule(&spec.retraining, &namespace, &name)?,
        name,
        namespace,
        uid: model.uid().unwrap_or_default(),
        generation: model.metadata.generation,
        gates: checks(&spec.promotion.gates, learning.decision.target())?,
        learning,
        resolved,
        secrets,
        template: spec.training.template.clone(),
        deadline: spec.training.deadline,
        retries: spec.training.retries,
        policy: spec.promotion.policy,
        on_drift: spec.retraining.on_drift.clone(),
        suspend: spec.suspend,
        history_limit: spec.history_limit.max(1) as usize,
        deletion_policy: spec.deletion_policy,
        request: model.annotations().get(RETRAIN_REQUESTED).filter(|token| !token.is_empty()).cloned(),
        mlflow: spec.registry.as_ref().map(|registry| registry.mlflow.clone()),
    })
}

/// The schedule that is asked for, spread by the model's name.
fn schedule(retraining: &Retraining, namespace: &str, name: &Name) -> Result<Option<Schedule>, Error> {
    let Retraining { schedule, time_zone, on_drift: _ } = retraining;
    let Some(text) = schedule else { return Ok(None) };
    let invalid = |why: InvalidSchedule| {
        let field = match why {
            InvalidSchedule::Schedule { .. } => "retraining.schedule",
            InvalidSchedule::TimeZone(_) => "retraining.timeZone",
        };
        Error::SpecInvalid { field, why: why.to_string() }
    };
    let schedule = Schedule::parse(text, time_zone.as_deref()).map_err(invalid)?;
    Ok(Some(schedule.splayed(&[namespace, name.as_str()])))
}

/// The gates that are asked for, or those that a careful practitioner would ask for.
fn checks(gates: &[Gate], target: Option<Target>) -> Result<Vec<Check>, Error> {
    if !gates.is_empty() {
        return gates.iter().map(check).collect();
    }
    let promised = match target {
        Some(Target::Recall(recall)) => Some((MetricName::Recall, Bound::AtLeast(recall.at_least))),
        Some(Target::ApprovalRate(rate)) => Some((MetricName::RefusedShare, Bound::AtMost(1.0 - rate.at_least))),
        Some(Target::Cost(_) | Target::Threshold(_)) | None => None,
    };
    let promised = promised.map(|(metric, bound)| Check { metric, bound });
    let ranking = Check { metric: MetricName::RocAuc, bound: Bound::VersusChampion { max_loss: MAX_LOSS } };
    Ok(promised.into_iter().chain([ranking]).collect())
}

fn check(gate: &Gate) -> Result<Check, Error> {
    let Gate { metric, at_least, at_most, versus_champion } = gate;
    let bound = match (at_least, at_most, versus_champion) {
        (Some(bound), None, None) => Bound::AtLeast(*bound),
        (None, Some(bound), None) => Bound::AtMost(*bound),
        (None, None, Some(VersusChampion { max_loss })) => Bound::VersusChampion { max_loss: *max_loss },
        _ => {
            let why = "exactly one of atLeast, atMost and versusChampion must be set";
            return Err(Error::SpecInvalid { field: "promotion.gates", why: why.into() });
        }
    };
    Ok(Check { metric: *metric, bound })
}
