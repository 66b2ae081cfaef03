//! Runs that a queue holds back and that come by their schedule, versions that are too many, and a model that takes its
//! versions with it: what only a real API server, Job controller and garbage collector can show.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{batch::v1::Job, core::v1::Node};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use underwriter_contract::request::TriggerType;
use underwriter_crds::{
    LoanModel, LoanModelStatus, ModelVersion,
    loan_model::{LastRun, RunResult},
    model_version::{Decision, DecisionRecord},
};

use crate::space::{MODEL, Space, until, within};

const JOB: &str = "loans-v1";
/// A label that no node has at first: whoever asks for it waits.
const NOWHERE: &str = "underwriter.dev/nowhere";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn runs_and_versions_come_and_go() -> Result<()> {
    within("lifecycle", async |space| {
        a_queue_holds_the_first_run_back(space).await?;
        a_schedule_starts_the_next_which_learns_nothing_new(space).await?;
        the_oldest_version_goes(space).await?;
        the_others_go_with_their_model(space).await
    })
    .await
}

/// As Kueue does: the Job is suspended, then let go where there is room for it.
async fn a_queue_holds_the_first_run_back(space: &Space) -> Result<()> {
    let queued = |model: &mut underwriter_crds::LoanModelSpec| {
        let template = &mut model.training.template;
        template.labels.insert("kueue.x-k8s.io/queue-name".into(), "nightly".into());
        template.node_selector.insert(NOWHERE.into(), "yes".into());
    };
    space.describe_model(queued).await?;
    let made = async || space.cluster.api::<Job>().get_opt(JOB).await.ok().flatten();
    let job = until(60, "the Job", made).await?;
    ensure!(job.labels().contains_key("kueue.x-k8s.io/queue-name"), "no queue would see it: {:?}", job.labels());

    space.patch::<Job>(JOB, json!({"spec": {"suspend": true}})).await?;
    let waits = |model: &LoanModel| {
        let run = model.status.as_ref().and_then(|status| status.run.as_ref());
        run.and_then(|run| run.waiting.as_deref()).is_some_and(|waits| waits.contains("the queue nightly admits it"))
    };
    space.model("the run waiting for its queue", waits).await?;

    label_nodes(space, json!("yes")).await?;
    space.patch::<Job>(JOB, json!({"spec": {"suspend": false}})).await?;
    let trained = space.champion(1).await;
    label_nodes(space, json!(null)).await?;
    trained.map(drop)
}

async fn label_nodes(space: &Space, value: serde_json::Value) -> Result<()> {
    let nodes: Api<Node> = Api::all(space.cluster.client.clone());
    let label = Patch::Merge(json!({"metadata": {"labels": {NOWHERE: value}}}));
    for node in nodes.list(&ListParams::default()).await? {
        nodes.patch(&node.name_any(), &PatchParams::default(), &label).await?;
    }
    Ok(())
}

async fn a_schedule_starts_the_next_which_learns_nothing_new(space: &Space) -> Result<()> {
    let schedule = json!({"spec": {"training": {"template": null}, "retraining": {"schedule": "* * * * *", "timeZone": "Europe/Berlin"}}});
    space.patch::<LoanModel>(MODEL, schedule).await?;
    let skipped =
        |LastRun { trigger, result, .. }: &LastRun| *trigger == TriggerType::Schedule && *result == RunResult::Skipped;
    let ran = |status: &LoanModelStatus| status.last_run.as_ref().is_some_and(skipped);
    space.model("a scheduled run that learns nothing new", |model| model.status.as_ref().is_some_and(ran)).await?;
    space.patch::<LoanModel>(MODEL, json!({"spec": {"suspend": true}})).await?;
    let calm = |model: &LoanModel| {
        model.status.as_ref().is_some_and(|status| status.next_scheduled_run.is_none() && status.run.is_none())
    };
    space.model("a pause", calm).await?;
    ensure!(space.cluster.versions(MODEL).await?.len() == 1, "a version that nobody needs");
    Ok(())
}

/// Two more that decided later, as who restores a backup writes them.
async fn the_oldest_version_goes(space: &Space) -> Result<()> {
    let first = space.cluster.versions(MODEL).await?.into_iter().next().context("there is no version")?;
    for number in [1001, 1002] {
        let mut version = ModelVersion::new(&format!("{MODEL}-v{number}"), first.spec.clone());
        (version.spec.version, version.spec.run_id) = (number, format!("restored-{number}"));
        let at = first.spec.decisions.last().context("nothing was decided")?.at
            + jiff::SignedDuration::from_secs(number.into());
        let (decision, by, reason) = (Decision::Promoted, "underwriter".into(), String::new());
        version.spec.decisions = vec![DecisionRecord { decision, by, reason, at }];
        space.cluster.api::<ModelVersion>().create(&PostParams::default(), &version).await?;
    }
    space.champion(1002).await?;
    space.patch::<LoanModel>(MODEL, json!({"spec": {"historyLimit": 1}})).await?;
    let left = async || {
        let versions = space.cluster.versions(MODEL).await.ok()?;
        let numbers: Vec<_> = versions.iter().map(|version| version.spec.version).collect();
        (numbers == [1001, 1002]).then_some(())
    };
    until(30, "the oldest version gone, champion and its predecessor left", left).await
}

async fn the_others_go_with_their_model(space: &Space) -> Result<()> {
    space.patch::<LoanModel>(MODEL, json!({"spec": {"deletionPolicy": "Delete"}})).await?;
    let owned = async || {
        let versions = space.cluster.versions(MODEL).await.ok()?;
        versions.iter().all(|version| !version.owner_references().is_empty()).then_some(())
    };
    until(30, "versions that go with their model", owned).await?;
    space.cluster.api::<LoanModel>().delete(MODEL, &DeleteParams::background()).await?;
    let gone = async || space.cluster.versions(MODEL).await.ok()?.is_empty().then_some(());
    until(60, "the versions gone", gone).await
}
