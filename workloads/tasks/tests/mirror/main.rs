//! The mirror against a real MLflow server, with its records in Postgres and its files in S3.
//!
//! `make mlflow` runs these: they want the Python that it makes. What MLflow then holds is judged by its own client, in
//! `tests/mlflow/check.py`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod bench;
mod relay;

use bench::{Bench, Model};
use relay::Relay;
use serde_json::json;
use underwriter_contract::{
    learning::Algorithm::{GradientBoosting, Scorecard},
    summary::{FailureReason, Mirrored, Summary},
};

fn mirrored(ended: (i32, Summary)) -> Mirrored {
    match ended {
        (0, Summary::Mirrored(mirrored)) => mirrored,
        other => panic!("{other:?}"),
    }
}

fn failed(ended: (i32, Summary)) -> (i32, FailureReason, String) {
    match ended {
        (code, Summary::Failed(failure)) => (code, failure.reason, failure.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants MLflow: make mlflow"]
async fn versions_appear_and_aliases_move() {
    let bench = Bench::shared().await;
    let mut model = Model::new("moves");
    model.versions = vec![bench.version(1, GradientBoosting)];
    model.champion = Some(1);
    let first = mirrored(bench.mirror(&model, &bench.url()));
    assert_eq!((first.versions, first.added, first.digest), (1, 1, model.request(&bench.url()).digest()));
    bench.check(&[&model]);

    model.versions.push(bench.version(2, Scorecard));
    model.challenger = Some(2);
    assert_eq!(mirrored(bench.mirror(&model, &bench.url())).added, 1);
    bench.check(&[&model]);

    model.versions[0].state = "Retired".into();
    model.versions[1].state = "Champion".into();
    model.versions[1].decision = Some("Promoted by underwriter: passed its gates".into());
    (model.champion, model.challenger) = (Some(2), None);
    assert_eq!(mirrored(bench.mirror(&model, &bench.url())).added, 0);
    bench.check(&[&model]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants MLflow: make mlflow"]
async fn files_go_straight_into_a_bucket_where_mlflow_says_so() {
    let bench = Bench::shared().await;
    let mut model = Model::new("bucket");
    let place = format!("s3://{}/direct", bench.bucket);
    bench.post("experiments/create", &json!({"name": model.experiment(), "artifact_location": place})).await;
    model.versions = vec![bench.version(1, GradientBoosting)];
    model.champion = Some(1);
    mirrored(bench.mirror(&model, &bench.url()));
    bench.check(&[&model]);
}

/// Every call reaches MLflow; the answer of one is lost, as if the process had been killed there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants MLflow: make mlflow"]
async fn nothing_is_made_twice_wherever_it_is_killed() {
    let bench = Bench::shared().await;
    let step = if std::env::var_os("UNDERWRITER_FULL").is_some() { 1 } else { 4 };
    let mut models = Vec::new();
    for call in (1..).step_by(step) {
        let mut model = Model::new(&format!("killed-{call}"));
        model.versions = vec![bench.version(1, GradientBoosting)];
        model.champion = Some(1);
        let relay = Relay::start(&bench.url(), Some(call), None).await;
        let (code, _) = bench.mirror(&model, &relay.url());
        let ended = code == 0;
        assert!(ended || code == 1, "exit code {code} after {call} calls");
        mirrored(bench.mirror(&model, &bench.url()));
        models.push(model);
        if ended {
            break; // it needs fewer calls
        }
    }
    assert!(models.len() > 15 / step, "{} calls were cut", models.len());
    bench.check(&models.iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants MLflow: make mlflow"]
async fn says_what_is_wrong_and_catches_up() {
    let bench = Bench::shared().await;
    let mut model = Model::new("down");
    model.versions = vec![bench.version(1, Scorecard)];
    model.champion = Some(1);
    let (code, reason, message) = failed(bench.mirror(&model, "http://127.0.0.1:9"));
    assert_eq!((code, reason), (1, FailureReason::Unreachable), "{message}");
    assert!(message.contains("http://127.0.0.1:9/api/2.0/mlflow/registered-models/get"), "{message}");

    let guarded = Relay::start(&bench.url(), None, Some("Basic YWRhOnB3")).await;
    let (code, reason, message) = failed(bench.mirror(&model, &guarded.url()));
    assert_eq!((code, reason), (3, FailureReason::AccessDenied), "{message}");
    let known = [("REGISTRY_MLFLOW_TRACKING_USERNAME", "ada"), ("REGISTRY_MLFLOW_TRACKING_PASSWORD", "pw")];
    mirrored(bench.mirror_as(&model, &guarded.url(), &known));
    bench.check(&[&model]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants MLflow: make mlflow"]
async fn what_is_somebody_elses_is_left_alone() {
    let bench = Bench::shared().await;
    let mut model = Model::new("taken");
    model.versions = vec![bench.version(1, Scorecard)];
    bench.post("registered-models/create", &json!({"name": model.registered()})).await;
    let (code, reason, message) = failed(bench.mirror(&model, &bench.url()));
    assert_eq!((code, reason), (2, FailureReason::RequestInvalid), "{message}");
    assert!(message.contains("\"bank.taken\": it exists in MLflow and is no mirror of bank/taken"), "{message}");

    let mut model = Model::new("deleted");
    model.versions = vec![bench.version(1, Scorecard)];
    let made = bench.post("experiments/create", &json!({"name": model.experiment()})).await;
    bench.post("experiments/delete", &json!({"experiment_id": made["experiment_id"]})).await;
    let (code, _, message) = failed(bench.mirror(&model, &bench.url()));
    assert!(code == 2 && message.contains("\"bank/deleted\": somebody deleted it in MLflow"), "{message}");
}
