//! An API server in memory. It keeps objects, checks resource versions, and merges patches and applied objects; its watches
//! never tell of anything, so that an operator makes one pass at its start. Every pass is thus the first after a crash.

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
    Context, drift_monitor, loan_model, metrics::Metrics, prediction_service, prediction_service::figures,
    settings::Settings, stores::Stores,
};

pub const MODEL: &str = "/apis/underwriter.dev/v1alpha1/namespaces/bank/loanmodels/loans";
pub const VERSION: &str = "/apis/underwriter.dev/v1alpha1/namespaces/bank/modelversions/loans-v1";
pub const SERVICE: &str = "/apis/underwriter.dev/v1alpha1/namespaces/bank/predictionservices/loan-api";
pub const MONITOR: &str = "/apis/underwriter.dev/v1alpha1/namespaces/bank/driftmonitors/drift";
const NOW: &str = "2026-01-01T00:00:00Z";

/// Which of the operator's three looks.
#[derive(Clone, Copy, Debug)]
pub enum Controller {
    LoanModel,
    PredictionService,
    DriftMonitor,
}

/// An API server's objects by path, and what was written.
#[derive(Clone, Default)]
pub struct Cluster(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    writes: Vec<String>,
    revision: u64,
}

impl Cluster {
    pub fn with_model() -> Self {
        let cluster = Self::default();
        let spec = json!({
            "data": {"uri": "s3://loans/", "label": {"column": "status", "bad": ["bad"], "good": ["good"]}},
            "decision": {"recall": {"atLeast": 0.75}},
        });
        cluster.own(MODEL, "LoanModel", spec);
        cluster
    }

    /// With a model whose first version decides, and a service of it.
    pub fn with_champion() -> Self {
        let (cluster, digest) = (Self::with_model(), Digest::of(b"manifest"));
        let resolved = json!({"artifacts": {"uri": "s3://a/"}, "predictionLog": {"secretRef": {"name": "log"}}, "configDigest": digest});
        cluster.change(MODEL, &json!({"status": {"champion": 1, "resolved": resolved}}));
        let promoted = json!({"decision": "Promoted", "by": "underwriter", "at": NOW});
        let spec = json!({
            "modelRef": {"name": "loans"}, "version": 1, "runId": "run", "configDigest": digest, "trigger": {"type": "Initial"},
            "artifact": {"uri": "s3://a/bank/loans/v1-run/", "digest": digest}, "algorithm": "Scorecard", "metrics": [],
            "data": {"uri": "s3://loans/", "digest": digest, "rows": 9000}, "threshold": 0.2, "decisions": [promoted],
        });
        cluster.own(VERSION, "ModelVersion", spec);
        cluster.own(SERVICE, "PredictionService", json!({"modelRef": {"name": "loans"}}));
        cluster
    }

    /// An object of ours, as a user or the operator made it.
    pub fn own(&self, path: &str, kind: &str, spec: Value) {
        let name = path.rsplit('/').next().unwrap();
        self.put(path, json!({"apiVersion": "underwriter.dev/v1alpha1", "kind": kind, "spec": spec,
            "status": {"observedGeneration": -1}, "metadata": {"name": name, "namespace": "bank", "uid": name, "generation": 1}}));
    }

    /// The only object of a kind, with its path.
    pub fn only(&self, kind: &str) -> (String, Value) {
        let mut found = self.all(kind).into_iter();
        let only = found.next().unwrap();
        assert!(found.next().is_none(), "several {kind}");
        only
    }

    /// Every object of a kind, with its path.
    pub fn all(&self, kind: &str) -> Vec<(String, Value)> {
        let of_kind = |(path, _): &(&String, &Value)| path.contains(&format!("/{kind}/"));
        let state = self.0.lock().unwrap();
        state.objects.iter().filter(of_kind).map(|(path, object)| (path.clone(), object.clone())).collect()
    }

    pub fn put(&self, path: &str, mut object: Value) {
        let mut state = self.0.lock().unwrap();
        state.revision += 1;
        object["metadata"]["resourceVersion"] = json!(state.revision.to_string());
        object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:01Z");
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("uid-{}", state.revision));
        }
        state.objects.insert(path.into(), object);
    }

    pub fn get(&self, path: &str) -> Value {
        self.0.lock().unwrap().objects.get(path).cloned().unwrap_or_default()
    }

    pub fn remove(&self, path: &str) {
        self.0.lock().unwrap().objects.remove(path);
    }

    pub fn change(&self, path: &str, patch: &Value) {
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
            self.put(&format!("{path}/{}", body["metadata"]["name"].as_str().unwrap()), body.clone());
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
        let written = path.split_once("/bank/").unwrap().1;
        if standing.is_null() {
            self.wrote(format!("apply {written}"));
            self.put(object, patch.clone());
            return (StatusCode::CREATED, self.get(object));
        }
        self.wrote(format!("patch {written}"));
        self.change(object, patch);
        (StatusCode::OK, self.get(object))
    }

    fn delete(&self, path: &str) -> (StatusCode, Value) {
        self.wrote(format!("delete {path}"));
        self.remove(path);
        (StatusCode::OK, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
    }

    fn wrote(&self, write: String) {
        self.0.lock().unwrap().writes.push(write);
    }

    /// An operator starts, looks once at what one controller is for, and ends; what it wrote.
    async fn one_pass(&self, controller: Controller) -> Vec<String> {
        let context = Arc::new(self.context());
        let (end, ended) = oneshot::channel::<()>();
        let shutdown = ended.map(|_| ()).boxed().shared();
        let running = tokio::spawn(match controller {
            Controller::LoanModel => loan_model::run(Arc::clone(&context), shutdown).boxed(),
            Controller::PredictionService => prediction_service::run(Arc::clone(&context), shutdown).boxed(),
            Controller::DriftMonitor => drift_monitor::run(Arc::clone(&context), shutdown).boxed(),
        });
        let figure = format!("reconciles_total{{kind=\"{controller:?}\"");
        let looked = async {
            while !context.metrics.text().unwrap().contains(&figure) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looked).await.expect("nothing was looked at");
        drop(end);
        running.await.unwrap();
        std::mem::take(&mut self.0.lock().unwrap().writes)
    }

    /// What an operator at this server works with. Its watches live as long as the test.
    pub fn context(&self) -> Context {
        let cluster = self.clone();
        let client = Client::new(tower::service_fn(move |request| cluster.clone().answer(request)), "bank");
        let least = ["o", "--tasks-image", "t", "--predictor-image", "p", "--artifacts-uri", "s3://a/"];
        let settings = Settings::try_parse_from(least).unwrap();
        let (stores, watches) = Stores::watching(&client, None);
        tokio::spawn(watches);
        let reporter = Reporter { controller: "underwriter".into(), instance: Some("o".into()) };
        let recorder = Recorder::new(client.clone(), reporter);
        let (metrics, pods, now) = (Metrics::default(), figures::client().unwrap(), || NOW.parse().unwrap());
        Context { client, settings, stores, recorder, metrics, pods, now }
    }

    /// Starts operators until one has nothing to write; everything that was written.
    pub async fn settle(&self, controller: Controller) -> Vec<String> {
        let mut writes = Vec::new();
        for _ in 0..20 {
            let more = self.one_pass(controller).await;
            if more.is_empty() {
                return writes;
            }
            writes.extend(more);
        }
        panic!("writes without end: {writes:#?}");
    }

    /// Status, reason and message of an object's condition.
    pub fn condition(&self, path: &str, kind: &str) -> Option<(String, String)> {
        let object = self.get(path);
        let conditions = object["status"]["conditions"].as_array()?;
        let condition = conditions.iter().find(|condition| condition["type"] == kind)?;
        let text = |key: &str| condition[key].as_str().unwrap_or_default().to_owned();
        Some((format!("{}/{}", text("status"), text("reason")), text("message")))
    }

    /// A Job ends, with more to its status.
    pub fn finish(&self, path: &str, condition: &str, more: &Value) {
        let end =
            json!({"type": condition, "status": "True", "reason": "r", "message": "m", "lastTransitionTime": NOW});
        self.change(path, &merged(json!({"status": {"conditions": [end]}}), &json!({"status": more})));
    }

    /// The only Job ends with these words.
    pub fn job_ends(&self, condition: &str, exit_code: i32, message: &Value) {
        let (path, job) = self.only("jobs");
        self.finish(&path, condition, &json!({}));
        let terminated = json!({"exitCode": exit_code, "finishedAt": NOW, "message": message.to_string()});
        let container = json!({"name": "task", "image": "t", "imageID": "t", "ready": false, "restartCount": 0, "state": {"terminated": terminated}});
        let name = format!("{}-x", job["metadata"]["name"].as_str().unwrap());
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "bank"},
            "status": {"containerStatuses": [container]}});
        self.put(&format!("/api/v1/namespaces/bank/pods/{name}"), pod);
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
