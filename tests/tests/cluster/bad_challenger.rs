//! A version that cannot score some applicants is tried, found out, and taken back; nobody goes without an answer.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use kube::{Client, Config, api::PostParams};
use serde_json::Value;
use underwriter_contract::{
    manifest::{Evidence, Manifest, Term},
    request::{Trigger, TriggerType},
    summary::{Comparison, Metric, MetricName},
};
use underwriter_crds::{
    LoanModel, ModelVersion, PredictionService,
    conditions::{ConditionType, holds},
    model_version::{ArtifactLocation, VersionState},
};
use underwriter_data::{artifact, store::Location};
use underwriter_tests::{bucket, client::Seen, cluster::Cluster};

use crate::{
    asking::{Asking, none_failed},
    operator::Operator,
    space::{MODEL, Space, all_ready, within},
};

/// The column and its value with which the crafted version overflows.
const COLUMN: &str = "home_ownership";
const POISON: &str = "RENT";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn it_goes_back_and_everybody_is_answered() -> Result<()> {
    within("bad-challenger", async |space| {
        let champion = space.trained().await?;
        let client = space.served(30_705, |_| ()).await?;
        let asking = Asking::start(&client, space.applications());
        asking.answered(50, 30).await?;

        let crafted = crafted(&champion).await?;
        as_the_operator(&space.cluster, &crafted).await?;

        taken_back(space, &crafted).await?;
        let tried = client.seen().answers;
        asking.answered(300, 60).await?;
        let seen = asking.stop().await;
        everybody_answered(space, &seen)?;
        let mut later = seen.answers.iter().filter(|(decision, _)| !tried.contains_key(*decision));
        ensure!(later.all(|(_, answer)| answer.version == 1), "v2 answers again");
        space.service(10, "nothing tried", |service| all_ready(service) && !tries(service)).await?;
        let model = space.model("v1 champion", |_| true).await?.status.context("no status")?;
        ensure!((model.champion, model.challenger) == (Some(1), None), "{:?}, {:?}", model.champion, model.challenger);
        Ok(())
    })
    .await
}

fn tries(service: &PredictionService) -> bool {
    service.status.as_ref().is_none_or(|status| status.rollout.is_some())
}

/// What the champion is, but for one level whose contribution is larger than any number: a valid artifact, properly
/// digested, every number of it finite.
async fn crafted(champion: &ModelVersion) -> Result<ModelVersion> {
    let (store, source) = (bucket::store()?, bucket::reference(champion));
    let manifest = artifact::load(&store, &source, &[]).await?.manifest;
    let names: Vec<&str> = manifest.files.keys().map(String::as_str).collect();
    let files = artifact::load(&store, &source, &names).await?.files;
    let run = format!("{}-crafted", champion.spec.run_id);
    let uri = format!("{}crafted/", champion.spec.artifact.uri);
    let manifest = Manifest { version: 2, run: run.clone(), ..poisoned(manifest)? };
    let digest = artifact::publish(&store, &uri.parse::<Location>()?, files, manifest).await?;
    let mut crafted = ModelVersion::new(&format!("{MODEL}-v2"), champion.spec.clone());
    crafted.spec.version = 2;
    crafted.spec.run_id = run;
    crafted.spec.artifact = ArtifactLocation { uri, digest };
    crafted.spec.trigger =
        Trigger { kind: TriggerType::Request, token: Some("crafted".into()), episodes: Vec::new(), scheduled: None };
    crafted.spec.compared_with = Some(better_than_champion());
    crafted.spec.decisions.clear();
    Ok(crafted)
}

fn poisoned(mut manifest: Manifest) -> Result<Manifest> {
    let column = manifest.columns.iter_mut().find(|column| column.name == COLUMN).context("the column is not there")?;
    let learnt = column.learnt.as_mut().context("nothing was learnt from the column")?;
    let Evidence::Levels(levels) = &mut learnt.evidence else { anyhow::bail!("the column is no category") };
    levels.evidence.values_mut().for_each(|evidence| *evidence = 0.0);
    (levels.other, levels.missing, learnt.baseline) = (0.0, 0.0, 0.0);
    *levels.evidence.get_mut(POISON).context("the level was not seen")? = 1e10;
    let linear = manifest.scorer.linear.as_mut().context("the champion is no scorecard")?;
    linear.terms.retain(|term| term.column != COLUMN);
    linear.terms.push(Term { column: COLUMN.into(), weight: 1e300, mean: 0.0 });
    Ok(manifest)
}

fn better_than_champion() -> Comparison {
    let difference = Metric { name: MetricName::RocAuc, value: 0.02, low: Some(0.01), high: Some(0.03) };
    Comparison { version: 1, rows: 1000, reused: false, differences: vec![difference] }
}

/// With the operator's rights: nobody else may create a version.
async fn as_the_operator(cluster: &Cluster, version: &ModelVersion) -> Result<()> {
    let mut config = Config::infer().await?;
    config.auth_info.impersonate = Some(Operator::of(cluster).user().await?);
    let operator = Cluster { client: Client::try_from(config)?, namespace: cluster.namespace.clone() };
    operator.api::<ModelVersion>().create(&PostParams::default(), version).await?;
    Ok(())
}

async fn taken_back(space: &Space, crafted: &ModelVersion) -> Result<()> {
    let run = crafted.spec.run_id.as_str();
    let back = |service: &PredictionService| {
        let Some(status) = &service.status else { return false };
        let rejected = status
            .rejected_versions
            .iter()
            .any(|rejected| rejected.run == run && rejected.reason.contains("ErrorRate"));
        rejected && holds(&status.conditions, ConditionType::RolledBack) && status.stable == Some(1)
    };
    space.service(240, "the crafted version rejected for its errors", back).await?;
    let rolled_back = |version: &ModelVersion| {
        version.status.as_ref().is_some_and(|status| status.state == Some(VersionState::RolledBack))
    };
    space.cluster.wait(&format!("{MODEL}-v2"), 60, "v2 RolledBack", rolled_back).await?;
    let unchallenged = |model: &LoanModel| model.status.as_ref().is_some_and(|status| status.challenger.is_none());
    space.model("no challenger", unchallenged).await?;
    space.service(120, "nothing tried", |service| all_ready(service) && !tries(service)).await?;
    Ok(())
}

/// Every answer is finite, and whom the crafted version cannot score the champion has answered.
fn everybody_answered(space: &Space, seen: &Seen) -> Result<()> {
    none_failed(seen)?;
    let applications = space.applications();
    let has_poison = |application: &&Value| application[COLUMN] == POISON;
    let poison: BTreeSet<_> =
        applications.iter().filter(has_poison).filter_map(|application| application["id"].as_str()).collect();
    for answer in seen.answers.values() {
        ensure!(answer.probability.is_finite(), "{answer:?}");
        let loan = answer.id.rsplit_once('-').map_or(answer.id.as_str(), |(loan, _)| loan);
        ensure!(answer.version == 1 || !poison.contains(loan), "v2 answered {answer:?}");
    }
    Ok(())
}
