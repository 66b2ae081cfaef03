//! The operator's process: found, replaced, away for a while.

use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::{apps::v1::Deployment, coordination::v1::Lease, core::v1::Pod};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::json;
use underwriter_tests::cluster::{Cluster, SYSTEM};

use crate::{
    process,
    space::{full, until},
};

/// The chart's name for the operator, also that of its lease.
const OPERATOR: &str = "underwriter";

/// The operator of a cluster.
pub struct Operator {
    system: Cluster,
}

impl Operator {
    /// Of this cluster.
    pub fn of(cluster: &Cluster) -> Self {
        Self { system: cluster.within(SYSTEM) }
    }

    /// The user name under which the API server knows it.
    pub async fn user(&self) -> Result<String> {
        let deployment = self.system.api::<Deployment>().get(OPERATOR).await?;
        let pod = deployment.spec.and_then(|spec| spec.template.spec);
        let account = pod.and_then(|pod| pod.service_account_name).unwrap_or_else(|| "default".into());
        Ok(format!("system:serviceaccount:{SYSTEM}:{account}"))
    }

    async fn pods(&self) -> Vec<String> {
        let operator = ListParams::default().labels("app.kubernetes.io/component=operator");
        let pods = self.system.api::<Pod>().list(&operator).await.map(|list| list.items).unwrap_or_default();
        pods.iter().map(|pod| pod.name_any()).collect()
    }

    /// Waits for its process: the pod's name and the process's id.
    pub async fn process(&self) -> (String, u32) {
        loop {
            let running = self.pods().await.into_iter().find_map(|pod| process::of_pod(&pod).map(|pid| (pod, pid)));
            match running {
                Some(running) => return running,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Replaces a pod whose process was killed; kubelet starts a process that was killed often ever more seldom.
    pub async fn replace(&self, pod: &str) -> Result<()> {
        self.system.api::<Pod>().delete(pod, &DeleteParams::default().grace_period(0)).await?;
        if !full() {
            let leases: Api<Lease> = self.system.api();
            leases.delete(OPERATOR, &DeleteParams::default()).await?; // else the next waits for its end
        }
        Ok(())
    }

    /// Does something while there is no operator.
    pub async fn away(&self, meanwhile: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
        self.scale(0).await?;
        let outcome = match until(60, "the operator away", async || self.pods().await.is_empty().then_some(())).await {
            Ok(()) => meanwhile().await,
            late => late,
        };
        self.scale(1).await?;
        outcome
    }

    async fn scale(&self, replicas: u32) -> Result<()> {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        self.system.api::<Deployment>().patch_scale(OPERATOR, &PatchParams::default(), &patch).await?;
        Ok(())
    }
}
