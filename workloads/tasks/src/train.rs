//! Learns one version of a model: from the loans to an artifact that can decide.
//!
//! [`source`] reads, [`outcomes`] joins what the prediction log knows, [`spec`] checks, [`loans`] selects, [`features`]
//! and [`guards`] judge the columns, [`split`] divides the rows, [`candidate`] fits, [`sweep`] and [`selection`] choose
//! (from [`trials`] of pods of their own, where these have run), [`decision`] calibrates and finds the threshold,
//! [`published`] compares with the champion, [`performance`] measures on the test rows, [`version`] is the whole of it
//! without I/O. Here is the I/O around it. Running twice is harmless: a finished manifest is only summarised.

pub mod binning;
pub mod boosting;
pub mod candidate;
pub mod decision;
pub mod evidence;
pub mod fairness;
pub mod features;
pub mod folds;
pub mod guards;
pub mod loans;
pub mod maturity;
pub mod outcomes;
pub mod parsimony;
pub mod performance;
pub mod points;
pub mod profile;
pub mod published;
pub mod reasons;
pub mod report;
pub mod scorecard;
pub mod selection;
pub mod shares;
pub mod source;
pub mod space;
pub mod spec;
pub mod split;
pub mod stability;
pub mod sweep;
pub mod table;
pub mod texts;
pub mod trials;
pub mod version;

use jiff::{Timestamp, civil::Date};
use underwriter_contract::{
    learning::{Data, Outcomes},
    request::TrainRequest,
    summary::{Failure, FailureReason, Skipped, Summary},
};
use underwriter_data::{
    artifact,
    sources::{Origin, Sources},
    store::{Location, Store, StoreError},
};

use self::{
    loans::Loans,
    published::Published,
    source::Source,
    table::Table,
    version::{Job, summary},
};
use crate::{environment::Environment, progress::Progress};

/// The steps that a run reports.
pub const STEPS: u64 = 6;
/// The largest part of a source that is read.
const LARGEST_PART: u64 = 4 << 30;

/// What a version is learnt from.
#[derive(Debug)]
pub struct Gathered {
    /// The rows of the source, and behind them those of the prediction log.
    pub source: Source,
    /// How many came from the log.
    pub matured: u64,
    /// The newest day on which one of their outcomes was seen.
    pub observed: Option<Date>,
}

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
        Some(reference) => Some(Published::load(&artifacts, reference).await?),
        None => None,
    };
    progress.step(format!("reading {}", request.learning.data.uri));
    let TrainRequest { model, learning, outcomes_before, .. } = &request;
    let gathered = gather(model, &learning.data, *outcomes_before, environment).await?;
    learn(&request, gathered, champion.as_ref(), &artifacts, &progress).await
}

/// Learns from what was read, and writes the artifact over what may stand there.
///
/// # Errors
/// What is wrong with the data or the store, by its reason.
pub async fn learn(
    request: &TrainRequest,
    Gathered { mut source, matured, observed }: Gathered,
    champion: Option<&Published>,
    artifacts: &Store,
    progress: &Progress,
) -> Result<Summary, Failure> {
    let loans = Loans::select_as_of(&source.table, &request.learning.data, observed)?;
    source.table = Table::default();
    let digest = loans.digest();
    if let Some(skipped) = nothing_new(request, champion, &digest) {
        return Ok(skipped);
    }
    let folder = location(&request.artifact)?;
    let merged = trials::merge(artifacts, &folder, request, &digest).await?;
    let merged = merged.as_ref();
    let job = Job { request, source: &source, matured, loans: &loans, digest: &digest, merged };
    let version = job.learn(champion, progress)?;
    progress.step(format!("writing {}", request.artifact));
    let manifest = version.manifest.clone();
    let digest = artifact::publish(artifacts, &folder, version.files, manifest).await.map_err(from_artifact)?;
    progress.finish();
    Ok(summary(version.manifest, digest))
}

fn nothing_new(
    request: &TrainRequest,
    champion: Option<&Published>,
    data: &underwriter_contract::Digest,
) -> Option<Summary> {
    let champion = champion.filter(|champion| champion.has_learnt(data, &request.learning.digest()));
    let known = request.known.iter().rev().find(|known| known.data == *data).map(|known| known.version);
    let same_as = champion.map(Published::version).or(known)?;
    Some(Summary::Skipped(Skipped { run: request.run.clone(), same_as }))
}

/// Reads the source, and the outcomes that a model's log had received before a moment.
///
/// # Errors
/// What is wrong with the data, the stores or the log.
pub async fn gather(
    model: &str,
    data: &Data,
    outcomes_before: Option<Timestamp>,
    environment: Environment,
) -> Result<Gathered, Failure> {
    let mut source = read(&environment.data()?, std::slice::from_ref(&data.uri)).await?;
    spec::check(&mut source.table, data)?;
    let (log, observed) = match (data.outcomes, outcomes_before, &data.id) {
        (Outcomes::Include, Some(before), Some(_)) => outcomes::read(&environment.log()?, model, before, data).await?,
        _ => (Table::default(), None),
    };
    let matured = log.height() as u64;
    source.table.append(log); // behind the source's rows: its own row of an application is the one that is kept
    Ok(Gathered { source, matured, observed })
}

/// Reads sources one after another, each part by part, by name.
///
/// # Errors
/// `NotFound` where there are no loans, `DataInvalid` where too many of them cannot be read, and the store's own.
pub async fn read(sources: &Sources, uris: &[String]) -> Result<Source, Failure> {
    let mut source = Source::default();
    for uri in uris {
        add(sources, uri, &mut source).await?;
    }
    source.checked()
}

async fn add(sources: &Sources, uri: &str, source: &mut Source) -> Result<(), Failure> {
    let origin: Origin = uri.parse().map_err(|error| Failure::new(FailureReason::RequestInvalid, error))?;
    let failed = |error: StoreError| Failure::new(error.reason(), error);
    let parts = sources.parts(&origin).await.map_err(failed)?;
    if parts.is_empty() {
        let message = format!("{origin}: there are no loans; check that it is spelt so");
        return Err(Failure::new(FailureReason::NotFound, message));
    }
    for part in parts {
        let bytes = sources.read(&part, LARGEST_PART).await.map_err(failed)?;
        source.add(&part.to_string(), &bytes)?;
    }
    Ok(())
}

/// Where a URI points.
///
/// # Errors
/// `RequestInvalid` where it points nowhere.
pub(crate) fn location(uri: &str) -> Result<Location, Failure> {
    uri.parse().map_err(|error| Failure::new(FailureReason::RequestInvalid, error))
}

fn from_artifact(error: artifact::ArtifactError) -> Failure {
    Failure::new(error.reason(), error)
}
