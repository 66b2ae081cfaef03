//! Training, judging, and saying which version decides.

use serde_json::{Value, json};
use underwriter_contract::{Digest, request::MirrorRequest};

use crate::api_server::{Cluster, Controller::LoanModel, MODEL, VERSION};

const JOB: &str = "/apis/batch/v1/namespaces/bank/jobs/loans-v1";

fn trained(run: &Value) -> Value {
    json!({"trained": {
        "run": run, "manifest": Digest::of(b"manifest"), "algorithm": "Scorecard", "threshold": 0.2, "leaking": [],
        "data": {"uri": "s3://loans/", "digest": Digest::of(b"data"), "rows": 9000},
        "metrics": [{"name": "recall", "value": 0.8, "low": 0.78, "high": 0.82}],
    }})
}

#[tokio::test]
async fn a_model_is_trained_recorded_and_promoted() {
    let cluster = Cluster::with_model();
    assert_eq!(
        cluster.settle(LoanModel).await,
        ["create jobs/loans-v1", "patch loanmodels/loans/status", "event RunStarted"]
    );
    let run = cluster.get(MODEL)["status"]["run"]["id"].clone();
    let job = cluster.get(JOB);
    let environment = &job["spec"]["template"]["spec"]["containers"][0]["env"][0];
    let request: Value = serde_json::from_str(environment["value"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&request["run"], &request["artifact"]),
        (&run, &json!(format!("s3://a/bank/loans/v1-{}/", run.as_str().unwrap())))
    );
    cluster.job_ends("Complete", 0, &trained(&run));
    let writes = cluster.settle(LoanModel).await;
    let expected = [
        "create modelversions/loans-v1",
        "event VersionCreated",
        "patch modelversions/loans-v1",
        "patch loanmodels/loans/status",
        "event Promoted",
        "patch modelversions/loans-v1/status",
        "patch loanmodels/loans/status",
    ];
    assert_eq!(writes, expected);
    assert_eq!(cluster.get(MODEL)["status"]["champion"], 1);
    assert_eq!(cluster.get(VERSION)["spec"]["decisions"][0]["decision"], "Promoted");
    assert_eq!(cluster.condition(MODEL, "Ready").unwrap().0, "True/ChampionDecides");
}

#[tokio::test]
async fn a_sweep_is_an_indexed_job_before_the_training() {
    const SWEEP: &str = "/apis/batch/v1/namespaces/bank/jobs/loans-v1-sweep";
    let cluster = Cluster::with_model();
    cluster.change(MODEL, &json!({"spec": {"training": {"sweep": {"trials": 3, "parallelism": 2}}}}));
    let started = ["create jobs/loans-v1-sweep", "patch loanmodels/loans/status", "event RunStarted"];
    assert_eq!(cluster.settle(LoanModel).await, started);
    let spec = cluster.get(SWEEP)["spec"].clone();
    assert_eq!((&spec["completionMode"], &spec["completions"]), (&json!("Indexed"), &json!(3)));
    let asked = |path: &str| -> Value {
        let container = cluster.get(path)["spec"]["template"]["spec"]["containers"][0].clone();
        json!([
            container["args"],
            serde_json::from_str::<Value>(container["env"][0]["value"].as_str().unwrap()).unwrap()
        ])
    };
    cluster.change(SWEEP, &json!({"status": {"completedIndexes": "0"}}));
    assert_eq!(cluster.settle(LoanModel).await, ["patch loanmodels/loans/status"]);
    assert_eq!(cluster.get(MODEL)["status"]["run"]["sweep"], json!({"trials": 3, "succeeded": 1, "failed": 0}));

    // one trial failed, and what is to be learnt has changed: the run trains what it has tried
    cluster.change(MODEL, &json!({"spec": {"training": {"seed": 5}}}));
    cluster.finish(SWEEP, "Failed", &json!({"completedIndexes": "0,2", "failedIndexes": "1"}));
    let trains = ["create jobs/loans-v1", "patch loanmodels/loans/status", "event SweepEnded"];
    assert_eq!(cluster.settle(LoanModel).await, trains);
    assert_eq!(cluster.get(MODEL)["status"]["run"]["sweep"], json!({"trials": 3, "succeeded": 2, "failed": 1}));
    assert_eq!(cluster.get(MODEL)["status"]["run"]["job"], "loans-v1");
    assert_eq!((&asked(SWEEP)[0], &asked(JOB)[0]), (&json!(["sweep"]), &json!(["train"])));
    assert_eq!(asked(SWEEP)[1], asked(JOB)[1]);

    cluster.change(MODEL, &json!({"status": null}));
    assert_eq!(cluster.settle(LoanModel).await, ["patch loanmodels/loans/status"]);
    assert_eq!(cluster.get(MODEL)["status"]["run"]["sweep"], json!({"trials": 3, "succeeded": 2, "failed": 1}));
}

#[tokio::test]
async fn a_failed_run_says_what_is_wrong() {
    let cluster = Cluster::with_model();
    cluster.settle(LoanModel).await;
    cluster.job_ends(
        "Failed",
        2,
        &json!({"failed": {"reason": "ColumnNotFound", "message": "there is no column issue_d"}}),
    );
    assert_eq!(cluster.settle(LoanModel).await, ["patch loanmodels/loans/status", "event RunFailed"]);
    let (state, message) = cluster.condition(MODEL, "Stalled").unwrap();
    assert!(state == "True/ColumnNotFound" && message.contains("there is no column issue_d"), "{state}: {message}");
}

#[tokio::test]
async fn a_job_of_somebody_else_is_left_alone_and_told() {
    let cluster = Cluster::with_model();
    cluster.put(
        JOB,
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "loans-v1", "namespace": "bank"}}),
    );
    assert_eq!(cluster.settle(LoanModel).await, ["patch loanmodels/loans/status", "event NameTaken"]);
    assert_eq!(cluster.condition(MODEL, "Stalled").unwrap().0, "True/NameTaken");
}

#[tokio::test]
async fn a_malformed_object_does_not_stop_the_others() {
    let cluster = Cluster::with_model();
    let malformed = json!({"apiVersion": "underwriter.dev/v1alpha1", "kind": "LoanModel", "spec": {"data": 7},
        "metadata": {"name": "broken", "namespace": "bank"}});
    cluster.put(&MODEL.replace("/loans", "/broken"), malformed);
    assert_eq!(cluster.settle(LoanModel).await.first().map(String::as_str), Some("create jobs/loans-v1"));
}

#[tokio::test]
async fn a_version_is_shown_in_mlflow_and_nothing_waits_for_it() {
    let cluster = Cluster::with_champion();
    let mlflow = json!({"trackingUri": "http://mlflow:5000", "secretRef": {"name": "mlflow"}});
    cluster.change(MODEL, &json!({"spec": {"registry": {"mlflow": mlflow}, "suspend": true}}));
    let writes = cluster.settle(LoanModel).await;
    let (path, job) = cluster.only("jobs");
    let name = job["metadata"]["name"].as_str().unwrap();
    assert!(writes.contains(&format!("create jobs/{name}")) && name.starts_with("loans-mirror-"), "{writes:?}");
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["args"], json!(["mirror"]));
    assert_eq!(container["envFrom"], json!([{"prefix": "REGISTRY_", "secretRef": {"name": "mlflow"}}]));
    let request: MirrorRequest = serde_json::from_str(container["env"][0]["value"].as_str().unwrap()).unwrap();
    assert_eq!((request.experiment.as_str(), request.champion, request.versions.len()), ("bank/loans", Some(1), 1));

    let down = json!({"failed": {"reason": "Unreachable", "message": "http://mlflow:5000: no answer"}});
    cluster.job_ends("Failed", 1, &down);
    assert_eq!(cluster.settle(LoanModel).await, ["patch loanmodels/loans/status", "event MirrorFailed"]);
    let (state, message) = cluster.condition(MODEL, "RegistryMirrored").unwrap();
    assert!(
        state == "False/Unreachable" && message.contains("tried again by itself at 2026-01-01T00:01:00Z"),
        "{message}"
    );
    assert_eq!(cluster.condition(MODEL, "Ready").unwrap().0, "True/ChampionDecides");

    cluster.remove(&path); // its time to be tried again never comes here
    cluster.change(MODEL, &json!({"status": {"mirror": null}}));
    cluster.settle(LoanModel).await;
    cluster.job_ends("Complete", 0, &json!({"mirrored": {"digest": request.digest(), "versions": 1, "added": 1}}));
    assert_eq!(cluster.settle(LoanModel).await, ["patch loanmodels/loans/status"]);
    assert_eq!(cluster.condition(MODEL, "RegistryMirrored").unwrap().0, "True/Mirrored");
    assert_eq!(cluster.get(MODEL)["status"]["mirror"]["digest"], json!(request.digest()));
}

#[tokio::test]
async fn every_status_can_be_lost() {
    let cluster = Cluster::with_model();
    cluster.settle(LoanModel).await;
    cluster.job_ends("Complete", 0, &trained(&cluster.get(MODEL)["status"]["run"]["id"]));
    cluster.settle(LoanModel).await;
    let decisions = cluster.get(VERSION)["spec"]["decisions"].clone();
    cluster.change(MODEL, &json!({"status": null}));
    cluster.change(VERSION, &json!({"status": null}));
    assert_eq!(
        cluster.settle(LoanModel).await,
        ["patch modelversions/loans-v1/status", "patch loanmodels/loans/status"]
    );
    assert_eq!(
        (cluster.get(MODEL)["status"]["champion"].as_u64(), &cluster.get(VERSION)["spec"]["decisions"]),
        (Some(1), &decisions)
    );
}
