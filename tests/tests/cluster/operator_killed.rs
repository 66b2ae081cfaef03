//! The operator is killed at its writes, and the loop goes on; its memory is taken away, and nothing is done twice.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use futures::{
    StreamExt as _,
    stream::{BoxStream, select_all},
};
use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    core::v1::{ConfigMap, Pod},
};
use kube::{
    ResourceExt as _,
    api::{DeleteParams, ListParams, PatchParams, PostParams},
    core::{ObjectMeta, object::HasStatus},
    runtime::{WatchStreamExt as _, watcher},
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use underwriter_crds::{
    DriftMonitor, LoanModel, ModelVersion, PredictionService,
    conditions::{ConditionType, check, holds},
    model_version::{Decision, DecisionRecord},
};
use underwriter_tests::cluster::{Cluster, Kind};

use crate::{
    asking::{Asking, none_failed},
    operator::Operator,
    process,
    space::{MODEL, MONITOR, Space, all_ready, no_status, until, within},
};

/// What the operator writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Write {
    Job,
    ModelVersion,
    Decision,
    ConfigMap,
    Deployment,
    Status,
}

const EVERY: [Write; 6] =
    [Write::Job, Write::ModelVersion, Write::Decision, Write::ConfigMap, Write::Deployment, Write::Status];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn the_loop_goes_on_and_nothing_is_done_twice() -> Result<()> {
    within("operator-killed", async |space| {
        let (jobs, killer) = (Jobs::ever_created(&space.cluster), kill_at_every_write(&space.cluster));

        space.trained().await?;
        let client = space.served(30_704, |_| ()).await?;
        let asking = Asking::start(&client, space.applications());
        space.monitored().await?;
        space.describe_model(|model| model.training.seed = 1).await?;
        space.champion(2).await?;
        let second = |service: &PredictionService| answers_with(service, 2);
        space.service(180, "v2 answering everybody", second).await?;
        let seen = asking.stop().await;

        let owed = tokio::time::timeout(Duration::from_secs(10), killer)
            .await
            .context("a kind of write was not seen")???;
        ensure!(owed.is_empty(), "not killed at {owed:?}");
        none_failed(&seen)?;
        jobs.are(&["loans-v1", "loans-v2"])?;
        let record = decided_once(&space.cluster).await?;

        without_statuses(space).await?;
        with_new_uids(space).await?;

        jobs.are(&["loans-v1", "loans-v2"])?;
        ensure!(decisions(&space.cluster).await? == record, "the decisions are not as before");
        let answer = client.ask(&space.applications()[0]).await.context("the restored service does not answer")?;
        ensure!(answer.version == 2, "v{} answers", answer.version);
        Ok(())
    })
    .await
}

fn answers_with(service: &PredictionService, version: u32) -> bool {
    all_ready(service) && service.status.as_ref().is_some_and(|status| status.stable == Some(version))
}

/// Kills the operator once at each kind of write; what was never seen is returned.
fn kill_at_every_write(cluster: &Cluster) -> JoinHandle<Result<BTreeSet<Write>>> {
    let (operator, mut writes) = (Operator::of(cluster), writes(cluster));
    tokio::spawn(async move {
        let mut owed = BTreeSet::from(EVERY);
        while !owed.is_empty() {
            let (pod, pid) = tokio::select! {
                process = operator.process() => process,
                () = writes.by_ref().for_each(|_| ready(())) => break, // written before the last kill
            };
            let Some(write) = writes.by_ref().filter(|write| ready(owed.contains(write))).next().await else { break };
            process::kill(pid)?;
            println!("killed at a write of {write:?}");
            owed.remove(&write);
            operator.replace(&pod).await?;
        }
        Ok(owed)
    })
}

/// What the operator writes into the namespace, as it happens.
fn writes(cluster: &Cluster) -> BoxStream<'static, Write> {
    let decisions = |version: &ModelVersion| json!(version.spec.decisions.len());
    let version = |new| if new { Write::ModelVersion } else { Write::Decision };
    let data = |map: &ConfigMap| json!(map.data);
    let template = |deployment: &Deployment| json!(deployment.spec.as_ref().map(|spec| &spec.template));
    select_all([
        changes(cluster, |_: &Job| Value::Null, |_| Write::Job),
        changes(cluster, decisions, version),
        changes(cluster, data, |_| Write::ConfigMap),
        changes(cluster, template, |_| Write::Deployment),
        statuses::<LoanModel>(cluster),
        statuses::<PredictionService>(cluster),
        statuses::<DriftMonitor>(cluster),
    ])
    .boxed()
}

fn statuses<K: Kind + HasStatus<Status: Serialize>>(cluster: &Cluster) -> BoxStream<'static, Write> {
    changes(cluster, |object: &K| json!(object.status()), |_| Write::Status).skip(1).boxed() // its creation is ours
}

/// New objects of a kind, and those of which a part has changed; told apart by `as_write`.
fn changes<K: Kind>(
    cluster: &Cluster,
    part: impl Fn(&K) -> Value + Send + 'static,
    as_write: impl Fn(bool) -> Write + Send + 'static,
) -> BoxStream<'static, Write> {
    let foreign = ["kube-root-ca.crt", "underwriter-ca"];
    let mut seen = HashMap::new();
    let change = move |object: K| {
        let before = seen.insert(object.uid(), part(&object));
        let changed = before.as_ref() != seen.get(&object.uid()) && !foreign.contains(&object.name_any().as_str());
        ready(changed.then(|| as_write(before.is_none())))
    };
    let objects = watcher(cluster.api::<K>(), watcher::Config::default()).default_backoff().applied_objects();
    objects.filter_map(|object| ready(object.ok())).filter_map(change).boxed()
}

/// The names of all Jobs that ever were, each once for every UID.
struct Jobs {
    seen: Arc<Mutex<BTreeMap<String, String>>>,
    watch: JoinHandle<()>,
}

impl Jobs {
    fn ever_created(cluster: &Cluster) -> Self {
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let jobs = watcher(cluster.api::<Job>(), watcher::Config::default()).default_backoff().applied_objects();
        let list = Arc::clone(&seen);
        let note = move |job: watcher::Result<Job>| {
            if let (Ok(job), Ok(mut list)) = (job, list.lock()) {
                list.insert(job.uid().unwrap_or_default(), job.name_any());
            }
            ready(())
        };
        Self { seen, watch: tokio::spawn(jobs.for_each(note)) }
    }

    fn are(&self, expected: &[&str]) -> Result<()> {
        let mut names: Vec<_> = self.seen.lock().map(|seen| seen.values().cloned().collect()).unwrap_or_default();
        names.sort();
        ensure!(names == expected, "Jobs that were created: {names:?}");
        Ok(())
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// Every version and run is there once, and so is every decision.
async fn decided_once(cluster: &Cluster) -> Result<BTreeMap<u32, Vec<DecisionRecord>>> {
    let versions = cluster.versions(MODEL).await?;
    let numbers: Vec<_> = versions.iter().map(|version| version.spec.version).collect();
    ensure!(numbers == [1, 2], "versions: {numbers:?}");
    ensure!(versions[0].spec.run_id != versions[1].spec.run_id, "both are of one run");
    let record = decisions(cluster).await?;
    let said = |number: u32| record[&number].iter().map(|record| record.decision).collect::<Vec<_>>();
    ensure!(said(1) == [Decision::Promoted, Decision::Retired], "decisions about v1: {:?}", said(1));
    ensure!(said(2) == [Decision::Promoted], "decisions about v2: {:?}", said(2));
    Ok(record)
}

async fn decisions(cluster: &Cluster) -> Result<BTreeMap<u32, Vec<DecisionRecord>>> {
    let versions = cluster.versions(MODEL).await?.into_iter();
    Ok(versions.map(|version| (version.spec.version, version.spec.decisions)).collect())
}

/// Empties every status under the running operator.
async fn without_statuses(space: &Space) -> Result<()> {
    let (cluster, emptied, patch) = (&space.cluster, PatchParams::default(), no_status());
    for version in cluster.versions(MODEL).await? {
        cluster.api::<ModelVersion>().patch_status(&version.name_any(), &emptied, &patch).await?;
    }
    cluster.api::<PredictionService>().patch_status(&space.service, &emptied, &patch).await?;
    cluster.api::<DriftMonitor>().patch_status(MONITOR, &emptied, &patch).await?;
    cluster.api::<LoanModel>().patch_status(MODEL, &emptied, &patch).await?;
    as_before(space).await
}

/// Exports every object, deletes it with all that it owns, and creates it again, as a restore in another cluster does.
async fn with_new_uids(space: &Space) -> Result<()> {
    let cluster = &space.cluster;
    let recreated = async || {
        recreate::<PredictionService>(cluster).await?;
        recreate::<DriftMonitor>(cluster).await?;
        recreate::<LoanModel>(cluster).await?;
        recreate::<ModelVersion>(cluster).await?;
        let pods = cluster.api::<Pod>();
        let gone = async || pods.list(&ListParams::default()).await.ok()?.items.is_empty().then_some(());
        until(120, "what the objects owned gone", gone).await
    };
    Operator::of(cluster).away(recreated).await?;
    as_before(space).await
}

async fn recreate<K: Kind + Serialize + HasStatus>(cluster: &Cluster) -> Result<()> {
    let api = cluster.api::<K>();
    let exported = api.list(&ListParams::default()).await?.items;
    for object in &exported {
        let name = object.name_any();
        api.delete(&name, &DeleteParams::background()).await?;
        until(60, "an object gone", async || api.get_opt(&name).await.ok()?.is_none().then_some(())).await?;
    }
    for mut object in exported {
        let (name, annotations) = (object.meta().name.clone(), object.meta().annotations.clone());
        *object.meta_mut() = ObjectMeta { name, annotations, ..ObjectMeta::default() };
        *object.status_mut() = None;
        api.create(&PostParams::default(), &object).await?;
    }
    Ok(())
}

/// Champion, service and monitor as they were, each with a whole status. What must not happen has ten seconds to happen in.
async fn as_before(space: &Space) -> Result<()> {
    space.champion(2).await?;
    let settled =
        |model: &LoanModel| model.status.as_ref().is_some_and(|status| holds(&status.conditions, ConditionType::Ready));
    let model = space.model("the model ready", settled).await?;
    let second = |service: &PredictionService| answers_with(service, 2);
    let service = space.service(180, "v2 answering everybody", second).await?;
    let told = |monitor: &DriftMonitor| monitor.status.as_ref().is_some_and(|status| !status.conditions.is_empty());
    let monitor = space.cluster.wait(MONITOR, 60, "the monitor's conditions", told).await?;
    let conditions = [
        model.status.map(|status| status.conditions),
        service.status.map(|status| status.conditions),
        monitor.status.map(|status| status.conditions),
    ];
    for conditions in conditions.into_iter().flatten() {
        check(&conditions).map_err(|broken| anyhow::anyhow!("{broken}: {conditions:?}"))?;
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    Ok(())
}
