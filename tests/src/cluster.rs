//! The cluster the story plays in: applies objects, waits for them by watching, and tells what it saw when it gave up.

use std::{fmt::Debug, future::Future, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod, events::v1::Event};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ListParams, LogParams, Patch, PatchParams},
    core::NamespaceResourceScope,
    runtime::{WatchStreamExt as _, watcher},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use underwriter_crds::ModelVersion;

/// The namespace of the story's objects.
pub const NAMESPACE: &str = "lending";
/// The namespace of the operator.
pub const SYSTEM: &str = "underwriter-system";
/// Where the host reaches the service.
pub const NODE_PORT: u16 = 30696;

/// Kinds that the story reads.
pub trait Kind:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static
{
}
impl<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static>
    Kind for K
{
}

/// A client of the cluster.
#[derive(Clone)]
pub struct Cluster {
    /// The client itself.
    pub client: Client,
    /// Where it looks and writes.
    pub namespace: String,
}

impl Cluster {
    /// Of `KUBECONFIG`.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub async fn connect() -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default(); // a second test in one process is no fault
        let client = Client::try_default().await.context("no cluster: set KUBECONFIG, or run `make demo`")?;
        Ok(Self { client, namespace: NAMESPACE.into() })
    }

    /// The same cluster, in another namespace.
    #[must_use]
    pub fn within(&self, namespace: &str) -> Self {
        Self { client: self.client.clone(), namespace: namespace.into() }
    }

    /// The namespace's objects of one kind.
    #[must_use]
    pub fn api<K: Kind>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Applies an object as `kubectl apply --server-side` does.
    ///
    /// # Errors
    /// Whatever the API server says.
    pub async fn apply<K: Kind + serde::Serialize>(&self, object: &K) -> Result<()> {
        let parameters = PatchParams::apply("underwriter-story").force();
        self.api::<K>().patch(&object.name_any(), &parameters, &Patch::Apply(object)).await?;
        Ok(())
    }

    /// Applies a file of the consumer-loans example, changed where `change` says so.
    ///
    /// # Errors
    /// Where the file is not of that kind, or the API server refuses it.
    pub async fn apply_example<K: Kind + serde::Serialize>(
        &self,
        file: &str,
        change: impl FnOnce(&mut K),
    ) -> Result<()> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/consumer-loans").join(file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut object: K =
            serde_saphyr::from_str(&text).with_context(|| format!("{file} is not what it should be"))?;
        change(&mut object);
        self.apply(&object).await
    }

    /// Sets an annotation.
    ///
    /// # Errors
    /// Whatever the API server says.
    pub async fn annotate<K: Kind>(&self, name: &str, key: &str, value: &str) -> Result<()> {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {key: value}}}));
        self.api::<K>().patch(name, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// Waits, by watching, until an object is as `done` wants it.
    ///
    /// # Errors
    /// When it is not by the deadline: then with what the cluster looked like.
    pub async fn wait<K: Kind + serde::Serialize>(
        &self,
        name: &str,
        seconds: u64,
        what: &str,
        done: impl Fn(&K) -> bool,
    ) -> Result<K> {
        let found = self.watch_until(name, done);
        match tokio::time::timeout(Duration::from_secs(seconds), found).await {
            Ok(object) => object,
            Err(_) => bail!("not within {seconds} s: {what}\n{}", self.describe::<K>(name).await),
        }
    }

    fn watch_until<K: Kind>(&self, name: &str, done: impl Fn(&K) -> bool) -> impl Future<Output = Result<K>> {
        let selection = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let objects = watcher(self.api::<K>(), selection).default_backoff().applied_objects();
        async move {
            let mut found = std::pin::pin!(objects.try_filter(|object| std::future::ready(done(object))));
            loop {
                match found.next().await {
                    Some(Ok(object)) => return Ok(object),
                    Some(Err(_)) => {} // the watch starts again by itself
                    None => bail!("the watch ended"),
                }
            }
        }
    }

    /// The versions of the story's model, oldest first.
    ///
    /// # Errors
    /// Whatever the API server says.
    pub async fn versions(&self, model: &str) -> Result<Vec<ModelVersion>> {
        let mut all = self.api::<ModelVersion>().list(&ListParams::default()).await?.items;
        all.retain(|version| version.spec.model_ref.name == model);
        all.sort_by_key(|version| version.spec.version);
        Ok(all)
    }

    /// The pods that a selector finds, in the story's namespace.
    ///
    /// # Errors
    /// Whatever the API server says.
    pub async fn pods(&self, selector: &str) -> Result<Vec<Pod>> {
        Ok(self.api::<Pod>().list(&ListParams::default().labels(selector)).await?.items)
    }

    /// The operator's Deployment.
    #[must_use]
    pub fn operator(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), SYSTEM)
    }

    /// What a person would look at: the object, the events, the pods, the end of the operator's log.
    async fn describe<K: Kind + serde::Serialize>(&self, name: &str) -> String {
        let object =
            self.api::<K>().get_opt(name).await.ok().flatten().and_then(|object| serde_json::to_value(object).ok());
        let status = object.map_or_else(|| "does not exist".into(), |object| pretty(&object["status"]));
        format!("{name}: {status}\n{}\n{}\n{}", self.events().await, self.pod_states().await, self.operator_log().await)
    }

    async fn events(&self) -> String {
        let events = self.api::<Event>().list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
        let line = |event: &Event| {
            format!("  {} {}", event.reason.as_deref().unwrap_or("?"), event.note.as_deref().unwrap_or("?"))
        };
        format!("events:\n{}", events.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    async fn pod_states(&self) -> String {
        let pods = self.api::<Pod>().list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
        let state = |pod: &Pod| {
            pod.status.as_ref().and_then(|status| status.container_statuses.clone()).map(|all| pretty(&json!(all)))
        };
        let lines: Vec<_> =
            pods.iter().map(|pod| format!("  {}: {}", pod.name_any(), state(pod).unwrap_or_default())).collect();
        format!("pods:\n{}", lines.join("\n"))
    }

    async fn operator_log(&self) -> String {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), SYSTEM);
        let names = pods.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
        let last = LogParams { tail_lines: Some(60), ..LogParams::default() };
        let mut text = String::from("operator:\n");
        for pod in names {
            text += &pods.logs(&pod.name_any(), &last).await.unwrap_or_else(|error| error.to_string());
        }
        text
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
