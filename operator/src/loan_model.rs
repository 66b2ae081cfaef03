//! LoanModel: trains versions, judges them, and says which one decides.
//!
//! Reads models, versions, Jobs, services and monitors; writes LoanModel and ModelVersion statuses, ModelVersions and
//! their decisions, and training Jobs. Serving and scanning are the other two controllers' work.

pub mod build;
pub mod champion;
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
use k8s_openapi::api::batch::v1::Job;
use kube::{Api, Client, Resource as _, runtime::reflector::ObjectRef};
use underwriter_crds::{LoanModel, ModelVersion};

use self::{
    decide::{Action, Decision, decide},
    observe::{Observed, observe},
    validate::{Validated, validate},
};
use crate::{
    Context, Error, apply, controller,
    controller::Shutdown,
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
    let decision = decide(&validated, &observed, now);
    act(model, context, &validated, &observed, decision.action.as_ref()).await?;
    tell(model, context, &observed, decision).await
}

async fn act(
    model: &LoanModel,
    context: &Context,
    validated: &Validated,
    observed: &Observed,
    action: Option<&Action>,
) -> Result<(), Error> {
    let Context { client, settings, .. } = context;
    match action {
        None => {}
        Some(Action::Record(version)) => {
            let same = |standing: &ModelVersion| standing.spec.run_id == version.spec.run_id;
            apply::create(client, version.as_ref(), same).await?;
        }
        Some(Action::Decide(number, record)) => {
            if let Some(version) = observed.version(*number) {
                apply::append_decision(client, version, record.clone()).await?;
            }
        }
        Some(Action::Start(origin)) => {
            let Some(owner) = model.controller_owner_ref(&()) else { return Ok(()) }; // not created yet: it has no UID
            let standing = champion::Standing::derive(validated, observed);
            let request = build::request(validated, origin);
            let job = if origin.trials.is_some() {
                build::sweep_job(settings, validated, origin, &request, owner)
            } else {
                build::training_job(settings, validated, origin, &build::against(request, &standing), owner)
            };
            apply::create(client, &job, |standing| apply::same_owner(standing, &job)).await?;
        }
        Some(Action::Train(origin, sweep)) => {
            let Some(owner) = model.controller_owner_ref(&()) else { return Ok(()) };
            let request = build::asked(&read_job(client, &validated.namespace, sweep).await?)?;
            let request = build::against(request, &champion::Standing::derive(validated, observed));
            let job = build::training_job(settings, validated, origin, &request, owner);
            apply::create(client, &job, |standing| apply::same_owner(standing, &job)).await?;
        }
        Some(Action::Mirror(request)) => {
            let Some(owner) = model.controller_owner_ref(&()) else { return Ok(()) }; // not created yet: it has no UID
            let job = mirror::job::mirror(settings, validated, request, owner);
            apply::create(client, &job, |standing| apply::same_owner(standing, &job)).await?;
        }
        Some(Action::Own(number, owned)) => {
            if let Some(version) = observed.version(*number) {
                apply::set_owner(client, version, build::owner(validated), *owned).await?;
            }
        }
        Some(Action::Prune(number)) => {
            if let Some(version) = observed.version(*number) {
                apply::delete_unchanged(client, version).await?;
            }
        }
        Some(Action::Remove(name)) => {
            if let Some(job) = context.stores.get::<Job>(&validated.namespace, name) {
                apply::delete(client, job.as_ref()).await?;
            }
        }
    }
    Ok(())
}

/// The whole Job, of which the store keeps only what is needed more often.
async fn read_job(client: &Client, namespace: &str, name: &str) -> Result<Job, Error> {
    let api: Api<Job> = Api::namespaced(client.clone(), namespace);
    api.get(name).await.map_err(|error| Error::api(format!("read Job {name}"), error))
}

async fn tell(
    model: &LoanModel,
    context: &Context,
    observed: &Observed,
    decision: Decision,
) -> Result<Duration, Error> {
    let Decision { action: _, status, versions, notices, requeue } = decision;
    for (number, status) in versions {
        if let Some(version) = observed.version(number) {
            apply::patch_status(&context.client, version, &status).await?;
        }
    }
    apply::patch_status(&context.client, model, &status).await?;
    events::publish(context, model, notices).await;
    Ok(requeue)
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod world;
