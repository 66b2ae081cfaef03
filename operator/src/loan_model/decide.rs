//! What to do next about a LoanModel: a pure function of its spec, the world and the time.
//!
//! At most one action a pass, in the order of what must never be lost: write a result down, complete the record of
//! decisions, start a run, remove a Job that has said all.

use std::time::Duration;

use jiff::Timestamp;
use underwriter_contract::{
    request::{CompareRequest, MirrorRequest, Trigger},
    summary::{Summary, Trained},
};
use underwriter_crds::{
    LoanModelStatus, ModelVersion, ModelVersionStatus,
    loan_model::{LastRun, RunResult},
    model_version::DecisionRecord,
};

use super::{
    build::{self, Origin},
    champion::Standing,
    comparison::{self, Pair},
    drift::{self, Answer},
    history, mirror, news,
    observe::{Observed, ObservedRun},
    status,
    trigger::Situation,
    validate::Validated,
};
use crate::{events::Notice, summary::Progress};

/// Finished Jobs that are kept for whoever wants to read their logs.
const KEPT_JOBS: usize = 3;
/// A look even when nothing has changed.
const SAFETY_NET: Duration = Duration::from_secs(600);
/// A look while a run goes on: what its pod waits for changes no object that is watched.
const WHILE_RUNNING: Duration = Duration::from_secs(15);

/// What to do, and what to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The next write, if any.
    pub action: Option<Action>,
    /// The status that is true once the action is done.
    pub status: LoanModelStatus,
    /// The statuses of the versions, by number; not of one that the action changes, which is another object after that.
    pub versions: Vec<(u32, ModelVersionStatus)>,
    /// What a user would want to know.
    pub notices: Vec<Notice>,
    /// When to look again if nothing changes.
    pub requeue: Duration,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Write down what a run has learnt.
    Record(Box<ModelVersion>),
    /// Append to the decisions of a version, given by its number.
    Decide(u32, DecisionRecord),
    /// Create the first Job of a run.
    Start(Box<Origin>),
    /// Create the Job that trains, of a run whose sweep, given by its Job, has ended.
    Train(Box<Origin>, String),
    /// Create the Job that makes MLflow show this.
    Mirror(Box<MirrorRequest>),
    /// Create the Job that compares a version again.
    Compare(Pair, Box<CompareRequest>),
    /// Make a version, given by its number, go with its model, or outlive it.
    Own(u32, bool),
    /// Remove a version, given by its number.
    Prune(u32),
    /// Remove a Job whose result is written down.
    Remove(String),
}

/// Decides.
#[must_use]
pub fn decide(validated: &Validated, observed: &Observed, standing: &Standing<'_>, now: Timestamp) -> Decision {
    let last = last_run(validated, observed, now);
    let comparison = comparison::plan(validated, observed, standing, now);
    let mirror = mirror::plan(validated, observed, standing, now);
    let situation =
        Situation { validated, observed, standing, last: last.as_ref(), comparison: &comparison, mirror: &mirror, now };
    let action = next_action(&situation);
    let status = status::of_model(&situation, action.as_ref());
    Decision {
        notices: news::notices(&situation, action.as_ref(), &status),
        status,
        versions: status::of_versions(&situation)
            .into_iter()
            .filter(|(number, _)| !touches(action.as_ref(), *number))
            .collect(),
        requeue: requeue(&situation),
        action,
    }
}

fn touches(action: Option<&Action>, number: u32) -> bool {
    let touched = match action {
        Some(Action::Decide(touched, _) | Action::Own(touched, _) | Action::Prune(touched)) => Some(*touched),
        Some(
            Action::Record(_)
            | Action::Start(_)
            | Action::Train(..)
            | Action::Mirror(_)
            | Action::Compare(..)
            | Action::Remove(_),
        )
        | None => None,
    };
    touched == Some(number)
}

/// The run that goes on: its Job runs, or has ended well and is not written down yet.
#[must_use]
pub fn active(observed: &Observed) -> Option<&ObservedRun> {
    let goes_on =
        |run: &&ObservedRun| matches!(run.progress, Some(Progress::Running(_) | Progress::Ended(Summary::Trained(_))));
    observed.runs.iter().rev().find(goes_on)
}

fn next_action(situation: &Situation<'_>) -> Option<Action> {
    let Situation { validated, observed, standing, now, .. } = situation;
    record(validated, observed)
        .or_else(|| {
            standing
                .next_decision(&observed.services, *now)
                .map(|(version, record)| Action::Decide(version.spec.version, record))
        })
        .or_else(|| train(observed))
        .or_else(|| start(situation))
        .or_else(|| history::ownership(validated, observed).map(|(number, owned)| Action::Own(number, owned)))
        .or_else(|| history::surplus(situation).map(Action::Prune))
        .or_else(|| remove(situation))
        .or_else(|| situation.comparison.action.clone())
        .or_else(|| situation.mirror.action.clone())
}

fn record(validated: &Validated, observed: &Observed) -> Option<Action> {
    observed.runs.iter().find_map(|run| {
        let trained = trained(run)?;
        Some(Action::Record(Box::new(build::model_version(validated, &run.origin, trained.clone()))))
    })
}

fn trained(run: &ObservedRun) -> Option<&Trained> {
    if let Some(Progress::Ended(Summary::Trained(trained))) = &run.progress { Some(trained) } else { None }
}

/// A run goes on to its end, whatever was suspended or changed meanwhile.
fn train(observed: &Observed) -> Option<Action> {
    let run = active(observed)?;
    let sweep = run.sweeping().filter(|sweep| sweep.ended)?;
    Some(Action::Train(Box::new(run.origin.clone()), sweep.job.clone()))
}

fn start(situation: &Situation<'_>) -> Option<Action> {
    let free = active(situation.observed).is_none() && !situation.validated.suspend;
    let due = if free { situation.due() } else { None };
    due.map(|origin| Action::Start(Box::new(origin)))
}

/// The oldest finished Job that nobody needs. One that alone knows that a request or an episode was answered is needed.
fn remove(Situation { validated, observed, .. }: &Situation<'_>) -> Option<Action> {
    let said_all: Vec<_> = observed.runs.iter().filter(|run| run.progress.is_none()).collect();
    let older = said_all.get(..said_all.len().checked_sub(KEPT_JOBS)?)?;
    let episodes = drift::current_episodes(observed);
    let needed = |run: &&&ObservedRun| {
        let Trigger { token, episodes: answered, .. } = &run.origin.trigger;
        let asked = token.is_some() && *token == validated.request;
        observed.version(run.origin.version).is_none()
            && (asked || answered.iter().any(|id| episodes.contains(id.as_str())))
    };
    let last = |run: &&ObservedRun| run.sweep.as_ref().map_or(&run.job, |sweep| &sweep.job).clone();
    older.iter().find(|run| !needed(run)).map(last).map(Action::Remove)
}

/// The last run that ended: what the status says, unless a Job tells of a later one. A run that has learnt something has
/// ended once its version stands.
fn last_run(validated: &Validated, observed: &Observed, now: Timestamp) -> Option<LastRun> {
    let told = observed.status.last_run.clone();
    let seen = observed.runs.iter().rev().find_map(|run| ended(run, validated, observed, now));
    seen.into_iter().chain(told).max_by_key(|last| (last.version, last.attempt))
}

fn ended(run: &ObservedRun, validated: &Validated, observed: &Observed, now: Timestamp) -> Option<LastRun> {
    let (result, reason, message) = match &run.progress {
        None => {
            let made =
                observed.version(run.origin.version).is_some_and(|version| version.spec.run_id == run.origin.run);
            made.then_some((RunResult::Succeeded, None, None))?
        }
        Some(Progress::Running(_) | Progress::Ended(Summary::Trained(_))) => return None,
        Some(Progress::Ended(Summary::Skipped(skipped))) => {
            let message = format!("nothing to learn: same data and configuration as v{}", skipped.same_as);
            (RunResult::Skipped, None, Some(message))
        }
        Some(Progress::Ended(Summary::Failed(failure))) => {
            (RunResult::Failed, Some(failure.reason), Some(failure.message.clone()))
        }
        Some(
            Progress::Ended(Summary::Scanned(_) | Summary::Tried(_) | Summary::Mirrored(_) | Summary::Compared(_))
            | Progress::Lost,
        ) => (
            RunResult::Failed,
            None,
            Some("it ended well, but its result was lost: another attempt tells it again".into()),
        ),
        Some(Progress::OutOfTime(word)) => (RunResult::Failed, None, Some(out_of_time(validated, word.as_deref()))),
        Some(Progress::Broken(why)) => (RunResult::Failed, None, Some(why.chars().take(800).collect())),
    };
    let Origin { version, attempt, run: id, trigger, config_digest, .. } = run.origin.clone();
    Some(LastRun { id, version, attempt, trigger: trigger.kind, result, reason, message, config_digest, at: now })
}

fn out_of_time(Validated { deadline, .. }: &Validated, word: Option<&str>) -> String {
    let word = word.map(|word| format!("; its last try ended with {word}")).unwrap_or_default();
    let message = format!(
        "it took longer than spec.training.deadline, {deadline} for all tries together: allow more time or resources, \
         or give it less to learn from{word}"
    );
    message.chars().take(800).collect()
}

fn requeue(situation: &Situation<'_>) -> Duration {
    let Situation { validated, observed, standing, comparison, mirror, now, .. } = situation;
    let trains = active(observed).is_some();
    let running = (trains || comparison.running || mirror.running).then_some(WHILE_RUNNING);
    let free = !trains && !validated.suspend;
    let retry = situation.open_failure().filter(|_| free).map(Situation::tried_again_at);
    let scheduled = situation.next_moment(false).filter(|moment| free && moment > now);
    let drift = match drift::answer(validated, observed, standing, *now) {
        Answer::Hold { until, .. } => until,
        Answer::Nothing | Answer::Retrain => None,
    };
    let until = |time: Timestamp| Duration::try_from(time.duration_since(*now)).unwrap_or(Duration::from_secs(1));
    running
        .into_iter()
        .chain(retry.into_iter().chain(drift).chain(scheduled).chain(comparison.again).chain(mirror.again).map(until))
        .min()
        .unwrap_or(SAFETY_NET)
        .min(SAFETY_NET)
}
