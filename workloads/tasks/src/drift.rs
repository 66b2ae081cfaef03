//! `drift`: whether the newest applications still look like the data that a version was trained on.
//!
//! The reference is the version's own profile, the window comes from the prediction log, and both are compared column by
//! column with the tests of Evidently 0.7 ([`statistics`], [`compare`]). The verdict goes to the operator, which counts
//! and remembers; the report with all columns goes to the artifact store. Scores, outcomes and performance are not
//! looked at here.

pub mod compare;
pub mod counts;
#[cfg(test)]
mod evidently;
pub mod findings;
pub mod statistics;
pub mod window;

use std::fmt::Display;

use futures::TryStreamExt as _;
use jiff::Timestamp;
use underwriter_contract::{
    manifest::{Manifest, PROFILE, REPORT},
    profile::Profile,
    readable,
    request::DriftRequest,
    summary::{Failure, FailureReason, Scanned, Summary},
};
use underwriter_data::{
    artifact,
    log::{Log, LogError},
    store::{Location, Store},
};

use crate::environment::Environment;
use findings::{Circumstances, Findings, Report};
use window::Window;

/// Runs one scan with the stores and the log of its environment.
///
/// # Errors
/// As [`scan`], and when the environment's settings are incomplete.
pub async fn run(request: DriftRequest, environment: Environment) -> Result<Summary, Failure> {
    let scanned = scan(&request, &environment.artifacts()?, &environment.log()?, Timestamp::now()).await?;
    Ok(Summary::Scanned(Box::new(scanned)))
}

/// Compares the newest predictions of a service with the profile of a version, and writes the report.
///
/// A scan that is repeated reads the log again and writes its report over the old one.
///
/// # Errors
/// The artifact is not what its digest says, or store or log do not give or take what they should.
pub async fn scan(request: &DriftRequest, store: &Store, log: &Log, now: Timestamp) -> Result<Scanned, Failure> {
    let file = report_file(request)?;
    let (manifest, profile) = load_reference(request, store).await?;
    let mut window = Window::new(&profile, &manifest.columns).map_err(|error| corrupt(request, error))?;
    let read = read_log(request, &manifest, log, &mut window).await;
    let new_bad = read.map_err(|error| Failure::new(error.reason(), error))?;
    let findings = Findings::new(&window, profile.rows, request);
    let summary = findings.summary(&window, request, Circumstances { at: now, new_bad, report: file.to_string() });
    write_report(store, &file, &Report::new(request, profile.rows, &summary, &findings)).await?;
    Ok(summary)
}

/// Where the report goes.
fn report_file(request: &DriftRequest) -> Result<Location, Failure> {
    let folder: Location =
        request.report.parse().map_err(|error| Failure::new(FailureReason::RequestInvalid, error))?;
    Ok(folder.join(REPORT))
}

async fn write_report(store: &Store, file: &Location, report: &Report<'_>) -> Result<(), Failure> {
    let bytes = serde_json::to_vec_pretty(report).map_err(|error| Failure::new(FailureReason::Internal, error))?;
    store.write(file, bytes).await.map_err(|error| Failure::new(error.reason(), error))
}

/// The manifest and the profile of the reference version, verified.
async fn load_reference(request: &DriftRequest, store: &Store) -> Result<(Manifest, Profile), Failure> {
    let loaded = artifact::load(store, &request.reference, &[PROFILE]).await;
    let artifact = loaded.map_err(|error| Failure::new(error.reason(), error))?;
    let bytes = artifact.files.get(PROFILE).map(Vec::as_slice).unwrap_or_default();
    let profile: Profile = serde_json::from_slice(bytes).map_err(|error| corrupt(request, error))?;
    if !readable(profile.format) {
        let message =
            format_args!("format {} is not understood; use the release that wrote it or a newer one", profile.format);
        return Err(corrupt(request, message));
    }
    Ok((artifact.manifest, profile))
}

fn corrupt(request: &DriftRequest, error: impl Display) -> Failure {
    Failure::new(FailureReason::ArtifactCorrupt, format_args!("{}{PROFILE}: {error}", request.reference.uri))
}

/// Fills the window, and counts the bad outcomes that the reference version has not learnt from.
async fn read_log(
    request: &DriftRequest,
    manifest: &Manifest,
    log: &Log,
    window: &mut Window<'_>,
) -> Result<u64, LogError> {
    let mut predictions = log.window(&request.model, &request.service, request.window.predictions, None);
    while let Some(prediction) = predictions.try_next().await? {
        window.push(prediction.application_time, &prediction.features);
    }
    log.new_bad(&request.model, &manifest.learning.data.label.bad, manifest.outcomes_before).await
}
