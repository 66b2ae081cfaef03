//! Training, judging, and saying which version decides.

use serde_json::{Value, json};
use underwriter_contract::{
    Digest,
    request::{CompareRequest, MirrorRequest},
};

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
async fn what_is_no_schedule_or_no_zone_stalls_with_the_remedy() {
    for (retraining, place) in [
        (json!({"schedule": "0 25 * * *"}), "spec.retraining.schedule: \"0 25 * * *\" is not a schedule"),
        (
            json!({"schedule": "0 2 * * *", "timeZone": "Europe/Berlni"}),
            "spec.retraining.timeZone: \"Europe/Berlni\" is not a time zone: write its name in the IANA database",
        ),
    ] {
        let cluster = Cluster::with_model();
        cluster.change(MODEL, &json!({"spec": {"retraining": retraining}}));
        assert_eq!(cluster.settle(LoanModel).await, ["patch loanmodels/loans/status", "event SpecInvalid"]);
        let (state, message) = cluster.condition(MODEL, "Stalled").unwrap();
        assert!(state == "True/SpecInvalid" && message.contains(place), "{state}: {message}");
    }
}

#[tokio::test]
async fn a_schedule_promises_its_next_run() {
    let cluster = Cluster::with_champion();
    let retraining = json!({"schedule": "30 6 * * *", "timeZone": "Asia/Kolkata"});
    cluster.change(MODEL, &json!({"spec": {"suspend": true, "retraining": retraining}}));
    cluster.settle(LoanModel).await;
    assert!(cluster.get(MODEL)["status"]["nextScheduledRun"].is_null());
    cluster.change(MODEL, &json!({"spec": {"suspend": false}}));
    cluster.settle(LoanModel).await;
    let next = cluster.get(MODEL)["status"]["nextScheduledRun"].as_str().unwrap().to_owned();
    assert!(next.starts_with("2026-01-01T01:0"), "{next}");
}

/// A model that starts nothing, with three versions that decided one after the other.
fn with_history() -> Cluster {
    let cluster = Cluster::with_champion();
    cluster.change(MODEL, &json!({"spec": {"suspend": true}}));
    for number in [2, 3] {
        let mut spec = cluster.get(VERSION)["spec"].clone();
        spec["version"] = json!(number);
        spec["decisions"][0]["at"] = json!(format!("2026-01-0{number}T00:00:00Z"));
        cluster.own(&VERSION.replace("-v1", &format!("-v{number}")), "ModelVersion", spec);
    }
    cluster
}

#[tokio::test]
async fn the_oldest_version_goes_where_there_are_too_many() {
    let cluster = with_history();
    cluster.change(MODEL, &json!({"spec": {"historyLimit": 1}}));
    let writes = cluster.settle(LoanModel).await;
    let deleted: Vec<_> = writes.iter().filter(|write| write.starts_with("delete")).collect();
    assert_eq!(deleted, [&format!("delete {VERSION}")], "{writes:?}");
    assert!(writes.contains(&"event VersionPruned".to_owned()) && cluster.get(VERSION).is_null());
}

#[tokio::test]
async fn a_model_owns_its_versions_only_where_they_are_to_go_with_it() {
    let cluster = with_history();
    let owners = || cluster.get(VERSION)["metadata"]["ownerReferences"].clone();
    let policy = |policy: &str| cluster.change(MODEL, &json!({"spec": {"deletionPolicy": policy}}));
    policy("Delete");
    cluster.settle(LoanModel).await;
    let owner =
        json!([{"apiVersion": "underwriter.dev/v1alpha1", "kind": "LoanModel", "name": "loans", "uid": "loans"}]);
    assert_eq!(owners(), owner);
    policy("Retain");
    cluster.settle(LoanModel).await;
    assert_eq!(owners(), json!([]));
}

#[tokio::test]
async fn a_run_is_told_what_it_need_not_learn_again() {
    let cluster = with_history();
    let config = cluster.get(MODEL)["status"]["resolved"]["configDigest"].clone();
    cluster.settle(LoanModel).await;
    let known = cluster.get(MODEL)["status"]["resolved"]["configDigest"].clone();
    assert_ne!(config, known);
    let fourth = VERSION.replace("-v1", "-v4");
    let mut spec = cluster.get(VERSION)["spec"].clone();
    (spec["version"], spec["configDigest"], spec["decisions"]) = (json!(4), known, json!([]));
    cluster.own(&fourth, "ModelVersion", spec.clone());
    let request = json!({"metadata": {"annotations": {"underwriter.dev/retrain-requested": "again"}}, "spec": {"suspend": false, "promotion": {"policy": "Manual"}}});
    cluster.change(MODEL, &request);
    cluster.settle(LoanModel).await;
    let job = cluster.only("jobs").1;
    let environment = &job["spec"]["template"]["spec"]["containers"][0]["env"][0];
    let request: Value = serde_json::from_str(environment["value"].as_str().unwrap()).unwrap();
    assert_eq!((&request["champion"]["version"], &request["version"]), (&json!(3), &json!(5)));
    assert_eq!(request["known"], json!([{"version": 4, "data": spec["data"]["digest"]}]));
}

const THIRD: &str = "/apis/underwriter.dev/v1alpha1/namespaces/bank/modelversions/loans-v3";

/// A model that starts nothing, whose first version decides again: its second, which the third was compared with, was
/// taken back.
fn with_a_second_taken_back() -> Cluster {
    let cluster = Cluster::with_champion();
    cluster.change(MODEL, &json!({"spec": {"suspend": true}}));
    let mut spec = cluster.get(VERSION)["spec"].clone();
    let revoked = json!({"decision": "Revoked", "by": "ada", "at": "2026-01-02T00:00:00Z"});
    (spec["version"], spec["decisions"]) = (json!(2), json!([spec["decisions"][0], revoked]));
    cluster.own(&VERSION.replace("-v1", "-v2"), "ModelVersion", spec.clone());
    (spec["version"], spec["decisions"], spec["comparedWith"]) = (json!(3), json!([]), difference(2));
    spec["metrics"] = json!([{"name": "recall", "value": 0.8, "low": 0.78, "high": 0.82}]);
    cluster.own(THIRD, "ModelVersion", spec);
    cluster
}

fn difference(champion: u32) -> Value {
    let better = json!({"name": "rocAuc", "value": 0.02, "low": 0.01, "high": 0.03});
    json!({"version": champion, "rows": 900, "reused": false, "differences": [better]})
}

#[tokio::test]
async fn a_version_is_compared_with_the_champion_that_came_back() {
    let cluster = with_a_second_taken_back();
    let writes = cluster.settle(LoanModel).await;
    assert!(writes.contains(&"create jobs/loans-v3-vs-v1".to_owned()), "{writes:?}");
    assert!(writes.contains(&"event ComparisonStarted".to_owned()), "{writes:?}");
    let container = &cluster.only("jobs").1["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["args"], json!(["compare"]));
    let request: CompareRequest = serde_json::from_str(container["env"][0]["value"].as_str().unwrap()).unwrap();
    assert_eq!((request.version.version, request.champion.version), (3, 1));
    assert_eq!(cluster.condition(THIRD, "Ready").unwrap().0, "False/NotCompared");
    assert_eq!(cluster.condition(MODEL, "AwaitingApproval"), None);

    let found = json!({"compared": {"run": "run", "comparison": difference(1)}});
    cluster.job_ends("Complete", 0, &found);
    let written = ["modelversions/loans-v3/status", "modelversions/loans-v3/status", "loanmodels/loans/status"];
    assert_eq!(cluster.settle(LoanModel).await, written.map(|object| format!("patch {object}")));
    let known = cluster.get(THIRD)["status"]["comparison"].clone();
    assert_eq!((&known["found"], &known["job"]), (&difference(1), &json!("loans-v3-vs-v1")));
    assert_eq!(cluster.get(MODEL)["status"]["challenger"], 3);
}

#[tokio::test]
async fn a_comparison_that_fails_says_why_and_waits_for_a_person() {
    let cluster = with_a_second_taken_back();
    cluster.settle(LoanModel).await;
    let failure = json!({"failed": {"reason": "TooFewBad", "message": "there are not both bad and good loans"}});
    cluster.job_ends("Failed", 2, &failure);
    let writes = cluster.settle(LoanModel).await;
    assert!(writes.contains(&"event ComparisonFailed".to_owned()), "{writes:?}");
    let (state, message) = cluster.condition(MODEL, "AwaitingApproval").unwrap();
    assert_eq!(state, "True/NotCompared");
    for part in ["there are not both", "tried again by itself at 2026-01-01T01:00:00Z", "approve it by hand"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(cluster.condition(MODEL, "Ready").unwrap().0, "True/ChampionDecides");
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
