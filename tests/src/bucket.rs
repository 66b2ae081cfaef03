//! The bucket that stands for S3, as the lender's own jobs would use it.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use underwriter_contract::{manifest::BOOSTER, request::ArtifactRef};
use underwriter_crds::ModelVersion;
use underwriter_data::{
    artifact,
    store::{Location, Settings, Store},
};
use underwriter_model::Model;

/// Where the example's loans are.
pub const LOANS: &str = "s3://loans/lending-club/";

/// A store with the credentials that `cluster/s3.sh` made.
///
/// # Errors
/// Where they are missing.
pub fn store() -> Result<Store> {
    let path = PathBuf::from(env::var("HOME").context("HOME is not set")?).join(".cache/underwriter/s3/secret.env");
    let secret = fs::read_to_string(&path).with_context(|| format!("no {}: is the cluster up?", path.display()))?;
    let value =
        |name: &str| secret.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
    Ok(Store::new(Settings::read("", None, value)?))
}

/// Writes an object.
///
/// # Errors
/// Whatever the store says.
pub async fn write(uri: &str, bytes: Vec<u8>) -> Result<()> {
    let location: Location = uri.parse()?;
    Ok(store()?.write(&location, bytes).await?)
}

/// Loads a version as a pod would, digests and all, to score with it here.
///
/// # Errors
/// Where a byte is not as its digest says.
pub async fn model(version: &ModelVersion) -> Result<Model> {
    let (store, reference) = (store()?, reference(version));
    let manifest = artifact::load(&store, &reference, &[]).await?.manifest;
    let files: Vec<&str> = manifest.files.contains_key(BOOSTER).then_some(BOOSTER).into_iter().collect();
    let artifact = artifact::load(&store, &reference, &files).await?;
    let booster = artifact.files.get(BOOSTER).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Ok(Model::load(artifact.manifest, booster.as_deref())?)
}

/// Names a version in the store.
#[must_use]
pub fn reference(version: &ModelVersion) -> ArtifactRef {
    let spec = &version.spec;
    let (uri, digest) = (spec.artifact.uri.clone(), spec.artifact.digest.clone());
    ArtifactRef { version: spec.version, run: spec.run_id.clone(), uri, digest }
}
