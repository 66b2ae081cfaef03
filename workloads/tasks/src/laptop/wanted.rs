//! What a person wants learnt: a LoanModel's file, or flags that say the same.

use std::path::PathBuf;

use serde_json::json;
use underwriter_contract::{
    learning::{Algorithm, Learning},
    summary::{Failure, FailureReason},
};

use super::{file, vocabulary};
use crate::{
    environment::Environment,
    progress::Progress,
    train::{self, decision, source::Source, spec},
};

/// The loans, and what their columns mean.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Wanted {
    /// Loans: files or folders, https:// addresses, kaggle://owner/dataset/file or s3://bucket/prefix/. CSV or Parquet,
    /// plain or packed. Instead of the LoanModel's own.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    data: Vec<String>,
    /// A LoanModel as YAML; what it says of clusters is passed over.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["label", "bad", "good", "time", "id", "exclude", "recall", "algorithm", "seed"])]
    model: Option<PathBuf>,
    /// The column that tells how a loan ended.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Its value for a loan that was not paid back; may be repeated. Default: found where the values leave no doubt.
    #[arg(long, value_name = "VALUE", requires = "good")]
    bad: Vec<String>,
    /// Its value for a loan that was; may be repeated. Loans with any other value are not used.
    #[arg(long, value_name = "VALUE", requires = "bad")]
    good: Vec<String>,
    /// The column with the application's date; without it rows are split at random.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// The column with the application's unique id.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// A column not to learn from; may be repeated.
    #[arg(long, value_name = "COLUMN")]
    exclude: Vec<String>,
    /// The share of bad loans to find, between 0 and 1. Default: 0.75.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    recall: Option<f64>,
    /// Auto, GradientBoosting, Scorecard or LogisticRegression.
    #[arg(long, value_name = "NAME", value_parser = algorithm)]
    algorithm: Option<Algorithm>,
    /// Seed of everything random.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u32>,
}

impl Wanted {
    /// Whether anything is.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        !self.data.is_empty() || self.model.is_some() || self.label.is_some()
    }

    /// What to call the model.
    #[must_use]
    pub fn name(&self) -> &str {
        self.model.as_deref().and_then(|file| file.file_stem()?.to_str()).unwrap_or("loans")
    }

    /// Reads the loans, and says what to learn from them.
    ///
    /// # Errors
    /// `RequestInvalid` for arguments that say too little, and what is wrong with the file or the data.
    pub async fn read(&self, environment: Environment, progress: &Progress) -> Result<(Learning, Source), Failure> {
        let given = self.model.as_deref().map(file::read).transpose()?;
        let uris = match &given {
            Some(learning) if self.data.is_empty() => vec![learning.data.uri.clone()],
            _ if self.data.is_empty() => return Err(invalid("there are no loans: give --data FILE")),
            _ => self.data.clone(),
        };
        progress.step(format!("reading {}", uris.join(" ")));
        let mut source = train::read(&environment.data()?, &uris).await?;
        let mut learning = given.map_or_else(|| self.said(&mut source), Ok)?;
        learning.data.uri = uris.join(" ");
        decision::only(&learning.decision)?;
        spec::check(&mut source.table, &learning.data)?;
        Ok((learning, source))
    }

    /// What the flags say, and what the data leaves no doubt about.
    fn said(&self, source: &mut Source) -> Result<Learning, Failure> {
        let missing =
            || invalid("which column tells how a loan ended? Give --label COLUMN, or a LoanModel by --model FILE");
        let label = self.label.as_deref().ok_or_else(missing)?;
        source.table.spell(label);
        let (bad, good) = match source.table.column(label) {
            Some(values) if self.bad.is_empty() => vocabulary::find(values)?,
            _ => (self.bad.clone(), self.good.clone()),
        };
        let columns: Vec<_> = self.exclude.iter().map(|name| json!({"name": name, "role": "Excluded"})).collect();
        let mut learning = json!({
            "data": {"uri": "", "label": {"column": label, "bad": bad, "good": good}, "columns": columns},
            "training": {"algorithm": self.algorithm.unwrap_or_default(), "seed": self.seed.unwrap_or(0)},
            "decision": {"recall": {"atLeast": self.recall.unwrap_or(0.75)}},
        });
        if let Some(column) = &self.time {
            learning["data"]["time"] = json!({"column": column});
        }
        if let Some(column) = &self.id {
            learning["data"]["id"] = json!({"application": column});
        }
        serde_json::from_value(learning).map_err(|error| Failure::new(FailureReason::Internal, error))
    }
}

fn invalid(message: &str) -> Failure {
    Failure::new(FailureReason::RequestInvalid, message)
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| (0.01..=0.99).contains(share));
    share.ok_or_else(|| "expected a share between 0.01 and 0.99".to_owned())
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}
