//! Which versions stay, and whether they go with their model.
//!
//! A version is a record: it goes only where there are more than `historyLimit` and nobody needs it. With `deletionPolicy:
//! Delete` the model owns its versions, so that Kubernetes removes them with it, whether the operator runs or not.

use jiff::Timestamp;
use kube::ResourceExt as _;
use underwriter_contract::request::{Trigger, TriggerType};
use underwriter_crds::{ModelVersion, PredictionService, loan_model::DeletionPolicy, model_version::VersionState};

use super::{
    champion::Placed,
    drift::{self, WEEK, after},
    observe::Observed,
    trigger::Situation,
    validate::Validated,
};

/// The version whose ownership is not as the deletion policy wants it, by its number, and whether it is to be owned.
#[must_use]
pub fn ownership(validated: &Validated, observed: &Observed) -> Option<(u32, bool)> {
    let wanted = validated.deletion_policy == DeletionPolicy::Delete;
    let owned = |version: &ModelVersion| version.owner_references().iter().any(|owner| owner.uid == validated.uid);
    let differs = observed.versions.iter().find(|version| !is_going(version) && owned(version) != wanted)?;
    Some((differs.spec.version, wanted))
}

/// The oldest version that is one too many and that nobody needs.
#[must_use]
pub fn surplus(situation: &Situation<'_>) -> Option<u32> {
    let standing: Vec<_> = situation.standing.versions.iter().filter(|placed| !is_going(placed.version)).collect();
    if standing.len() <= situation.validated.history_limit {
        return None;
    }
    let unneeded = standing.into_iter().find(|placed| !is_needed(placed, situation));
    unneeded.map(|placed| placed.version.spec.version)
}

fn is_needed(placed: &Placed<'_>, situation: &Situation<'_>) -> bool {
    let Situation { observed, standing, .. } = situation;
    let number = placed.version.spec.version;
    let undecided = matches!(placed.state, VersionState::Champion | VersionState::Challenger | VersionState::Candidate);
    undecided
        || observed.newest() == Some(number) // what was learnt last, and the number after which to count
        || standing.previous() == Some(number)
        || observed.services.iter().any(|service| names(service, number))
        || alone_knows(placed.version, situation)
}

/// Whether a service pins it, or its pods hold it.
fn names(service: &PredictionService, number: u32) -> bool {
    let status = service.status.as_ref();
    let tried = status.and_then(|status| status.rollout.as_ref()).map(|rollout| rollout.version);
    [service.spec.model_ref.version, status.and_then(|status| status.stable), tried].contains(&Some(number))
}

/// Whether something would be answered again without it: a request or an episode that stands, or a run that drift has
/// started and that counts against the next.
fn alone_knows(version: &ModelVersion, situation: &Situation<'_>) -> bool {
    let Situation { validated, observed, now, .. } = situation;
    let Trigger { kind, token, episodes, scheduled: _ } = &version.spec.trigger;
    let asked = token.is_some() && *token == validated.request;
    let standing = drift::current_episodes(observed);
    let counts = Ord::max(WEEK, validated.on_drift.cooldown);
    let recent = *kind == TriggerType::Drift && *now < after(created(version), counts);
    asked || recent || episodes.iter().any(|id| standing.contains(id.as_str()))
}

fn created(version: &ModelVersion) -> Timestamp {
    version.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}

fn is_going(version: &ModelVersion) -> bool {
    version.metadata.deletion_timestamp.is_some()
}
