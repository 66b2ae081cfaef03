//! LoanModel: trains versions, judges them, and says which one decides.
//!
//! Reads models, versions, Jobs, services and monitors; writes LoanModel and ModelVersion statuses, ModelVersions and
//! their decisions, and Jobs that train, compare and mirror. Serving and scanning are the other two controllers' work.

pub mod build;
pub mod champion;
pub mod comparison;
pub mod decide;
pub mod drift;
pub mod gates;
pub mod history;
pub mod mirror;
pub mod news;
pub mod observe;
pub mod status;
pub mod trigger;
pub mod validate;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{Api, Resource as _, runtime::reflector::ObjectRef};
use underwriter_crds::{LoanModel, ModelVersion};

use self::{
    build::Origin,
    champion::Standing,
    decide::{Action, Decision, decide},
    observe::{Observed, observe},
    validate::{Validated, validate},
};
use crate::{
    Context, Error,
    apply::{self, Written},
    controller::{self, Shutdown},
    events,
    stores::{Change, Stores},
};

/// A look at a model that is being deleted.
const GOING: Duration = Duration::from_secs(600);

/// Runs the controller until shutdown.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    controller::run(context, shutdown, concerned, reconcile).await;
}

/// Whatever names a model concerns it.
fn concerned(change: &Change, _: &Stores) -> Vec<ObjectRef<LoanModel>> {
    change.model.iter().map(|model| ObjectRef::new(model).within(&change.namespace)).collect()
}

async fn reconcile(model: Arc<LoanModel>, context: Arc<Context>) -> Result<Duration, Error> {
    if model.metadata.deletion_timestamp.is_some() {
        return Ok(GOING); // its Jobs go with it, its versions stay
    }
    let now = (context.now)();
    let result = pass(&model, &context, now).await;
    controller::told(&context, model.as_ref(), result, |error| status::stalled(&model, error, now)).await
}

async fn pass(model: &LoanModel, context: &Context, now: Timestamp) -> Result<Duration, Error> {
    let observed = observe(context, model).await?;
    let validated = validate(model, &context.settings)?;
    let standing = Standing::derive(&validated, &observed);
    let decision = decide(&validated, &observed, &standing, now);
    let pass = Pass { model, context, validated: &validated, observed: &observed, standing: &standing };
    if let Some(action) = &decision.action {
        pass.act(action).await?;
    }
    pass.tell(decision).await
}

/// What is written from.
struct Pass<'a> {
    model: &'a LoanModel,
    context: &'a Context,
    validated: &'a Validated,
    observed: &'a Observed,
    standing: &'a Standing<'a>,
}

impl Pass<'_> {
    async fn act(&self, action: &Action) -> Result<(), Error> {
        let Self { context: Context { client, settings, .. }, validated, standing, .. } = self;
        match action {
            Action::Record(version) => {
                let same = |standing: &ModelVersion| standing.spec.run_id == version.spec.run_id;
                apply::create(client, version.as_ref(), same).await.map(drop)
            }
            Action::Decide(number, record) => {
                self.write(*number, async |version| apply::append_decision(client, version, record.clone()).await).await
            }
            Action::Start(origin) => self.create(|owner| self.first_job(origin, owner)).await,
            Action::Train(origin, sweep) => {
                let request = build::against(build::asked(&self.read_job(sweep).await?)?, standing);
                self.create(|owner| build::training_job(settings, validated, origin, &request, owner)).await
            }
            Action::Mirror(request) => {
                self.create(|owner| mirror::job::mirror(settings, validated, request, owner)).await
            }
            Action::Compare(pair, request) => {
                self.create(|owner| comparison::job::comparison(settings, validated, *pair, request, owner)).await
            }
            Action::Own(number, owned) => {
                let owner = || build::owner(validated);
                self.write(*number, async |version| apply::set_owner(client, version, owner(), *owned).await).await
            }
            Action::Prune(number) => {
                self.write(*number, async |version| apply::delete_unchanged(client, version).await).await
            }
            Action::Remove(name) => self.remove_job(name).await,
        }
    }

    /// Writes to a version that stands.
    async fn write(
        &self,
        number: u32,
        write: impl AsyncFnOnce(&ModelVersion) -> Result<Written, Error>,
    ) -> Result<(), Error> {
        let Some(version) = self.observed.version(number) else { return Ok(()) };
        write(version).await.map(drop)
    }

    /// Creates a Job that the model owns; one that was not created itself yet has no UID, and gets none.
    async fn create(&self, build: impl FnOnce(OwnerReference) -> Job) -> Result<(), Error> {
        let Some(owner) = self.model.controller_owner_ref(&()) else { return Ok(()) };
        let job = build(owner);
        apply::create(&self.context.client, &job, |standing| apply::same_owner(standing, &job)).await.map(drop)
    }

    /// The first Job of a run: its sweep's, where it has one.
    fn first_job(&self, origin: &Origin, owner: OwnerReference) -> Job {
        let (settings, request) = (&self.context.settings, build::request(self.validated, origin));
        if origin.trials.is_some() {
            return build::sweep_job(settings, self.validated, origin, &request, owner);
        }
        build::training_job(settings, self.validated, origin, &build::against(request, self.standing), owner)
    }

    /// The whole Job, of which the store keeps only what is needed more often.
    async fn read_job(&self, name: &str) -> Result<Job, Error> {
        let api: Api<Job> = Api::namespaced(self.context.client.clone(), &self.validated.namespace);
        api.get(name).await.map_err(|error| Error::api(format!("read Job {name}"), error))
    }

    async fn remove_job(&self, name: &str) -> Result<(), Error> {
        match self.context.stores.get::<Job>(&self.validated.namespace, name) {
            Some(job) => apply::delete(&self.context.client, job.as_ref()).await.map(drop),
            None => Ok(()),
        }
    }

    async fn tell(&self, decision: Decision) -> Result<Duration, Error> {
        let Decision { action: _, status, versions, notices, requeue } = decision;
        let client = &self.context.client;
        for (number, status) in versions {
            self.write(number, async |version| apply::patch_status(client, version, &status).await).await?;
        }
        apply::patch_status(client, self.model, &status).await?;
        events::publish(self.context, self.model, notices).await;
        Ok(requeue)
    }
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod world;
