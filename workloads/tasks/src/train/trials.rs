//! The trials of a run's sweep: each writes `trials/<number>.json` below the run's artifact, the run reads them all.
//!
//! Only what was tried on the same loans counts. Few trials are tried again by the run itself, on the same folds: the best
//! of each size, so that it chooses by the same rule as without a sweep.

use serde::{Deserialize, Serialize};
use underwriter_contract::{
    Digest, FORMAT, readable,
    request::TrainRequest,
    summary::{Failure, FailureReason},
};
use underwriter_data::store::{Location, Store, StoreError};

use super::{
    boosting::Parameters,
    sweep::{Trial, Tuning},
};

/// The folder of the trials within an artifact.
const FOLDER: &str = "trials/";
/// The largest trial that is read.
const LIMIT: u64 = 64 << 10;
/// Up to so many leaves trees are small, up to so many they are large.
const SIZES: [u32; 2] = [4, 8];

/// What one trial has written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// Format of this value.
    pub format: u32,
    /// The run it was made for.
    pub run: String,
    /// Its number.
    pub index: u32,
    /// Digest of the loans it was tried on.
    pub data: Digest,
    /// What came of it.
    pub trial: Trial,
}

impl Told {
    /// What a trial of a request has to tell.
    pub fn new(request: &TrainRequest, index: u32, data: Digest, trial: Trial) -> Self {
        Self { format: FORMAT, run: request.run.clone(), index, data, trial }
    }
}

/// All trials of a sweep, as the report has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Merged {
    /// How many were wanted.
    pub wanted: u32,
    /// Numbers of those without a result.
    pub missing: Vec<u32>,
    /// Numbers of those that were tried on other loans: the source changed meanwhile.
    pub on_other_loans: Vec<u32>,
    /// What the others told.
    pub trials: Vec<Trial>,
}

impl Merged {
    /// Puts together what was found.
    pub fn of(wanted: u32, found: &[Told], data: &Digest) -> Self {
        let told = |index: &u32| found.iter().find(|told| told.index == *index);
        let missing = (0..wanted).filter(|index| told(index).is_none()).collect();
        let (same, other): (Vec<&Told>, Vec<&Told>) =
            (0..wanted).filter_map(|index| told(&index)).partition(|told| told.data == *data);
        let on_other_loans = other.into_iter().map(|told| told.index).collect();
        Self { wanted, missing, on_other_loans, trials: same.into_iter().map(|told| told.trial.clone()).collect() }
    }

    /// What the run tries itself: the best of each size.
    pub fn finalists(&self, rounds: Option<u32>) -> Tuning {
        let size = |trial: &Trial| SIZES.partition_point(|most| *most < trial.parameters.leaves);
        let best = |wanted: usize| {
            let of_size = self.trials.iter().filter(|trial| size(trial) == wanted);
            of_size.min_by(|one, other| one.loss.total_cmp(&other.loss)).map(|trial| trial.parameters)
        };
        let points: Vec<Parameters> = (0..=SIZES.len()).filter_map(best).collect();
        Tuning { points, rounds }
    }
}

/// The result of one trial, where there is one that can be read.
///
/// # Errors
/// When the store cannot be read.
pub async fn find(store: &Store, folder: &Location, index: u32) -> Result<Option<Told>, Failure> {
    let found = store.find(&file(folder, index), LIMIT).await.map_err(|error| failed(&error))?;
    let told: Option<Told> = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(told.filter(|told| readable(told.format) && told.index == index))
}

/// Every result of a run's sweep.
///
/// # Errors
/// `NotFound` where there is none; when the store cannot be read.
pub async fn merge(
    store: &Store,
    folder: &Location,
    request: &TrainRequest,
    data: &Digest,
) -> Result<Option<Merged>, Failure> {
    let Some(sweep) = request.learning.training.sweep else { return Ok(None) };
    let mut found = Vec::new();
    for index in 0..sweep.trials {
        found.extend(find(store, folder, index).await?.filter(|told| told.run == request.run));
    }
    let merged = Merged::of(sweep.trials, &found, data);
    if merged.trials.is_empty() { Err(nothing(folder, &merged)) } else { Ok(Some(merged)) }
}

fn nothing(folder: &Location, Merged { wanted, on_other_loans, .. }: &Merged) -> Failure {
    let place = folder.join(FOLDER);
    let message = if on_other_loans.is_empty() {
        format!(
            "{place}: none of the {wanted} trials of training.sweep has a result; see the logs of the sweep's pods, or run \
             `underwriter-tasks sweep --index 0` and so on"
        )
    } else {
        format!("{place}: the loans have changed since the trials of training.sweep; ask for another run")
    };
    Failure::new(FailureReason::NotFound, message)
}

/// Writes a result.
///
/// # Errors
/// When the store does not take it.
pub async fn write(store: &Store, folder: &Location, told: &Told) -> Result<(), Failure> {
    let bytes = serde_json::to_vec_pretty(told).map_err(|error| Failure::new(FailureReason::Internal, error))?;
    store.write(&file(folder, told.index), bytes).await.map_err(|error| failed(&error))
}

fn file(folder: &Location, index: u32) -> Location {
    folder.join(&format!("{FOLDER}{index}.json"))
}

fn failed(error: &StoreError) -> Failure {
    Failure::new(error.reason(), error)
}

#[cfg(test)]
mod tests {
    use underwriter_contract::{Digest, FORMAT};

    use super::{Merged, Told, Trial};
    use crate::train::boosting::Parameters;

    fn told(index: u32, leaves: u32, loss: f64) -> Told {
        let trial = Trial { parameters: Parameters { leaves, ..Parameters::DEFAULT }, rounds: 9, loss };
        Told { format: FORMAT, run: "run".into(), index, data: Digest::of(b"loans"), trial }
    }

    #[test]
    fn says_what_is_missing_and_what_does_not_count() {
        let other = Told { data: Digest::of(b"other loans"), ..told(3, 8, 0.1) };
        let found = [told(2, 8, 0.3), other, told(0, 8, 0.4), told(9, 8, 0.2)];
        let merged = Merged::of(5, &found, &Digest::of(b"loans"));
        assert_eq!((merged.missing, merged.on_other_loans), (vec![1, 4], vec![3]));
        assert_eq!(merged.trials.iter().map(|trial| trial.loss).collect::<Vec<_>>(), [0.4, 0.3]);
    }

    #[test]
    fn the_best_of_each_size_are_tried_again() {
        let found: Vec<Told> = [(3, 0.5), (4, 0.4), (6, 0.3), (8, 0.35), (7, 0.31), (12, 0.2), (16, 0.1)]
            .into_iter()
            .enumerate()
            .map(|(index, (leaves, loss))| told(index as u32, leaves, loss))
            .collect();
        let tuning = Merged::of(7, &found, &Digest::of(b"loans")).finalists(Some(40));
        assert_eq!(tuning.points.iter().map(|point| point.leaves).collect::<Vec<_>>(), [4, 6, 16]);
        assert_eq!(tuning.rounds, Some(40));
    }
}
