//! `compare`: scores a version and the champion on loans that neither was made from.
//!
//! A run compares the version that it learns with the champion of the time. Where another decides by the time it may be
//! promoted, this compares again, the same figures by the same code, and writes nothing: what it found is its summary.

use underwriter_contract::{
    request::CompareRequest,
    summary::{Compared, Comparison, Failure, FailureReason, Summary},
};
use underwriter_model::metrics::Refusing;

use crate::{
    environment::Environment,
    progress::Progress,
    train::{
        self, Gathered,
        loans::Loans,
        published::{Published, Tested},
        spec,
    },
};

/// The steps that a comparison reports.
const STEPS: u64 = 3;

/// Compares.
///
/// # Errors
/// What is wrong with the request, the versions, the data or the stores, by its reason; `TooFewBad` where there is no loan
/// to compare on.
pub async fn run(request: CompareRequest, environment: Environment) -> Result<Summary, Failure> {
    let CompareRequest { format: _, model, data, version, champion, outcomes_before } = request;
    let (progress, artifacts) = (Progress::new(STEPS), environment.artifacts()?);
    progress.step(format!("reading v{} and v{}", version.version, champion.version));
    let run = version.run.clone();
    let version = Published::load(&artifacts, &version).await?;
    let champion = Published::load(&artifacts, &champion).await?;
    progress.step(format!("reading {}", data.uri));
    let data = spec::needed(&data, [version.manifest(), champion.manifest()]);
    let Gathered { source, observed, .. } = train::gather(&model, &data, outcomes_before, environment).await?;
    let loans = Loans::select_as_of(&source.table, &data, observed)?;
    drop(source);
    progress.step(format!("scoring {} loans", loans.len()));
    let comparison = compare(&version, &champion, &loans)?;
    progress.finish();
    Ok(Summary::Compared(Compared { run, comparison }))
}

fn compare(version: &Published, champion: &Published, loans: &Loans) -> Result<Comparison, Failure> {
    let rows = choose(version, champion, loans)?;
    let bad: Vec<bool> = rows.iter().map(|row| loans.bad[*row]).collect();
    let scores = version.scores(loans, &rows);
    let refusing = Refusing { scores: &scores, threshold: version.manifest().threshold.score };
    Ok(champion.compare(loans, Tested { rows: &rows, bad: &bad, refusing }))
}

/// The loans that the version was not made from, its test rows and whatever came since. Of these the champion may have used
/// some: those that are newer than all it has used do alone, if both bad and good ones are among them.
fn choose(version: &Published, champion: &Published, loans: &Loans) -> Result<Vec<usize>, Failure> {
    let untouched: Vec<usize> = (0..loans.len()).filter(|row| version.is_untouched_by(loans, *row)).collect();
    let later = untouched.iter().copied().filter(|row| champion.is_older_than(loans, *row)).collect();
    let usable = [later, untouched].into_iter().find(|rows| loans.have_both_classes(rows));
    usable.ok_or_else(|| {
        let message = format!(
            "there are not both bad and good loans of which one can tell that v{} was not made from them: give newer \
             loans, with a time column",
            version.version()
        );
        Failure::new(FailureReason::TooFewBad, message)
    })
}
