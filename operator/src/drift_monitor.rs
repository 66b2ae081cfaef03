//! Watches whether the world still looks like the data: the DriftMonitor controller.
//!
//! A scan is a Job; what it found comes back as its termination message and is folded into a count and an
//! [`episode`]. What drift leads to is the LoanModel's to decide.

pub mod build;
pub mod decide;
pub mod episode;
pub mod observe;
#[cfg(test)]
mod simulation;
pub mod state;
pub mod status;
pub mod validate;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use underwriter_crds::DriftMonitor;

use crate::{
    Context, Error, apply,
    controller::{self, Shutdown},
    events,
    names::Name,
    stores::{Change, Kind, Stores},
};
use decide::{Decision, decide};
use validate::{Invalid, Validated};

/// Reconciles every monitor until shutdown.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    controller::run(context, shutdown, concerned, reconcile).await;
}

/// A monitor looks when itself, its Jobs, its model, a version or its service changes.
fn concerned(change: &Change, stores: &Stores) -> Vec<ObjectRef<DriftMonitor>> {
    let monitors = match change.kind {
        Kind::DriftMonitor => return vec![ObjectRef::new(&change.name).within(&change.namespace)],
        Kind::Job => change.owner.iter().filter_map(|owner| stores.get(&change.namespace, owner)).collect(),
        Kind::LoanModel | Kind::ModelVersion | Kind::PredictionService => {
            change.model.iter().flat_map(|model| stores.of_model::<DriftMonitor>(&change.namespace, model)).collect()
        }
        Kind::Child => Vec::new(),
    };
    monitors.iter().map(|monitor: &Arc<DriftMonitor>| ObjectRef::from_obj(monitor.as_ref())).collect()
}

async fn reconcile(monitor: Arc<DriftMonitor>, context: Arc<Context>) -> Result<Duration, Error> {
    let now = (context.now)();
    let result = pass(&monitor, &context, now).await;
    controller::told(&context, monitor.as_ref(), result, |error| status::stalled(&monitor, error, now)).await
}

async fn pass(monitor: &DriftMonitor, context: &Context, now: Timestamp) -> Result<Duration, Error> {
    let observed = observe::observe(monitor, context).await?;
    let validated = observe::named(monitor, context);
    let decision = decide(&validated, &observed, now);
    start(monitor, &validated, &decision, context).await?;
    apply::patch_status(&context.client, monitor, &status::status(monitor, &decision, now)).await?;
    remove(monitor, &decision, context).await?;
    events::publish(context, monitor, decision.notices).await;
    Ok(decision.requeue)
}

async fn start(
    monitor: &DriftMonitor,
    validated: &Result<Validated, Invalid>,
    decision: &Decision,
    context: &Context,
) -> Result<(), Error> {
    let (Ok(validated), Some(start)) = (validated, &decision.start) else { return Ok(()) };
    let job = build::scan(monitor, &Name::of(monitor)?, validated, start, &context.settings);
    apply::create(&context.client, &job, |standing| apply::same_owner(standing, &job)).await.map(drop)
}

async fn remove(monitor: &DriftMonitor, decision: &Decision, context: &Context) -> Result<(), Error> {
    for job in observe::jobs(monitor, context) {
        if decision.remove.iter().any(|name| Some(name) == job.metadata.name.as_ref()) {
            apply::delete(&context.client, job.as_ref()).await?;
        }
    }
    Ok(())
}
