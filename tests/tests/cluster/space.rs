//! A namespace of a test's own, with a small model and a service in it; gone at the end, also after a failure.

use std::{panic::AssertUnwindSafe, panic::resume_unwind, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures::FutureExt as _;
use jiff::{Timestamp, civil::date};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    core::ObjectMeta,
};
use serde_json::{Value, json};
use underwriter_contract::{
    learning::{Algorithm, Outcomes},
    summary::MetricName,
};
use underwriter_crds::{
    DriftMonitor, LoanModel, LoanModelSpec, ModelVersion, PredictionService, PredictionServiceSpec,
    conditions::{ConditionType, holds},
    loan_model::Gate,
};
use underwriter_tests::{
    bucket,
    client::{Client, door_opens},
    cluster::{Cluster, Kind, NAMESPACE},
    loans::Loans,
    story::objects,
};

/// The model of every test.
pub const MODEL: &str = "loans";
/// Its monitor, where there is one.
pub const MONITOR: &str = "drift";
/// Long enough for a training run on a machine that is busy.
const TRAINING: u64 = 300;

/// Whether the full sizes are asked for.
pub fn full() -> bool {
    std::env::var_os("UNDERWRITER_FULL").is_some()
}

/// Plays a scenario in a namespace of its own.
pub async fn within(test: &str, scenario: impl AsyncFnOnce(&Space) -> Result<()>) -> Result<()> {
    let space = Space::make(&format!("faults-{test}")).await?;
    let outcome = AssertUnwindSafe(scenario(&space)).catch_unwind().await;
    space.namespaces().delete(&space.cluster.namespace, &DeleteParams::background()).await?;
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Waits until something holds that cannot be watched.
pub async fn until<T>(seconds: u64, what: &str, mut seen: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let found = async {
        loop {
            match seen().await {
                Some(found) => return found,
                None => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(seconds), found)
        .await
        .with_context(|| format!("not within {seconds} s: {what}"))
}

/// A namespace of a test's own.
pub struct Space {
    /// The cluster, seen from this namespace.
    pub cluster: Cluster,
    /// The loans of the example.
    pub loans: Loans,
    /// The service; named anew each time, because the log keeps what its predecessors answered.
    pub service: String,
}

impl Space {
    async fn make(namespace: &str) -> Result<Self> {
        let cluster = Cluster::connect().await?.within(namespace);
        let service = format!("api-{:x}", Timestamp::now().as_second());
        let space = Self { cluster, loans: Loans::read()?, service };
        space.removed().await?;
        let labels = [("pod-security.kubernetes.io/enforce".to_owned(), "restricted".to_owned())].into();
        let metadata = ObjectMeta { name: Some(namespace.into()), labels: Some(labels), ..ObjectMeta::default() };
        let object = Namespace { metadata, ..Namespace::default() };
        space.namespaces().create(&PostParams::default(), &object).await?;
        for name in ["underwriter-artifacts", "underwriter-data", "underwriter-log"] {
            space.copy::<Secret>(name).await?;
        }
        space.copy::<ConfigMap>("underwriter-ca").await?;
        bucket::write(&space.data(), space.loans.file_before(date(2010, 1, 1))?).await?;
        Ok(space)
    }

    fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.cluster.client.clone())
    }

    /// An earlier run may have been interrupted.
    async fn removed(&self) -> Result<()> {
        let (name, namespaces) = (&self.cluster.namespace, self.namespaces());
        if namespaces.get_opt(name).await?.is_some() {
            let _ = namespaces.delete(name, &DeleteParams::background()).await; // it may be on its way out already
        }
        until(120, "the namespace of an earlier run gone", async || {
            namespaces.get_opt(name).await.ok()?.is_none().then_some(())
        })
        .await
    }

    async fn copy<K: Kind + serde::Serialize>(&self, name: &str) -> Result<()> {
        let mut object = self.cluster.within(NAMESPACE).api::<K>().get(name).await?;
        *object.meta_mut() = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
        self.cluster.api::<K>().create(&PostParams::default(), &object).await?;
        Ok(())
    }

    /// The loans that the model learns from: those up to 2009, which takes seconds.
    pub fn data(&self) -> String {
        format!("s3://loans/{}/loans.csv.gz", self.cluster.namespace)
    }

    /// Describes the model: quick to train, without outcomes from the log, and with a gate that every version passes.
    pub async fn describe_model(&self, change: impl FnOnce(&mut LoanModelSpec)) -> Result<()> {
        let passable =
            Gate { metric: MetricName::RefusedShare, at_least: None, at_most: Some(1.0), versus_champion: None };
        let changed = |model: &mut LoanModel| {
            model.metadata.name = Some(MODEL.into());
            model.spec.data.uri = self.data();
            model.spec.data.outcomes = Outcomes::Ignore;
            model.spec.training.algorithm = Algorithm::Scorecard;
            model.spec.promotion.gates = vec![passable];
            change(&mut model.spec);
        };
        self.cluster.apply_example("loan-model.yaml", changed).await
    }

    /// Waits until the model is as `done` wants it.
    pub async fn model(&self, what: &str, done: impl Fn(&LoanModel) -> bool) -> Result<LoanModel> {
        self.cluster.wait(MODEL, TRAINING, what, done).await
    }

    /// Waits until a version is champion.
    pub async fn champion(&self, number: u32) -> Result<ModelVersion> {
        let decides = |model: &LoanModel| model.status.as_ref().is_some_and(|status| status.champion == Some(number));
        self.model(&format!("v{number} champion"), decides).await?;
        let versions = self.cluster.versions(MODEL).await?;
        versions.into_iter().find(|version| version.spec.version == number).context("the champion is not there")
    }

    /// A model whose first version decides.
    pub async fn trained(&self) -> Result<ModelVersion> {
        self.describe_model(|_| ()).await?;
        self.champion(1).await
    }

    /// A service of the model that is ready, and a client of it at this port.
    pub async fn served(&self, port: u16, change: impl FnOnce(&mut PredictionServiceSpec)) -> Result<Arc<Client>> {
        let changed = |service: &mut PredictionService| {
            service.metadata.name = Some(self.service.clone());
            service.spec.model_ref.name = MODEL.into();
            change(&mut service.spec);
        };
        self.cluster.apply_example("prediction-service.yaml", changed).await?;
        self.cluster.apply(&objects::node_port(&self.service, port)?).await?;
        self.service(120, "the service ready", all_ready).await?;
        door_opens(port).await?;
        Ok(Arc::new(Client::new(port)?))
    }

    /// A monitor of the service that starts no scan by itself.
    pub async fn monitored(&self) -> Result<()> {
        let changed = |monitor: &mut DriftMonitor| {
            monitor.metadata.name = Some(MONITOR.into());
            monitor.spec.model_ref.name = MODEL.into();
            monitor.spec.source.service = self.service.clone();
            monitor.spec.suspend = true;
        };
        self.cluster.apply_example("drift-monitor.yaml", changed).await
    }

    /// Waits until the service is as `done` wants it.
    pub async fn service(
        &self,
        seconds: u64,
        what: &str,
        done: impl Fn(&PredictionService) -> bool,
    ) -> Result<PredictionService> {
        self.cluster.wait(&self.service, seconds, what, done).await
    }

    /// Changes a field of an object, as `kubectl patch --type merge` does.
    pub async fn patch<K: Kind>(&self, name: &str, patch: Value) -> Result<()> {
        self.cluster.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// The names of the service's pods that are not ending.
    pub async fn pods(&self) -> Result<Vec<String>> {
        let pods = self.cluster.pods(&format!("app.kubernetes.io/instance={}", self.service)).await?;
        let names: Vec<_> =
            pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).map(|pod| pod.name_any()).collect();
        if names.is_empty() { bail!("the service has no pod") } else { Ok(names) }
    }

    /// Applications of 2010, which no version has seen.
    pub fn applications(&self) -> Vec<Value> {
        self.loans.between(date(2010, 1, 1), date(2011, 1, 1)).map(|loan| self.loans.application(loan)).collect()
    }

    /// Makes a Secret with the keys of another and one of them changed.
    pub async fn changed_secret(&self, name: &str, of: &str, key: &str, value: &str) -> Result<()> {
        let mut secret = self.cluster.api::<Secret>().get(of).await?;
        secret.metadata = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
        secret.string_data = Some([(key.to_owned(), value.to_owned())].into());
        self.cluster.apply(&secret).await
    }
}

/// Whether every pod that is wanted is ready, and nothing is under way.
pub fn all_ready(service: &PredictionService) -> bool {
    let Some(status) = &service.status else { return false };
    let seen = Some(status.observed_generation) == service.metadata.generation;
    let calm = status.rollout.is_none() && !holds(&status.conditions, ConditionType::Reconciling);
    seen && calm && holds(&status.conditions, ConditionType::Ready) && status.ready_replicas == service.spec.replicas
}

/// The message of a condition with this type and status.
pub fn message<'a>(
    conditions: &'a [k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition],
    kind: ConditionType,
    reason: &str,
) -> Option<&'a str> {
    let found = conditions.iter().find(|condition| condition.type_ == kind.to_string() && condition.reason == reason);
    found.filter(|condition| condition.status == "True").map(|condition| condition.message.as_str())
}

/// A merge patch that empties a status.
pub fn no_status() -> Patch<Value> {
    Patch::Merge(json!({"status": null}))
}
