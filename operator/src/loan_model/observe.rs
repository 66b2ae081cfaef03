//! Everything a LoanModel's decision rests on, gathered into one value.
//!
//! From the stores, but for the pods of Jobs whose result is not written down yet, and for a Job that the status tells of
//! and the store does not know yet.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::{Api, ResourceExt as _};
use underwriter_crds::{DriftMonitor, LoanModel, LoanModelStatus, ModelVersion, PredictionService};

use super::build::Origin;
use crate::{
    Context, Error,
    names::{Component, annotation, label},
    summary::{self, Progress},
};

/// Everything a decision rests on.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The status as it stands; its default for a new model.
    pub status: LoanModelStatus,
    /// The model's versions, oldest first.
    pub versions: Vec<Arc<ModelVersion>>,
    /// Its training Jobs, oldest first.
    pub runs: Vec<ObservedRun>,
    /// The services that name it.
    pub services: Vec<Arc<PredictionService>>,
    /// The monitors that name it.
    pub monitors: Vec<Arc<DriftMonitor>>,
}

/// One training Job.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRun {
    /// Its name.
    pub job: String,
    /// What it was made for.
    pub origin: Origin,
    /// When it was created.
    pub created: Timestamp,
    /// How it is doing; none where its result is written down.
    pub progress: Option<Progress>,
}

impl Observed {
    /// The version of a number.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&ModelVersion> {
        self.versions.iter().map(AsRef::as_ref).find(|version| version.spec.version == number)
    }

    /// The newest version's number.
    #[must_use]
    pub fn newest(&self) -> Option<u32> {
        self.versions.iter().map(|version| version.spec.version).max()
    }
}

/// Reads what concerns a model.
///
/// # Errors
/// When pods cannot be listed, or a Job's annotation was tampered with.
pub async fn observe(context: &Context, model: &LoanModel) -> Result<Observed, Error> {
    let (namespace, name) = (model.namespace().unwrap_or_default(), model.name_any());
    let stores = &context.stores;
    let mut versions = stores.of_model::<ModelVersion>(&namespace, &name);
    versions.sort_by_key(|version| version.spec.version);
    let mut observed = Observed {
        status: model.status.clone().unwrap_or_default(),
        versions,
        runs: Vec::new(),
        services: stores.of_model(&namespace, &name),
        monitors: stores.of_model(&namespace, &name),
    };
    for job in jobs(context, &namespace, &name, &observed.status).await? {
        let run = observe_run(context, &job, &observed).await?;
        observed.runs.push(run);
    }
    observed.runs.sort_by_key(|run| (run.origin.version, run.origin.attempt));
    Ok(observed)
}

async fn jobs(
    context: &Context,
    namespace: &str,
    model: &str,
    status: &LoanModelStatus,
) -> Result<Vec<Arc<Job>>, Error> {
    let mut jobs = context.stores.of_model::<Job>(namespace, model);
    jobs.retain(|job| {
        job.labels().get(label::COMPONENT).is_some_and(|component| component == Component::Training.as_str())
    });
    if let Some(name) =
        status.run.as_ref().map(|run| &run.job).filter(|name| jobs.iter().all(|job| job.name_any() != **name))
    {
        let api: Api<Job> = Api::namespaced(context.client.clone(), namespace);
        let found = api.get_opt(name).await.map_err(|error| Error::api(format!("read Job {name}"), error))?;
        jobs.extend(found.filter(|job| job.annotations().contains_key(annotation::ORIGIN)).map(Arc::new));
    }
    Ok(jobs)
}

async fn observe_run(context: &Context, job: &Job, observed: &Observed) -> Result<ObservedRun, Error> {
    let origin = Origin::of(job)?;
    let progress =
        if is_recorded(&origin, observed) { None } else { Some(summary::observe(&context.client, job).await?) };
    let created = job.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    Ok(ObservedRun { job: job.name_any(), origin, created, progress })
}

/// Whether what became of a run is written down: as its version, or as the last run of the status.
pub(super) fn is_recorded(origin: &Origin, observed: &Observed) -> bool {
    let made = observed.version(origin.version).is_some();
    let told = observed.status.last_run.as_ref().map(|last| (last.version, last.attempt));
    made || told.is_some_and(|told| told >= (origin.version, origin.attempt))
}
