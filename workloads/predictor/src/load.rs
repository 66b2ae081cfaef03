//! Loads versions from the artifact store, and verifies every byte.
//!
//! While the store cannot be reached it is tried again, for the pod is not ready until then and has nothing else to do;
//! what no repetition mends ends the process with a clear word.

use std::{path::Path, sync::Arc, time::Duration};

use underwriter_contract::{
    manifest::{BOOSTER, Manifest},
    request::ArtifactRef,
    summary::{Failure, FailureReason},
};
use underwriter_data::{
    artifact::{self, Artifact, ArtifactError},
    store::{Location, Store},
};

use crate::{backoff::Backoff, metrics::Metrics, version::Version};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Loads all versions.
///
/// # Errors
/// A version that cannot be served, and why.
pub async fn versions(
    store: &Store,
    references: &[ArtifactRef],
    metrics: &Metrics,
) -> Result<Vec<Arc<Version>>, Failure> {
    let mut versions = Vec::with_capacity(references.len());
    for reference in references {
        let artifact = persistently(store, reference).await?;
        versions.push(Arc::new(version(reference, artifact, metrics)?));
        tracing::info!(version = reference.version, uri = %reference.uri, "version loaded");
    }
    Ok(versions)
}

/// Names the version in a folder of this machine.
///
/// # Errors
/// There is none, or it cannot be read.
pub async fn local(store: &Store, folder: &Path) -> Result<(Manifest, ArtifactRef), Failure> {
    let location = Location::File(folder.to_owned());
    let found = artifact::finished(store, &location).await.map_err(|error| failure(&error))?;
    let missing = || Failure::new(FailureReason::NotFound, format_args!("{location}: there is no manifest.json"));
    let (manifest, digest) = found.ok_or_else(missing)?;
    let uri = format!("{}/", folder.display());
    let reference = ArtifactRef { version: manifest.version, run: manifest.run.clone(), uri, digest };
    Ok((manifest, reference))
}

async fn persistently(store: &Store, reference: &ArtifactRef) -> Result<Artifact, Failure> {
    let mut backoff = Backoff::up_to(LONGEST_PAUSE);
    loop {
        match once(store, reference).await {
            Ok(artifact) => return Ok(artifact),
            Err(error) if error.reason() == FailureReason::Unreachable => {
                tracing::warn!(version = reference.version, %error, "the artifact store cannot be reached");
                tokio::time::sleep(backoff.pause()).await;
            }
            Err(error) => return Err(failure(&error)),
        }
    }
}

async fn once(store: &Store, reference: &ArtifactRef) -> Result<Artifact, ArtifactError> {
    let artifact = artifact::load(store, reference, &[]).await?;
    if artifact.manifest.scorer.trees.is_none() {
        return Ok(artifact);
    }
    artifact::load(store, reference, &[BOOSTER]).await
}

fn version(reference: &ArtifactRef, artifact: Artifact, metrics: &Metrics) -> Result<Version, Failure> {
    let Artifact { manifest, files } = artifact;
    let corrupt = |cause: &dyn std::fmt::Display| {
        let ArtifactRef { version, uri, .. } = reference;
        Failure::new(FailureReason::ArtifactCorrupt, format_args!("{uri}: version {version} cannot be served: {cause}"))
    };
    if manifest.version != reference.version {
        return Err(corrupt(&format_args!("its manifest says version {}", manifest.version)));
    }
    let booster = files.get(BOOSTER).map(|bytes| std::str::from_utf8(bytes)).transpose();
    let booster = booster.map_err(|error| corrupt(&format_args!("{BOOSTER}: {error}")))?;
    Version::new(manifest, booster, metrics.tally(reference.version)).map_err(|error| corrupt(&error))
}

fn failure(error: &ArtifactError) -> Failure {
    Failure::new(error.reason(), error)
}
