//! Serves a model's champion and tries its challenger: the PredictionService controller.
//!
//! One pod holds both versions; which answers whom is in a ConfigMap that pods take up without a restart. Who becomes
//! champion is the LoanModel's to decide: here a version passes or goes back.

pub mod analysis;
pub mod build;
pub mod children;
pub mod decide;
pub mod figures;
pub mod observe;
pub mod rollout;
#[cfg(test)]
mod simulation;
pub mod state;
pub mod status;
pub mod validate;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use underwriter_crds::PredictionService;

use crate::{
    Context, Error, apply,
    controller::{self, Shutdown},
    events,
    names::Name,
    stores::{Change, Kind, Stores},
};
use build::Parent;
use decide::decide;

/// Reconciles every service until shutdown.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    controller::run(context, shutdown, concerned, reconcile).await;
}

/// A service looks when itself, its children, its model or a version changes.
fn concerned(change: &Change, stores: &Stores) -> Vec<ObjectRef<PredictionService>> {
    let services: Vec<Arc<PredictionService>> = match change.kind {
        Kind::PredictionService => return vec![ObjectRef::new(&change.name).within(&change.namespace)],
        Kind::Child => change.owner.iter().filter_map(|owner| stores.get(&change.namespace, owner)).collect(),
        Kind::LoanModel | Kind::ModelVersion => {
            change.model.iter().flat_map(|model| stores.of_model(&change.namespace, model)).collect()
        }
        Kind::DriftMonitor | Kind::Job => Vec::new(),
    };
    services.iter().map(|service| ObjectRef::from_obj(service.as_ref())).collect()
}

async fn reconcile(service: Arc<PredictionService>, context: Arc<Context>) -> Result<Duration, Error> {
    let now = (context.now)();
    let result = pass(&service, &context, now).await;
    controller::told(&context, service.as_ref(), result, |error| status::stalled(&service, error, now)).await
}

async fn pass(service: &PredictionService, context: &Context, now: Timestamp) -> Result<Duration, Error> {
    let parent = Parent { service, name: Name::of(service)?, settings: &context.settings };
    let validated = observe::named(service, context);
    let observed = observe::observe(service, &parent.name, &validated, context).await?;
    let decision = decide(&validated, &observed, context.settings.rollout_lead_time, now);
    if let Ok(validated) = &validated {
        children::bring(&parent, &validated.resolved, &decision, context).await?;
    }
    apply::patch_status(&context.client, service, &status::status(&parent, &observed, &decision, now)).await?;
    events::publish(context, service, decision.notices).await;
    Ok(decision.requeue)
}
