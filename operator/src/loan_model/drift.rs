//! Does drift lead to a run? An ordered chain of gates; the first that says no wins, and is told as
//! `RetrainingRequired`.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use underwriter_contract::request::{Trigger, TriggerType};
use underwriter_crds::{
    DriftMonitor, Duration, RETRAIN_REQUESTED,
    conditions::{ConditionType, holds},
    loan_model::{LastRun, OnDriftMode, RunResult},
    model_version::VersionState,
};

use super::{champion::Standing, observe::Observed, validate::Validated};

/// The most episodes that a trigger names.
const MAX_EPISODES: usize = 20;

/// How long a run that drift has started counts in `maxPerWeek`.
pub(super) const WEEK: Duration = Duration::hours(24 * 7);

/// What drift leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is none, or it is answered already.
    Nothing,
    /// A run is due.
    Retrain,
    /// A run is due, but not yet, or not without a person.
    Hold {
        /// Which gate says so.
        reason: Reason,
        /// What it says.
        message: String,
        /// When it will say something else.
        until: Option<Timestamp>,
    },
}

/// Why drift leads to no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `onDrift.mode` is `Warn`.
    OnlyWarned,
    /// `suspend` holds new runs back.
    Suspended,
    /// Drift has started a run not long ago.
    Cooldown,
    /// Drift has started enough runs this week.
    MaxPerWeek,
    /// There are too few new bad outcomes to learn from.
    WaitingForOutcomes,
    /// The champion was trained for this very drift, and the world is not like its data either.
    RetrainingDidNotHelp,
}

/// Everything that runs were started for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Consumed {
    /// Drift episodes.
    pub episodes: BTreeSet<String>,
    /// Tokens of requests.
    pub tokens: BTreeSet<String>,
    /// The newest moment of the schedule.
    pub scheduled: Option<Timestamp>,
}

impl Consumed {
    /// Reads it from versions and Jobs.
    #[must_use]
    pub fn of(observed: &Observed) -> Self {
        let versions = observed.versions.iter().map(|version| &version.spec.trigger);
        let runs = observed.runs.iter().map(|run| &run.origin.trigger);
        versions.chain(runs).fold(Self::default(), |mut consumed, Trigger { kind: _, token, episodes, scheduled }| {
            consumed.scheduled = consumed.scheduled.max(*scheduled);
            consumed.episodes.extend(episodes.iter().cloned());
            consumed.tokens.extend(token.clone());
            consumed
        })
    }
}

/// The drift against the champion that no run has answered.
#[must_use]
pub fn open_episodes(standing: &Standing<'_>, observed: &Observed, consumed: &Consumed) -> Vec<String> {
    let episodes =
        drifting(standing, observed).filter_map(|monitor| Some(monitor.status.as_ref()?.episode.as_ref()?.id.clone()));
    let open: BTreeSet<_> = episodes.filter(|id| !consumed.episodes.contains(id)).collect();
    open.into_iter().take(MAX_EPISODES).collect()
}

/// The episodes that monitors tell of, against whatever version.
#[must_use]
pub fn current_episodes(observed: &Observed) -> BTreeSet<&str> {
    let statuses = observed.monitors.iter().filter_map(|monitor| monitor.status.as_ref());
    statuses.filter_map(|status| status.episode.as_ref()).map(|episode| episode.id.as_str()).collect()
}

/// Monitors that find the world unlike the champion's data.
fn drifting<'a>(standing: &Standing<'_>, observed: &'a Observed) -> impl Iterator<Item = &'a DriftMonitor> {
    let champion = standing.champion_number();
    observed.monitors.iter().map(AsRef::as_ref).filter(move |monitor| {
        let Some(status) = &monitor.status else { return false };
        let against = status.episode.as_ref().map(|episode| episode.reference_version);
        holds(&status.conditions, ConditionType::Drifted) && against.is_some() && against == champion
    })
}

/// Asks the gates in their order.
#[must_use]
pub fn answer(validated: &Validated, observed: &Observed, standing: &Standing<'_>, now: Timestamp) -> Answer {
    let open = open_episodes(standing, observed, &Consumed::of(observed));
    if validated.on_drift.mode == OnDriftMode::Disabled {
        return Answer::Nothing;
    }
    if open.is_empty() {
        return did_not_help(observed, standing).or_else(|| in_vain(observed, standing)).unwrap_or(Answer::Nothing);
    }
    let starts = starts(observed);
    only_warned(validated)
        .or_else(|| suspended(validated))
        .or_else(|| cooldown(validated, &starts, now))
        .or_else(|| max_per_week(validated, &starts, now))
        .or_else(|| too_few_bad(validated, observed, standing))
        .unwrap_or(Answer::Retrain)
}

fn hold(reason: Reason, message: impl Into<String>, until: Option<Timestamp>) -> Option<Answer> {
    Some(Answer::Hold { reason, message: message.into(), until })
}

/// Drift that goes on against the champion that was trained for it: what has changed is not in the outcomes known so far.
fn did_not_help(observed: &Observed, standing: &Standing<'_>) -> Option<Answer> {
    let champion = standing.champion?;
    let answered = |monitor: &&DriftMonitor| {
        let episode = monitor.status.as_ref().and_then(|status| status.episode.as_ref());
        episode.is_some_and(|episode| champion.spec.trigger.episodes.contains(&episode.id))
    };
    let monitor = drifting(standing, observed).find(answered)?;
    let message = format!(
        "v{} was trained for the drift that {} finds, and finds still: look at its report; nothing is trained for it \
         again, but ask by a new value of the annotation {RETRAIN_REQUESTED}",
        champion.spec.version,
        monitor.name_any(),
    );
    hold(Reason::RetrainingDidNotHelp, message, None)
}

/// Drift that was answered by a version that nobody wants: another run on the same outcomes would end the same.
fn in_vain(observed: &Observed, standing: &Standing<'_>) -> Option<Answer> {
    drifting(standing, observed).next()?;
    let newest = standing.versions.last()?;
    let number = newest.version.spec.version;
    let refused = matches!(newest.state, VersionState::Rejected | VersionState::RolledBack | VersionState::Revoked);
    let answers = !newest.version.spec.trigger.episodes.is_empty();
    let message = format!("v{number} was trained for this drift and not accepted: new outcomes are needed");
    if refused && answers { hold(Reason::WaitingForOutcomes, message, None) } else { None }
}

fn only_warned(validated: &Validated) -> Option<Answer> {
    let warned = validated.on_drift.mode == OnDriftMode::Warn;
    warned
        .then(|| hold(Reason::OnlyWarned, "retraining.onDrift.mode is Warn: ask for a run by annotation", None))
        .flatten()
}

fn suspended(validated: &Validated) -> Option<Answer> {
    validated.suspend.then(|| hold(Reason::Suspended, "suspend holds new runs back", None)).flatten()
}

fn cooldown(validated: &Validated, starts: &[Timestamp], now: Timestamp) -> Option<Answer> {
    let until = after(*starts.last()?, validated.on_drift.cooldown);
    let message = format!(
        "the last run that drift started was less than {} ago: waits until {until}",
        validated.on_drift.cooldown
    );
    (now < until).then(|| hold(Reason::Cooldown, message, Some(until))).flatten()
}

fn max_per_week(validated: &Validated, starts: &[Timestamp], now: Timestamp) -> Option<Answer> {
    let most = validated.on_drift.max_per_week as usize;
    let oldest_that_counts = *starts.iter().rev().nth(most.checked_sub(1)?)?;
    let until = after(oldest_that_counts, WEEK);
    let message = format!("drift has started {most} runs within a week: waits until {until}");
    (now < until).then(|| hold(Reason::MaxPerWeek, message, Some(until))).flatten()
}

fn too_few_bad(validated: &Validated, observed: &Observed, standing: &Standing<'_>) -> Option<Answer> {
    let champion = standing.champion_number()?;
    let scans = drifting(standing, observed).filter_map(|monitor| monitor.status.as_ref()?.last_scan.as_ref());
    let known =
        scans.filter(|scan| scan.reference_version == champion).map(|scan| scan.new_bad).max().unwrap_or_default();
    let wanted = validated.on_drift.min_bad;
    let message = format!("{known} new bad outcomes are known since the champion's data, {wanted} are needed");
    (known < wanted).then(|| hold(Reason::WaitingForOutcomes, message, None)).flatten()
}

/// When drift has started runs, oldest first, each version once.
fn starts(observed: &Observed) -> Vec<Timestamp> {
    let by_drift = |trigger: &Trigger| trigger.kind == TriggerType::Drift;
    let jobs =
        observed.runs.iter().filter(|run| by_drift(&run.origin.trigger)).map(|run| (run.origin.version, run.created));
    let versions = observed.versions.iter().filter(|version| by_drift(&version.spec.trigger));
    let created = versions.filter_map(|version| Some((version.spec.version, version.creation_timestamp()?.0)));
    let told = observed
        .status
        .last_run
        .iter()
        .filter(|last| last.trigger == TriggerType::Drift && last.result != RunResult::Succeeded);
    let all = jobs.chain(created).chain(told.map(|LastRun { version, at, .. }| (*version, *at)));
    let first_of_each = all.fold(std::collections::BTreeMap::new(), |mut first, (version, at)| {
        first.entry(version).and_modify(|known: &mut Timestamp| *known = at.min(*known)).or_insert(at);
        first
    });
    let mut starts: Vec<_> = first_of_each.into_values().collect();
    starts.sort_unstable();
    starts
}

/// A time so much later; the end of all times where there is none.
pub(super) fn after(time: Timestamp, pause: Duration) -> Timestamp {
    let pause = SignedDuration::from_secs(i64::try_from(pause.as_secs()).unwrap_or(i64::MAX));
    time.checked_add(pause).unwrap_or(Timestamp::MAX)
}
