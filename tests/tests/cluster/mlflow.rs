//! MLflow, down at first: versions are learnt and promoted all the same, and shown as soon as it is there.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Node;
use kube::{Api, api::ListParams};
use serde_json::{Value, json};
use underwriter_crds::{LoanModel, loan_model::Registry};
use underwriter_servers::{Mlflow, free_port};

use crate::space::{MODEL, Space, within};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn mlflow_is_down_and_then_shows_what_it_missed() -> Result<()> {
    within("mlflow", async |space| {
        let (host, port) = (node_address(space).await?, free_port());
        let at = |experiment: &str| -> Result<Option<Registry>> {
            let mlflow = json!({"trackingUri": format!("http://{host}:{port}"), "experiment": experiment});
            Ok(Some(serde_json::from_value(json!({"mlflow": mlflow}))?))
        };
        let registry = at("first")?;
        space.describe_model(|model| model.registry = registry).await?;
        space.champion(1).await?;
        space.model("MLflow out of reach", |model| mirrored(model) == Some("Unreachable")).await?;

        let mlflow = tokio::task::block_in_place(|| Mlflow::at(&host, port));
        let registry = at("second")?; // something else to show is tried at once
        space.describe_model(|model| model.registry = registry).await?;
        space.model("MLflow up to date", |model| mirrored(model) == Some("Mirrored")).await?;
        champion_is_shown(&mlflow, &space.cluster.namespace).await
    })
    .await
}

/// Why the model's condition is as it is.
fn mirrored(model: &LoanModel) -> Option<&str> {
    let conditions = &model.status.as_ref()?.conditions;
    Some(conditions.iter().find(|condition| condition.type_ == "RegistryMirrored")?.reason.as_str())
}

/// Where pods reach a server of this machine.
async fn node_address(space: &Space) -> Result<String> {
    let nodes = Api::<Node>::all(space.cluster.client.clone()).list(&ListParams::default()).await?;
    let addresses = nodes.items.into_iter().filter_map(|node| node.status?.addresses).flatten();
    let internal = addresses.into_iter().find(|address| address.type_ == "InternalIP");
    internal.map(|address| address.address).context("no node has an address")
}

async fn champion_is_shown(mlflow: &Mlflow, namespace: &str) -> Result<()> {
    let alias = format!("mlflow/registered-models/alias?name={namespace}.{MODEL}&alias=champion");
    let answer: Value = reqwest::get(format!("{}/api/2.0/{alias}", mlflow.url())).await?.json().await?;
    let tag = json!({"key": "underwriter.version", "value": "1"});
    let tags = answer["model_version"]["tags"].as_array().cloned().unwrap_or_default();
    ensure!(tags.contains(&tag), "v1 is not MLflow's champion: {answer}");
    Ok(())
}
