//! The servers, versions that were really learnt, and a model as the operator would ask for its mirror.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, Weak},
};

use serde_json::{Value as Json, json};
use tokio::{sync::Mutex, task::block_in_place};
use underwriter_contract::{
    FORMAT,
    learning::Algorithm,
    request::{ArtifactRef, MirrorRequest, MirroredVersion},
    summary::Summary,
};
use underwriter_servers::{Folder, Mlflow, Postgres, S3};

/// Servers and versions, shared by the tests that run at the same time.
pub struct Bench {
    /// The bucket of MLflow's files.
    pub bucket: String,
    learnt: [(Algorithm, ArtifactRef); 2],
    // In the order in which they end.
    mlflow: Mlflow,
    s3: Arc<S3>,
    _postgres: Arc<Postgres>,
    _folder: Folder,
}

impl Bench {
    /// That of other tests, or a new one.
    pub async fn shared() -> Arc<Self> {
        static SLOT: Mutex<Weak<Bench>> = Mutex::const_new(Weak::new());
        let mut slot = SLOT.lock().await;
        if let Some(bench) = slot.upgrade() {
            return bench;
        }
        let bench = Arc::new(Self::new().await);
        *slot = Arc::downgrade(&bench);
        bench
    }

    async fn new() -> Self {
        let (folder, postgres, s3) = (Folder::new("mirror"), Postgres::shared(), S3::shared());
        let (database, bucket) = (postgres.database().await, s3.bucket().await);
        let algorithms = [Algorithm::GradientBoosting, Algorithm::Scorecard];
        let learnt = block_in_place(|| algorithms.map(|algorithm| (algorithm, learn(&folder, algorithm))));
        let mlflow = block_in_place(|| Mlflow::start(&database, &s3, &bucket));
        Self { bucket, learnt, mlflow, s3, _postgres: postgres, _folder: folder }
    }

    /// MLflow's address.
    pub fn url(&self) -> String {
        self.mlflow.url()
    }

    /// A version of a number whose trees, or points, were learnt by this algorithm.
    pub fn version(&self, number: u32, algorithm: Algorithm) -> MirroredVersion {
        let (_, artifact) = self.learnt.iter().find(|(learnt, _)| *learnt == algorithm).unwrap();
        let artifact = ArtifactRef { version: number, ..artifact.clone() };
        let created = "2026-11-01T12:00:00Z".parse().unwrap();
        MirroredVersion { artifact, created, state: "Candidate".into(), decision: None }
    }

    /// The task as a Job runs it, against MLflow at an address; its exit code and summary.
    pub fn mirror(&self, model: &Model, address: &str) -> (i32, Summary) {
        self.mirror_as(model, address, &[])
    }

    /// The same with more variables.
    pub fn mirror_as(&self, model: &Model, address: &str, more: &[(&str, &str)]) -> (i32, Summary) {
        let folder = Folder::new("mirror-run");
        let keys = Mlflow::environment(&self.s3).map(|(name, value)| (format!("ARTIFACTS_{name}"), value));
        let endpoint = ("ARTIFACTS_AWS_ENDPOINT_URL".to_owned(), self.s3.url());
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables = keys.into_iter().chain([endpoint]).chain(more).collect::<Vec<_>>();
        let request = serde_json::to_string(&model.request(address)).unwrap();
        block_in_place(|| task("mirror", &folder, &request, &variables))
    }

    /// Calls MLflow's API.
    pub async fn post(&self, path: &str, message: &Json) -> Json {
        let url = format!("{}/api/2.0/mlflow/{path}", self.url());
        let message = message.to_string();
        let answer = tokio::task::spawn_blocking(move || {
            ureq::post(url)
                .content_type("application/json")
                .send(message)
                .unwrap()
                .into_body()
                .read_to_string()
                .unwrap()
        });
        serde_json::from_str(&answer.await.unwrap()).unwrap()
    }

    /// MLflow's own client finds what it should of each model, and nothing twice.
    pub fn check(&self, models: &[&Model]) {
        let models: Vec<_> = models.iter().map(|model| model.expected()).collect();
        let folder = Folder::new("mirror-check");
        let file = folder.write("expected.json", json!({"tracking": self.url(), "models": models}).to_string());
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/mlflow/check.py");
        let output = block_in_place(|| {
            Command::new(Mlflow::python()).arg(script).arg(file).envs(Mlflow::environment(&self.s3)).output().unwrap()
        });
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A model as the operator would ask for its mirror.
pub struct Model {
    name: String,
    pub versions: Vec<MirroredVersion>,
    pub champion: Option<u32>,
    pub challenger: Option<u32>,
}

impl Model {
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), versions: Vec::new(), champion: None, challenger: None }
    }

    pub fn experiment(&self) -> String {
        format!("bank/{}", self.name)
    }

    pub fn registered(&self) -> String {
        format!("bank.{}", self.name)
    }

    pub fn request(&self, address: &str) -> MirrorRequest {
        MirrorRequest {
            format: FORMAT,
            model: format!("bank/{}", self.name),
            tracking_uri: address.into(),
            experiment: self.experiment(),
            versions: self.versions.clone(),
            champion: self.champion,
            challenger: self.challenger,
        }
    }

    fn expected(&self) -> Json {
        json!({"registered": self.registered(), "request": self.request("")})
    }
}

/// Learns a version from made loans.
fn learn(folder: &Folder, algorithm: Algorithm) -> ArtifactRef {
    let data = folder.write("loans.csv", made(20_000));
    let run = format!("{algorithm:?}");
    let uri = format!("{}/{run}/", folder.path().display());
    let request = json!({
        "format": FORMAT, "model": "bank/loans", "version": 1, "run": run, "trigger": {"type": "Initial"},
        "artifact": uri,
        "learning": {
            "data": {"uri": data, "label": {"column": "status", "bad": ["bad"], "good": ["good"]},
                "time": {"column": "issued"}, "id": {"application": "id"}},
            "training": {"algorithm": algorithm, "seed": 7},
            "decision": {"recall": {"atLeast": 0.75}},
        },
    });
    match task("train", folder, &request.to_string(), &[]) {
        (0, Summary::Trained(trained)) => ArtifactRef { version: 1, run, uri, digest: trained.manifest },
        other => panic!("{other:?}"),
    }
}

/// Exit code and summary of a task.
fn task(name: &str, folder: &Folder, request: &str, variables: &[(String, String)]) -> (i32, Summary) {
    let (file, message) = (folder.write("request.json", request), folder.path().join("message.json"));
    let output = Command::new(env!("CARGO_BIN_EXE_underwriter-tasks"))
        .args([name, "--request"])
        .arg(&file)
        .arg("--termination-log")
        .arg(&message)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let text = fs::read(&message).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), serde_json::from_slice(&text).unwrap())
}

/// Loans, a thousand a month: every fourth is bad, and `x` is higher for those as a rule.
fn made(rows: usize) -> String {
    let noise = |at: usize, factor: u64| ((at as u64 + 1).wrapping_mul(factor) >> 40) % 100;
    let row = |at: usize| {
        let (one, other) = (noise(at, 0x9e37_79b9_7f4a_7c15), noise(at, 0xbf58_476d_1ce4_e5b9));
        let x = if at.is_multiple_of(8) { one.max(other) } else { one };
        let (year, month) = (8 + at / 12_000, at / 1000 % 12 + 1);
        let (status, home) =
            (if at.is_multiple_of(4) { "bad" } else { "good" }, if other > 60 { "own" } else { "rent" });
        format!("{at},20{year:02}-{month:02}-01,{status},{x},{other},{home}\n")
    };
    format!("id,issued,status,x,y,home\n{}", (0..rows).map(row).collect::<String>())
}
