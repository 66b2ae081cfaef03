//! Input that is at fault: each gets a condition that says what is wrong and where, and correcting it is enough to go on.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;
use underwriter_contract::learning::{Algorithm, SecretRef};
use underwriter_crds::{LoanModel, PredictionService, RETRAIN_REQUESTED, conditions::ConditionType};
use underwriter_data::store::Location;
use underwriter_tests::bucket;

use crate::{
    asking::{Asking, none_failed},
    space::{MODEL, Space, all_ready, message, within},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn a_column_that_does_not_exist() -> Result<()> {
    within("bad-column", async |space| {
        space.describe_model(|model| model.data.label.column = "loan_state".into()).await?;

        let told = stalled(space, "ColumnNotFound").await?;
        ensure!(told.contains("loan_state"), "the column is not named: {told}");

        space.trained().await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn wrong_credentials_and_a_bucket_that_does_not_exist() -> Result<()> {
    within("bad-bucket", async |space| {
        space.changed_secret("keys", "underwriter-data", "AWS_SECRET_ACCESS_KEY", "wrong").await?;
        space.describe_model(|model| model.data.secret_ref = Some(SecretRef { name: "keys".into() })).await?;

        let told = stalled(space, "AccessDenied").await?;
        ensure!(told.contains("s3://loans/"), "the place is not named: {told}");

        let absent =
            |model: &mut underwriter_crds::LoanModelSpec| model.data.uri = "s3://no-such-bucket/loans.csv.gz".into();
        space.describe_model(absent).await?;
        let told = stalled(space, "NotFound").await?;
        ensure!(told.contains("no-such-bucket"), "the bucket is not named: {told}");

        space.trained().await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn credentials_that_are_corrected_in_their_secret() -> Result<()> {
    within("bad-keys", async |space| {
        space.changed_secret("keys", "underwriter-data", "AWS_SECRET_ACCESS_KEY", "wrong").await?;
        space.describe_model(|model| model.data.secret_ref = Some(SecretRef { name: "keys".into() })).await?;
        stalled(space, "AccessDenied").await?;

        let right = space.cluster.api::<Secret>().get("underwriter-data").await?.data;
        space.patch::<Secret>("keys", json!({"data": right})).await?;
        space.cluster.annotate::<LoanModel>(MODEL, RETRAIN_REQUESTED, "the keys are right now").await?;

        space.champion(1).await?;
        Ok(())
    })
    .await
}

/// Waits until the model says that it cannot go on for this reason.
async fn stalled(space: &Space, reason: &str) -> Result<String> {
    let told = |model: &LoanModel| {
        let status = model.status.as_ref()?;
        message(&status.conditions, ConditionType::Stalled, reason).map(str::to_owned)
    };
    let model = space.model(&format!("Stalled/{reason}"), |model| told(model).is_some()).await?;
    told(&model).context("the condition has no message")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn an_artifact_with_one_byte_changed() -> Result<()> {
    within("bad-byte", async |space| {
        space.describe_model(|model| model.training.algorithm = Algorithm::GradientBoosting).await?;
        let champion = space.champion(1).await?;
        let client = space.served(30_706, |service| service.replicas = 1).await?;
        let asking = Asking::start(&client, space.applications());
        asking.answered(50, 30).await?;
        let booster: Location = format!("{}booster.txt", champion.spec.artifact.uri).parse()?;
        let intact = bucket::store()?.read(&booster, 64 << 20).await?;

        bucket::write(&booster.to_string(), one_byte_changed(&intact)).await?;
        space.patch::<PredictionService>(&space.service, json!({"spec": {"replicas": 2}})).await?;

        let named = |service: &PredictionService| tells(service, &booster.to_string());
        let service = space.service(120, "the service naming the file", named).await?;
        let ready = service.status.map(|status| status.ready_replicas);
        ensure!(ready == Some(1), "{ready:?} pods are ready");
        asking.answered(50, 30).await?;

        bucket::write(&booster.to_string(), intact).await?;
        space.service(180, "both pods ready", all_ready).await?;
        let seen = asking.stop().await;
        none_failed(&seen)
    })
    .await
}

fn one_byte_changed(bytes: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    changed
}

/// Whether a condition of the service has this in its message.
fn tells(service: &PredictionService, what: &str) -> bool {
    let conditions = service.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().any(|condition| condition.message.contains(what))
}
