//! Whether the version that waits is compared with the champion of now, and what came of it: a pure function.
//!
//! A run compares its version with the champion of the time. Another may decide since: that one was taken back, or one was
//! promoted meanwhile. Then a Job compares again, one at a time; what it finds stands in the version's status, where
//! [`Standing`] looks for it, and the gates judge. Only the newest version that waits is compared, and nothing else of a
//! model waits for it. A comparison that fails is tried again with growing pauses, then no more: the version is held for a
//! person.

pub mod job;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};
use underwriter_contract::{
    FORMAT,
    request::CompareRequest,
    summary::{Comparison, Summary},
};
use underwriter_crds::{JobFailure, ModelVersion, RETRAIN_REQUESTED, model_version::LaterComparison};

use super::{
    build,
    champion::Standing,
    decide::Action,
    drift::after,
    gates::{Reason, Verdict},
    observe::Observed,
    trigger,
    validate::Validated,
};
use crate::{
    Error,
    names::annotation,
    summary::{Fault, Progress},
};

/// Who is compared with whom. It is kept on the Job, so that its result can be written down after any crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The version that waits.
    pub version: u32,
    /// The version that decides.
    pub champion: u32,
    /// 1, or more after an attempt that failed.
    pub attempt: u32,
}

impl Pair {
    /// What a Job was made for.
    ///
    /// # Errors
    /// When its annotation is missing or was tampered with.
    pub fn of(job: &Job) -> Result<Self, Error> {
        let text = job.annotations().get(annotation::COMPARISON).map_or("", String::as_str);
        let unreadable = |error: serde_json::Error| Error::Unreadable {
            kind: "Job",
            name: job.name_any(),
            what: annotation::COMPARISON,
            why: error.to_string(),
        };
        serde_json::from_str(text).map_err(unreadable)
    }
}

/// One Job that compares.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedComparison {
    /// Its name.
    pub job: String,
    /// What it was made for.
    pub pair: Pair,
    /// When it was created, by the API server's clock.
    pub created: Timestamp,
    /// How it is doing; none where its end is written down, its version is gone, or a newer Job stands.
    pub progress: Option<Progress>,
}

/// What there is to compare, and what to tell of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The next write.
    pub action: Option<Action>,
    /// A version, by its number, and what is known of it once the end of the last Job is written down.
    pub ended: Option<(u32, LaterComparison)>,
    /// The version that waits to be compared.
    pub waits: Option<Waits>,
    /// Whether a Job runs.
    pub running: bool,
    /// When a failed Job is tried again.
    pub again: Option<Timestamp>,
}

/// A version that waits to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Its number.
    pub version: u32,
    /// What it waits for.
    pub message: String,
    /// Whether a person may want to decide, for a comparison has failed.
    pub failed: bool,
}

/// Whether the end of a Job is written down, or nobody wants to know it.
#[must_use]
pub fn is_seen(version: Option<&ModelVersion>, job: &str) -> bool {
    version.is_none_or(|version| told(version).is_some_and(|told| told.job == job))
}

/// Plans.
#[must_use]
pub fn plan(validated: &Validated, observed: &Observed, standing: &Standing<'_>, now: Timestamp) -> Plan {
    let newest = observed.comparisons.last();
    let running = newest.filter(|job| matches!(job.progress, Some(Progress::Running(_))));
    let ended = newest.and_then(|job| ended(job, now));
    let Some(open) = Open::of(standing, ended.as_ref(), running) else {
        return Plan { action: running.map(remove).or_else(|| leftover(observed)), ended, ..Plan::default() };
    };
    Plan {
        action: open.action(validated, observed, now),
        waits: Some(open.waits()),
        running: running.is_some(),
        again: open.again().filter(|again| running.is_none() && *again > now),
        ended,
    }
}

/// A version that waits because it was not compared with the champion.
struct Open<'a> {
    version: &'a ModelVersion,
    champion: &'a ModelVersion,
    /// What the last Job that compared the two came to.
    known: Option<&'a LaterComparison>,
    /// The Job that runs, whomever it compares.
    running: Option<&'a ObservedComparison>,
}

impl<'a> Open<'a> {
    fn of(
        standing: &Standing<'a>,
        ended: Option<&'a (u32, LaterComparison)>,
        running: Option<&'a ObservedComparison>,
    ) -> Option<Self> {
        let (waiting, champion) = (standing.awaiting()?, standing.champion?);
        let version = waiting.version;
        let ended = ended.filter(|(number, _)| *number == version.spec.version).map(|(_, known)| known);
        let known = ended.or_else(|| told(version)).filter(|known| known.champion == champion.spec.version);
        let not_compared = matches!(waiting.verdict, Verdict::Hold(Reason::NotCompared, _));
        not_compared.then_some(Self { version, champion, known, running })
    }

    fn failure(&self) -> Option<&'a JobFailure> {
        self.known.and_then(|known| known.failure.as_ref())
    }

    /// When a Job that failed is tried again; no more after the last pause.
    fn again(&self) -> Option<Timestamp> {
        let JobFailure { reason, attempts, at, .. } = self.failure()?;
        trigger::pause(*reason, *attempts).map(|pause| after(*at, pause))
    }

    /// Nobody waits for a Job of another pair. What was found is for the gates, once it is written down.
    fn action(&self, validated: &Validated, observed: &Observed, now: Timestamp) -> Option<Action> {
        let due = self.known.is_none() || self.again().is_some_and(|again| again <= now);
        match self.running {
            Some(job) if !self.is_of(job.pair) => Some(remove(job)),
            None if due => Some(Action::Compare(self.next(observed), Box::new(self.request(validated, now)))),
            _ => leftover(observed),
        }
    }

    fn is_of(&self, pair: Pair) -> bool {
        (pair.version, pair.champion) == (self.version.spec.version, self.champion.spec.version)
    }

    /// The next attempt: one after every one that is known of.
    fn next(&self, observed: &Observed) -> Pair {
        let (version, champion) = (self.version.spec.version, self.champion.spec.version);
        let standing = observed.comparisons.iter().map(|job| job.pair).filter(|pair| self.is_of(*pair));
        let known = standing.map(|pair| pair.attempt).chain(self.failure().map(|failure| failure.attempts));
        Pair { version, champion, attempt: known.max().unwrap_or_default().saturating_add(1) }
    }

    /// What the Job is asked.
    fn request(&self, validated: &Validated, now: Timestamp) -> CompareRequest {
        let Validated { namespace, name, learning, .. } = validated;
        CompareRequest {
            format: FORMAT,
            model: format!("{namespace}/{name}"),
            data: learning.data.clone(),
            version: build::artifact(self.version),
            champion: build::artifact(self.champion),
            outcomes_before: validated.uses_outcomes().then_some(now),
        }
    }

    fn waits(&self) -> Waits {
        let failure = self.failure().filter(|_| self.running.is_none());
        let message = failure.map_or_else(|| self.compares(), |failure| self.incomparable(failure));
        Waits { version: self.version.spec.version, message, failed: self.failure().is_some() }
    }

    fn compares(&self) -> String {
        let now = format!("v{}, which decides by now", self.champion.spec.version);
        let Some(ObservedComparison { job, progress, .. }) = self.running else {
            return format!("it is compared with {now}");
        };
        let waits = progress.as_ref().and_then(Progress::waits);
        let waits = waits.map(|why| format!("; its pod waits: {why}")).unwrap_or_default();
        format!("Job {job} compares it with {now}{waits}")
    }

    fn incomparable(&self, JobFailure { message, .. }: &JobFailure) -> String {
        let again = self.again();
        let again = again.map_or_else(|| "not tried again".into(), |at| format!("tried again by itself at {at:.0}"));
        format!(
            "it could not be compared with the champion v{}: {message}; {again}; approve it by hand, or ask for a new \
             version by a new value of the annotation {RETRAIN_REQUESTED}",
            self.champion.spec.version
        )
    }
}

/// What the version's status says.
fn told(version: &ModelVersion) -> Option<&LaterComparison> {
    version.status.as_ref()?.comparison.as_ref()
}

fn remove(job: &ObservedComparison) -> Action {
    Action::Remove(job.job.clone())
}

/// The oldest Job but the newest, which is kept for whoever wants to read its log.
fn leftover(observed: &Observed) -> Option<Action> {
    let (_, older) = observed.comparisons.split_last()?;
    older.first().map(remove)
}

/// What is known once the end of a Job is written down.
fn ended(
    ObservedComparison { job, pair, progress, .. }: &ObservedComparison,
    now: Timestamp,
) -> Option<(u32, LaterComparison)> {
    let compared = |summary: &Summary| -> Option<Comparison> {
        let Summary::Compared(compared) = summary else { return None };
        Some(compared.comparison.clone()).filter(|comparison| comparison.version == pair.champion)
    };
    let (found, failure) = match progress.as_ref()?.outcome(compared)? {
        Ok(found) => (Some(found), None),
        Err(Fault { reason, message }) => (None, Some(JobFailure { reason, message, attempts: pair.attempt, at: now })),
    };
    Some((pair.version, LaterComparison { champion: pair.champion, job: job.clone(), found, failure }))
}
