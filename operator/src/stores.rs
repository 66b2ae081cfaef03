//! What the cluster looks like: one watch and one store a kind, shared by the three controllers.
//!
//! Objects are kept without what nobody here reads. A malformed object is logged and left out; it never stops a watch.
//! Nothing is decided here: a [`Change`] says which model and which owner are concerned, each controller which of its
//! objects are to be looked at.

use std::{fmt::Debug, sync::Arc};

use futures::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, Shared, join_all, pending},
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::Deployment,
        batch::v1::Job,
        core::v1::{ConfigMap, Service},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
    },
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt as _,
        reflector::{self, ObjectRef, Store, store::Writer},
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;
use underwriter_crds::{DriftMonitor, LoanModel, ModelVersion, PredictionService};

use crate::names::{MANAGER, label};

/// Changes that a controller may be behind before it looks at everything instead.
const BACKLOG: usize = 512;

/// The kinds that are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A [`LoanModel`].
    LoanModel,
    /// A [`ModelVersion`].
    ModelVersion,
    /// A [`PredictionService`].
    PredictionService,
    /// A [`DriftMonitor`].
    DriftMonitor,
    /// A training or scan [`Job`].
    Job,
    /// Any other child.
    Child,
}

/// An object that appeared, changed or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The LoanModel it concerns.
    pub model: Option<String>,
    /// The object that controls it.
    pub owner: Option<String>,
}

/// A kind that is watched.
pub trait Watched:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
    /// Which.
    const KIND: Kind;

    /// The LoanModel an object concerns.
    fn model(&self) -> Option<&str> {
        self.meta().labels.as_ref()?.get(label::MODEL).map(String::as_str)
    }

    /// Drops what nobody here reads.
    fn strip(&mut self) {}

    /// Where objects of this kind are kept.
    fn store(stores: &Stores) -> &Store<Self>;
}

/// Every watched object.
pub struct Stores {
    /// Models.
    pub models: Store<LoanModel>,
    /// Versions of all models.
    pub versions: Store<ModelVersion>,
    /// Services.
    pub services: Store<PredictionService>,
    /// Monitors.
    pub monitors: Store<DriftMonitor>,
    /// Training and scan Jobs of ours, metadata and status only.
    pub jobs: Store<Job>,
    /// Deployments of ours.
    pub deployments: Store<Deployment>,
    /// ConfigMaps of ours.
    pub config_maps: Store<ConfigMap>,
    /// Services of ours.
    pub endpoints: Store<Service>,
    /// Disruption budgets of ours.
    pub budgets: Store<PodDisruptionBudget>,
    /// Network policies of ours.
    pub policies: Store<NetworkPolicy>,
    changes: broadcast::Sender<Change>,
    ready: Shared<BoxFuture<'static, ()>>,
}

impl Stores {
    /// Empty stores and what keeps them current: a future that never ends by itself.
    #[must_use]
    pub fn watching(client: &Client, namespace: Option<&str>) -> (Self, BoxFuture<'static, ()>) {
        let mut watches = Watches::new(client, namespace);
        let stores = Self {
            models: watches.start(),
            versions: watches.start(),
            services: watches.start(),
            monitors: watches.start(),
            jobs: watches.start(),
            deployments: watches.start(),
            config_maps: watches.start(),
            endpoints: watches.start(),
            budgets: watches.start(),
            policies: watches.start(),
            changes: watches.changes,
            ready: join_all(watches.ready).map(|_| ()).boxed().shared(),
        };
        (stores, join_all(watches.running).map(|_| ()).boxed())
    }

    /// Changes from now on; one who lags is told so, and looks at everything.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Ends when every store holds what the cluster has. Who decides earlier trains again what merely is not read yet.
    pub fn ready(&self) -> Shared<BoxFuture<'static, ()>> {
        self.ready.clone()
    }

    /// The object of a name, where there is one.
    #[must_use]
    pub fn get<K: Watched>(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        K::store(self).get(&ObjectRef::new(name).within(namespace))
    }

    /// Objects of one kind that concern a model.
    #[must_use]
    pub fn of_model<K: Watched>(&self, namespace: &str, model: &str) -> Vec<Arc<K>> {
        let concerns = |object: &K| object.namespace().as_deref() == Some(namespace) && object.model() == Some(model);
        K::store(self).state_filter(concerns)
    }
}

/// Watches being set up.
struct Watches {
    client: Client,
    namespace: Option<String>,
    changes: broadcast::Sender<Change>,
    ready: Vec<BoxFuture<'static, ()>>,
    running: Vec<BoxFuture<'static, ()>>,
}

impl Watches {
    fn new(client: &Client, namespace: Option<&str>) -> Self {
        let (changes, _) = broadcast::channel(BACKLOG);
        let namespace = namespace.map(ToOwned::to_owned);
        Self { client: client.clone(), namespace, changes, ready: Vec::new(), running: Vec::new() }
    }

    fn start<K: Watched>(&mut self) -> Store<K> {
        let (store, writer) = reflector::store();
        let api = match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let loaded = store.clone();
        let ready = async move {
            if loaded.wait_until_ready().await.is_err() {
                pending::<()>().await; // the watch was given up before it had read anything
            }
        };
        self.ready.push(ready.boxed());
        self.running.push(keep(api, store.clone(), writer, self.changes.clone()).boxed());
        store
    }
}

/// Keeps one store current, and tells of each change after the store has it.
async fn keep<K: Watched>(
    api: Api<DeserializeGuard<K>>,
    store: Store<K>,
    mut writer: Writer<K>,
    changes: broadcast::Sender<Change>,
) {
    let config = match K::KIND {
        Kind::Job | Kind::Child => watcher::Config::default().labels(&format!("{}={MANAGER}", label::MANAGED_BY)),
        _ => watcher::Config::default(),
    };
    let mut events = watcher(api, config).default_backoff().boxed();
    while let Some(event) = events.next().await {
        let event = event.inspect_err(|error| tracing::warn!(kind = ?K::KIND, %error, "watch interrupted"));
        let Some(event) = event.ok().and_then(|event| parsed(event, &store)) else { continue };
        writer.apply_watcher_event(&event);
        for change in changed(&event, &store) {
            let _ = changes.send(change); // fails only where nobody listens
        }
    }
}

/// The event with its object read; none where the object is malformed. A malformed object that goes takes along what was
/// known of it.
fn parsed<K: Watched>(event: Event<DeserializeGuard<K>>, store: &Store<K>) -> Option<Event<K>> {
    Some(match event {
        Event::Apply(object) => Event::Apply(read(object)?),
        Event::InitApply(object) => Event::InitApply(read(object)?),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
        Event::Delete(DeserializeGuard(Ok(object))) => Event::Delete(object),
        Event::Delete(malformed) => {
            let key = ObjectRef::new(&malformed.name_any()).within(&malformed.namespace().unwrap_or_default());
            Event::Delete(K::clone(&*store.get(&key)?))
        }
    })
}

fn read<K: Watched>(DeserializeGuard(object): DeserializeGuard<K>) -> Option<K> {
    let refuse = |error: &kube::core::error_boundary::InvalidObject| {
        let (name, namespace) = (&error.metadata.name, &error.metadata.namespace);
        tracing::warn!(kind = ?K::KIND, ?namespace, ?name, %error, "malformed object left out");
    };
    let mut object = object.inspect_err(refuse).ok()?;
    object.meta_mut().managed_fields = None;
    object.strip();
    Some(object)
}

fn changed<K: Watched>(event: &Event<K>, store: &Store<K>) -> Vec<Change> {
    match event {
        Event::Apply(object) | Event::Delete(object) => vec![change(object)],
        Event::InitDone => store.state().iter().map(|object| change(object.as_ref())).collect(),
        Event::Init | Event::InitApply(_) => Vec::new(),
    }
}

fn change<K: Watched>(object: &K) -> Change {
    let owner = object.owner_references().iter().find(|owner| owner.controller == Some(true));
    Change {
        kind: K::KIND,
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        model: object.model().map(ToOwned::to_owned),
        owner: owner.map(|owner| owner.name.clone()),
    }
}

impl Watched for LoanModel {
    const KIND: Kind = Kind::LoanModel;

    fn model(&self) -> Option<&str> {
        self.metadata.name.as_deref()
    }

    fn store(stores: &Stores) -> &Store<Self> {
        &stores.models
    }
}

impl Watched for ModelVersion {
    const KIND: Kind = Kind::ModelVersion;

    fn model(&self) -> Option<&str> {
        Some(&self.spec.model_ref.name)
    }

    fn store(stores: &Stores) -> &Store<Self> {
        &stores.versions
    }
}

impl Watched for PredictionService {
    const KIND: Kind = Kind::PredictionService;

    fn model(&self) -> Option<&str> {
        Some(&self.spec.model_ref.name)
    }

    fn store(stores: &Stores) -> &Store<Self> {
        &stores.services
    }
}

impl Watched for DriftMonitor {
    const KIND: Kind = Kind::DriftMonitor;

    fn model(&self) -> Option<&str> {
        Some(&self.spec.model_ref.name)
    }

    fn store(stores: &Stores) -> &Store<Self> {
        &stores.monitors
    }
}

impl Watched for Job {
    const KIND: Kind = Kind::Job;

    fn strip(&mut self) {
        self.spec = None;
    }

    fn store(stores: &Stores) -> &Store<Self> {
        &stores.jobs
    }
}

/// A child of a PredictionService, kept whole: what stands is compared with what is wanted.
macro_rules! child {
    ($kind:ty, $field:ident) => {
        impl Watched for $kind {
            const KIND: Kind = Kind::Child;

            fn store(stores: &Stores) -> &Store<Self> {
                &stores.$field
            }
        }
    };
}

child!(Deployment, deployments);
child!(ConfigMap, config_maps);
child!(Service, endpoints);
child!(PodDisruptionBudget, budgets);
child!(NetworkPolicy, policies);
