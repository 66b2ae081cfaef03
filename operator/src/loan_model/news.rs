//! What a user would want to know of a pass, as events. A pass that changes nothing tells nothing.

use underwriter_crds::{
    LoanModelStatus, ModelVersionSpec,
    conditions::{ConditionType, holds},
    loan_model::{LastRun, RunResult, SweepProgress},
    model_version::{Decision as Verb, DecisionRecord, LaterComparison, VersionState},
};

use super::{
    build::Origin,
    champion::Placed,
    comparison::Pair,
    decide::Action,
    observe::{Observed, ObservedRun},
    status::explain,
    trigger::Situation,
};
use crate::events::Notice;

/// What events tell, beside decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    RunStarted,
    SweepEnded,
    RunSkipped,
    RunFailed,
    VersionCreated,
    VersionRejected,
    AwaitingApproval,
    VersionPruned,
    RetrainingDidNotHelp,
    ComparisonStarted,
    ComparisonFailed,
}

/// What is new once an action is done and the status written.
#[must_use]
pub fn notices(situation: &Situation<'_>, action: Option<&Action>, status: &LoanModelStatus) -> Vec<Notice> {
    let before = situation.observed.status.last_run.as_ref().map(|last| (last.version, last.attempt));
    let ended = situation.last.filter(|last| before < Some((last.version, last.attempt))).and_then(ended_notice);
    let rejected = situation.standing.versions.iter().filter_map(|placed| rejected_notice(placed, situation));
    let incomparable = situation.comparison.ended.as_ref().and_then(incomparable_notice);
    let waits = waits_notice(&situation.observed.status, status);
    let in_vain = did_not_help_notice(&situation.observed.status, status);
    ended
        .into_iter()
        .chain(rejected)
        .chain(incomparable)
        .chain(waits)
        .chain(in_vain)
        .chain(situation.mirror.notice.clone())
        .chain(action.and_then(|action| action_notice(action, situation.observed)))
        .collect()
}

/// A gate or a person has just said no.
fn rejected_notice(placed: &Placed<'_>, situation: &Situation<'_>) -> Option<Notice> {
    let told = placed.version.status.as_ref().and_then(|status| status.state);
    let news = placed.state == VersionState::Rejected && told != Some(VersionState::Rejected);
    let text = || format!("v{}: {}", placed.version.spec.version, explain(placed, situation.comparison));
    news.then(|| Notice::warning(News::VersionRejected, text()))
}

fn incomparable_notice((version, known): &(u32, LaterComparison)) -> Option<Notice> {
    let failure = known.failure.as_ref()?;
    let text = format!("v{version} against v{}, attempt {}: {}", known.champion, failure.attempts, failure.message);
    Some(Notice::warning(News::ComparisonFailed, text))
}

fn waits_notice(before: &LoanModelStatus, after: &LoanModelStatus) -> Option<Notice> {
    let kind = ConditionType::AwaitingApproval;
    let news = holds(&after.conditions, kind) && !holds(&before.conditions, kind);
    let condition = after.conditions.iter().find(|condition| news && condition.type_ == kind.to_string())?;
    Some(Notice::normal(News::AwaitingApproval, condition.message.clone()))
}

fn did_not_help_notice(before: &LoanModelStatus, after: &LoanModelStatus) -> Option<Notice> {
    let told = |status: &LoanModelStatus| {
        let reason = format!("{:?}", News::RetrainingDidNotHelp);
        status.conditions.iter().find(|condition| condition.reason == reason).map(|found| found.message.clone())
    };
    let message = told(after).filter(|_| told(before).is_none())?;
    Some(Notice::warning(News::RetrainingDidNotHelp, message))
}

fn ended_notice(last: &LastRun) -> Option<Notice> {
    let text = format!("v{}, attempt {}: {}", last.version, last.attempt, last.message.as_deref().unwrap_or_default());
    match last.result {
        RunResult::Succeeded => None, // its version was news already
        RunResult::Skipped => Some(Notice::normal(News::RunSkipped, text)),
        RunResult::Failed => Some(Notice::warning(News::RunFailed, text)),
    }
}

fn action_notice(action: &Action, observed: &Observed) -> Option<Notice> {
    match action {
        Action::Start(origin) => {
            let Origin { version, attempt, trigger, .. } = origin.as_ref();
            Some(Notice::normal(News::RunStarted, format!("v{version}, attempt {attempt}: {:?}", trigger.kind)))
        }
        Action::Train(origin, _) => Some(Notice::normal(News::SweepEnded, swept(origin, observed))),
        Action::Record(version) => Some(Notice::normal(News::VersionCreated, learnt(&version.spec))),
        Action::Decide(version, DecisionRecord { decision, reason, .. }) => {
            let text = format!("v{version}: {reason}");
            let bad = *decision == Verb::RolledBack;
            Some(if bad { Notice::warning(decision, text) } else { Notice::normal(decision, text) })
        }
        Action::Prune(number) => {
            let text = format!("v{number}: there are more than spec.historyLimit versions; its artifact stays");
            Some(Notice::normal(News::VersionPruned, text))
        }
        Action::Compare(Pair { version, champion, attempt }, _) => {
            let text = format!("v{version} against v{champion}, which decides by now, attempt {attempt}");
            Some(Notice::normal(News::ComparisonStarted, text))
        }
        Action::Mirror(_) | Action::Own(..) | Action::Remove(_) => None,
    }
}

fn swept(origin: &Origin, observed: &Observed) -> String {
    let of_run = |run: &&ObservedRun| run.origin == *origin;
    let sweep = observed.runs.iter().find(of_run).and_then(|run| run.sweep.as_ref());
    let SweepProgress { trials, succeeded, failed } = sweep.map(|sweep| sweep.progress).unwrap_or_default();
    format!("v{}: of {trials} trials {succeeded} have a result and {failed} failed", origin.version)
}

fn learnt(ModelVersionSpec { version, leaking, .. }: &ModelVersionSpec) -> String {
    if leaking.is_empty() {
        return format!("v{version} was learnt");
    }
    format!("v{version} was learnt, without columns that tell the outcome: {}", leaking.join(", "))
}
