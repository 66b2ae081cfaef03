//! One trial of a run's sweep: reads the loans as the run will, tries the point of its number on inner folds, and writes
//! what came of it. Running twice is harmless: a result that stands is only told again.

use underwriter_contract::{
    request::TrainRequest,
    summary::{Failure, FailureReason, Summary, Tried, rounded},
};

use crate::{
    environment::Environment,
    progress::Progress,
    train::{
        self, Gathered,
        loans::Loans,
        trials::{self, Told},
        version::Job,
    },
};

/// The steps that a trial reports.
const STEPS: u64 = 4;

/// Tries one point.
///
/// # Errors
/// What is wrong with the request, the data or the stores, by its reason.
pub async fn run(request: TrainRequest, environment: Environment, index: u32) -> Result<Summary, Failure> {
    let wanted = request.learning.training.sweep.map_or(0, |sweep| sweep.trials);
    if index >= wanted {
        let message = format!("there is no trial {index}: training.sweep.trials is {wanted}");
        return Err(Failure::new(FailureReason::RequestInvalid, message));
    }
    let artifacts = environment.artifacts()?;
    let folder = train::location(&request.artifact)?;
    if let Some(told) = trials::find(&artifacts, &folder, index).await?.filter(|told| told.run == request.run) {
        return Ok(summary(&told));
    }
    let progress = Progress::new(STEPS);
    progress.step(format!("reading {}", request.learning.data.uri));
    let TrainRequest { model, learning, outcomes_before, .. } = &request;
    let Gathered { source, matured, observed } =
        train::gather(model, &learning.data, *outcomes_before, environment).await?;
    let loans = Loans::select_as_of(&source.table, &request.learning.data, observed)?;
    let digest = loans.digest();
    let job = Job { request: &request, source: &source, matured, loans: &loans, digest: &digest, merged: None };
    let told = Told::new(&request, index, digest.clone(), job.trial(index, &progress)?);
    progress.step(format!("writing trial {index} below {}", request.artifact));
    trials::write(&artifacts, &folder, &told).await?;
    progress.finish();
    Ok(summary(&told))
}

fn summary(told: &Told) -> Summary {
    let loss = rounded(told.trial.loss).unwrap_or(f64::MAX);
    Summary::Tried(Tried { run: told.run.clone(), trial: told.index, loss })
}
