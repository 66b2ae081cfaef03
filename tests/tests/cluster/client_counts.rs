//! The client by which everything else is judged does see a failure.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;

use crate::{
    asking::{Asking, all_counted, none_failed},
    space::{all_ready, within},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn a_killed_pod_is_counted() -> Result<()> {
    within("client-counts", async |space| {
        space.trained().await?;
        let client = space.served(30_701, |service| service.replicas = 1).await?;
        let asking = Asking::start(&client, space.applications());
        asking.answered(100, 30).await?;
        none_failed(&client.seen()).context("before the kill")?;

        for pod in space.pods().await? {
            space.cluster.api::<Pod>().delete(&pod, &DeleteParams::default().grace_period(0)).await?;
        }

        space.service(60, "the pod missed", |service| !all_ready(service)).await?;
        space.service(120, "another pod ready", all_ready).await?;
        asking.answered(100, 30).await?;
        let seen = asking.stop().await;
        ensure!(!seen.failures.is_empty(), "the only pod was killed, and the client saw nothing of it");
        all_counted(&seen)?;
        Ok(())
    })
    .await
}
