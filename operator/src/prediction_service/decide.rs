//! What to do, and what to say of it: a pure function of what is wanted, what is seen, and the time.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use underwriter_contract::request::ArtifactRef;
use underwriter_crds::{
    conditions::{ConditionType, Wanted},
    prediction_service::{RejectedVersion, RolloutPhase, RolloutStatus},
};

use super::{
    rollout::{self, Cause, Move, Waiting},
    state::{DeploymentState, Observed, TrafficState},
    validate::{Goal, Invalid, Validated},
};
use crate::events::Notice;

/// Until the next look at a service where nothing is under way: a safety net, changes come by themselves.
const CALM: Duration = Duration::from_secs(600);
/// While pods come up.
const STARTING: Duration = Duration::from_secs(10);
/// While a version is loaded or another is to answer.
const LOADING: Duration = Duration::from_secs(2);
/// While a version is tried: a fault is noticed within this.
const TRYING: Duration = Duration::from_secs(1);

/// What to do, and what to say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Traffic to write.
    pub traffic: Option<TrafficState>,
    /// The versions that the Deployment is to load; none leaves it as it is.
    pub versions: Option<Vec<ArtifactRef>>,
    /// Pods to point at the traffic that stands.
    pub tell: Vec<String>,
    /// The generation of the traffic that stands.
    pub told: Option<u64>,
    /// The version that answers.
    pub stable: Option<u32>,
    /// The version on trial.
    pub rollout: Option<RolloutStatus>,
    /// Versions that went back.
    pub rejected: Vec<RejectedVersion>,
    /// How it stands.
    pub conditions: Vec<Wanted>,
    /// What a user would want to know, once it is written.
    pub notices: Vec<Notice>,
    /// Until the next look.
    pub requeue: Duration,
}

/// The reasons of conditions and events that are not told elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Serving,
    ScaledToZero,
    PodsNotReady,
    Starting,
    Deploying,
    Switching,
    Switched,
    Trying,
    Withdrawn,
    Restored,
    Loading,
    Passed,
    RolledBack,
    VersionFailed,
}

/// Decides. `lead` is how far ahead pods are told of new traffic.
#[must_use]
pub fn decide(validated: &Result<Validated, Invalid>, observed: &Observed, lead: Duration, now: Timestamp) -> Decision {
    match validated {
        Ok(validated) => act(validated, observed, lead, now),
        Err(invalid) => keep(invalid, observed),
    }
}

/// Nothing can be wanted: what is served is served on.
fn keep(invalid: &Invalid, observed: &Observed) -> Decision {
    let serving = observed.deployment.as_ref().is_some_and(|deployment| deployment.ready > 0);
    let ready = Wanted::new(ConditionType::Ready, serving, invalid.reason(), invalid.to_string());
    let stalled = Wanted::new(ConditionType::Stalled, true, invalid.reason(), invalid.to_string());
    let conditions = if invalid.stalls() { vec![ready, stalled] } else { vec![ready] };
    Decision { conditions, ..standing(observed) }
}

fn act(validated: &Validated, observed: &Observed, lead: Duration, now: Timestamp) -> Decision {
    let next = rollout::next(validated, observed, lead, now);
    let rollout = rollout::status(validated, observed, next.as_ref(), now);
    let loaded = observed.deployment.as_ref().map(|deployment| deployment.versions.clone());
    let (traffic, versions) = match next.clone() {
        Some(Move::Traffic(state, _)) => (Some(state), loaded),
        Some(Move::Template(versions)) => (None, Some(versions)),
        Some(Move::Wait(_)) | None => (None, loaded),
    };
    let steady = rollout::steady(&rollout::plan(&validated.goal, observed), observed);
    let mut conditions = vec![ready(observed)];
    conditions.extend(reconciling(steady, rollout.as_ref(), next.as_ref()));
    conditions.extend(rolling_out(rollout.as_ref(), next.as_ref()));
    conditions.extend(rolled_back(validated, observed, rollout.as_ref()));
    let (notices, requeue) = (notices(next.as_ref(), observed), pause(steady, rollout.as_ref(), next.as_ref()));
    Decision { traffic, versions, tell: to_tell(observed), rollout, conditions, notices, requeue, ..standing(observed) }
}

/// Nothing to do.
fn standing(observed: &Observed) -> Decision {
    let state = observed.traffic.as_ref();
    let stable = state.filter(|_| observed.deployment.is_some()).map(|state| state.traffic.stable);
    let rejected = state.map_or_else(|| observed.rejected.clone(), |state| state.record.rejected.clone());
    let (conditions, notices) = (Vec::new(), Vec::new());
    let rollout = observed.rollout.clone();
    let told = state.map(|state| state.traffic.generation);
    let (traffic, versions, tell) = (None, None, Vec::new());
    Decision { traffic, versions, tell, told, stable, rollout, rejected, conditions, notices, requeue: CALM }
}

/// Ready pods that neither hold the traffic nor were pointed at it.
fn to_tell(observed: &Observed) -> Vec<String> {
    let generation = observed.traffic.as_ref().map_or(0, |state| state.traffic.generation);
    let unaware = observed.behind().filter(|pod| {
        pod.told < generation && pod.analysis.as_ref().is_none_or(|analysis| analysis.generation < generation)
    });
    unaware.map(|pod| pod.name.clone()).collect()
}

fn ready(observed: &Observed) -> Wanted {
    let wanted = |ready: bool, reason, message: String| Wanted::new(ConditionType::Ready, ready, reason, message);
    let (Some(state), Some(deployment)) = (&observed.traffic, &observed.deployment) else {
        return wanted(false, Reason::Starting, "the pods are being created".into());
    };
    let DeploymentState { ready, wanted: pods, .. } = deployment;
    match (ready, pods) {
        (_, 0) => wanted(true, Reason::ScaledToZero, "spec.replicas is 0: nobody answers".into()),
        (0, _) => {
            wanted(false, Reason::PodsNotReady, unready(observed).unwrap_or_else(|| "no pod is ready yet".into()))
        }
        _ => wanted(true, Reason::Serving, serving(state.traffic.stable, deployment, observed)),
    }
}

fn serving(version: u32, deployment: &DeploymentState, observed: &Observed) -> String {
    let DeploymentState { ready, wanted: pods, .. } = deployment;
    let why = unready(observed).map(|why| format!("; {why}"));
    format!("version {version} answers, {ready} of {pods} pods are ready{}", why.unwrap_or_default())
}

/// Why a pod is not ready, from the first that says so.
fn unready(observed: &Observed) -> Option<String> {
    observed.staying().filter(|pod| !pod.ready).find_map(|pod| {
        let ended = pod.ended.as_ref().map(|ended| format!("ended with code {}: {}", ended.code, ended.message));
        pod.waits_for.clone().or(ended).map(|why| format!("pod {} {why}", pod.name))
    })
}

fn reconciling(steady: bool, rollout: Option<&RolloutStatus>, next: Option<&Move>) -> Option<Wanted> {
    if steady || rollout.is_some() {
        return None;
    }
    let (reason, message) = match next {
        Some(Move::Wait(Waiting::Pods(version))) => {
            (Reason::Switching, format!("version {version} is being loaded to answer"))
        }
        _ => (Reason::Deploying, "the pods are being brought to what is wanted".into()),
    };
    Some(Wanted::new(ConditionType::Reconciling, true, reason, message))
}

fn rolling_out(rollout: Option<&RolloutStatus>, next: Option<&Move>) -> Option<Wanted> {
    let RolloutStatus { version, phase, weight, step, predictions, errors, .. } = rollout?;
    if *phase == RolloutPhase::Failed {
        return None;
    }
    let so_far = format!(
        "version {version} answers {weight} % of the applicants in step {}: {predictions} so far, {errors} errors",
        step + 1
    );
    let message = match (phase, next) {
        (RolloutPhase::Loading, Some(Move::Wait(waiting))) => format!("version {version} is being loaded; {waiting}"),
        (RolloutPhase::Loading, _) => format!("version {version} is being loaded"),
        (_, Some(Move::Wait(waiting))) => format!("{so_far}; {waiting}"),
        _ => so_far,
    };
    Some(Wanted::new(ConditionType::RollingOut, true, phase, message))
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods(version) => write!(f, "waits for pods with version {version}"),
            Self::Traffic(pods) => write!(f, "waits for {} to take up the traffic", pods.join(", ")),
            Self::Predictions(lacking) => write!(f, "waits for {lacking} more"),
            Self::Hold(until) => write!(f, "waits until {until:.0}"),
            Self::Champion => f.write_str("has passed, and waits to become champion"),
        }
    }
}

/// Stands until a newer version is tried or answers.
fn rolled_back(validated: &Validated, observed: &Observed, rollout: Option<&RolloutStatus>) -> Option<Wanted> {
    let state = observed.traffic.as_ref()?;
    let last = state.record.rejected.last()?;
    let pinned = matches!(&validated.goal, Goal::Pinned(pinned) if pinned.run == last.run);
    let trying = rollout.is_some_and(|rollout| rollout.phase != RolloutPhase::Failed);
    let stands = !trying && (pinned || last.version > state.traffic.stable);
    let message = || format!("version {} went back to version {}: {}", last.version, state.traffic.stable, last.reason);
    stands.then(|| Wanted::new(ConditionType::RolledBack, true, Reason::VersionFailed, message()))
}

fn notices(next: Option<&Move>, observed: &Observed) -> Vec<Notice> {
    let passed = observed.rollout.as_ref().is_some_and(|rollout| rollout.phase == RolloutPhase::Passed);
    let notice = match next {
        Some(Move::Traffic(state, cause)) => Some(told(cause, state)),
        Some(Move::Template(versions)) => {
            Some(Notice::normal(Reason::Loading, format!("pods load {}", listed(versions))))
        }
        Some(Move::Wait(Waiting::Champion)) if !passed => {
            Some(Notice::normal(Reason::Passed, "the version on trial has passed every step"))
        }
        Some(Move::Wait(_)) | None => None,
    };
    notice.into_iter().collect()
}

fn told(cause: &Cause, state: &TrafficState) -> Notice {
    match cause {
        Cause::Restore => Notice::normal(Reason::Restored, format!("version {} answers", state.traffic.stable)),
        Cause::Withdraw(version) => {
            Notice::normal(Reason::Withdrawn, format!("version {version} is not tried any more"))
        }
        Cause::Begin(version) => Notice::normal(Reason::Starting, format!("version {version} is the first to answer")),
        Cause::Switch(version) => Notice::normal(Reason::Switched, format!("version {version} answers")),
        Cause::Try(canary) => Notice::normal(
            Reason::Trying,
            format!("version {} answers {} % of the applicants", canary.version, canary.weight),
        ),
        Cause::Reject(version, fault) => {
            let note = format!("version {version} went back to version {}: {fault}", state.traffic.stable);
            Notice::warning(Reason::RolledBack, note)
        }
    }
}

fn listed(versions: &[ArtifactRef]) -> String {
    let names: Vec<_> =
        versions.iter().map(|version| format!("version {} ({})", version.version, version.run)).collect();
    names.join(" and ")
}

fn pause(steady: bool, rollout: Option<&RolloutStatus>, next: Option<&Move>) -> Duration {
    match (rollout, next) {
        _ if steady => CALM,
        (Some(rollout), _) if rollout.phase != RolloutPhase::Loading => TRYING,
        (Some(_), _) | (None, Some(_)) => LOADING,
        (None, None) => STARTING,
    }
}
