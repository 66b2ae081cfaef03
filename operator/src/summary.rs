//! How a Job is doing, and what it has to say at its end.
//!
//! A Job's own status tells that it ended, its pods' termination messages how. Pods are listed on demand, for Jobs whose
//! result is not written down yet.

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerStateTerminated, ContainerStatus, Pod},
};
use kube::{Api, Client, ResourceExt as _, api::ListParams};
use underwriter_contract::summary::{FailureReason, Summary};

use crate::{Error, names::label, pod::TASK};

/// How a Job is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// It runs, or waits for what is told.
    Running(Option<String>),
    /// It said how it ended.
    Ended(Summary),
    /// It succeeded, but what it said cannot be read: another attempt only says it again.
    Lost,
    /// It failed without a word: killed or out of memory; the text says so.
    Broken(String),
    /// It was ended because it took too long; with what its last failed pod said, where one did.
    OutOfTime(Option<String>),
}

/// Why a Job did not do what it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault, where the Job said it.
    pub reason: Option<FailureReason>,
    /// What is wrong, where, and what to do.
    pub message: String,
}

impl Progress {
    /// What a Job that has ended came to, if `wanted` takes what it said; none while it runs.
    pub fn outcome<T>(&self, wanted: impl FnOnce(&Summary) -> Option<T>) -> Option<Result<T, Fault>> {
        let fault = |reason, message: &str| Fault { reason, message: message.chars().take(800).collect() };
        let lost = || fault(None, "it ended well, but its result was lost: another attempt tells it again");
        Some(match self {
            Self::Running(_) => return None,
            Self::Ended(Summary::Failed(failure)) => Err(fault(Some(failure.reason), &failure.message)),
            Self::Ended(summary) => wanted(summary).ok_or_else(lost),
            Self::Lost => Err(lost()),
            Self::Broken(why) => Err(fault(None, why)),
            Self::OutOfTime(word) => {
                let word = word.as_deref().map(|word| format!("; its last try ended with {word}"));
                Err(fault(None, &format!("it took too long{}", word.unwrap_or_default())))
            }
        })
    }

    /// What a Job that runs waits for.
    #[must_use]
    pub fn waits(&self) -> Option<&str> {
        if let Self::Running(waits) = self { waits.as_deref() } else { None }
    }
}

/// Reads a Job's pods, and what they say.
///
/// # Errors
/// When the pods cannot be listed.
pub async fn observe(client: &Client, job: &Job) -> Result<Progress, Error> {
    let name = job.name_any();
    let pods: Api<Pod> = Api::namespaced(client.clone(), &job.namespace().unwrap_or_default());
    let parameters = ListParams::default().labels(&format!("{}={name}", label::JOB));
    let listed =
        pods.list(&parameters).await.map_err(|error| Error::api(format!("list the pods of Job {name}"), error))?;
    Ok(judge(job, &listed.items))
}

/// How a Job is doing, given its pods.
#[must_use]
pub fn judge(job: &Job, pods: &[Pod]) -> Progress {
    match ended(job) {
        None => Progress::Running(suspended(job).or_else(|| pods.iter().find_map(waits_for))),
        Some(End::Succeeded) => {
            last(pods, |end| end.exit_code == 0).and_then(said).map_or(Progress::Lost, Progress::Ended)
        }
        Some(End::Failed(why)) => {
            let last = last(pods, |end| end.exit_code != 0);
            let word = last.and_then(said);
            if why.starts_with("DeadlineExceeded") {
                return Progress::OutOfTime(word.and_then(failure));
            }
            word.map_or_else(|| Progress::Broken(without_words(why, last)), Progress::Ended)
        }
    }
}

/// Whether a Job has ended, well or not.
#[must_use]
pub fn has_ended(job: &Job) -> bool {
    ended(job).is_some()
}

/// How many numbers of an indexed Job have ended well, and how many have failed for good.
#[must_use]
pub fn indexes(job: &Job) -> (u32, u32) {
    let status = job.status.as_ref();
    let count = |listed: Option<&String>| listed.map_or(0, |listed| listed.split(',').map(span).sum());
    (
        count(status.and_then(|status| status.completed_indexes.as_ref())),
        count(status.and_then(|status| status.failed_indexes.as_ref())),
    )
}

/// How many numbers `3-5` or `7` stands for.
fn span(text: &str) -> u32 {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.trim().parse::<u32>().ok();
    number(first).zip(number(last)).map_or(0, |(first, last)| last.saturating_sub(first).saturating_add(1))
}

fn failure(summary: Summary) -> Option<String> {
    if let Summary::Failed(failure) = summary { Some(failure.to_string()) } else { None }
}

/// A queue such as Kueue holds Jobs back by suspending them; a person may, too.
fn suspended(job: &Job) -> Option<String> {
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    let holds = conditions.iter().any(|condition| condition.type_ == "Suspended" && condition.status == "True");
    let whom = job.labels().get(label::QUEUE).map_or_else(
        || "whoever suspended it sets spec.suspend of the Job to false again".into(),
        |queue| format!("the queue {queue} admits it when there is room"),
    );
    holds.then(|| format!("JobSuspended: {whom}"))
}

enum End {
    Succeeded,
    Failed(String),
}

fn ended(job: &Job) -> Option<End> {
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    conditions.iter().filter(|condition| condition.status == "True").find_map(|condition| {
        match condition.type_.as_str() {
            "Complete" => Some(End::Succeeded),
            "Failed" => {
                let part = |text: &Option<String>| text.clone().unwrap_or_default();
                Some(End::Failed(format!("{}: {}", part(&condition.reason), part(&condition.message))))
            }
            _ => None,
        }
    })
}

fn task(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.iter().find(|status| status.name == TASK)
}

/// The newest end of a pod that is of interest.
fn last(pods: &[Pod], of_interest: fn(&ContainerStateTerminated) -> bool) -> Option<&ContainerStateTerminated> {
    let ends = pods.iter().filter_map(|pod| task(pod)?.state.as_ref()?.terminated.as_ref());
    ends.filter(|end| of_interest(end)).max_by_key(|end| end.finished_at.as_ref().map(|time| time.0))
}

fn said(end: &ContainerStateTerminated) -> Option<Summary> {
    serde_json::from_str(end.message.as_deref()?).ok()
}

fn without_words(why: String, last: Option<&ContainerStateTerminated>) -> String {
    let Some(end) = last else { return why };
    let reason = end.reason.as_deref().unwrap_or("Error");
    format!("{why}; the last pod ended with {reason} (exit code {})", end.exit_code)
}

/// What keeps a pod from running.
fn waits_for(pod: &Pod) -> Option<String> {
    let container = task(pod).and_then(|task| task.state.as_ref()?.waiting.as_ref());
    if let Some(waiting) = container {
        let reason = waiting.reason.clone().filter(|reason| reason != "ContainerCreating")?;
        return Some(format!("{reason}: {}", waiting.message.clone().unwrap_or_default()));
    }
    let conditions = pod.status.as_ref()?.conditions.as_deref()?;
    let unscheduled =
        conditions.iter().find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    Some(format!("{}: {}", unscheduled.reason.clone()?, unscheduled.message.clone().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use underwriter_contract::summary::{Failure, FailureReason};

    use super::*;

    fn job(condition: Option<(&str, &str)>) -> Job {
        let conditions: Vec<Value> = condition
            .into_iter()
            .map(|(kind, reason)| json!({"type": kind, "status": "True", "reason": reason, "message": "m"}))
            .collect();
        serde_json::from_value(json!({"metadata": {"name": "j"}, "status": {"conditions": conditions}})).unwrap()
    }

    fn pod(state: Value) -> Pod {
        let status =
            json!({"name": TASK, "image": "i", "imageID": "i", "ready": false, "restartCount": 0, "state": state});
        serde_json::from_value(json!({"metadata": {}, "status": {"containerStatuses": [status]}})).unwrap()
    }

    fn ended_with(code: i32, second: u8, message: &str) -> Pod {
        pod(
            json!({"terminated": {"exitCode": code, "message": message, "reason": "Error", "finishedAt": format!("2026-01-01T00:00:{second:02}Z")}}),
        )
    }

    fn failure(text: &str) -> (Summary, String) {
        let summary = Summary::Failed(Failure::new(FailureReason::ColumnNotFound, text));
        let message = serde_json::to_string(&summary).unwrap();
        (summary, message)
    }

    #[test]
    fn the_newest_pods_word_counts() {
        let (summary, message) = failure("new");
        let pods = [ended_with(1, 9, &message), ended_with(1, 1, &failure("old").1)];
        assert_eq!(judge(&job(Some(("Failed", "BackoffLimitExceeded"))), &pods), Progress::Ended(summary));
    }

    #[test]
    fn a_success_without_a_readable_word_is_lost() {
        let complete = job(Some(("Complete", "")));
        assert_eq!(judge(&complete, &[]), Progress::Lost);
        assert_eq!(judge(&complete, &[ended_with(0, 1, "{\"trained\":")]), Progress::Lost);
        assert_eq!(judge(&complete, &[ended_with(1, 2, &failure("an earlier try").1)]), Progress::Lost);
    }

    #[test]
    fn a_failure_without_a_word_tells_what_kubernetes_knows() {
        let Progress::Broken(text) = judge(&job(Some(("Failed", "BackoffLimitExceeded"))), &[ended_with(137, 1, "")])
        else {
            panic!()
        };
        assert!(text.contains("BackoffLimitExceeded") && text.contains("137"), "{text}");
    }

    #[test]
    fn a_job_out_of_time_tells_what_its_last_try_said() {
        let late = |pods: &[Pod]| judge(&job(Some(("Failed", "DeadlineExceeded"))), pods);
        assert_eq!(late(&[]), Progress::OutOfTime(None));
        let words = Some("ColumnNotFound: x".into());
        assert_eq!(late(&[ended_with(1, 1, &failure("x").1)]), Progress::OutOfTime(words));
    }

    #[test]
    fn a_suspended_job_tells_who_lets_it_go_on() {
        let mut suspended = job(Some(("Suspended", "JobSuspended")));
        let waits = |job: &Job| match judge(job, &[]) {
            Progress::Running(Some(waits)) => waits,
            other => panic!("{other:?}"),
        };
        assert!(waits(&suspended).contains("spec.suspend"), "{}", waits(&suspended));
        suspended.labels_mut().insert(label::QUEUE.into(), "nightly".into());
        assert_eq!(waits(&suspended), "JobSuspended: the queue nightly admits it when there is room");
        assert_eq!(judge(&job(None), &[]), Progress::Running(None));
    }

    #[test]
    fn the_numbers_of_an_indexed_job_are_counted() {
        let job = |completed: &str, failed: &str| {
            let status = json!({"completedIndexes": completed, "failedIndexes": failed});
            serde_json::from_value(json!({"metadata": {}, "status": status})).unwrap()
        };
        assert_eq!(indexes(&job("0,2-4,7", "1,5-6")), (5, 3));
        assert_eq!(indexes(&job("", "")), (0, 0));
        assert_eq!(indexes(&Job::default()), (0, 0));
        assert!(!has_ended(&Job::default()));
    }

    #[test]
    fn a_running_job_tells_what_its_pod_waits_for() {
        let waiting =
            |reason: &str| pod(json!({"waiting": {"reason": reason, "message": "secret \"loans\" not found"}}));
        let config = judge(&job(None), &[waiting("CreateContainerConfigError")]);
        assert_eq!(config, Progress::Running(Some("CreateContainerConfigError: secret \"loans\" not found".into())));
        assert_eq!(judge(&job(None), &[waiting("ContainerCreating")]), Progress::Running(None));
    }

    proptest! {
        #[test]
        fn no_message_stops_the_operator(message in ".{0,200}", code in 0..4) {
            let condition = if code == 0 { "Complete" } else { "Failed" };
            let progress = judge(&job(Some((condition, "r"))), &[ended_with(code, 1, &message)]);
            prop_assert!(!matches!(progress, Progress::Running(_)));
        }
    }
}
