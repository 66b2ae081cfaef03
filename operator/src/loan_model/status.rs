//! What is told: a LoanModel's status and conditions, and those of its versions.

use jiff::Timestamp;
use kube::ResourceExt as _;
use underwriter_contract::request::TriggerType;
use underwriter_crds::{
    LoanModel, LoanModelStatus, ModelVersion, ModelVersionStatus, RETRAIN_REQUESTED,
    conditions::{ConditionType, State, Wanted, merge},
    loan_model::{LastRun, Run, SweepProgress},
    model_version::{Decision, VersionState},
};

use super::{
    build::Origin,
    champion::Placed,
    comparison,
    decide::{Action, active},
    drift::{self, Answer, Consumed},
    gates::Verdict,
    observe::ObservedRun,
    trigger::{Situation, greatest_number},
};
use crate::{Error, summary::Progress};

/// Why a LoanModel's conditions are as they are, where no gate or failure has a word of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    ChampionDecides,
    Training,
    RunFailed,
    Promoting,
    AwaitingApproval,
    Suspended,
    Rejected,
    WaitingForVersion,
    PolicyManual,
    MayBeServed,
}

/// The status once an action is done.
#[must_use]
pub fn of_model(situation: &Situation<'_>, action: Option<&Action>) -> LoanModelStatus {
    let Situation { validated, observed, standing, last, comparison: _, mirror, now } = situation;
    let started = if let Some(Action::Start(origin)) = action { Some(origin.as_ref()) } else { None };
    let trains = if let Some(Action::Train(origin, _)) = action { Some(origin.as_ref()) } else { None };
    let run = started.map(|origin| planned(situation, origin)).or_else(|| going_on(situation, trains));
    let conditions = conditions(situation, run.as_ref());
    LoanModelStatus {
        observed_generation: validated.generation.unwrap_or_default(),
        champion: standing.champion_number(),
        challenger: standing.challenger.map(|version| version.spec.version),
        latest_version: started.map(|origin| origin.version).max(greatest_number(observed)),
        run,
        last_run: last.cloned(),
        last_handled_retrain_request: handled_request(situation, started),
        next_scheduled_run: situation.next_moment(started.is_some()),
        resolved: Some(validated.resolved.clone()),
        conditions: merge(&observed.status.conditions, conditions, validated.generation, *now),
        mirror: mirror.status.clone(),
    }
}

/// The status of a model that nothing can be decided about.
#[must_use]
pub fn stalled(model: &LoanModel, error: &Error, now: Timestamp) -> LoanModelStatus {
    let (standing, generation) = (model.status.clone().unwrap_or_default(), model.metadata.generation);
    let wanted = |kind, state: bool| Wanted::new(kind, state, error.category(), error.to_string());
    let serves = standing.champion.is_some();
    let ready = if serves { champion_decides(standing.champion) } else { wanted(ConditionType::Ready, false) };
    let conditions = merge(&standing.conditions, vec![ready, wanted(ConditionType::Stalled, true)], generation, now);
    LoanModelStatus { observed_generation: generation.unwrap_or_default(), conditions, ..standing }
}

fn planned(situation: &Situation<'_>, origin: &Origin) -> Run {
    let Origin { version, attempt, trials, .. } = origin;
    let name = &situation.validated.name;
    let job = if trials.is_some() { name.sweep_job(*version, *attempt) } else { name.training_job(*version, *attempt) };
    let sweep = trials.map(|trials| SweepProgress { trials, ..SweepProgress::default() });
    run(origin, job, (situation.now, None), sweep)
}

/// The run that goes on, now to train where that is said; when it started is told once and kept.
fn going_on(situation: &Situation<'_>, trains: Option<&Origin>) -> Option<Run> {
    let ObservedRun { job, origin, created, sweep, progress } = active(situation.observed)?;
    let told = situation.observed.status.run.as_ref();
    let told = told.filter(|run| (run.version, run.attempt) == (origin.version, origin.attempt));
    let name = &situation.validated.name;
    let job = trains.map_or_else(|| job.clone(), |origin| name.training_job(origin.version, origin.attempt));
    let sweep = sweep.as_ref().map(|sweep| sweep.progress).or_else(|| told.and_then(|run| run.sweep));
    let waiting = if let Some(Progress::Running(waits)) = progress { waits.clone() } else { None };
    let started = told.map_or(*created, |run| run.started);
    Some(run(origin, job, (started, waiting.filter(|_| trains.is_none())), sweep))
}

fn run(
    origin: &Origin,
    job: String,
    (started, waiting): (Timestamp, Option<String>),
    sweep: Option<SweepProgress>,
) -> Run {
    let Origin { version, attempt, run, trigger, .. } = origin.clone();
    let waiting = waiting.map(|text| text.chars().take(1024).collect());
    Run { id: run, version, trigger, job, attempt, started, sweep, waiting }
}

fn handled_request(situation: &Situation<'_>, started: Option<&Origin>) -> Option<String> {
    let asked = situation.validated.request.clone();
    let answered = |token: &String| {
        let now = started.is_some_and(|origin| origin.trigger.token.as_ref() == Some(token));
        now || Consumed::of(situation.observed).tokens.contains(token)
    };
    asked.filter(answered).or_else(|| situation.observed.status.last_handled_retrain_request.clone())
}

fn conditions(situation: &Situation<'_>, run: Option<&Run>) -> Vec<Wanted> {
    let open = situation.open_failure().filter(|_| run.is_none());
    let mut conditions = vec![ready(situation, open, run)];
    conditions.extend(stalled_or_reconciling(situation, open, run));
    conditions.extend(awaiting(situation));
    conditions.extend(if run.is_some() || open.is_some() { None } else { retraining(situation) });
    conditions.extend(situation.mirror.condition.clone());
    conditions
}

fn champion_decides(champion: Option<u32>) -> Wanted {
    Wanted::new(
        ConditionType::Ready,
        true,
        Reason::ChampionDecides,
        format!("v{} decides", champion.unwrap_or_default()),
    )
}

fn ready(situation: &Situation<'_>, open: Option<&LastRun>, run: Option<&Run>) -> Wanted {
    let Situation { validated, standing, .. } = situation;
    if standing.champion.is_some() {
        return champion_decides(standing.champion_number());
    }
    let not = |reason: Reason, message: String| Wanted::new(ConditionType::Ready, false, reason, message);
    if let Some(run) = run {
        return not(Reason::Training, progress_message(situation, run));
    }
    if let Some(failed) = open {
        return failure(ConditionType::Ready, State::False, failed);
    }
    if standing.challenger.is_some() {
        return not(Reason::Promoting, "the first version becomes champion".into());
    }
    if let Some(placed) = standing.awaiting() {
        let message = format!("v{} waits for a person: see AwaitingApproval", placed.version.spec.version);
        return not(Reason::AwaitingApproval, message);
    }
    if let Some(placed) = standing.versions.last() {
        return not(
            Reason::Rejected,
            format!("v{}: {}", placed.version.spec.version, explain(placed, situation.comparison)),
        );
    }
    let reason = if validated.suspend { Reason::Suspended } else { Reason::WaitingForVersion };
    not(reason, "there is no version yet".into())
}

/// Whether this generation is still to be acted on, or cannot be.
fn stalled_or_reconciling(situation: &Situation<'_>, open: Option<&LastRun>, run: Option<&Run>) -> Option<Wanted> {
    let Situation { observed, standing, .. } = situation;
    if let Some(failed) = open {
        let invalid = failed.reason.is_some_and(|reason| reason.exit_code() != 1);
        let kind = if invalid { ConditionType::Stalled } else { ConditionType::Reconciling };
        return Some(failure(kind, State::True, failed));
    }
    if let Some(run) = run.filter(|_| learns_this_generation(situation)) {
        return Some(Wanted::new(ConditionType::Reconciling, true, Reason::Training, progress_message(situation, run)));
    }
    let first = standing.champion.is_none() && standing.challenger.is_some();
    let promoting =
        || Wanted::new(ConditionType::Reconciling, true, Reason::Promoting, "the first version becomes champion");
    let nothing_left = || {
        let refused =
            standing.versions.last().filter(|_| standing.champion.is_none() && standing.awaiting().is_none())?;
        let message = format!("v{}: {}", refused.version.spec.version, explain(refused, situation.comparison));
        (!observed.versions.is_empty()).then(|| Wanted::new(ConditionType::Stalled, true, Reason::Rejected, message))
    };
    if first {
        Some(promoting())
    } else if run.is_some() {
        None
    } else {
        nothing_left()
    }
}

/// Whether the newest version has learnt something else than the spec asks for now.
fn learns_this_generation(situation: &Situation<'_>) -> bool {
    let learnt = situation.observed.versions.last().map(|version| &version.spec.config_digest);
    learnt != Some(situation.validated.digest())
}

fn failure(kind: ConditionType, state: State, failed: &LastRun) -> Wanted {
    let LastRun { version, attempt, reason, message, .. } = failed;
    let text = message.as_deref().unwrap_or_default();
    let again = Situation::tried_again_at(failed);
    let message = format!(
        "v{version}, attempt {attempt}: {text}; correct it, or ask for another attempt by a new value of the annotation \
         {}; tried again by itself at {again:.0}",
        RETRAIN_REQUESTED
    );
    match reason {
        Some(reason) => Wanted::new(kind, state, reason, message),
        None => Wanted::new(kind, state, Reason::RunFailed, message),
    }
}

fn progress_message(situation: &Situation<'_>, run: &Run) -> String {
    let name = &situation.validated.name;
    let trains = run.job == name.training_job(run.version, run.attempt);
    let text = match run.sweep.filter(|_| !trains) {
        Some(SweepProgress { trials, succeeded, failed }) => {
            let version = run.version;
            format!("Job {} tries {trials} points for v{version}: {succeeded} succeeded, {failed} failed", run.job)
        }
        None => format!("Job {} trains v{}", run.job, run.version),
    };
    match active(situation.observed).and_then(|run| run.progress.as_ref()) {
        Some(Progress::Running(Some(waits))) => format!("{text}; it waits: {waits}"),
        _ => text,
    }
}

/// A version that waits for a person; one that a Job compares again waits for that first.
fn awaiting(situation: &Situation<'_>) -> Option<Wanted> {
    let Situation { standing, comparison, .. } = situation;
    let compares = comparison.waits.as_ref().is_some_and(|waits| !waits.failed);
    let placed = standing.awaiting().filter(|_| !compares)?;
    let message = awaiting_message(placed, comparison);
    Some(match &placed.verdict {
        Verdict::Hold(reason, _) => Wanted::new(ConditionType::AwaitingApproval, true, reason, message),
        Verdict::Pass | Verdict::Fail(..) => {
            Wanted::new(ConditionType::AwaitingApproval, true, Reason::PolicyManual, message)
        }
    })
}

fn awaiting_message(placed: &Placed<'_>, comparison: &comparison::Plan) -> String {
    let version = placed.version;
    format!(
        "v{}: {}. To approve it: {}  To deny it, write Denied instead",
        version.spec.version,
        explain(placed, comparison),
        approval(version)
    )
}

/// The command by which a person approves a version in their own name.
fn approval(version: &ModelVersion) -> String {
    let (namespace, name) = (version.namespace().unwrap_or_default(), version.name_any());
    format!(
        "kubectl -n {namespace} patch modelversion {name} --type json -p '[{{\"op\": \"add\", \"path\": \"/spec/decisions/-\", \
         \"value\": {{\"decision\": \"Approved\", \"reason\": \"write why\", \
         \"by\": \"'\"$(kubectl auth whoami -o jsonpath={{.status.userInfo.username}})\"'\", \
         \"at\": \"'$(date -u +%FT%TZ)'\"}}}}]'"
    )
}

fn retraining(situation: &Situation<'_>) -> Option<Wanted> {
    held_back(situation).or_else(|| drift_held(situation))
}

/// A run that is due but for `suspend`; what drift asks for speaks for itself.
fn held_back(situation: &Situation<'_>) -> Option<Wanted> {
    let due = situation.due().filter(|_| situation.validated.suspend)?;
    let why = match due.trigger.kind {
        TriggerType::SpecChange => "what is to be learnt has changed",
        TriggerType::Request => "somebody has asked for a run",
        TriggerType::Initial | TriggerType::Schedule | TriggerType::Drift => return None,
    };
    let message = format!("{why}, and spec.suspend holds new runs back");
    Some(Wanted::new(ConditionType::RetrainingRequired, true, Reason::Suspended, message))
}

fn drift_held(situation: &Situation<'_>) -> Option<Wanted> {
    let Situation { validated, observed, standing, now, .. } = situation;
    match drift::answer(validated, observed, standing, *now) {
        Answer::Hold { reason, message, .. } => {
            Some(Wanted::new(ConditionType::RetrainingRequired, true, reason, message))
        }
        Answer::Nothing | Answer::Retrain => None,
    }
}

/// The statuses of all versions, by number.
#[must_use]
pub fn of_versions(situation: &Situation<'_>) -> Vec<(u32, ModelVersionStatus)> {
    let versions = situation.standing.versions.iter();
    versions.map(|placed| (placed.version.spec.version, of_version(placed, situation))).collect()
}

fn of_version(placed: &Placed<'_>, situation: &Situation<'_>) -> ModelVersionStatus {
    let Placed { version, state, verdict, record } = placed;
    let served = record.may_serve() || matches!(state, VersionState::Champion | VersionState::Challenger);
    let message = explain(placed, situation.comparison);
    let ready = match verdict {
        _ if served => Wanted::new(ConditionType::Ready, true, Reason::MayBeServed, message),
        Verdict::Hold(reason, _) | Verdict::Fail(reason, _) => {
            Wanted::new(ConditionType::Ready, false, reason, message)
        }
        Verdict::Pass => Wanted::new(ConditionType::Ready, false, state, message),
    };
    let generation = version.metadata.generation;
    let standing = version.status.clone().unwrap_or_default();
    let conditions = merge(&standing.conditions, vec![ready], generation, situation.now);
    let ended = situation.comparison.ended.as_ref().filter(|(number, _)| *number == version.spec.version);
    let comparison = ended.map(|(_, known)| known.clone()).or(standing.comparison);
    ModelVersionStatus {
        observed_generation: generation.unwrap_or_default(),
        state: Some(*state),
        conditions,
        comparison,
    }
}

/// Why a version stands where it does: the last decision against it, or what the gates say, or what they wait for.
pub(super) fn explain(placed: &Placed<'_>, comparison: &comparison::Plan) -> String {
    let waits = comparison.waits.as_ref().filter(|waits| waits.version == placed.version.spec.version);
    let decided = placed.version.spec.decisions.iter().rev().find(|record| record.decision != Decision::Approved);
    match (decided, &placed.verdict) {
        (Some(record), _) => format!("{:?} by {}: {}", record.decision, record.by, record.reason),
        (None, Verdict::Hold(_, message)) => waits.map_or(message, |waits| &waits.message).clone(),
        (None, Verdict::Fail(_, message)) => message.clone(),
        (None, Verdict::Pass) if placed.state == VersionState::Candidate => {
            "it passes its gates, and waits for a person".into()
        }
        (None, Verdict::Pass) => "it passes its gates".into(),
    }
}
