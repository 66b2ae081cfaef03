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
    Figures { predictions: sum(|reading| reading.predictions), errors: sum(|reading| reading.errors), readings, latency_ratio }
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
    let message = format!("pods with version {} did not become ready within the Deployment's deadline", version.version);
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
pub fn fault_in_step(figures: &Figures, step: &Step, bounds: &AnalysisBounds, seen: (&TrafficState, &Observed)) -> Option<Fault> {
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
    let message = || format!("{errors} errors in {predictions} applications, where at most {at_most} of {out_of} are allowed");
    (errors as f64 > at_most * out_of as f64).then(|| Fault::new(FaultReason::ErrorRate, message()))
}

fn lags(figures: &Figures, step: &Step, bounds: &AnalysisBounds) -> Option<Fault> {
    let (ratio, bound) = (figures.latency_ratio?, bounds.latency_p99.as_ref()?.max_ratio);
    let message = || format!("the 99th percentile of latency is {ratio:.2} times the stable version's, {bound} are allowed");
    (figures.predictions >= step.predictions && ratio > bound).then(|| Fault::new(FaultReason::LatencyP99, message()))
}

fn restarted(pod: &PodState) -> Fault {
    let how = pod.ended.as_ref().map(|ended| format!(" with code {}: {}", ended.code, ended.message));
    Fault::new(FaultReason::PodRestarted, format!("the process of pod {} ended{}", pod.name, how.unwrap_or_default()))
}

fn unready(pod: &PodState) -> Fault {
    Fault::new(FaultReason::PodNotReady, format!("pod {} became unready", pod.name))
}
