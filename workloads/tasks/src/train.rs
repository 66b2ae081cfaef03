//! Learns one version of a model: from the loans to an artifact that can decide.
//!
//! [`source`] reads, [`outcomes`] joins what the prediction log knows, [`spec`] checks, [`loans`] selects, [`features`]
//! and [`guards`] judge the columns, [`split`] divides the rows, [`candidate`] fits, [`selection`] chooses,
//! [`decision`] calibrates and finds the threshold, [`champion`] compares, [`version`] is the whole of it without I/O.
//! Here is the I/O around it. Running twice is harmless: a finished manifest is only summarised.

pub mod binning;
pub mod boosting;
pub mod candidate;
pub mod champion;
pub mod decision;
pub mod evidence;
pub mod features;
pub mod folds;
pub mod guards;
pub mod loans;
pub mod maturity;
pub mod outcomes;
pub mod points;
pub mod profile;
pub mod reasons;
pub mod report;
pub mod scorecard;
pub mod selection;
pub mod source;
pub mod spec;
pub mod split;
pub mod table;
pub mod version;

use jiff::civil::Date;
use underwriter_contract::{
    learning::Outcomes,
    request::TrainRequest,
    summary::{Failure, FailureReason, Skipped, Summary},
};
use underwriter_data::{
    artifact,
    store::{Location, Store},
};

use self::{
    champion::Champion,
    loans::Loans,
    source::Source,
    table::Table,
    version::{Job, summary},
};
use crate::{environment::Environment, progress::Progress};

/// The steps that a run reports.
const STEPS: u64 = 6;
/// The largest part of a source that is read.
const LARGEST_PART: u64 = 4 << 30;

/// Trains one version.
///
/// # Errors
/// What is wrong with the request, the data or the stores, by its reason.
pub async fn run(request: TrainRequest, environment: Environment) -> Result<Summary, Failure> {
    decision::only(&request.learning.decision)?;
    let artifacts = environment.artifacts()?;
    let folder = location(&request.artifact)?;
    if let Some((manifest, digest)) = artifact::finished(&artifacts, &folder).await.map_err(from_artifact)?
        && manifest.run == request.run
    {
        return Ok(summary(manifest, digest));
    }
    let progress = Progress::new(STEPS);
    let champion = match &request.champion {
        Some(reference) => Some(Champion::load(&artifacts, reference).await?),
        None => None,
    };
    progress.step(format!("reading {}", request.learning.data.uri));
    let (source, matured, observed) = gather(&request, environment).await?;
    let loans = Loans::select_as_of(&source.table, &request.learning.data, observed)?;
    let digest = loans.digest();
    if let Some(skipped) = nothing_new(&request, champion.as_ref(), &digest) {
        return Ok(skipped);
    }
    let job = Job { request: &request, source: &source, matured, loans: &loans, digest: &digest };
    let version = job.learn(champion.as_ref(), &progress)?;
    progress.step(format!("writing {}", request.artifact));
    let digest =
        artifact::publish(&artifacts, &folder, version.files, version.manifest.clone()).await.map_err(from_artifact)?;
    progress.finish();
    Ok(summary(version.manifest, digest))
}

fn nothing_new(
    request: &TrainRequest,
    champion: Option<&Champion>,
    data: &underwriter_contract::Digest,
) -> Option<Summary> {
    let same = champion.filter(|champion| champion.has_learnt(data, &request.learning.digest()))?;
    Some(Summary::Skipped(Skipped { run: request.run.clone(), same_as: same.version() }))
}

/// Reads the source, and the outcomes that the log has received; says how many of the rows are from there, and the
/// newest day on which an outcome was seen.
async fn gather(request: &TrainRequest, environment: Environment) -> Result<(Source, u64, Option<Date>), Failure> {
    let data = &request.learning.data;
    let mut source = source::read(&parts(&environment.data()?, &location(&data.uri)?).await?)?;
    spec::check(&source.table, data)?;
    let (matured, observed) = matured(request, environment).await?;
    let appended = source.table.append(&matured);
    appended.map_err(|error| Failure::new(FailureReason::Internal, error))?;
    Ok((source, matured.height() as u64, observed))
}

/// The rows come behind the source's, whose own row of an application is the one that is kept.
async fn matured(request: &TrainRequest, environment: Environment) -> Result<(Table, Option<Date>), Failure> {
    let data = &request.learning.data;
    match (data.outcomes, request.outcomes_before, &data.id) {
        (Outcomes::Include, Some(before), Some(_)) => {
            outcomes::read(&environment.log()?, &request.model, before, data).await
        }
        _ => Ok((Table::default(), None)),
    }
}

/// The objects of a source, by name; those that begin with `_` or `.` are marks of other programs.
async fn parts(store: &Store, uri: &Location) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let failed = |error: underwriter_data::store::StoreError| Failure::new(error.reason(), error);
    let entries = store.list(uri).await.map_err(failed)?;
    let mut parts = Vec::new();
    for entry in entries.into_iter().filter(|entry| entry.bytes > 0 && !entry.location.name().starts_with(['_', '.'])) {
        let bytes = store.read(&entry.location, LARGEST_PART).await.map_err(failed)?;
        parts.push((entry.location.to_string(), bytes));
    }
    if parts.is_empty() {
        return Err(Failure::new(
            FailureReason::NotFound,
            format!("{uri}: there are no loans; check bucket and prefix"),
        ));
    }
    Ok(parts)
}

fn location(uri: &str) -> Result<Location, Failure> {
    uri.parse().map_err(|error| Failure::new(FailureReason::RequestInvalid, error))
}

fn from_artifact(error: artifact::ArtifactError) -> Failure {
    Failure::new(error.reason(), error)
}
