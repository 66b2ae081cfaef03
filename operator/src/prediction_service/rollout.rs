//! The next step from what is served to what is wanted.
//!
//! An ordered chain of moves; the first that has something to say wins, so that there is never more than one write. Each
//! keeps that every serving pod holds each version that its traffic names: a version is loaded everywhere before traffic
//! names it, and traffic has left it everywhere before it is unloaded.

use std::time::Duration;

use jiff::Timestamp;
use underwriter_contract::{
    FORMAT,
    request::ArtifactRef,
    serving::{Canary, Traffic},
};
use underwriter_crds::prediction_service::{AnalysisBounds, RolloutPhase, RolloutStatus, Step};

use super::{
    analysis::{self, Fault, Figures},
    state::{DeploymentState, Observed, Record, TrafficState},
    validate::{Goal, Validated},
};

/// What happens next.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Other traffic, and why.
    Traffic(TrafficState, Cause),
    /// Other versions in the pods, the stable one first.
    Template(Vec<ArtifactRef>),
    /// Nothing, until this has come.
    Wait(Waiting),
}

/// Why the traffic changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The service is new.
    Begin(u32),
    /// It was lost or damaged.
    Restore,
    /// A version is tried no longer, through no fault of its own.
    Withdraw(u32),
    /// Another version answers.
    Switch(u32),
    /// A version is tried on a share of the applicants.
    Try(Canary),
    /// A version goes back.
    Reject(u32, Fault),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Pods with this version to be ready.
    Pods(u32),
    /// These pods to take up the traffic, or to say that they did.
    Traffic(Vec<String>),
    /// Answers of the version on trial.
    Predictions(u64),
    /// The step's shortest time.
    Hold(Timestamp),
    /// A version that has passed to become champion.
    Champion,
}

/// Who is to answer, and who is to be tried beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Who is to answer.
    pub stable: ArtifactRef,
    /// Who is to be tried.
    pub trial: Option<ArtifactRef>,
}

/// Reads the goal against what is served and what was rejected.
#[must_use]
pub fn plan(goal: &Goal, observed: &Observed) -> Plan {
    let record = observed.traffic.as_ref().map(|state| &state.record);
    let rejected = |version: &ArtifactRef| record.is_some_and(|record| record.rejects(&version.run));
    match goal {
        Goal::Follow { champion, challenger } => {
            let trial = challenger.clone().filter(|trial| !rejected(trial) && trial.version != champion.version);
            Plan { stable: champion.clone(), trial }
        }
        Goal::Pinned(pinned) => match served(observed).filter(|served| served.version != pinned.version) {
            None => Plan { stable: pinned.clone(), trial: None },
            Some(_) if has_passed(pinned, observed) => Plan { stable: pinned.clone(), trial: None },
            Some(served) => {
                Plan { stable: served.clone(), trial: Some(pinned.clone()).filter(|trial| !rejected(trial)) }
            }
        },
    }
}

fn served(observed: &Observed) -> Option<&ArtifactRef> {
    observed.deployment.as_ref()?.artifact(observed.traffic.as_ref()?.traffic.stable)
}

/// Whether the trial was written down as passed under the traffic in force.
fn has_passed(version: &ArtifactRef, observed: &Observed) -> bool {
    let (Some(rollout), Some(state)) = (&observed.rollout, &observed.traffic) else { return false };
    let same = (rollout.version, rollout.generation) == (version.version, state.traffic.generation);
    same && rollout.phase == RolloutPhase::Passed
}

/// Whether what is wanted is served and nothing is under way: then pods need not be looked at.
#[must_use]
pub fn steady(plan: &Plan, observed: &Observed) -> bool {
    let (Some(state), Some(deployment)) = (&observed.traffic, &observed.deployment) else { return false };
    let traffic = (state.traffic.stable, state.traffic.canary) == (plan.stable.version, None);
    traffic && plan.trial.is_none() && deployment.versions == [plan.stable.clone()] && deployment.complete()
}

/// The next move; none when what is wanted is served.
#[must_use]
pub fn next(validated: &Validated, observed: &Observed, lead: Duration, now: Timestamp) -> Option<Move> {
    let plan = plan(&validated.goal, observed);
    match (&observed.traffic, &observed.deployment) {
        (Some(state), Some(deployment)) => {
            let Validated { steps, bounds, .. } = validated;
            let at = Situation { plan: &plan, steps, bounds, state, deployment, observed, lead, now };
            MOVES.iter().find_map(|next| next(&at))
        }
        (None, deployment) => Some(restore(&plan, deployment.as_ref(), observed, now)),
        (Some(state), None) => Some(begin(&plan, state, now)),
    }
}

/// How far the version on trial is, as it is written down; none where nothing is tried or taken back.
#[must_use]
pub fn status(
    validated: &Validated,
    observed: &Observed,
    next: Option<&Move>,
    now: Timestamp,
) -> Option<RolloutStatus> {
    let (state, deployment) = (observed.traffic.as_ref()?, observed.deployment.as_ref()?);
    let trial = plan(&validated.goal, observed).trial;
    let rejected = || deployment.versions.iter().find(|version| state.record.rejects(&version.run)).cloned();
    let failed = trial.is_none();
    let version = trial.or_else(rejected)?.version;
    let canary = state.traffic.canary.filter(|canary| canary.version == version);
    let phase = match (canary, next) {
        _ if failed => RolloutPhase::Failed,
        (None, _) => RolloutPhase::Loading,
        (Some(_), Some(Move::Wait(Waiting::Champion))) => RolloutPhase::Passed,
        (Some(_), _) => RolloutPhase::Stepping,
    };
    let Figures { readings, predictions, errors, latency_ratio: _ } = analysis::figures(version, state, observed);
    let before = observed.rollout.as_ref().filter(|before| (before.version, before.phase) == (version, phase));
    let since = if canary.is_some() { state.traffic.active_from } else { before.map_or(now, |before| before.since) };
    let (step, weight) = (state.record.step, canary.map_or(0, |canary| canary.weight));
    let generation = state.traffic.generation;
    Some(RolloutStatus { version, phase, step, weight, generation, since, predictions, errors, readings })
}

type Rule = fn(&Situation<'_>) -> Option<Move>;

const MOVES: [Rule; 9] = [overtake, mend, withdraw, switch, reject, load, attempt, advance, unload];

struct Situation<'a> {
    plan: &'a Plan,
    steps: &'a [Step],
    bounds: &'a AnalysisBounds,
    state: &'a TrafficState,
    deployment: &'a DeploymentState,
    observed: &'a Observed,
    lead: Duration,
    now: Timestamp,
}

/// Without traffic, whoever is loaded everywhere answers, the wanted one before others. A pod that does not report may
/// hold any generation so far: where there are pods, the clock's seconds are ahead of every count.
fn restore(plan: &Plan, deployment: Option<&DeploymentState>, observed: &Observed, now: Timestamp) -> Move {
    let loaded = deployment.map_or(&[][..], |deployment| &deployment.versions);
    let wanted = loaded.iter().filter(|version| **version == plan.stable);
    let everywhere = |version: &&ArtifactRef| observed.ready().all(|pod| pod.versions.contains(&version.version));
    let stable = wanted.chain(loaded).find(everywhere).or(loaded.first()).unwrap_or(&plan.stable).version;
    let seconds = deployment.and_then(|_| u64::try_from(now.as_second()).ok()).unwrap_or_default();
    let generation = (observed.generation() + 1).max(seconds);
    let traffic = Traffic { format: FORMAT, generation, active_from: now, stable, canary: None };
    let record = Record { step: 0, rejected: observed.rejected.clone() };
    let cause = if deployment.is_some() { Cause::Restore } else { Cause::Begin(stable) };
    Move::Traffic(TrafficState { traffic, record }, cause)
}

/// Without pods nobody has to be waited for.
fn begin(plan: &Plan, state: &TrafficState, now: Timestamp) -> Move {
    let ready = (state.traffic.stable, state.traffic.canary) == (plan.stable.version, None);
    if ready {
        Move::Template(vec![plan.stable.clone()])
    } else {
        Move::Traffic(changed(state, plan.stable.version, None, now), Cause::Switch(plan.stable.version))
    }
}

/// Pods never go back to a lesser generation: one that was restored from a backup must overtake them.
fn overtake(at: &Situation<'_>) -> Option<Move> {
    let greatest = at.observed.generation();
    (greatest > at.state.traffic.generation).then(|| {
        let mut state = at.state.clone();
        state.traffic.generation = greatest + 1;
        Move::Traffic(state, Cause::Restore)
    })
}

/// The version that answers must be loaded, from just this artifact; a backup may have brought back one without the other.
fn mend(at: &Situation<'_>) -> Option<Move> {
    let Situation { plan, deployment, .. } = at;
    let stable = at.state.traffic.stable;
    if stable == plan.stable.version {
        return (!deployment.loads(&plan.stable)).then(|| {
            let others = deployment.versions.iter().filter(|version| version.version != stable).cloned();
            Move::Template(std::iter::once(plan.stable.clone()).chain(others).collect())
        });
    }
    let lost = deployment.artifact(stable).is_none();
    let other = deployment.versions.first().filter(|_| lost)?;
    Some(Move::Traffic(changed(at.state, other.version, None, at.now), Cause::Restore))
}

/// A version that is not to be tried any more answers nobody: the model has another challenger, or another champion.
fn withdraw(at: &Situation<'_>) -> Option<Move> {
    let canary = at.state.traffic.canary?;
    let settled = at.plan.stable.version == at.state.traffic.stable;
    let tried = at.plan.trial.as_ref().is_some_and(|trial| at.trying(trial) && at.deployment.loads(trial));
    let keep = (settled && tried) || (canary.version == at.plan.stable.version && at.deployment.loads(&at.plan.stable));
    (!keep).then(|| Move::Traffic(at.back(), Cause::Withdraw(canary.version)))
}

/// The champion is another: it is loaded beside the one that answers, then answers.
fn switch(at: &Situation<'_>) -> Option<Move> {
    let wanted = &at.plan.stable;
    if wanted.version == at.state.traffic.stable {
        return None;
    }
    if !at.deployment.loads(wanted) {
        return Some(at.unless_behind(|| Move::Template(at.beside_stable(wanted))));
    }
    let everywhere = at.observed.ready().all(|pod| pod.versions.contains(&wanted.version));
    let there = at.deployment.rolled_out() && everywhere;
    let waiting = Move::Wait(Waiting::Pods(wanted.version));
    Some(if there { Move::Traffic(at.ahead(wanted.version, None), Cause::Switch(wanted.version)) } else { waiting })
}

/// A version at fault answers nobody from this moment on; that it was rejected is written with the same stroke.
fn reject(at: &Situation<'_>) -> Option<Move> {
    let trial = at.plan.trial.as_ref().filter(|trial| at.deployment.loads(trial))?;
    let fault = at.fault(trial)?;
    let state = if at.trying(trial) { at.back() } else { at.state.clone() };
    let record = state.record.rejecting(trial, &fault.to_string());
    Some(Move::Traffic(TrafficState { record, ..state }, Cause::Reject(trial.version, fault)))
}

/// The challenger is loaded beside the stable version, which must be well so that faults can be told apart.
fn load(at: &Situation<'_>) -> Option<Move> {
    let trial = at.plan.trial.as_ref().filter(|trial| !at.deployment.loads(trial))?;
    let alone = at.deployment.versions.len() == 1;
    if alone && !at.deployment.complete() {
        return Some(Move::Wait(Waiting::Pods(at.state.traffic.stable)));
    }
    Some(at.unless_behind(|| Move::Template(at.beside_stable(trial))))
}

/// All pods hold the challenger: the first step.
fn attempt(at: &Situation<'_>) -> Option<Move> {
    let trial = at.plan.trial.as_ref().filter(|trial| !at.trying(trial))?;
    let holds = at.observed.ready().all(|pod| pod.versions.contains(&trial.version));
    if !(at.deployment.complete() && holds) {
        return Some(Move::Wait(Waiting::Pods(trial.version)));
    }
    Some(at.unless_behind(|| at.step(trial, 0)))
}

/// A step that is done is followed by the next; after the last the version has passed, and keeps its weight.
fn advance(at: &Situation<'_>) -> Option<Move> {
    let trial = at.plan.trial.as_ref()?;
    let (index, step) = at.current_step()?;
    if at.state.traffic.canary.is_some_and(|canary| canary.weight != step.weight) {
        return Some(at.unless_behind(|| at.step(trial, index))); // the spec was edited
    }
    let last = index + 1 >= at.steps.len();
    let lacks = at.lacks(trial, step).filter(|_| !(last && has_passed(trial, at.observed)));
    Some(match lacks {
        Some(waiting) => Move::Wait(waiting),
        None if last => Move::Wait(Waiting::Champion),
        None => at.step(trial, index + 1),
    })
}

/// Only the version that answers stays loaded.
fn unload(at: &Situation<'_>) -> Option<Move> {
    let alone = at.deployment.versions.len() == 1;
    (!alone && at.plan.trial.is_none()).then(|| at.unless_behind(|| Move::Template(vec![at.plan.stable.clone()])))
}

impl Situation<'_> {
    fn trying(&self, trial: &ArtifactRef) -> bool {
        self.state.traffic.canary.is_some_and(|canary| canary.version == trial.version)
    }

    /// The move, or to wait until every ready pod holds the traffic that stands.
    fn unless_behind(&self, then: impl FnOnce() -> Move) -> Move {
        let behind: Vec<_> = self.observed.behind().map(|pod| pod.name.clone()).collect();
        if behind.is_empty() { then() } else { Move::Wait(Waiting::Traffic(behind)) }
    }

    fn beside_stable(&self, other: &ArtifactRef) -> Vec<ArtifactRef> {
        let stable = self.deployment.artifact(self.state.traffic.stable);
        stable.into_iter().chain([other]).cloned().collect()
    }

    fn current_step(&self) -> Option<(usize, &Step)> {
        let index = (self.state.record.step as usize).min(self.steps.len().saturating_sub(1));
        self.steps.get(index).map(|step| (index, step))
    }

    fn figures(&self, trial: &ArtifactRef) -> Figures {
        analysis::figures(trial.version, self.state, self.observed)
    }

    fn fault(&self, trial: &ArtifactRef) -> Option<Fault> {
        let (step, seen) = (self.current_step().filter(|_| self.trying(trial)), (self.state, self.observed));
        let stepping =
            step.and_then(|(_, step)| analysis::fault_in_step(&self.figures(trial), step, self.bounds, seen));
        stepping.or_else(|| analysis::fault_in_loading(trial, self.deployment, self.observed))
    }

    /// What a step still lacks.
    fn lacks(&self, trial: &ArtifactRef, step: &Step) -> Option<Waiting> {
        let behind: Vec<_> = self.observed.behind().map(|pod| pod.name.clone()).collect();
        let seen = self.figures(trial).predictions;
        let until = later(self.state.traffic.active_from, Duration::from_secs(step.hold.as_secs()));
        let predictions = (seen < step.predictions).then(|| Waiting::Predictions(step.predictions - seen));
        let hold = || (self.now < until).then_some(Waiting::Hold(until));
        (!behind.is_empty()).then_some(Waiting::Traffic(behind)).or(predictions).or_else(hold)
    }

    fn step(&self, trial: &ArtifactRef, index: usize) -> Move {
        let weight = self.steps.get(index).map_or(0, |step| step.weight);
        let canary = Canary { version: trial.version, weight };
        let mut state = self.ahead(self.state.traffic.stable, Some(canary));
        state.record.step = index as u32;
        Move::Traffic(state, Cause::Try(canary))
    }

    /// Traffic that all pods take up at the same moment.
    fn ahead(&self, stable: u32, canary: Option<Canary>) -> TrafficState {
        changed(self.state, stable, canary, whole_second(later(self.now, self.lead)))
    }

    /// Traffic without the canary, at once.
    fn back(&self) -> TrafficState {
        changed(self.state, self.state.traffic.stable, None, self.now)
    }
}

fn changed(state: &TrafficState, stable: u32, canary: Option<Canary>, active_from: Timestamp) -> TrafficState {
    let generation = state.traffic.generation + 1;
    let traffic = Traffic { format: FORMAT, generation, active_from, stable, canary };
    TrafficState { traffic, record: Record { step: 0, ..state.record.clone() } }
}

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The next whole second: Kubernetes tells what befell a pod in whole seconds, and an event must not seem older than
/// the change that caused it.
fn whole_second(moment: Timestamp) -> Timestamp {
    let up = jiff::TimestampRound::new().smallest(jiff::Unit::Second).mode(jiff::RoundMode::Ceil);
    moment.round(up).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use underwriter_contract::{Digest, learning::SecretRef, serving::Analysis};
    use underwriter_crds::loan_model::{Artifacts, Resolved};

    use super::{super::state::PodState, *};

    fn artifact(version: u32, run: &str) -> ArtifactRef {
        ArtifactRef { version, run: run.into(), uri: "s3://a/".into(), digest: Digest::of(run.as_bytes()) }
    }

    fn validated(goal: Goal) -> Validated {
        let artifacts = Artifacts { uri: "s3://a/".into(), secret_ref: Some(SecretRef { name: "s3".into() }) };
        let resolved = Resolved { artifacts, prediction_log: None, config_digest: Digest::of(b"") };
        let step = Step { weight: 20, predictions: 10, hold: underwriter_crds::Duration::seconds(0) };
        Validated { goal, steps: vec![step], bounds: AnalysisBounds::default(), resolved }
    }

    fn follow(champion: ArtifactRef) -> Validated {
        validated(Goal::Follow { champion, challenger: None })
    }

    /// A service that answers with the first of these, in generation 5.
    fn serving(versions: &[ArtifactRef]) -> Observed {
        let (generation, stable) = (5, versions[0].version);
        let traffic = Traffic { format: FORMAT, generation, active_from: Timestamp::UNIX_EPOCH, stable, canary: None };
        let deployment = DeploymentState {
            versions: versions.to_vec(),
            wanted: 1,
            replicas: 1,
            updated: 1,
            ready: 1,
            current: true,
            late: false,
        };
        let numbers: Vec<_> = versions.iter().map(|version| version.version).collect();
        let (pod, started) = ("pod".to_owned(), Timestamp::UNIX_EPOCH);
        let analysis = Analysis { pod: pod.clone(), started, generation, active: true, versions: vec![] };
        let pod =
            PodState { name: pod, versions: numbers, ready: true, analysis: Some(analysis), ..PodState::default() };
        let state = TrafficState { traffic, record: Record::default() };
        Observed { traffic: Some(state), deployment: Some(deployment), pods: vec![pod], ..Observed::default() }
    }

    fn moves(validated: &Validated, observed: &Observed) -> Option<Move> {
        next(validated, observed, Duration::from_secs(3), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_lost_traffic_comes_back_with_a_greater_generation_and_what_was_rejected() {
        let rejected = Record::default().rejecting(&artifact(2, "b"), "ErrorRate").rejected;
        let observed = Observed { traffic: None, rejected: rejected.clone(), ..serving(&[artifact(1, "a")]) };
        let Some(Move::Traffic(state, Cause::Restore)) = moves(&follow(artifact(1, "a")), &observed) else { panic!() };
        assert_eq!((state.traffic.generation, state.traffic.stable, state.record.rejected), (6, 1, rejected));
    }

    #[test]
    fn a_traffic_from_a_backup_overtakes_what_the_pods_hold() {
        let mut observed = serving(&[artifact(1, "a"), artifact(2, "b")]);
        observed.traffic.as_mut().unwrap().traffic.generation = 2;
        let Some(Move::Traffic(state, Cause::Restore)) = moves(&follow(artifact(1, "a")), &observed) else { panic!() };
        assert_eq!((state.traffic.generation, state.traffic.stable), (6, 1));
    }

    #[test]
    fn a_traffic_that_names_what_is_not_loaded_is_mended() {
        let mut observed = serving(&[artifact(1, "a"), artifact(2, "b")]);
        observed.traffic.as_mut().unwrap().traffic.stable = 7;
        let Some(Move::Traffic(state, Cause::Restore)) = moves(&follow(artifact(2, "b")), &observed) else { panic!() };
        assert_eq!((state.traffic.generation, state.traffic.stable), (6, 1));
    }

    #[test]
    fn a_number_that_came_again_with_another_run_is_loaded_anew() {
        let observed = serving(&[artifact(1, "a")]);
        assert_eq!(moves(&follow(artifact(1, "z")), &observed), Some(Move::Template(vec![artifact(1, "z")])));
    }

    #[test]
    fn a_challenger_waits_until_the_stable_version_is_well() {
        let (champion, challenger) = (artifact(1, "a"), Some(artifact(2, "b")));
        let wanted = validated(Goal::Follow { champion: champion.clone(), challenger });
        let mut observed = serving(&[champion]);
        observed.deployment.as_mut().unwrap().wanted = 2;
        assert_eq!(moves(&wanted, &observed), Some(Move::Wait(Waiting::Pods(1))));
    }

    /// A service that tries the second version in its only step, with as many answers as that waits for.
    fn trying() -> (Validated, Observed) {
        let (champion, challenger) = (artifact(1, "a"), artifact(2, "b"));
        let wanted = validated(Goal::Follow { champion: champion.clone(), challenger: Some(challenger.clone()) });
        let mut observed = serving(&[champion, challenger]);
        observed.traffic.as_mut().unwrap().traffic.canary = Some(Canary { version: 2, weight: 20 });
        let (latency_p50, latency_p99) = (1.0, 2.0);
        let figures = underwriter_contract::serving::VersionFigures {
            version: 2,
            predictions: 10,
            errors: 0,
            latency_p50,
            latency_p99,
        };
        observed.pods[0].analysis.as_mut().unwrap().versions.push(figures);
        (wanted, observed)
    }

    #[test]
    fn what_has_passed_stays_passed_while_a_pod_is_silent() {
        let (wanted, mut observed) = trying();
        let next = moves(&wanted, &observed);
        assert_eq!(next, Some(Move::Wait(Waiting::Champion)));
        observed.rollout = status(&wanted, &observed, next.as_ref(), Timestamp::UNIX_EPOCH);
        observed.pods[0].analysis = None;
        assert_eq!(moves(&wanted, &observed), Some(Move::Wait(Waiting::Champion)));
        observed.rollout = None;
        assert_eq!(moves(&wanted, &observed), Some(Move::Wait(Waiting::Traffic(vec!["pod".into()]))));
    }

    #[test]
    fn a_trial_ends_before_another_champion_is_loaded() {
        let (mut wanted, observed) = trying();
        wanted.goal = Goal::Follow { champion: artifact(3, "c"), challenger: Some(artifact(2, "b")) };
        assert!(matches!(moves(&wanted, &observed), Some(Move::Traffic(_, Cause::Withdraw(2)))));
    }

    #[test]
    fn no_trial_begins_while_a_pod_that_answers_lacks_the_version() {
        let (wanted, mut observed) = trying();
        observed.traffic.as_mut().unwrap().traffic.canary = None;
        assert!(matches!(moves(&wanted, &observed), Some(Move::Traffic(_, Cause::Try(_)))));
        observed.pods[0].versions = vec![1];
        assert_eq!(moves(&wanted, &observed), Some(Move::Wait(Waiting::Pods(2))));
    }

    #[test]
    fn nobody_answers_with_a_version_that_is_still_being_loaded() {
        let wanted = follow(artifact(2, "b"));
        let observed = serving(&[artifact(1, "a"), artifact(2, "b")]);
        assert!(matches!(moves(&wanted, &observed), Some(Move::Traffic(_, Cause::Switch(2)))));
        let mut rolling = observed.clone();
        rolling.deployment.as_mut().unwrap().replicas = 2; // one of them of the revision before, not ready now
        assert_eq!(moves(&wanted, &rolling), Some(Move::Wait(Waiting::Pods(2))));
        let mut listed_later = observed;
        listed_later.pods[0].versions = vec![1];
        assert_eq!(moves(&wanted, &listed_later), Some(Move::Wait(Waiting::Pods(2))));
    }

    #[test]
    fn a_change_of_pin_is_tried_and_then_switches_by_itself() {
        let pinned = validated(Goal::Pinned(artifact(2, "b")));
        let both = [artifact(1, "a"), artifact(2, "b")];
        assert_eq!(moves(&pinned, &serving(&both[..1])), Some(Move::Template(both.to_vec())));
        let mut observed = serving(&both);
        let Some(Move::Traffic(state, Cause::Try(canary))) = moves(&pinned, &observed) else { panic!() };
        assert_eq!((canary.version, canary.weight, state.traffic.active_from.as_second()), (2, 20, 3));
        let (predictions, generation, versions) = (10, state.traffic.generation, vec![]);
        let analysis =
            Analysis { pod: "pod".into(), started: Timestamp::UNIX_EPOCH, generation, active: true, versions };
        (observed.traffic, observed.pods[0].analysis) = (Some(state), Some(analysis));
        assert_eq!(moves(&pinned, &observed), Some(Move::Wait(Waiting::Predictions(10))));
        let reading = underwriter_crds::prediction_service::Reading {
            pod: "gone".into(),
            started: Timestamp::UNIX_EPOCH,
            predictions,
            errors: 0,
        };
        let mut status = status(&pinned, &observed, None, Timestamp::UNIX_EPOCH).unwrap();
        status.readings = vec![reading];
        observed.rollout = Some(status);
        let next = moves(&pinned, &Observed { ..observed.clone() });
        let later =
            super::next(&pinned, &observed, Duration::ZERO, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(9));
        assert_eq!(
            (next, &later),
            (
                Some(Move::Wait(Waiting::Hold(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(3)))),
                &Some(Move::Wait(Waiting::Champion))
            )
        );
        observed.rollout = super::status(&pinned, &observed, later.as_ref(), Timestamp::UNIX_EPOCH);
        assert!(matches!(moves(&pinned, &observed), Some(Move::Traffic(_, Cause::Switch(2)))));
    }
}
