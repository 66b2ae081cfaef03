//! Is a run due, and why? An ordered chain: the first trigger that fires wins, and one run goes on at a time.

use jiff::Timestamp;
use underwriter_contract::{
    request::{Trigger, TriggerType},
    summary::FailureReason,
};
use underwriter_crds::{
    Duration,
    loan_model::{LastRun, RunResult},
};

use super::{
    build::Origin,
    champion::Standing,
    comparison,
    drift::{self, Answer, Consumed, after},
    mirror,
    observe::Observed,
    validate::Validated,
};

/// Pauses before another attempt when the input was at fault: a bucket may have been repaired.
const AFTER_INVALID: [Duration; 3] = [Duration::hours(1), Duration::hours(4), Duration::hours(24)];
/// Pauses when it was not; the Job has tried a few times by itself.
const AFTER_TRANSIENT: [Duration; 5] =
    [Duration::minutes(1), Duration::minutes(10), Duration::hours(1), Duration::hours(4), Duration::hours(24)];

/// What is known of past runs and asked of the next.
pub struct Situation<'a> {
    /// The spec.
    pub validated: &'a Validated,
    /// The world.
    pub observed: &'a Observed,
    /// Who decides.
    pub standing: &'a Standing<'a>,
    /// The last run that ended.
    pub last: Option<&'a LastRun>,
    /// Whether the version that waits is compared again.
    pub comparison: &'a comparison::Plan,
    /// What MLflow needs.
    pub mirror: &'a mirror::Plan,
    /// The time.
    pub now: Timestamp,
}

impl Situation<'_> {
    /// The run that is due, if any; whether one may start at all is for the caller to know.
    #[must_use]
    pub fn due(&self) -> Option<Origin> {
        match self.open_failure() {
            Some(failed) => self.another_attempt(failed),
            None => self
                .initial()
                .or_else(|| self.spec_change())
                .or_else(|| self.request())
                .or_else(|| self.drift())
                .or_else(|| self.open_moment().map(|_| self.new_run(TriggerType::Schedule))),
        }
    }

    /// The last run, where it failed and no later version made up for it.
    #[must_use]
    pub fn open_failure(&self) -> Option<&LastRun> {
        let unanswered = |last: &&LastRun| self.observed.newest().is_none_or(|newest| newest < last.version);
        self.last.filter(|last| last.result == RunResult::Failed).filter(unanswered)
    }

    /// The moment of the schedule that was promised and has come, unless a run has answered it.
    ///
    /// What was promised stands in the status: with the status lost nothing is missed, and whether moments have passed
    /// before the schedule was set, or in a pause, does not matter.
    #[must_use]
    pub fn open_moment(&self) -> Option<Timestamp> {
        self.validated.schedule.as_ref().filter(|_| !self.validated.suspend)?;
        let promised = self.observed.status.next_scheduled_run.filter(|promised| *promised <= self.now)?;
        (Consumed::of(self.observed).scheduled < Some(promised)).then_some(promised)
    }

    /// The moment to promise: one that is due and that no run answers yet, or the first to come.
    #[must_use]
    pub fn next_moment(&self, starts: bool) -> Option<Timestamp> {
        let schedule = self.validated.schedule.as_ref().filter(|_| !self.validated.suspend)?;
        self.open_moment().filter(|_| !starts).or_else(|| schedule.next(self.now))
    }

    /// When a failed run is tried again as it stands.
    #[must_use]
    pub fn tried_again_at(failed: &LastRun) -> Timestamp {
        after(failed.at, pause(failed.reason, failed.attempt).unwrap_or(Duration::hours(24)))
    }

    /// The same run again: when its time has come, or what it learns was changed, or somebody asks.
    fn another_attempt(&self, failed: &LastRun) -> Option<Origin> {
        let changed = failed.config_digest != *self.validated.digest();
        let token = self.open_token();
        let due = changed || token.is_some() || self.now >= Self::tried_again_at(failed);
        let runs = &self.observed.runs;
        let before =
            runs.iter().find(|run| (run.origin.version, run.origin.attempt) == (failed.version, failed.attempt));
        let before = before.map(|run| &run.origin);
        let mut trigger = before.map_or_else(|| self.trigger(failed.trigger), |origin| origin.trigger.clone());
        let as_it_stood = !changed && token.is_none();
        let pinned = before.filter(|_| as_it_stood).and_then(|origin| origin.outcomes_before);
        trigger.token = token.or(trigger.token);
        trigger.scheduled = trigger.scheduled.max(self.open_moment().filter(|_| !as_it_stood)); // else it is another run
        let outcomes_before = pinned.or_else(|| self.outcomes_before());
        due.then(|| Origin::new(self.validated, failed.version, failed.attempt + 1, trigger, outcomes_before))
    }

    fn initial(&self) -> Option<Origin> {
        self.observed.versions.is_empty().then(|| self.new_run(TriggerType::Initial))
    }

    /// What is to be learnt is not what the newest run has learnt.
    fn spec_change(&self) -> Option<Origin> {
        let newest = self.observed.versions.last();
        let later = self.last.filter(|last| newest.is_none_or(|version| version.spec.version < last.version));
        let learnt =
            later.map(|last| &last.config_digest).or_else(|| newest.map(|version| &version.spec.config_digest));
        learnt.is_some_and(|learnt| learnt != self.validated.digest()).then(|| self.new_run(TriggerType::SpecChange))
    }

    fn request(&self) -> Option<Origin> {
        self.open_token().map(|_| self.new_run(TriggerType::Request))
    }

    fn drift(&self) -> Option<Origin> {
        let answer = drift::answer(self.validated, self.observed, self.standing, self.now);
        (answer == Answer::Retrain).then(|| self.new_run(TriggerType::Drift))
    }

    fn new_run(&self, kind: TriggerType) -> Origin {
        let version = next_number(self.observed);
        Origin::new(self.validated, version, 1, self.trigger(kind), self.outcomes_before())
    }

    /// A run answers everything that is open when it starts, whatever started it.
    fn trigger(&self, kind: TriggerType) -> Trigger {
        let episodes = drift::open_episodes(self.standing, self.observed, &Consumed::of(self.observed));
        Trigger { kind, token: self.open_token(), episodes, scheduled: self.open_moment() }
    }

    /// The token of a request that no run has answered.
    fn open_token(&self) -> Option<String> {
        let token = self.validated.request.clone()?;
        let handled = self.observed.status.last_handled_retrain_request.as_ref() == Some(&token);
        let answered = handled || Consumed::of(self.observed).tokens.contains(&token);
        (!answered).then_some(token)
    }

    fn outcomes_before(&self) -> Option<Timestamp> {
        self.validated.uses_outcomes().then_some(self.now)
    }
}

/// The pause after so many attempts that failed; none after the last that is to come soon.
pub(super) fn pause(reason: Option<FailureReason>, attempts: u32) -> Option<Duration> {
    let transient = reason.is_none_or(|reason| reason.exit_code() == 1);
    let pauses: &[Duration] = if transient { &AFTER_TRANSIENT } else { &AFTER_INVALID };
    pauses.get(attempts.saturating_sub(1) as usize).copied()
}

/// One more than the greatest number ever given, as far as anybody knows.
fn next_number(observed: &Observed) -> u32 {
    greatest_number(observed).unwrap_or_default().saturating_add(1)
}

/// The greatest number given to a version or a run.
#[must_use]
pub fn greatest_number(observed: &Observed) -> Option<u32> {
    let status = &observed.status;
    let told = [
        status.latest_version,
        status.run.as_ref().map(|run| run.version),
        status.last_run.as_ref().map(|last| last.version),
    ];
    let runs = observed.runs.iter().map(|run| run.origin.version);
    told.into_iter().flatten().chain(runs).chain(observed.newest()).max()
}
