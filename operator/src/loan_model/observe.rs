//! Everything a LoanModel's decision rests on, gathered into one value.
//!
//! From the stores, but for the pods of Jobs whose result is not written down yet, and for a Job that the status tells of
//! and the store does not know yet. A run with a sweep has two Jobs, which are put together here.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::{Api, ResourceExt as _};
use underwriter_crds::{
    DriftMonitor, LoanModel, LoanModelStatus, ModelVersion, PredictionService, loan_model::SweepProgress,
};

use super::{
    build::Origin,
    comparison::{self, ObservedComparison, Pair},
    mirror::{ObservedMirror, is_seen},
};
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
    /// Its runs whose Jobs are still there, oldest first.
    pub runs: Vec<ObservedRun>,
    /// The services that name it.
    pub services: Vec<Arc<PredictionService>>,
    /// The monitors that name it.
    pub monitors: Vec<Arc<DriftMonitor>>,
    /// The Jobs that bring MLflow up to date, oldest first.
    pub mirrors: Vec<ObservedMirror>,
    /// The Jobs that compare versions again, oldest first.
    pub comparisons: Vec<ObservedComparison>,
}

/// One run: its training Job, and its sweep's where it has one.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRun {
    /// The name of its training Job; its sweep's, while nothing trains yet.
    pub job: String,
    /// What it was made for.
    pub origin: Origin,
    /// When its first Job was created.
    pub created: Timestamp,
    /// How that Job is doing; none where the result is written down.
    pub progress: Option<Progress>,
    /// Its sweep, while its Job is there.
    pub sweep: Option<ObservedSweep>,
}

/// The Job of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedSweep {
    /// Its name.
    pub job: String,
    /// How its trials are doing.
    pub progress: SweepProgress,
    /// Whether it has ended, well or not: the run trains on what there is.
    pub ended: bool,
}

impl ObservedRun {
    /// Its sweep, while nothing trains yet.
    #[must_use]
    pub fn sweeping(&self) -> Option<&ObservedSweep> {
        self.sweep.as_ref().filter(|sweep| sweep.job == self.job)
    }

    /// Puts together what two Jobs tell of the same run.
    #[must_use]
    fn with(self, other: Self) -> Self {
        let (training, sweep) = if self.sweeping().is_some() { (other, self) } else { (self, other) };
        Self { created: training.created.min(sweep.created), sweep: sweep.sweep, ..training }
    }
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
        mirrors: Vec::new(),
        comparisons: Vec::new(),
    };
    for job in jobs(context, &namespace, &name, &observed.status).await? {
        let run = observe_run(context, &job, &observed).await?;
        add(&mut observed.runs, run);
    }
    observed.runs.sort_by_key(|run| (run.origin.version, run.origin.attempt));
    observed.mirrors = mirrors(context, &namespace, &name, &observed.status).await?;
    observed.comparisons = comparisons(context, &namespace, &name, &observed).await?;
    Ok(observed)
}

/// Adds what a Job tells to its run.
fn add(runs: &mut Vec<ObservedRun>, run: ObservedRun) {
    let attempt = |run: &ObservedRun| (run.origin.version, run.origin.attempt);
    match runs.iter().position(|known| attempt(known) == attempt(&run)) {
        Some(place) => {
            let known = runs.swap_remove(place);
            runs.push(known.with(run));
        }
        None => runs.push(run),
    }
}

/// The newest Job alone is asked how it does: one at a time is started.
async fn mirrors(
    context: &Context,
    namespace: &str,
    model: &str,
    status: &LoanModelStatus,
) -> Result<Vec<ObservedMirror>, Error> {
    let jobs = by_age(context, namespace, model, Component::RegistryMirror);
    let mirror = |job: &Arc<Job>| ObservedMirror { job: job.name_any(), created: created(job), progress: None };
    let mut mirrors: Vec<_> = jobs.iter().map(mirror).collect();
    if let (Some(newest), Some(job)) = (mirrors.last_mut(), jobs.last())
        && !is_seen(status.mirror.as_ref(), &newest.job, newest.created)
    {
        newest.progress = Some(summary::observe(&context.client, job).await?);
    }
    Ok(mirrors)
}

/// As of [`mirrors`], the newest Job alone is asked how it does.
async fn comparisons(
    context: &Context,
    namespace: &str,
    model: &str,
    observed: &Observed,
) -> Result<Vec<ObservedComparison>, Error> {
    let jobs = by_age(context, namespace, model, Component::Comparison);
    let comparison = |job: &Arc<Job>| -> Result<ObservedComparison, Error> {
        let (pair, progress) = (Pair::of(job)?, None);
        Ok(ObservedComparison { job: job.name_any(), pair, created: created(job), progress })
    };
    let mut comparisons = jobs.iter().map(comparison).collect::<Result<Vec<_>, _>>()?;
    if let (Some(newest), Some(job)) = (comparisons.last_mut(), jobs.last())
        && !comparison::is_seen(observed.version(newest.pair.version), &newest.job)
    {
        newest.progress = Some(summary::observe(&context.client, job).await?);
    }
    Ok(comparisons)
}

/// A model's Jobs of one kind, oldest first.
fn by_age(context: &Context, namespace: &str, model: &str, component: Component) -> Vec<Arc<Job>> {
    let mut jobs = context.stores.of_model::<Job>(namespace, model);
    jobs.retain(|job| is(job, component));
    jobs.sort_by_key(|job| (created(job), job.name_any()));
    jobs
}

fn is(job: &Job, component: Component) -> bool {
    job.labels().get(label::COMPONENT).is_some_and(|label| label == component.as_str())
}

fn created(job: &Job) -> Timestamp {
    job.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}

async fn jobs(
    context: &Context,
    namespace: &str,
    model: &str,
    status: &LoanModelStatus,
) -> Result<Vec<Arc<Job>>, Error> {
    let mut jobs = context.stores.of_model::<Job>(namespace, model);
    jobs.retain(|job| is(job, Component::Training) || is(job, Component::Sweep));
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
    let sweep = sweep(job, &origin);
    let progress = match (is_recorded(&origin, observed), &sweep) {
        (true, _) => None,
        (false, Some(sweep)) if sweep.ended => Some(Progress::Running(None)), // the run goes on: it is to train
        (false, _) => Some(summary::observe(&context.client, job).await?),
    };
    Ok(ObservedRun { job: job.name_any(), origin, created: created(job), progress, sweep })
}

fn sweep(job: &Job, origin: &Origin) -> Option<ObservedSweep> {
    let (succeeded, failed) = summary::indexes(job);
    let progress = SweepProgress { trials: origin.trials.unwrap_or_default(), succeeded, failed };
    let sweep = ObservedSweep { job: job.name_any(), progress, ended: summary::has_ended(job) };
    is(job, Component::Sweep).then_some(sweep)
}

/// Whether what became of a run is written down: as its version, or as the last run of the status. A later version tells,
/// too, that no run before it is open: its own version may have been pruned, and is not to come again from its Job.
pub(super) fn is_recorded(origin: &Origin, observed: &Observed) -> bool {
    let made = observed.newest() >= Some(origin.version);
    let told = observed.status.last_run.as_ref().map(|last| (last.version, last.attempt));
    made || told.is_some_and(|told| told >= (origin.version, origin.attempt))
}
