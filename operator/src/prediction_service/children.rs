//! Brings the children to what was decided. The traffic comes first: pods mount it, and a version answers nobody before
//! it is written there.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod, Service},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use kube::core::ObjectMeta;
use underwriter_crds::loan_model::Resolved;

use super::{
    build::{Parent, deployment, disruption, endpoint, network, traffic},
    decide::Decision,
};
use crate::{
    Context, Error,
    apply::{self, Object, Written},
    names::annotation,
    stores::Watched,
};

/// Writes what differs.
///
/// # Errors
/// When an object of a child's name has another owner; else what the API server said.
pub async fn bring(
    parent: &Parent<'_>,
    resolved: &Resolved,
    decision: &Decision,
    context: &Context,
) -> Result<(), Error> {
    if let Some(state) = &decision.traffic {
        child::<ConfigMap>(traffic::traffic(parent, state), context).await?;
    }
    if let Some(versions) = &decision.versions {
        child::<Service>(endpoint::endpoint(parent), context).await?;
        child::<PodDisruptionBudget>(disruption::budget(parent), context).await?;
        child::<NetworkPolicy>(network::policy(parent), context).await?;
        child::<Deployment>(deployment::deployment(parent, resolved, versions), context).await?;
    }
    tell(parent, decision, context).await
}

async fn child<K: Object + Watched>(wanted: K, context: &Context) -> Result<Written, Error> {
    let (namespace, name) =
        (wanted.meta().namespace.clone().unwrap_or_default(), wanted.meta().name.clone().unwrap_or_default());
    let standing = context.stores.get::<K>(&namespace, &name);
    apply::apply(&context.client, standing.as_deref(), wanted).await
}

/// A touched pod is looked at by kubelet at once, which brings it the ConfigMap as it stands.
async fn tell(parent: &Parent<'_>, decision: &Decision, context: &Context) -> Result<(), Error> {
    let Some(generation) = decision.told else { return Ok(()) };
    for name in &decision.tell {
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            namespace: parent.child(String::new()).namespace,
            ..ObjectMeta::default()
        };
        let pod = Pod { metadata, ..Pod::default() };
        apply::annotate(&context.client, &pod, annotation::TRAFFIC, &generation.to_string()).await?;
    }
    Ok(())
}
