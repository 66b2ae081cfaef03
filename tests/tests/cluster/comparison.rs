//! A version waits while the champion is taken back: a Job compares it with the one before, which decides again, and only
//! then may it decide itself.

use anyhow::{Context as _, Result, ensure};
use jiff::{Timestamp, civil::date};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use underwriter_contract::summary::{Comparison, MetricName};
use underwriter_crds::{
    LoanModel, LoanModelSpec, ModelVersion, RETRAIN_REQUESTED,
    conditions::ConditionType,
    loan_model::{Gate, PromotionPolicy, VersusChampion},
    model_version::{Decision, DecisionRecord, LaterComparison},
};
use underwriter_tests::bucket;

use crate::{
    admission::as_person,
    space::{MODEL, Space, message, within},
};

const ANN: &str = "ann@example.com";
/// Long enough for a Job that reads the loans on a machine that is busy.
const COMPARING: u64 = 300;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn a_version_is_compared_with_the_champion_that_came_back() -> Result<()> {
    within("comparison", async |space| {
        space.describe_model(against_the_champion).await?;
        space.champion(1).await?;
        learn_again(space, date(2010, 9, 1)).await?;
        space.champion(2).await?;
        space.patch::<LoanModel>(MODEL, json!({"spec": {"promotion": {"policy": PromotionPolicy::Manual}}})).await?;
        learn_again(space, date(2011, 6, 1)).await?;
        space.model("v3 waiting for a person", waits).await?;

        take_back(space, 2).await?;
        space.champion(1).await?;
        compared(space).await?;

        space.model("v3 waiting for a person, with new figures", waits).await?;
        let automatic = json!({"spec": {"promotion": {"policy": PromotionPolicy::Automatic}}});
        space.patch::<LoanModel>(MODEL, automatic).await?;
        space.champion(3).await.map(drop)
    })
    .await
}

/// A gate that asks for a comparison, and that every one passes.
fn against_the_champion(model: &mut LoanModelSpec) {
    let versus_champion = Some(VersusChampion { max_loss: 0.5 });
    model.promotion.gates = vec![Gate { metric: MetricName::RocAuc, at_least: None, at_most: None, versus_champion }];
}

/// More loans have come in, and somebody asks for a version that knows them.
async fn learn_again(space: &Space, before: jiff::civil::Date) -> Result<()> {
    bucket::write(&space.data(), space.loans.file_before(before)?).await?;
    space.cluster.annotate::<LoanModel>(MODEL, RETRAIN_REQUESTED, &before.to_string()).await
}

fn waits(model: &LoanModel) -> bool {
    let status = model.status.as_ref();
    status.is_some_and(|status| {
        let told = message(&status.conditions, ConditionType::AwaitingApproval, "PolicyManual");
        told.is_some_and(|told| told.starts_with("v3: "))
    })
}

/// A person revokes a version in their own name.
async fn take_back(space: &Space, number: u32) -> Result<()> {
    let versions = as_person(&space.cluster, ANN).await?.api::<ModelVersion>();
    let name = format!("{MODEL}-v{number}");
    let mut decisions = versions.get(&name).await?.spec.decisions;
    let reason = "it was tried on the wrong applicants".into();
    decisions.push(DecisionRecord { decision: Decision::Revoked, by: ANN.into(), reason, at: Timestamp::now() });
    let patch = Patch::Merge(json!({"spec": {"decisions": decisions}}));
    versions.patch(&name, &PatchParams::default(), &patch).await?;
    Ok(())
}

/// What a Job has found stands in the status: on loans that neither was made from, with intervals.
async fn compared(space: &Space) -> Result<()> {
    let known = |version: &ModelVersion| version.status.as_ref()?.comparison.clone();
    let is_known = |version: &ModelVersion| known(version).is_some();
    let version = space.cluster.wait(&format!("{MODEL}-v3"), COMPARING, "v3 compared with v1", is_known).await?;
    let LaterComparison { champion, job, found, failure } = known(&version).context("nothing is known")?;
    ensure!(
        (champion, job.as_str(), &failure) == (1, "loans-v3-vs-v1", &None),
        "{job} against v{champion}: {failure:?}"
    );
    let Comparison { version, rows, reused, differences } = found.context("nothing was found")?;
    ensure!(version == 1 && rows > 0 && !reused, "v{version}, {rows} rows, reused {reused}");
    let figures: Vec<_> = differences.iter().map(|metric| metric.name).collect();
    ensure!(figures == [MetricName::RocAuc, MetricName::Recall], "{figures:?}");
    ensure!(differences.iter().all(|metric| metric.low < metric.high), "{differences:?}");
    Ok(())
}
