//! Whether MLflow shows what the cluster has, and what to do where it does not: a pure function.
//!
//! What it should show is worked out anew each time, and stands as a digest; a Job makes MLflow show it. One Job at a
//! time; one that fails is tried again with growing pauses, or at once when something else is to be shown. Nothing else
//! of a model ever waits for it. Which Job's end was seen is told by the API server's clock alone, so that a Job of the
//! same name can run again.

pub mod job;

use jiff::Timestamp;
use kube::ResourceExt as _;
use underwriter_contract::{
    FORMAT,
    request::{MirrorRequest, MirroredVersion},
    summary::{FailureReason, Mirrored, Summary},
};
use underwriter_crds::{
    Duration, JobFailure,
    conditions::{ConditionType, Wanted},
    loan_model::{Mirror, Mlflow},
};

use super::{
    build,
    champion::{Placed, Standing},
    decide::Action,
    drift::after,
    observe::Observed,
    validate::Validated,
};
use crate::{
    events::Notice,
    summary::{Fault, Progress},
};

/// The versions that are shown: the newest, and those that decide or are tried. A request has to fit into a variable.
const MOST: usize = 50;
/// The most characters of a decision.
const DECISION: usize = 200;
/// Pauses after Jobs that failed one after the other.
const PAUSES: [Duration; 4] = [Duration::minutes(1), Duration::minutes(5), Duration::minutes(15), Duration::hours(1)];

/// One Job that brings MLflow up to date.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedMirror {
    /// Its name.
    pub job: String,
    /// When it was created, by the API server's clock.
    pub created: Timestamp,
    /// How it is doing; none where its end was seen, or a newer one stands.
    pub progress: Option<Progress>,
}

/// Why the condition is as it is, where no failure has a word of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Mirrored,
    Mirroring,
    MirrorFailed,
}

/// What MLflow needs, and what to tell of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The next write.
    pub action: Option<Action>,
    /// What is known once the end of the last Job is written down.
    pub status: Option<Mirror>,
    /// Whether MLflow shows what it should.
    pub condition: Option<Wanted>,
    /// What a user would want to know.
    pub notice: Option<Notice>,
    /// Whether a Job runs.
    pub running: bool,
    /// When a failed Job is tried again.
    pub again: Option<Timestamp>,
}

/// Whether the end of a Job was seen.
#[must_use]
pub fn is_seen(told: Option<&Mirror>, job: &str, created: Timestamp) -> bool {
    told.is_some_and(|told| created < told.created || (created == told.created && job == told.job))
}

/// Plans.
#[must_use]
pub fn plan(validated: &Validated, observed: &Observed, standing: &Standing<'_>, now: Timestamp) -> Plan {
    let Some(mlflow) = &validated.mlflow else {
        return Plan { action: leftover(observed, 0), ..Plan::default() };
    };
    let told = observed.status.mirror.as_ref();
    let status = folded(told, observed.mirrors.last(), now);
    let notice = notice(told, status.as_ref());
    let Some(wanted) = request(validated, mlflow, standing) else {
        return Plan { action: leftover(observed, 1), status, notice, ..Plan::default() };
    };
    let running = observed.mirrors.last().is_some_and(runs);
    let failure = status.as_ref().and_then(|status| status.failure.as_ref());
    let digest = wanted.digest();
    let job = validated.name.mirror_job(&digest);
    let shown = failure.is_none() && status.as_ref().is_some_and(|status| status.digest == Some(digest));
    let same = status.as_ref().is_some_and(|status| status.job == job);
    let again = failure.filter(|_| !shown && same).map(tried_again_at).filter(|again| *again > now);
    let condition = condition(mlflow, &wanted, shown, failure, &job, observed);
    let due = !shown && !running && again.is_none();
    let start = || if stands(observed, &job) { Action::Remove(job.clone()) } else { Action::Mirror(Box::new(wanted)) };
    let action = if due { Some(start()) } else { leftover(observed, 1) };
    Plan { action, condition: Some(condition), status, notice, running, again }
}

fn runs(mirror: &ObservedMirror) -> bool {
    matches!(mirror.progress, Some(Progress::Running(_)))
}

fn stands(observed: &Observed, job: &str) -> bool {
    observed.mirrors.iter().any(|mirror| mirror.job == job)
}

/// The oldest Job beyond those kept for whoever wants to read its log.
fn leftover(observed: &Observed, kept: usize) -> Option<Action> {
    let mirrors = &observed.mirrors;
    let older = mirrors.get(..mirrors.len().checked_sub(kept)?)?;
    older.iter().find(|mirror| !runs(mirror)).map(|mirror| Action::Remove(mirror.job.clone()))
}

/// When a Job that failed is tried again as it stands.
fn tried_again_at(failure: &JobFailure) -> Timestamp {
    let index = failure.attempts.saturating_sub(1) as usize;
    after(failure.at, PAUSES.get(index).or(PAUSES.last()).copied().unwrap_or(Duration::hours(1)))
}

/// What is known once the end of a Job is written down.
fn folded(told: Option<&Mirror>, newest: Option<&ObservedMirror>, now: Timestamp) -> Option<Mirror> {
    let mirrored = |summary: &Summary| match summary {
        Summary::Mirrored(mirrored) => Some(mirrored.clone()),
        _ => None,
    };
    let ended = newest.and_then(|mirror| Some((mirror, mirror.progress.as_ref()?.outcome(mirrored)?)));
    let Some((ObservedMirror { job, created, .. }, outcome)) = ended else { return told.cloned() };
    let standing = told.map_or((None, 0), |told| (told.digest.clone(), told.versions));
    let ((digest, versions), failure) = match outcome {
        Ok(Mirrored { digest, versions, added: _ }) => ((Some(digest), versions), None),
        Err(Fault { reason, message }) => {
            let before = told.and_then(|told| told.failure.as_ref()).map_or(0, |failure| failure.attempts);
            (standing, Some(JobFailure { reason, message, attempts: before.saturating_add(1), at: now }))
        }
    };
    Some(Mirror { digest, versions, job: job.clone(), created: *created, failure })
}

/// What MLflow should show; nothing before there is a version.
#[must_use]
pub fn request(validated: &Validated, mlflow: &Mlflow, standing: &Standing<'_>) -> Option<MirrorRequest> {
    let Validated { namespace, name, .. } = validated;
    let Mlflow { tracking_uri, experiment, secret_ref: _ } = mlflow.clone();
    let champion = standing.champion_number();
    let challenger = standing.challenger.map(|version| version.spec.version);
    let older = standing.versions.len().saturating_sub(MOST);
    let matters = |placed: &Placed<'_>| [champion, challenger].contains(&Some(placed.version.spec.version));
    let kept = standing.versions.iter().enumerate().filter(|(index, placed)| *index >= older || matters(placed));
    let versions: Vec<_> = kept.map(|(_, placed)| shown(placed)).collect();
    let model = format!("{namespace}/{name}");
    let experiment = experiment.unwrap_or_else(|| model.clone());
    let request = MirrorRequest { format: FORMAT, model, tracking_uri, experiment, versions, champion, challenger };
    (!request.versions.is_empty()).then_some(request)
}

fn shown(placed: &Placed<'_>) -> MirroredVersion {
    let Placed { version, state, .. } = placed;
    let decision = version.spec.decisions.last();
    let decision = decision.map(|record| format!("{:?} by {}: {}", record.decision, record.by, record.reason));
    MirroredVersion {
        artifact: build::artifact(version),
        created: version.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        state: format!("{state:?}"),
        decision: decision.map(|text| text.chars().take(DECISION).collect()),
    }
}

fn condition(
    mlflow: &Mlflow,
    wanted: &MirrorRequest,
    shown: bool,
    failure: Option<&JobFailure>,
    job: &str,
    observed: &Observed,
) -> Wanted {
    let told = |holds, reason: Reason, message| Wanted::new(ConditionType::RegistryMirrored, holds, reason, message);
    let uri = &mlflow.tracking_uri;
    if shown {
        return told(true, Reason::Mirrored, format!("{uri} shows {} versions", wanted.versions.len()));
    }
    let Some(failure) = failure else {
        let waits = observed.mirrors.last().and_then(|mirror| mirror.progress.as_ref()?.waits());
        let waits = waits.map(|why| format!("; its pod waits: {why}")).unwrap_or_default();
        return told(false, Reason::Mirroring, format!("Job {job} brings {uri} up to date{waits}"));
    };
    let JobFailure { reason, message, .. } = failure;
    let again = tried_again_at(failure);
    let message = format!("{message}; training and promotion go on; tried again by itself at {again:.0}");
    match reason {
        Some(reason) => Wanted::new(ConditionType::RegistryMirrored, false, reason, message),
        None => told(false, Reason::MirrorFailed, message),
    }
}

/// It begins to lag behind, or has caught up.
fn notice(before: Option<&Mirror>, after: Option<&Mirror>) -> Option<Notice> {
    let failed = |mirror: Option<&Mirror>| mirror.and_then(|mirror| mirror.failure.clone());
    match (failed(before), failed(after)) {
        (None, Some(JobFailure { reason, message, .. })) => {
            let reason = reason.unwrap_or(FailureReason::Internal);
            Some(Notice::warning(Reason::MirrorFailed, format!("{reason:?}: {message}")))
        }
        (Some(_), None) => Some(Notice::normal(Reason::Mirrored, "the registry has caught up")),
        _ => None,
    }
}
