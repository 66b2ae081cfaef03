//! Serving a champion.

use serde_json::json;

use crate::api_server::{Cluster, Controller::PredictionService, SERVICE};

const TRAFFIC: &str = "/api/v1/namespaces/bank/configmaps/loan-api-traffic";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/bank/deployments/loan-api";

/// The Deployment's pods have come up.
fn pods_are_ready(cluster: &Cluster) {
    let status = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2});
    cluster.change(DEPLOYMENT, &json!({"metadata": {"generation": 1}, "status": status}));
}

#[tokio::test]
async fn a_champion_is_served_by_children_that_the_traffic_precedes() {
    let cluster = Cluster::with_champion();
    let writes = cluster.settle(PredictionService).await;
    let expected = [
        "apply configmaps/loan-api-traffic",
        "apply services/loan-api",
        "apply poddisruptionbudgets/loan-api",
        "apply networkpolicies/loan-api",
        "apply deployments/loan-api",
    ];
    let children: Vec<_> = writes.iter().filter(|write| write.starts_with("apply")).collect();
    assert_eq!(children, expected);
    assert_eq!(cluster.condition(SERVICE, "Ready").unwrap().0, "False/PodsNotReady");
    pods_are_ready(&cluster);
    assert_eq!(cluster.settle(PredictionService).await, ["patch predictionservices/loan-api/status"]);
    assert_eq!(cluster.condition(SERVICE, "Ready").unwrap().0, "True/Serving");
    assert_eq!(cluster.get(SERVICE)["status"]["stable"], 1);
}

#[tokio::test]
async fn a_child_of_somebody_else_is_left_alone_and_told() {
    let cluster = Cluster::with_champion();
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "loan-api-traffic", "namespace": "bank"},
        "data": {"theirs": "yes"}});
    cluster.put(TRAFFIC, theirs);
    let writes = cluster.settle(PredictionService).await;
    assert!(writes.iter().all(|write| write.contains("/status") || write.starts_with("event")), "{writes:?}");
    assert_eq!(cluster.condition(SERVICE, "Stalled").unwrap().0, "True/NameTaken");
    assert_eq!(cluster.get(TRAFFIC)["data"], json!({"theirs": "yes"}));
}

#[tokio::test]
async fn a_lost_status_and_lost_children_are_made_again() {
    let cluster = Cluster::with_champion();
    cluster.settle(PredictionService).await;
    pods_are_ready(&cluster);
    cluster.settle(PredictionService).await;
    let status = cluster.get(SERVICE)["status"].clone();
    cluster.change(SERVICE, &json!({"status": null}));
    cluster.remove(TRAFFIC);
    let writes = cluster.settle(PredictionService).await;
    assert!(writes.contains(&"apply configmaps/loan-api-traffic".to_owned()), "{writes:?}");
    assert!(!writes.iter().any(|write| write.contains("deployments")), "{writes:?}");
    assert_eq!(cluster.get(SERVICE)["status"]["stable"], status["stable"]);
}
