//! A version of a model as an immutable folder of files.
//!
//! The manifest is written last and digests every other file, so a folder with a manifest is complete, and the
//! manifest's digest stands for all of it. Whoever reads an artifact verifies what it reads; a file that nobody asks
//! for is neither fetched nor verified. What the files mean is not here.

use std::collections::BTreeMap;

use underwriter_contract::{
    Digest,
    manifest::{MANIFEST, Manifest},
    readable,
    request::ArtifactRef,
    summary::FailureReason,
};

use crate::store::{InvalidLocation, Location, Store, StoreError};

/// The largest file of an artifact that is read.
const LIMIT: u64 = 256 << 20;

/// A verified part of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// Its manifest.
    pub manifest: Manifest,
    /// The files asked for, by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Why an artifact cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The store does not give or take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder's URI is no location.
    #[error(transparent)]
    Location(#[from] InvalidLocation),
    /// A file's bytes are not those that were written.
    #[error("{file}: its digest is {found}, expected {expected}; restore the file or train the version again")]
    Corrupt {
        /// Where the file is.
        file: Location,
        /// As the version says.
        expected: Digest,
        /// As it is.
        found: Digest,
    },
    /// The manifest does not name a file that it should.
    #[error("{folder}: the manifest names no file {file:?}; the version was written by another release")]
    NotListed {
        /// The artifact.
        folder: Location,
        /// The file.
        file: String,
    },
    /// The manifest is none.
    #[error("{file}: {cause}; train the version again")]
    Unreadable {
        /// Where the manifest is.
        file: Location,
        /// What is wrong with it.
        cause: String,
    },
    /// The manifest is of a release that this one does not know.
    #[error("{file}: format {format} is not understood; use the release that wrote it or a newer one")]
    Format {
        /// Where the manifest is.
        file: Location,
        /// Its format.
        format: u32,
    },
}

impl ArtifactError {
    /// The same for the operator.
    #[must_use]
    pub const fn reason(&self) -> FailureReason {
        match self {
            Self::Store(error) => error.reason(),
            Self::Corrupt { .. } | Self::Unreadable { .. } => FailureReason::ArtifactCorrupt,
            Self::Location(_) | Self::NotListed { .. } | Self::Format { .. } => FailureReason::RequestInvalid,
        }
    }
}

/// Writes a version: its files, then the manifest with their digests. Returns the digest of the manifest.
///
/// # Errors
/// The store does not take a file; without the manifest the folder counts as unfinished.
pub async fn publish(
    store: &Store,
    folder: &Location,
    files: BTreeMap<String, Vec<u8>>,
    manifest: Manifest,
) -> Result<Digest, ArtifactError> {
    let digests = files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
    for (name, bytes) in files {
        store.write(&folder.join(&name), bytes).await?;
    }
    let file = folder.join(MANIFEST);
    let bytes = canonical(&file, &Manifest { files: digests, ..manifest })?;
    let digest = Digest::of(&bytes);
    store.write(&file, bytes).await?;
    Ok(digest)
}

/// Reads and verifies a version's manifest and the files asked for.
///
/// # Errors
/// [`ArtifactError::Corrupt`] where one byte differs from what was written.
pub async fn load(store: &Store, artifact: &ArtifactRef, files: &[&str]) -> Result<Artifact, ArtifactError> {
    let folder: Location = artifact.uri.parse()?;
    let manifest = verified(store, folder.join(MANIFEST), &artifact.digest).await?;
    let manifest = parse(&folder.join(MANIFEST), &manifest)?;
    let mut read = BTreeMap::new();
    for name in files {
        let not_listed = || ArtifactError::NotListed { folder: folder.clone(), file: (*name).to_owned() };
        let digest = manifest.files.get(*name).ok_or_else(not_listed)?;
        read.insert((*name).to_owned(), verified(store, folder.join(name), digest).await?);
    }
    Ok(Artifact { manifest, files: read })
}

/// Reads and verifies all of a version: every file that its manifest names, and the manifest's own bytes.
///
/// # Errors
/// As [`load`].
pub async fn load_all(store: &Store, artifact: &ArtifactRef) -> Result<Artifact, ArtifactError> {
    let folder: Location = artifact.uri.parse()?;
    let bytes = verified(store, folder.join(MANIFEST), &artifact.digest).await?;
    let manifest = parse(&folder.join(MANIFEST), &bytes)?;
    let mut files = BTreeMap::from([(MANIFEST.to_owned(), bytes)]);
    for (name, digest) in &manifest.files {
        files.insert(name.clone(), verified(store, folder.join(name), digest).await?);
    }
    Ok(Artifact { manifest, files })
}

/// The manifest of a folder and its digest, where a run has finished there; nothing else is verified.
///
/// # Errors
/// There is a manifest, but it cannot be read.
pub async fn finished(store: &Store, folder: &Location) -> Result<Option<(Manifest, Digest)>, ArtifactError> {
    let file = folder.join(MANIFEST);
    let Some(bytes) = store.find(&file, LIMIT).await? else { return Ok(None) };
    Ok(Some((parse(&file, &bytes)?, Digest::of(&bytes))))
}

async fn verified(store: &Store, file: Location, expected: &Digest) -> Result<Vec<u8>, ArtifactError> {
    let bytes = store.read(&file, LIMIT).await?;
    let found = Digest::of(&bytes);
    if found == *expected { Ok(bytes) } else { Err(ArtifactError::Corrupt { file, expected: expected.clone(), found }) }
}

/// A manifest's bytes: the same manifest gives the same digest.
fn canonical(file: &Location, manifest: &Manifest) -> Result<Vec<u8>, ArtifactError> {
    let unreadable =
        |error: serde_json::Error| ArtifactError::Unreadable { file: file.clone(), cause: error.to_string() };
    let mut bytes = serde_json::to_vec_pretty(manifest).map_err(unreadable)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The part of a manifest that every format has.
#[derive(serde::Deserialize)]
struct Head {
    format: u32,
}

fn parse(file: &Location, bytes: &[u8]) -> Result<Manifest, ArtifactError> {
    let unreadable =
        |error: serde_json::Error| ArtifactError::Unreadable { file: file.clone(), cause: error.to_string() };
    let Head { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if !readable(format) {
        return Err(ArtifactError::Format { file: file.clone(), format });
    }
    serde_json::from_slice(bytes).map_err(unreadable)
}
