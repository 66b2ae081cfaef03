//! Reads a monitor's Jobs and what its spec names. Pods are listed only for scans whose result is not written down yet.

use std::sync::Arc;

use futures::future::try_join_all;
use k8s_openapi::api::batch::v1::Job;
use kube::{Resource as _, ResourceExt as _};
use underwriter_contract::summary::{Failure, FailureReason, Summary};
use underwriter_crds::{DriftMonitor, DriftMonitorStatus, LoanModel, ModelVersion, PredictionService, SCAN_REQUESTED};

use super::{
    episode::is_recorded,
    state::{Cause, Observed, Outcome, Scan},
    validate::{Invalid, Named, Validated, validate},
};
use crate::{
    Context, Error,
    names::annotation,
    summary::{self, Progress},
};

/// What the monitor names, read into what is to be scanned.
///
/// # Errors
/// When nothing can be scanned.
pub fn named(monitor: &DriftMonitor, context: &Context) -> Result<Validated, Invalid> {
    let (namespace, stores) = (monitor.namespace().unwrap_or_default(), &context.stores);
    let model_name = &monitor.spec.model_ref.name;
    let model: Option<Arc<LoanModel>> = stores.get(&namespace, model_name);
    let champion = model.as_ref().and_then(|model| model.status.as_ref()?.champion);
    let versions = stores.of_model::<ModelVersion>(&namespace, model_name);
    let champion = versions.iter().find(|version| Some(version.spec.version) == champion);
    let service: Option<Arc<PredictionService>> = stores.get(&namespace, &monitor.spec.source.service);
    let named = Named { model: model.as_deref(), champion: champion.map(AsRef::as_ref), service: service.as_deref() };
    validate(&monitor.spec, named)
}

/// The monitor and its scans.
///
/// # Errors
/// When pods cannot be listed, or a Job of ours says nothing readable.
pub async fn observe(monitor: &DriftMonitor, context: &Context) -> Result<Observed, Error> {
    let status = monitor.status.clone().unwrap_or_default();
    let scans = try_join_all(jobs(monitor, context).iter().map(|job| scan(job, &status, context))).await?;
    Ok(Observed {
        uid: monitor.uid().unwrap_or_default(),
        created: monitor.creation_timestamp().map(|time| time.0).unwrap_or_default(),
        requested: monitor.annotations().get(SCAN_REQUESTED).filter(|token| !token.is_empty()).cloned(),
        scans,
        status,
    })
}

/// The Jobs that this very monitor owns.
#[must_use]
pub fn jobs(monitor: &DriftMonitor, context: &Context) -> Vec<Arc<Job>> {
    let owner = monitor.controller_owner_ref(&()).map(|owner| owner.uid);
    let owned = |job: &Job| {
        let same_namespace = job.namespace() == monitor.namespace();
        same_namespace && job.owner_references().iter().any(|reference| Some(&reference.uid) == owner.as_ref())
    };
    context.stores.jobs.state_filter(owned)
}

async fn scan(job: &Job, status: &DriftMonitorStatus, context: &Context) -> Result<Scan, Error> {
    let created = job.creation_timestamp().map(|time| time.0).unwrap_or_default();
    let known = is_recorded(&status.history, &job.name_any(), created);
    let outcome = if known { Outcome::Known } else { outcome(summary::observe(&context.client, job).await?) };
    Ok(Scan { job: job.name_any(), created, cause: cause(job)?, outcome })
}

fn outcome(progress: Progress) -> Outcome {
    let internal = |message: &str| Outcome::Failed(Failure::new(FailureReason::Internal, message));
    match progress {
        Progress::Running(waits_for) => Outcome::Running(waits_for),
        Progress::Ended(Summary::Scanned(scanned)) => Outcome::Scanned(scanned),
        Progress::Ended(Summary::Failed(failure)) => Outcome::Failed(failure),
        Progress::Ended(
            Summary::Trained(_) | Summary::Skipped(_) | Summary::Tried(_) | Summary::Mirrored(_) | Summary::Compared(_),
        ) => internal("the Job did something else than a scan"),
        Progress::Lost => internal("what it found cannot be read; the next scan looks again"),
        Progress::Broken(why) => internal(&why),
        Progress::OutOfTime(None) => internal("it took too long"),
        Progress::OutOfTime(Some(word)) => internal(&format!("it took too long; its last try ended with {word}")),
    }
}

fn cause(job: &Job) -> Result<Cause, Error> {
    let text = job.annotations().get(annotation::SCAN).map_or("", String::as_str);
    serde_json::from_str(text).map_err(|error| Error::Unreadable {
        kind: "Job",
        name: job.name_any(),
        what: annotation::SCAN,
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_job_says_has_a_meaning_for_a_scan() {
        let failure = Failure::new(FailureReason::AccessDenied, "no");
        assert_eq!(outcome(Progress::Ended(Summary::Failed(failure.clone()))), Outcome::Failed(failure));
        let Outcome::Failed(lost) = outcome(Progress::Lost) else { panic!() };
        assert_eq!(lost.reason, FailureReason::Internal);
        let Outcome::Failed(broken) = outcome(Progress::Broken("OOMKilled".into())) else { panic!() };
        assert!(broken.message.contains("OOMKilled"));
    }
}
