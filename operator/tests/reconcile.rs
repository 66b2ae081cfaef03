//! The LoanModel controller against an API server in memory: what is really sent, in which order, and that nothing is sent
//! once the world is as wanted.
//!
//! The server keeps objects, checks resource versions and merges patches; its watches never tell of anything, so that an
//! operator makes one pass at its start. Every pass is thus the first after a crash.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, Response, StatusCode},
};
use clap::Parser as _;
use futures::{FutureExt as _, channel::oneshot};
use kube::{
    Client,
    client::Body as Sent,
    runtime::events::{Recorder, Reporter},
};
use serde_json::{Map, Value, json};
use underwriter_contract::Digest;
use underwriter_operator::{
    Context, loan_model, metrics::Metrics, prediction_service::figures, settings::Settings, stores::Stores,
};

const MODEL: &str = "/apis/underwriter.dev/v1alpha1/namespaces/bank/loanmodels/loans";
const VERSION: &str = "/apis/underwriter.dev/v1alpha1/namespaces/bank/modelversions/loans-v1";
const JOB: &str = "/apis/batch/v1/namespaces/bank/jobs/loans-v1";
const POD: &str = "/api/v1/namespaces/bank/pods/loans-v1-x";

/// An API server's objects by path, and what was written.
#[derive(Clone, Default)]
struct Cluster(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    writes: Vec<String>,
    revision: u64,
}

impl Cluster {
    fn with_model() -> Self {
        let cluster = Self::default();
        let spec = json!({
            "data": {"uri": "s3://loans/", "label": {"column": "status", "bad": ["bad"], "good": ["good"]}},
            "decision": {"recall": {"atLeast": 0.75}},
        });
        let model = json!({"apiVersion": "underwriter.dev/v1alpha1", "kind": "LoanModel", "spec": spec,
            "status": {"observedGeneration": -1}, "metadata": {"name": "loans", "namespace": "bank", "uid": "m", "generation": 1}});
        cluster.put(MODEL, model);
        cluster
    }

    fn put(&self, path: &str, mut object: Value) {
        let mut state = self.0.lock().unwrap();
        state.revision += 1;
        object["metadata"]["resourceVersion"] = json!(state.revision.to_string());
        object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:01Z");
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("uid-{}", state.revision));
        }
        state.objects.insert(path.into(), object);
    }

    fn get(&self, path: &str) -> Value {
        self.0.lock().unwrap().objects.get(path).cloned().unwrap_or_default()
    }

    fn change(&self, path: &str, patch: &Value) {
        let changed = merged(self.get(path), patch);
        self.put(path, changed);
    }

    async fn answer(self, request: Request<Sent>) -> Result<Response<Body>, Infallible> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let body: Value =
            serde_json::from_slice(&to_bytes(Body::new(body), usize::MAX).await.unwrap()).unwrap_or_default();
        if query.contains("watch=true") {
            return Ok(Response::new(Body::from_stream(futures::stream::pending::<Result<Vec<u8>, Infallible>>())));
        }
        let (code, answer) = match head.method {
            Method::GET => self.read(&path, &query),
            Method::POST => self.create(&path, body),
            Method::PATCH => self.patch(&path, &body),
            _ => self.delete(&path),
        };
        Ok(Response::builder().status(code).body(Body::from(answer.to_string())).unwrap())
    }

    fn read(&self, path: &str, query: &str) -> (StatusCode, Value) {
        let state = self.0.lock().unwrap();
        if let Some(object) = state.objects.get(path) {
            return (StatusCode::OK, object.clone());
        }
        let kind = path.rsplit('/').next().unwrap();
        let plurals = [
            "loanmodels",
            "modelversions",
            "predictionservices",
            "driftmonitors",
            "jobs",
            "pods",
            "deployments",
            "configmaps",
            "services",
            "poddisruptionbudgets",
            "networkpolicies",
        ];
        if !plurals.contains(&kind) {
            return (StatusCode::NOT_FOUND, failure(404, "NotFound"));
        }
        let ours = |object: &&Value| {
            !query.contains("managed-by")
                || object["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "underwriter"
        };
        let matching = |(path, _): &(&String, &Value)| path.contains(&format!("/{kind}/"));
        let items: Vec<_> = state.objects.iter().filter(matching).map(|(_, object)| object).filter(ours).collect();
        (
            StatusCode::OK,
            json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}),
        )
    }

    fn create(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let kind = path.rsplit('/').next().unwrap();
        if kind == "events" {
            self.wrote(format!("event {}", body["reason"].as_str().unwrap()));
            return (StatusCode::CREATED, body);
        }
        let name = body["metadata"]["name"].as_str().unwrap().to_owned();
        let path = format!("{path}/{name}");
        if !self.get(&path).is_null() {
            return (StatusCode::CONFLICT, failure(409, "AlreadyExists"));
        }
        self.wrote(format!("create {kind}/{name}"));
        self.put(&path, body);
        (StatusCode::CREATED, self.get(&path))
    }

    fn patch(&self, path: &str, patch: &Value) -> (StatusCode, Value) {
        let object = path.trim_end_matches("/status");
        let standing = self.get(object);
        let version = &patch["metadata"]["resourceVersion"];
        if !version.is_null() && *version != standing["metadata"]["resourceVersion"] {
            return (StatusCode::CONFLICT, failure(409, "Conflict"));
        }
        let (kind, rest) = path.split_once("/bank/").unwrap().1.split_once('/').unwrap();
        self.wrote(format!("patch {kind}/{rest}"));
        self.change(object, patch);
        (StatusCode::OK, self.get(object))
    }

    fn delete(&self, path: &str) -> (StatusCode, Value) {
        self.wrote(format!("delete {path}"));
        self.0.lock().unwrap().objects.remove(path);
        (StatusCode::OK, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
    }

    fn wrote(&self, write: String) {
        self.0.lock().unwrap().writes.push(write);
    }

    /// An operator starts, looks at the model once, and ends; what it wrote.
    async fn one_pass(&self) -> Vec<String> {
        let cluster = self.clone();
        let service = tower::service_fn(move |request| cluster.clone().answer(request));
        let client = Client::new(service, "bank");
        let least = ["o", "--tasks-image", "t", "--predictor-image", "p", "--artifacts-uri", "s3://a/"];
        let settings = Settings::try_parse_from(least).unwrap();
        let (stores, watches) = Stores::watching(&client, None);
        let reporter = Reporter { controller: "underwriter".into(), instance: Some("o".into()) };
        let recorder = Recorder::new(client.clone(), reporter);
        let now = || "2026-01-01T00:00:00Z".parse().unwrap();
        let (metrics, pods) = (Metrics::default(), figures::client().unwrap());
        let context = Arc::new(Context { client, settings, stores, recorder, metrics, pods, now });
        let (end, ended) = oneshot::channel::<()>();
        let shutdown = ended.map(|_| ()).boxed().shared();
        let watching = tokio::spawn(watches);
        let running = tokio::spawn(loan_model::run(Arc::clone(&context), shutdown));
        let looked = async {
            while !context.metrics.text().unwrap().contains("reconciles_total{kind=\"LoanModel\"") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looked).await.expect("the model was never looked at");
        drop(end);
        running.await.unwrap();
        watching.abort();
        std::mem::take(&mut self.0.lock().unwrap().writes)
    }

    /// Starts operators until one has nothing to write; everything that was written.
    async fn settle(&self) -> Vec<String> {
        let mut writes = Vec::new();
        for _ in 0..20 {
            let more = self.one_pass().await;
            if more.is_empty() {
                return writes;
            }
            writes.extend(more);
        }
        panic!("writes without end: {writes:#?}");
    }

    fn condition(&self, kind: &str) -> Option<(String, String)> {
        let model = self.get(MODEL);
        let conditions = model["status"]["conditions"].as_array()?;
        let condition = conditions.iter().find(|condition| condition["type"] == kind)?;
        let text = |key: &str| condition[key].as_str().unwrap_or_default().to_owned();
        Some((format!("{}/{}", text("status"), text("reason")), text("message")))
    }

    /// The training Job ends with these words.
    fn job_ends(&self, condition: &str, exit_code: i32, message: &Value) {
        let end = json!({"type": condition, "status": "True", "reason": "r", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"});
        self.change(JOB, &json!({"status": {"conditions": [end]}}));
        let terminated =
            json!({"exitCode": exit_code, "finishedAt": "2026-01-01T00:00:00Z", "message": message.to_string()});
        let container = json!({"name": "task", "image": "t", "imageID": "t", "ready": false, "restartCount": 0, "state": {"terminated": terminated}});
        self.put(
            POD,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "loans-v1-x", "namespace": "bank"},
            "status": {"containerStatuses": [container]}}),
        );
    }
}

/// RFC 7396, section 2.
fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut fields = if let Value::Object(fields) = target { fields } else { Map::new() };
    for (key, value) in patch {
        let old = fields.remove(key).unwrap_or_default();
        if !value.is_null() {
            fields.insert(key.clone(), merged(old, value));
        }
    }
    Value::Object(fields)
}

fn failure(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason, "code": code})
}

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
    assert_eq!(cluster.settle().await, ["create jobs/loans-v1", "patch loanmodels/loans/status", "event RunStarted"]);
    let run = cluster.get(MODEL)["status"]["run"]["id"].clone();
    let job = cluster.get(JOB);
    let environment = &job["spec"]["template"]["spec"]["containers"][0]["env"][0];
    let request: Value = serde_json::from_str(environment["value"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&request["run"], &request["artifact"]),
        (&run, &json!(format!("s3://a/bank/loans/v1-{}/", run.as_str().unwrap())))
    );
    cluster.job_ends("Complete", 0, &trained(&run));
    let writes = cluster.settle().await;
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
    assert_eq!(cluster.condition("Ready").unwrap().0, "True/ChampionDecides");
}

#[tokio::test]
async fn a_failed_run_says_what_is_wrong() {
    let cluster = Cluster::with_model();
    cluster.settle().await;
    cluster.job_ends(
        "Failed",
        2,
        &json!({"failed": {"reason": "ColumnNotFound", "message": "there is no column issue_d"}}),
    );
    assert_eq!(cluster.settle().await, ["patch loanmodels/loans/status", "event RunFailed"]);
    let (state, message) = cluster.condition("Stalled").unwrap();
    assert!(state == "True/ColumnNotFound" && message.contains("there is no column issue_d"), "{state}: {message}");
}

#[tokio::test]
async fn a_job_of_somebody_else_is_left_alone_and_told() {
    let cluster = Cluster::with_model();
    cluster.put(
        JOB,
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "loans-v1", "namespace": "bank"}}),
    );
    assert_eq!(cluster.settle().await, ["patch loanmodels/loans/status", "event NameTaken"]);
    assert_eq!(cluster.condition("Stalled").unwrap().0, "True/NameTaken");
}

#[tokio::test]
async fn a_malformed_object_does_not_stop_the_others() {
    let cluster = Cluster::with_model();
    let malformed = json!({"apiVersion": "underwriter.dev/v1alpha1", "kind": "LoanModel", "spec": {"data": 7},
        "metadata": {"name": "broken", "namespace": "bank"}});
    cluster.put(&MODEL.replace("/loans", "/broken"), malformed);
    assert_eq!(cluster.settle().await.first().map(String::as_str), Some("create jobs/loans-v1"));
}

#[tokio::test]
async fn every_status_can_be_lost() {
    let cluster = Cluster::with_model();
    cluster.settle().await;
    cluster.job_ends("Complete", 0, &trained(&cluster.get(MODEL)["status"]["run"]["id"]));
    cluster.settle().await;
    let decisions = cluster.get(VERSION)["spec"]["decisions"].clone();
    cluster.change(MODEL, &json!({"status": null}));
    cluster.change(VERSION, &json!({"status": null}));
    assert_eq!(cluster.settle().await, ["patch modelversions/loans-v1/status", "patch loanmodels/loans/status"]);
    assert_eq!(
        (cluster.get(MODEL)["status"]["champion"].as_u64(), &cluster.get(VERSION)["spec"]["decisions"]),
        (Some(1), &decisions)
    );
}
