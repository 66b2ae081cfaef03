//! What the pods' figures say about a version on trial: whether it is at fault, has shown enough, or nobody can tell.
//!
//! Figures are counted by generation, so they cover the current step only. A vanished pod's last reading is kept, once:
//! readings are keyed by pod and process start. Fetching the figures is [`super::observe`].

use std::fmt;

use underwriter_contract::{request::ArtifactRef, serving::VersionFigures};
use underwriter_crds::prediction_service::{AnalysisBounds, Reading, RolloutStatus, Step};

use super::state::{DeploymentState, Observed, PodState, TrafficState};

/// The most readings kept in a status.
const MAX_READINGS: usize = 1000;
/// The exit code of a predictor whose input is at fault, such as an artifact whose bytes are not those of its digest.
const INPUT_AT_FAULT: i32 = 2;
/// Starts in vain after which a pod counts as crashing.
const CRASHING: u32 = 2;

/// The figures of a step, all pods together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The last reading of each process.
    pub readings: Vec<Reading>,
    /// Applications the version on trial was asked to answer.
    pub predictions: u64,
    /// Those it could not.
    pub errors: u64,
    /// Its 99th percentile of latency over that of the stable version, mean over the pods that have both.
    pub latency_ratio: Option<f64>,
}

/// Why a version goes back; the reason of a condition and an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultReason {
    /// It could not answer too many applications.
    ErrorRate,
    /// It is too slow.
    LatencyP99,
    /// A pod's process ended while it was tried.
    PodRestarted,
    /// A pod became unready while it was tried.
    PodNotReady,
    /// Pods with it cannot start.
    PodsCrashing,
    /// Pods with it did not become ready in time.
    ProgressDeadlineExceeded,
}

/// Why a version goes back, with what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In one word.
    pub reason: FaultReason,
    /// For a person.
    pub message: String,
}

impl Fault {
    fn new(reason: FaultReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.reason, self.message)
    }
}

/// The figures of a version under the traffic in force, joined with those read before from pods that are gone.
#[must_use]
pub fn figures(version: u32, state: &TrafficState, observed: &Observed) -> Figures {
    let generation = state.traffic.generation;
    let mut readings = kept(version, generation, observed.rollout.as_ref());
    for reading in observed.pods.iter().filter_map(|pod| reading(pod, version, generation)) {
        readings.retain(|old| (&old.pod, old.started) != (&reading.pod, reading.started));
        readings.push(reading);
    }
    readings.sort_by(|a, b| (&a.pod, a.started).cmp(&(&b.pod, b.started)));
    readings.truncate(MAX_READINGS);
    let sum = |count: fn(&Reading) -> u64| readings.iter().map(count).sum();
    let latency_ratio = latency_ratio(version, state, &observed.pods);
    Figures {
        predictions: sum(|reading| reading.predictions),
        errors: sum(|reading| reading.errors),
        readings,
        latency_ratio,
    }
}

fn kept(version: u32, generation: u64, rollout: Option<&RolloutStatus>) -> Vec<Reading> {
    let same = rollout.filter(|rollout| (rollout.version, rollout.generation) == (version, generation));
    same.map(|rollout| rollout.readings.clone()).unwrap_or_default()
}

fn reading(pod: &PodState, version: u32, generation: u64) -> Option<Reading> {
    let analysis = pod.analysis.as_ref().filter(|analysis| analysis.generation == generation)?;
    let VersionFigures { predictions, errors, .. } = of(&analysis.versions, version)?;
    Some(Reading { pod: pod.name.clone(), started: analysis.started, predictions: *predictions, errors: *errors })
}

fn of(figures: &[VersionFigures], version: u32) -> Option<&VersionFigures> {
    figures.iter().find(|figures| figures.version == version)
}

fn latency_ratio(version: u32, state: &TrafficState, pods: &[PodState]) -> Option<f64> {
    let held = pods.iter().filter(|pod| pod.holds(state.traffic.generation)).filter_map(|pod| pod.analysis.as_ref());
    let pairs = held.filter_map(|analysis| {
        let (trial, stable) = (of(&analysis.versions, version)?, of(&analysis.versions, state.traffic.stable)?);
        let comparable = trial.predictions > 0 && stable.predictions > 0 && stable.latency_p99 > 0.0;
        comparable.then(|| (trial.latency_p99 / stable.latency_p99, trial.predictions as f64))
    });
    let (sum, weight) = pairs.fold((0.0, 0.0), |(sum, weight), (ratio, n)| (sum + ratio * n, weight + n));
    (weight > 0.0).then(|| sum / weight)
}

/// What is wrong with a version while pods that hold it come up.
#[must_use]
pub fn fault_in_loading(version: &ArtifactRef, deployment: &DeploymentState, observed: &Observed) -> Option<Fault> {
    let holding = || observed.staying().filter(|pod| !pod.ready && pod.versions.contains(&version.version));
    let started = holding().any(|pod| pod.waits_for.is_none());
    let late = || (deployment.late && started).then(|| late(version));
    holding().find_map(crashing).or_else(late)
}

fn late(version: &ArtifactRef) -> Fault {
    let message =
        format!("pods with version {} did not become ready within the Deployment's deadline", version.version);
    Fault::new(FaultReason::ProgressDeadlineExceeded, message)
}

fn crashing(pod: &PodState) -> Option<Fault> {
    let ended = pod.ended.as_ref()?;
    let hopeless = ended.code == INPUT_AT_FAULT || pod.restarts >= CRASHING;
    let message = || format!("pod {} ended with code {}: {}", pod.name, ended.code, ended.message);
    hopeless.then(|| Fault::new(FaultReason::PodsCrashing, message()))
}

/// What is wrong with a version while it answers some applicants: its figures, and what befell the pods since.
#[must_use]
pub fn fault_in_step(
    figures: &Figures,
    step: &Step,
    bounds: &AnalysisBounds,
    seen: (&TrafficState, &Observed),
) -> Option<Fault> {
    let (state, observed) = seen;
    errs(figures, step, bounds).or_else(|| lags(figures, step, bounds)).or_else(|| {
        let since = state.traffic.active_from;
        observed.staying().find_map(|pod| {
            let restarted = pod.restarted_since(since).then(|| restarted(pod));
            restarted.or_else(|| pod.unready_since(since).then(|| unready(pod)))
        })
    })
}

/// Errors count against at least as many applications as the step waits for: an early error alone proves nothing, and
/// as many as would break the bound at the end prove it at once.
fn errs(figures: &Figures, step: &Step, bounds: &AnalysisBounds) -> Option<Fault> {
    let Figures { predictions, errors, .. } = *figures;
    let (at_most, out_of) = (bounds.error_rate.at_most, predictions.max(step.predictions));
    let message =
        || format!("{errors} errors in {predictions} applications, where at most {at_most} of {out_of} are allowed");
    (errors as f64 > at_most * out_of as f64).then(|| Fault::new(FaultReason::ErrorRate, message()))
}

fn lags(figures: &Figures, step: &Step, bounds: &AnalysisBounds) -> Option<Fault> {
    let (ratio, bound) = (figures.latency_ratio?, bounds.latency_p99.as_ref()?.max_ratio);
    let message =
        || format!("the 99th percentile of latency is {ratio:.2} times the stable version's, {bound} are allowed");
    (figures.predictions >= step.predictions && ratio > bound).then(|| Fault::new(FaultReason::LatencyP99, message()))
}

fn restarted(pod: &PodState) -> Fault {
    let how = pod.ended.as_ref().map(|ended| format!(" with code {}: {}", ended.code, ended.message));
    Fault::new(FaultReason::PodRestarted, format!("the process of pod {} ended{}", pod.name, how.unwrap_or_default()))
}

fn unready(pod: &PodState) -> Fault {
    Fault::new(FaultReason::PodNotReady, format!("pod {} became unready", pod.name))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use underwriter_contract::{
        Digest, FORMAT,
        serving::{Analysis, Canary, Traffic},
    };
    use underwriter_crds::prediction_service::{ErrorRate, LatencyBound};

    use super::*;
    use crate::prediction_service::state::{Ended, Record};

    const STEP: Step = Step { weight: 10, predictions: 200, hold: underwriter_crds::Duration::seconds(0) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn bounds(max_ratio: Option<f64>) -> AnalysisBounds {
        let latency_p99 = max_ratio.map(|max_ratio| LatencyBound { max_ratio });
        AnalysisBounds { error_rate: ErrorRate { at_most: 0.01 }, latency_p99 }
    }

    /// Traffic of generation 4, in force since second 100.
    fn state() -> TrafficState {
        let canary = Some(Canary { version: 2, weight: 10 });
        let traffic = Traffic { format: FORMAT, generation: 4, active_from: at(100), stable: 1, canary };
        TrafficState { traffic, record: Record::default() }
    }

    fn pod(name: &str, generation: u64, trial: (u64, u64), latency: (f64, f64)) -> PodState {
        let of = |version, predictions, errors, latency_p99| VersionFigures {
            version,
            predictions,
            errors,
            latency_p50: 1.0,
            latency_p99,
        };
        let versions = vec![of(1, 1000, 0, latency.0), of(2, trial.0, trial.1, latency.1)];
        let analysis = Analysis { pod: name.into(), started: at(10), generation, active: true, versions };
        let (ready, ready_since, started) = (true, Some(at(20)), Some(at(10)));
        let (name, versions, analysis) = (name.into(), vec![1, 2], Some(analysis));
        PodState { name, versions, ready, ready_since, started, analysis, ..PodState::default() }
    }

    fn seen(pods: Vec<PodState>) -> Observed {
        Observed { traffic: Some(state()), pods, ..Observed::default() }
    }

    fn fault(observed: &Observed, bounds: &AnalysisBounds) -> Option<FaultReason> {
        let figures = figures(2, &state(), observed);
        fault_in_step(&figures, &STEP, bounds, (&state(), observed)).map(|fault| fault.reason)
    }

    #[test]
    fn figures_of_another_generation_do_not_count() {
        let pods = vec![pod("a", 4, (30, 1), (1.0, 1.0)), pod("b", 3, (500, 400), (1.0, 1.0))];
        let figures = figures(2, &state(), &seen(pods));
        assert_eq!((figures.predictions, figures.errors), (30, 1));
    }

    #[test]
    fn latency_is_bounded_only_where_asked_and_after_enough_answers() {
        let slow = |predictions| seen(vec![pod("a", 4, (predictions, 0), (100.0, 300.0))]);
        assert_eq!(fault(&slow(200), &bounds(Some(2.5))), Some(FaultReason::LatencyP99));
        assert_eq!(fault(&slow(200), &bounds(Some(3.5))), None);
        assert_eq!(fault(&slow(199), &bounds(Some(2.5))), None);
        assert_eq!(fault(&slow(200), &bounds(None)), None);
    }

    #[test]
    fn a_process_that_ended_since_is_a_fault_and_one_that_ended_before_is_none() {
        for (second, reason) in [(100, Some(FaultReason::PodRestarted)), (99, None)] {
            let ended = Some(Ended { code: 139, at: at(second), message: "Error".into() });
            let pod = PodState { ended, ..pod("a", 4, (10, 0), (1.0, 1.0)) };
            assert_eq!(fault(&seen(vec![pod]), &bounds(None)), reason);
        }
    }

    #[test]
    fn a_pod_that_became_unready_since_is_a_fault_unless_it_is_new_or_being_deleted() {
        let unready = PodState { ready: false, ready_since: Some(at(105)), ..pod("a", 4, (10, 0), (1.0, 1.0)) };
        assert_eq!(fault(&seen(vec![unready.clone()]), &bounds(None)), Some(FaultReason::PodNotReady));
        let new = PodState { started: Some(at(104)), ..unready.clone() };
        let deleting = PodState { deleting: true, ..unready };
        assert_eq!(fault(&seen(vec![new, deleting]), &bounds(None)), None);
    }

    #[test]
    fn a_missed_deadline_is_the_versions_fault_only_where_its_process_has_started() {
        let version = ArtifactRef { version: 2, run: "r".into(), uri: "s3://a/".into(), digest: Digest::of(b"") };
        let deployment = DeploymentState { late: true, ..DeploymentState::default() };
        let unready = PodState { ready: false, ..pod("a", 4, (0, 0), (1.0, 1.0)) };
        let waiting = PodState { waits_for: Some("ImagePullBackOff".into()), ..unready.clone() };
        let reason = |pod| fault_in_loading(&version, &deployment, &seen(vec![pod])).map(|fault| fault.reason);
        assert_eq!((reason(unready), reason(waiting)), (Some(FaultReason::ProgressDeadlineExceeded), None));
    }

    proptest! {
        /// What would break the bound at the end breaks it now; what is within it never does.
        #[test]
        fn errors_break_the_bound_as_soon_as_they_must(predictions in 0..5_000_u64, share in 0.0..1.0_f64) {
            let errors = (predictions as f64 * share) as u64;
            let found = fault(&seen(vec![pod("a", 4, (predictions, errors), (1.0, 1.0))]), &bounds(None));
            let breaks = errors as f64 > 0.01 * predictions.max(STEP.predictions) as f64;
            prop_assert_eq!(found, breaks.then_some(FaultReason::ErrorRate));
        }
    }
}
