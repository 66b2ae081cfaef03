//! What to scan, what the scans so far mean, and what to say of it: a pure function of what is wanted, seen, and the time.

use std::time::Duration;

use jiff::Timestamp;
use underwriter_contract::{
    Digest,
    summary::{ColumnDrift, Failure, FailureReason, Scanned, Verdict},
};
use underwriter_crds::conditions::{ConditionType, State, Wanted, holds};

use super::{
    episode::{Reference, Tally},
    state::{Cause, Observed, Outcome, Scan},
    validate::{Invalid, Validated},
};
use crate::events::Notice;

/// Until the next look where no scan is due earlier: a safety net, changes come by themselves.
const CALM: Duration = Duration::from_secs(600);
/// While a scan is going on, to tell what its pod waits for.
const SCANNING: Duration = Duration::from_secs(30);
/// Ended scans whose Jobs are kept, to be looked at and to count again from.
const KEPT: usize = 3;

/// What to do, and what to say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// A scan to start.
    pub start: Option<Start>,
    /// Jobs whose result is written down and that nobody needs any more.
    pub remove: Vec<String>,
    /// What the scans have come to.
    pub tally: Tally,
    /// The scan that is going on: its Job.
    pub scan: Option<String>,
    /// The scheduled time of the last scan by schedule, or of the last that was left out.
    pub last_schedule: Option<Timestamp>,
    /// When the next scan is due.
    pub next_scan: Option<Timestamp>,
    /// The last request that was acted on.
    pub last_request: Option<String>,
    /// How it stands.
    pub conditions: Vec<Wanted>,
    /// What a user would want to know, once it is written.
    pub notices: Vec<Notice>,
    /// Until the next look.
    pub requeue: Duration,
}

/// A scan to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// What its Job's name ends in: the same cause never makes two.
    pub suffix: String,
    /// Why.
    pub cause: Cause,
}

/// The reasons of conditions and events that are not told elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Watching,
    Suspended,
    DriftDetected,
    DriftUnconfirmed,
    Quiet,
    TooFewSamples,
    NotScanned,
    Recovered,
    ScanFailed,
    ScanStarted,
}

/// Decides.
#[must_use]
pub fn decide(validated: &Result<Validated, Invalid>, observed: &Observed, now: Timestamp) -> Decision {
    match validated {
        Ok(validated) => act(validated, observed, now),
        Err(invalid) => keep(invalid, observed),
    }
}

/// Nothing can be scanned: what was found stands, and says nothing about a reference that is not there.
fn keep(invalid: &Invalid, observed: &Observed) -> Decision {
    let wanted = |kind, state: State| Wanted::new(kind, state, invalid.reason(), invalid.to_string());
    let mut conditions =
        vec![wanted(ConditionType::Ready, State::False), wanted(ConditionType::Drifted, State::Unknown)];
    conditions.extend(invalid.stalls().then(|| wanted(ConditionType::Stalled, State::True)));
    Decision { conditions, ..standing(observed) }
}

fn standing(observed: &Observed) -> Decision {
    let status = &observed.status;
    let (last_scan, history, episode) = (status.last_scan.clone(), status.history.clone(), status.episode.clone());
    Decision {
        start: None,
        remove: Vec::new(),
        tally: Tally { last_scan, history, episode },
        scan: observed.running().map(|scan| scan.job.clone()),
        last_schedule: last_schedule(observed),
        next_scan: None,
        last_request: last_request(observed),
        conditions: Vec::new(),
        notices: Vec::new(),
        requeue: CALM,
    }
}

fn act(validated: &Validated, observed: &Observed, now: Timestamp) -> Decision {
    let before = standing(observed);
    let tally = fold(before.tally.clone(), observed, reference(validated));
    let last_schedule = skipped(validated, observed, now).or(before.last_schedule);
    let start = due(validated, observed, last_schedule.unwrap_or(observed.created), now);
    let (scheduled, requested) = match start.as_ref().map(|start| start.cause.clone()) {
        Some(Cause::Scheduled(moment)) => (Some(moment), None),
        Some(Cause::Requested(token)) => (None, Some(token)),
        None => (None, None),
    };
    let next_scan = validated.schedule.next(now).filter(|_| !validated.suspend);
    let conditions = conditions(validated, observed, &tally);
    Decision {
        remove: removable(&tally, observed, validated),
        notices: notices(observed, &conditions, start.as_ref()),
        last_schedule: scheduled.or(last_schedule),
        last_request: requested.or(before.last_request.clone()),
        requeue: pause(next_scan, observed, now),
        start,
        tally,
        next_scan,
        conditions,
        ..before
    }
}

fn reference(validated: &Validated) -> Reference<'_> {
    Reference { version: validated.reference.version, answers: &validated.answers }
}

/// Folds in what was not written down yet, in the order in which it was started.
fn fold(standing: Tally, observed: &Observed, reference: Reference<'_>) -> Tally {
    observed.ended().into_iter().fold(standing.against(reference.version), |tally, scan| match &scan.outcome {
        Outcome::Scanned(scanned) => tally.with(scanned, &observed.uid, reference),
        _ => tally,
    })
}

fn last_schedule(observed: &Observed) -> Option<Timestamp> {
    let moments = observed.scans.iter().filter_map(|scan| match scan.cause {
        Cause::Scheduled(moment) => Some(moment),
        Cause::Requested(_) => None,
    });
    moments.chain(observed.status.last_schedule).max()
}

fn last_request(observed: &Observed) -> Option<String> {
    let token = observed.requested.clone();
    let started = token.filter(|token| observed.scans.iter().any(|scan| scan.cause == Cause::Requested(token.clone())));
    started.or_else(|| observed.status.last_handled_scan_request.clone())
}

/// The newest scheduled moment that a pause has left out: it is not caught up with after the pause.
fn skipped(validated: &Validated, observed: &Observed, now: Timestamp) -> Option<Timestamp> {
    let last = last_schedule(observed).unwrap_or(observed.created);
    let resumed = || reason_stands(observed, Reason::Suspended);
    (validated.suspend || resumed()).then(|| validated.schedule.due(last, now)).flatten()
}

/// The scan to start: never two at a time, a request before the schedule.
fn due(validated: &Validated, observed: &Observed, last: Timestamp, now: Timestamp) -> Option<Start> {
    if validated.suspend || observed.running().is_some() {
        return None;
    }
    let handled = last_request(observed);
    let requested = observed.requested.clone().filter(|token| handled.as_ref() != Some(token));
    let scheduled = || validated.schedule.due(last, now).map(Cause::Scheduled);
    let cause = requested.map(Cause::Requested).or_else(scheduled)?;
    Some(Start { suffix: suffix(&cause, &observed.uid), cause })
}

fn suffix(cause: &Cause, uid: &str) -> String {
    match cause {
        Cause::Scheduled(moment) => moment.as_second().to_string(),
        Cause::Requested(token) => Digest::of_parts([uid.as_bytes(), token.as_bytes()]).short(10).to_owned(),
    }
}

/// Jobs that were written down before this pass, but the newest, the one that names the episode, and the quiet one that
/// tells it from the episode which the reference was trained for: with their status deleted, the same count and the same
/// name come out again.
fn removable(tally: &Tally, observed: &Observed, validated: &Validated) -> Vec<String> {
    let mut ended = observed.ended();
    ended.truncate(ended.len().saturating_sub(KEPT.max(validated.consecutive as usize)));
    let quiet = tally
        .history
        .iter()
        .rev()
        .find(|past| past.verdict == Verdict::Quiet && past.reference_version == validated.reference.version);
    let quiet = quiet.filter(|_| !validated.answers.is_empty());
    let tells_apart = |scan: &Scan| quiet.is_some_and(|past| past.scan == scan.job);
    let names_episode = |scan: &Scan| tally.episode.as_ref().is_some_and(|episode| episode.id.ends_with(&scan.job));
    let written = |scan: &Scan| !matches!(scan.outcome, Outcome::Scanned(_));
    ended
        .into_iter()
        .filter(|scan| written(scan) && !names_episode(scan) && !tells_apart(scan))
        .map(|scan| scan.job.clone())
        .collect()
}

fn conditions(validated: &Validated, observed: &Observed, tally: &Tally) -> Vec<Wanted> {
    let mut conditions = match observed.ended().last() {
        Some(Scan { job, outcome: Outcome::Failed(failure), .. }) => failed(job, failure),
        _ => vec![ready(validated, observed)],
    };
    conditions.push(drifted(validated, tally));
    conditions
}

/// The newest scan failed. The next comes by schedule or request; invalid input needs a person besides.
fn failed(job: &str, failure: &Failure) -> Vec<Wanted> {
    let Failure { reason, message } = failure;
    let message = format!("scan {job} failed: {message}");
    let ready = Wanted::new(ConditionType::Ready, false, reason, message.clone());
    let stalled = (reason.exit_code() == FailureReason::DataInvalid.exit_code())
        .then(|| Wanted::new(ConditionType::Stalled, true, reason, message));
    std::iter::once(ready).chain(stalled).collect()
}

fn ready(validated: &Validated, observed: &Observed) -> Wanted {
    let waits = observed.running().map(|scan| match &scan.outcome {
        Outcome::Running(Some(why)) => format!("scan {} waits: {why}", scan.job),
        _ => format!("scan {} is going on", scan.job),
    });
    let (reason, message) = match waits {
        Some(message) => (Reason::Watching, message),
        None if validated.suspend => (Reason::Suspended, "spec.suspend is set: no scan is started".into()),
        None => (Reason::Watching, format!("compares with version {}", validated.reference.version)),
    };
    Wanted::new(ConditionType::Ready, true, reason, message)
}

fn drifted(validated: &Validated, tally: &Tally) -> Wanted {
    let version = validated.reference.version;
    let wanted = |state: State, reason, message: String| Wanted::new(ConditionType::Drifted, state, reason, message);
    let Some(scan) = tally.last_scan.as_ref().filter(|scan| scan.reference_version == version) else {
        return wanted(State::Unknown, Reason::NotScanned, format!("not compared with version {version} yet"));
    };
    let (seen, needed) = (tally.episode.as_ref().map_or(0, |episode| episode.scans), validated.consecutive);
    match scan.verdict {
        Verdict::TooFewSamples => {
            wanted(State::Unknown, Reason::TooFewSamples, format!("{} applications are too few to tell", scan.rows))
        }
        Verdict::Quiet => wanted(State::False, Reason::Quiet, summary(scan)),
        Verdict::Drifted if seen < needed => wanted(
            State::False,
            Reason::DriftUnconfirmed,
            format!("verdict {seen} of {needed} in a row: {}", summary(scan)),
        ),
        Verdict::Drifted => wanted(State::True, Reason::DriftDetected, summary(scan)),
    }
}

fn summary(scan: &Scanned) -> String {
    let Scanned { rows, reference_version, drifted_share, columns, .. } = scan;
    let share = drifted_share * 100.0;
    let name = |column: &ColumnDrift| format!("{} ({:.3})", column.name, column.distance);
    let named: Vec<_> = columns.iter().filter(|column| column.drifted).map(name).collect();
    let found =
        format!("{share:.0} % of the columns of {rows} applications are not like version {reference_version}'s");
    if named.is_empty() { found } else { format!("{found}; most: {}", named.join(", ")) }
}

fn reason_stands(observed: &Observed, reason: Reason) -> bool {
    let name = format!("{reason:?}");
    observed.status.conditions.iter().any(|condition| condition.type_ == "Ready" && condition.reason == name)
}

fn notices(observed: &Observed, wanted: &[Wanted], start: Option<&Start>) -> Vec<Notice> {
    let find = |kind| wanted.iter().find(|condition| condition.kind == kind);
    let standing = |kind: ConditionType| observed.status.conditions.iter().find(|old| old.type_ == kind.to_string());
    let drifted = find(ConditionType::Drifted).filter(|drifted| {
        (drifted.state == State::True) != holds(&observed.status.conditions, ConditionType::Drifted)
            && drifted.state != State::Unknown
    });
    let drifted = drifted.map(|drifted| match drifted.state {
        State::True => Notice::warning(Reason::DriftDetected, drifted.message.clone()),
        _ => Notice::normal(Reason::Recovered, drifted.message.clone()),
    });
    let news = |ready: &&Wanted| {
        ready.state == State::False && standing(ConditionType::Ready).is_none_or(|old| old.message != ready.message)
    };
    let failed =
        find(ConditionType::Ready).filter(news).map(|ready| Notice::warning(Reason::ScanFailed, ready.message.clone()));
    let started = start.and_then(|start| match &start.cause {
        Cause::Requested(token) => Some(Notice::normal(Reason::ScanStarted, format!("a scan was asked for ({token})"))),
        Cause::Scheduled(_) => None,
    });
    drifted.into_iter().chain(failed).chain(started).collect()
}

/// Until the next scan is due, or the next look at the one that is going on.
fn pause(next_scan: Option<Timestamp>, observed: &Observed, now: Timestamp) -> Duration {
    let longest = if observed.running().is_some() { SCANNING } else { CALM };
    let until = next_scan.and_then(|moment| Duration::try_from(moment.duration_since(now)).ok());
    until.map_or(longest, |until| until.min(longest))
}
