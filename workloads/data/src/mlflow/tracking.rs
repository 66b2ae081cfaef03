//! Experiments and runs.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Mlflow, MlflowError, MlflowErrorKind, connection::Call, tags};

/// The most parameters in one call, by MLflow's own limit.
const BATCH: usize = 100;
/// The longest value of a parameter that MLflow takes, in characters.
const LONGEST: usize = 6_000;

/// A run to be made.
#[derive(Clone, Debug)]
pub struct NewRun<'a> {
    /// The experiment's id.
    pub experiment: &'a str,
    /// The tag by which it is found again: key and value.
    pub identity: (&'a str, &'a str),
    /// What people call it.
    pub name: String,
    /// When it began.
    pub started: Timestamp,
    /// All its tags.
    pub tags: Vec<(&'a str, String)>,
}

/// A run as MLflow knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The folder of its artifacts.
    pub artifact_uri: String,
    /// Whether all of it stands there.
    pub finished: bool,
}

#[derive(Deserialize)]
struct Experiment {
    experiment_id: String,
    lifecycle_stage: String,
}

#[derive(Deserialize)]
struct FoundExperiment {
    experiment: Experiment,
}

#[derive(Deserialize)]
struct MadeExperiment {
    experiment_id: String,
}

#[derive(Deserialize)]
struct RunInfo {
    run_id: String,
    artifact_uri: String,
    status: String,
}

#[derive(Deserialize)]
struct RunAnswer {
    info: RunInfo,
}

#[derive(Deserialize)]
struct MadeRun {
    run: RunAnswer,
}

#[derive(Deserialize)]
struct FoundRuns {
    #[serde(default)]
    runs: Vec<RunAnswer>,
}

impl Mlflow {
    /// The id of an experiment; made where there is none.
    ///
    /// # Errors
    /// Somebody deleted it, or MLflow does not answer as it should.
    pub async fn experiment(&self, name: &str) -> Result<String, MlflowError> {
        let query = Call::Get(vec![("experiment_name", name.to_owned())]);
        let found = self.0.call::<FoundExperiment>(query, "mlflow/experiments/get-by-name").await;
        match found {
            Ok(FoundExperiment { experiment }) if experiment.lifecycle_stage == "active" => {
                Ok(experiment.experiment_id)
            }
            Ok(_) => Err(deleted(name)),
            Err(error) if error.is("RESOURCE_DOES_NOT_EXIST") => {
                let made = Call::Post(json!({"name": name}));
                self.0.call::<MadeExperiment>(made, "mlflow/experiments/create").await.map(|made| made.experiment_id)
            }
            Err(error) => Err(error),
        }
    }

    /// The run of this identity; made where there is none, and anew where somebody deleted it.
    ///
    /// # Errors
    /// MLflow does not answer as it should.
    pub async fn run(&self, wanted: &NewRun<'_>) -> Result<Run, MlflowError> {
        match self.find_run(wanted).await? {
            Some(info) => Ok(info.into()),
            None => {
                let message = json!({
                    "experiment_id": wanted.experiment, "run_name": wanted.name, "tags": tags(&wanted.tags),
                    "start_time": wanted.started.as_millisecond(),
                });
                let made: MadeRun = self.0.call(Call::Post(message), "mlflow/runs/create").await?;
                Ok(made.run.info.into())
            }
        }
    }

    async fn find_run(&self, wanted: &NewRun<'_>) -> Result<Option<RunInfo>, MlflowError> {
        let (key, value) = wanted.identity;
        let message = json!({
            "experiment_ids": [wanted.experiment], "filter": format!("tags.`{key}` = '{value}'"),
            "run_view_type": "ACTIVE_ONLY", "max_results": 1, "order_by": ["attributes.start_time ASC"],
        });
        let found: FoundRuns = self.0.call(Call::Post(message), "mlflow/runs/search").await?;
        Ok(found.runs.into_iter().next().map(|run| run.info))
    }

    /// Writes parameters and figures of a run; the same again changes nothing.
    ///
    /// # Errors
    /// A parameter stands there with another value, or MLflow does not answer as it should.
    pub async fn log(
        &self,
        run: &Run,
        at: Timestamp,
        parameters: &[(String, String)],
        figures: &[(String, f64)],
    ) -> Result<(), MlflowError> {
        let at = at.as_millisecond();
        let figure = |(key, value): &(String, f64)| json!({"key": key, "value": value, "timestamp": at, "step": 0});
        let figures: Value = figures.iter().map(figure).collect();
        self.0.raw(Call::Post(json!({"run_id": run.id, "metrics": figures})), "mlflow/runs/log-batch").await?;
        for batch in parameters.chunks(BATCH) {
            let parameters: Value = batch.iter().map(|(key, value)| json!({"key": key, "value": cut(value)})).collect();
            self.0.raw(Call::Post(json!({"run_id": run.id, "params": parameters})), "mlflow/runs/log-batch").await?;
        }
        Ok(())
    }

    /// Says that all of a run stands there.
    ///
    /// # Errors
    /// MLflow does not answer as it should.
    pub async fn finish(&self, run: &Run, at: Timestamp) -> Result<(), MlflowError> {
        let message = json!({"run_id": run.id, "status": "FINISHED", "end_time": at.as_millisecond()});
        self.0.raw(Call::Post(message), "mlflow/runs/update").await.map(drop)
    }
}

impl From<RunInfo> for Run {
    fn from(info: RunInfo) -> Self {
        let RunInfo { run_id: id, artifact_uri, status } = info;
        Self { id, artifact_uri, finished: status == "FINISHED" }
    }
}

fn deleted(name: &str) -> MlflowError {
    let cause = "somebody deleted it in MLflow; restore it there, or name another in registry.mlflow.experiment";
    MlflowError::new(MlflowErrorKind::Invalid, format_args!("experiment {name:?}"), cause)
}

fn cut(value: &str) -> String {
    value.chars().take(LONGEST).collect()
}
