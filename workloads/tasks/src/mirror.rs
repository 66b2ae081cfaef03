//! `mirror`: makes MLflow show a model's versions as the cluster has them.
//!
//! A version becomes a run with parameters, figures and the artifact's files, and a version of the registered model
//! `<namespace>.<name>`; where there are trees, `mlflow.lightgbm` opens them. Champion and challenger are aliases, where
//! a version stands is a tag. ModelVersions and the artifact store stay the truth: what is in MLflow is never read back.
//!
//! It may be killed between any two calls. A run is found again by its tag and counts as complete only once MLflow has
//! it as finished; a registered version is made last, and then never looked into again.

pub mod figures;
pub mod flavour;

use std::collections::BTreeMap;

use underwriter_contract::{
    manifest::{BOOSTER, Manifest},
    request::{ArtifactRef, MirrorRequest, MirroredVersion},
    summary::{Failure, Mirrored, Summary},
};
use underwriter_data::{
    artifact::{self, Artifact},
    mlflow::{Destination, Mlflow, MlflowError, NewRun, Registered, RegisteredVersion, Run},
    store::{Store, StoreError},
};

use crate::environment::Environment;

/// The tag of a registered model that says whose mirror it is.
const MODEL: &str = "underwriter.model";
/// The tag by which a version is found again: our run's id.
const RUN: &str = "underwriter.run";
/// The tag with a version's number here, which need not be MLflow's.
const VERSION: &str = "underwriter.version";
/// The folder of a run with what MLflow's LightGBM flavour opens.
const FLAVOUR: &str = "model";

/// What a mirror works with.
pub struct Mirror<'a> {
    /// What MLflow is to show.
    pub request: &'a MirrorRequest,
    /// The server.
    pub mlflow: Mlflow,
    /// Where the versions are.
    pub artifacts: Store,
    /// Where MLflow keeps files of runs, if that is a bucket.
    pub files: Store,
}

/// Brings MLflow up to date with the servers of the environment.
///
/// # Errors
/// As [`Mirror::update`], and when the environment's settings are incomplete.
pub async fn run(request: MirrorRequest, environment: Environment) -> Result<Summary, Failure> {
    let mirror = Mirror {
        mlflow: environment.mlflow(&request.tracking_uri)?,
        artifacts: environment.artifacts()?,
        files: environment.registry()?,
        request: &request,
    };
    mirror.update().await.map(Summary::Mirrored)
}

impl Mirror<'_> {
    /// Brings MLflow up to date. Whatever stands there as wanted is left alone.
    ///
    /// # Errors
    /// MLflow or a store do not give or take what they should, or an artifact is not what its digest says.
    pub async fn update(&self) -> Result<Mirrored, Failure> {
        let MirrorRequest { model, versions, champion, challenger, .. } = self.request;
        let about =
            format!("Mirror of the LoanModel {model}. What decides is in the cluster; changes made here are lost.");
        let registered = self.mlflow.registered(&model.replace('/', "."), (MODEL, model), &about).await;
        let registered = registered.map_err(told)?;
        let standing = self.mlflow.versions(&registered).await.map_err(told)?;
        let (mut numbers, mut added) = (BTreeMap::new(), 0);
        for version in versions {
            let known = standing.iter().find(|known| known.tags.get(RUN) == Some(&version.artifact.run));
            added += u32::from(known.is_none());
            numbers.insert(version.artifact.version, self.bring(&registered, version, known).await?);
        }
        for (alias, version) in [("champion", champion), ("challenger", challenger)] {
            let number = version.and_then(|version| numbers.get(&version)).map(String::as_str);
            self.mlflow.point(&registered, alias, number).await.map_err(told)?;
        }
        let shown = u32::try_from(versions.len()).unwrap_or(u32::MAX);
        Ok(Mirrored { digest: self.request.digest(), versions: shown, added })
    }

    /// Brings one version up to date; its number in MLflow.
    async fn bring(
        &self,
        model: &Registered,
        version: &MirroredVersion,
        known: Option<&RegisteredVersion>,
    ) -> Result<String, Failure> {
        let tags = tags(version);
        if let Some(known) = known {
            self.mlflow.tag(model, known, &tags).await.map_err(told)?;
            return Ok(known.number.clone());
        }
        tracing::info!("v{} is new to MLflow", version.artifact.version);
        let loaded = artifact::load_all(&self.artifacts, &version.artifact).await;
        let artifact = loaded.map_err(|error| Failure::new(error.reason(), error))?;
        let run = self.record(version, &artifact).await?;
        let source = source(&artifact.manifest, run.artifact_uri.trim_end_matches('/'));
        let about = flavour::about(&artifact.manifest);
        let made = self.mlflow.register(model, &run, &source, &about, &tags).await;
        made.map(|made| made.number).map_err(told)
    }

    /// A version's run, complete.
    async fn record(&self, version: &MirroredVersion, artifact: &Artifact) -> Result<Run, Failure> {
        let MirroredVersion { artifact: ArtifactRef { version: number, run, .. }, created, .. } = version;
        let experiment = self.mlflow.experiment(&self.request.experiment).await.map_err(told)?;
        let mut tags = run_tags(version);
        tags.push((MODEL, self.request.model.clone()));
        let name = format!("{}-v{number}", self.request.model);
        let wanted = NewRun { experiment: &experiment, identity: (RUN, run), name, started: *created, tags };
        let run = self.mlflow.run(&wanted).await.map_err(told)?;
        if !run.finished {
            let (parameters, figures) = (figures::parameters(&artifact.manifest), figures::figures(&artifact.manifest));
            self.mlflow.log(&run, *created, &parameters, &figures).await.map_err(told)?;
            self.copy(artifact, &run).await?;
            self.mlflow.finish(&run, *created).await.map_err(told)?;
        }
        Ok(run)
    }

    /// Copies every file of a version to its run, and adds what MLflow's flavour needs.
    async fn copy(&self, artifact: &Artifact, run: &Run) -> Result<(), Failure> {
        let destination = self.mlflow.destination(&run.artifact_uri).map_err(told)?;
        for (name, bytes) in &artifact.files {
            self.write(&destination, name, bytes.clone()).await?;
        }
        let Some(trees) = artifact.files.get(BOOSTER) else { return Ok(()) };
        for (name, bytes) in flavour::files(&artifact.manifest, run, trees)? {
            self.write(&destination, &format!("{FLAVOUR}/{name}"), bytes).await?;
        }
        Ok(())
    }

    async fn write(&self, destination: &Destination, file: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        match destination {
            Destination::Proxy(folder) => self.mlflow.upload(folder, file, bytes).await.map_err(told),
            Destination::Bucket(folder) => self.files.write(&folder.join(file), bytes).await.map_err(stored),
        }
    }
}

/// What is registered of a run: what MLflow's flavour opens, or else all its files.
fn source(manifest: &Manifest, files: &str) -> String {
    if manifest.files.contains_key(BOOSTER) { format!("{files}/{FLAVOUR}") } else { files.to_owned() }
}

/// What never changes of a version.
fn run_tags(version: &MirroredVersion) -> Vec<(&'static str, String)> {
    let ArtifactRef { version, run, uri, digest } = version.artifact.clone();
    vec![
        (RUN, run),
        (VERSION, version.to_string()),
        ("underwriter.artifact", uri),
        ("underwriter.digest", digest.to_string()),
        ("mlflow.user", "underwriter".into()),
        ("mlflow.source.name", "underwriter-tasks train".into()),
        ("mlflow.source.type", "JOB".into()),
    ]
}

/// A registered version's tags: where it stands, too.
fn tags(version: &MirroredVersion) -> Vec<(&'static str, String)> {
    let MirroredVersion { state, decision, .. } = version;
    let mut tags = run_tags(version);
    tags.retain(|(key, _)| key.starts_with("underwriter."));
    tags.push(("underwriter.state", state.clone()));
    tags.extend(decision.clone().map(|decision| ("underwriter.decision", decision)));
    tags
}

fn told(error: MlflowError) -> Failure {
    Failure::new(error.reason(), error)
}

fn stored(error: StoreError) -> Failure {
    Failure::new(error.reason(), error)
}
