//! People decide where a model asks for it, and only in their own name. What else the admission policy refuses is asked
//! of the chart itself (`charts/tests`).

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::{
    Client, Config,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use underwriter_crds::{
    LoanModel, ModelVersion, conditions::ConditionType, loan_model::PromotionPolicy, model_version::Decision,
};
use underwriter_tests::cluster::Cluster;

use crate::space::{MODEL, message, within};

const ANN: &str = "ann@example.com";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn a_person_approves_in_their_own_name() -> Result<()> {
    within("approval", async |space| {
        space.describe_model(|model| model.promotion.policy = PromotionPolicy::Manual).await?;
        let waits = |model: &LoanModel| {
            let status = model.status.as_ref();
            status.is_some_and(|status| {
                message(&status.conditions, ConditionType::AwaitingApproval, "PolicyManual").is_some()
            })
        };
        let status = space.model("AwaitingApproval", waits).await?.status.unwrap_or_default();
        ensure!(status.champion.is_none(), "it decides already");
        let told = message(&status.conditions, ConditionType::AwaitingApproval, "PolicyManual").unwrap_or_default();
        let ann = as_person(&space.cluster, ANN).await?;

        refused(forge(&ann).await, "only the operator")?;
        refused(decide(&ann, Decision::Promoted, ANN).await, "one of Approved, Denied and Revoked")?;
        refused(decide(&ann, Decision::Approved, "bob@example.com").await, "in your own name")?;
        let version = space.cluster.versions(MODEL).await?.remove(0);
        ensure!(version.spec.decisions.is_empty(), "decided by {:?}", version.spec.decisions);
        as_told(told, ANN)?;

        let champion = space.champion(1).await?;
        let said: Vec<_> = champion.spec.decisions.iter().map(|record| (record.decision, record.by.as_str())).collect();
        ensure!(said == [(Decision::Approved, ANN), (Decision::Promoted, "underwriter")], "{said:?}");
        Ok(())
    })
    .await
}

/// A person who may write versions, as far as roles go.
pub async fn as_person(cluster: &Cluster, name: &str) -> Result<Cluster> {
    let rule = json!({
        "apiGroups": ["underwriter.dev"], "resources": ["modelversions"],
        "verbs": ["get", "list", "watch", "create", "update", "patch"]
    });
    cluster.apply(&object::<Role>("Role", json!({"rules": [rule]}))?).await?;
    let group = "rbac.authorization.k8s.io";
    let reference = json!({"apiGroup": group, "kind": "Role", "name": "validator"});
    let subject = json!({"apiGroup": group, "kind": "User", "name": name});
    let binding = json!({"roleRef": reference, "subjects": [subject]});
    cluster.apply(&object::<RoleBinding>("RoleBinding", binding)?).await?;
    let mut config = Config::infer().await?;
    config.auth_info.impersonate = Some(name.into());
    Ok(Cluster { client: Client::try_from(config)?, namespace: cluster.namespace.clone() })
}

fn object<K: serde::de::DeserializeOwned>(kind: &str, mut fields: Value) -> Result<K> {
    fields["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
    fields["kind"] = json!(kind);
    fields["metadata"] = json!({"name": "validator"});
    Ok(serde_json::from_value(fields)?)
}

/// Creates a version that no run has made.
async fn forge(person: &Cluster) -> kube::Result<()> {
    let versions = person.api::<ModelVersion>();
    let mut spec = versions.get(&format!("{MODEL}-v1")).await?.spec;
    spec.version = 2;
    versions.create(&PostParams::default(), &ModelVersion::new(&format!("{MODEL}-v2"), spec)).await.map(drop)
}

async fn decide(person: &Cluster, decision: Decision, by: &str) -> kube::Result<()> {
    let record = json!({"decision": decision, "by": by, "reason": "the figures are plausible", "at": Timestamp::now()});
    let patch = Patch::Merge(json!({"spec": {"decisions": [record]}}));
    person.api::<ModelVersion>().patch(&format!("{MODEL}-v1"), &PatchParams::default(), &patch).await.map(drop)
}

/// Runs the command by which the condition says that a person approves, as that person.
fn as_told(message: &str, person: &str) -> Result<()> {
    let command = message.split("To approve it: ").nth(1).and_then(|rest| rest.split("  To deny").next());
    let command = command.with_context(|| format!("no command in «{message}»"))?;
    let command = command.replace("kubectl ", &format!("kubectl --as {person} "));
    let output = Command::new("sh").args(["-c", &command]).output()?;
    ensure!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn refused(outcome: kube::Result<()>, why: &str) -> Result<()> {
    let told = outcome.err().map(|error| error.to_string()).unwrap_or_else(|| "nothing: it was done".into());
    ensure!(told.contains(why), "wanted «{why}», the API server said: {told}");
    Ok(())
}
