//! The tasks as a person calls them, on files and without a cluster: `explore`, `train` and `evaluate`.
//!
//! What a Job does is called with the same values; what is added here is how they are said ([`wanted`], [`file`],
//! [`vocabulary`]) and how the answer reads ([`layout`], [`learnt`], [`explored`], [`evaluated`]). Exit codes are those
//! of a Job.

pub mod evaluated;
pub mod explored;
pub mod file;
pub mod layout;
pub mod learnt;
pub mod vocabulary;
pub mod wanted;

use std::path::{Path, PathBuf};

use underwriter_contract::{
    FORMAT,
    learning::{Data, Learning},
    request::{ArtifactRef, TrainRequest, Trigger, TriggerType},
    summary::{Failure, FailureReason},
};
use underwriter_data::artifact;

use self::wanted::Wanted;
use crate::{
    environment::Environment,
    progress::Progress,
    report,
    train::{self, Gathered, guards::Columns, loans::Loans, published::Published, source::Source, spec},
};

/// The steps that looking at loans reports.
const STEPS: u64 = 3;
/// Hexadecimal digits of a run's id.
const RUN_DIGITS: usize = 16;

/// What to learn, and where to.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Train {
    #[command(flatten)]
    wanted: Wanted,
    /// Folder for the artifact; what stood there is written over.
    #[arg(long, value_name = "DIR", default_value = "model")]
    out: PathBuf,
}

/// What to look at.
#[derive(Clone, Debug, clap::Args)]
pub struct Explore {
    #[command(flatten)]
    wanted: Wanted,
    /// File for the same and more with pictures, as HTML.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What to score, and with what.
#[derive(Clone, Debug, clap::Args)]
pub struct Evaluate {
    /// Folder with the artifact, as `train --out` has written it.
    #[arg(long, value_name = "DIR")]
    model_dir: PathBuf,
    /// Finished loans with the columns of the training data: files, https:// addresses or kaggle://owner/dataset/file.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    data: Vec<String>,
}

impl Train {
    /// Whether a person asks: a Job says what it wants in its request.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        self.wanted.is_asked()
    }

    /// Trains a version; gives what there is to say of it.
    ///
    /// # Errors
    /// What is wrong with the arguments, the data or the stores, by its reason.
    pub async fn run(self) -> Result<String, Failure> {
        let environment = Environment::Laptop;
        let progress = Progress::new(train::STEPS);
        let (learning, source) = self.wanted.read(environment, &progress).await?;
        let request = request(self.wanted.name(), learning, &self.out);
        let artifacts = environment.artifacts()?;
        let gathered = Gathered { source, matured: 0, observed: None };
        train::learn(&request, gathered, None, &artifacts, &progress).await?;
        learnt::text(&self.out)
    }
}

impl Explore {
    /// Looks at loans; gives what there is to say of them.
    ///
    /// # Errors
    /// As [`Train::run`].
    pub async fn run(self) -> Result<String, Failure> {
        let progress = Progress::new(STEPS);
        let (learning, source) = self.wanted.read(Environment::Laptop, &progress).await?;
        progress.step("selecting the finished loans");
        let loans = Loans::select(&source.table, &learning.data)?;
        progress.step("looking at every column");
        let columns = Columns::judge(&loans, &learning.data)?;
        let mut text = explored::text(&source, &loans, &columns, &learning.data);
        if let Some(file) = &self.out {
            let (model, data) = (self.wanted.name(), &learning.data);
            let page = report::data::Explored { model, data, source: &source, loans: &loans, columns: &columns };
            write(file, &page.render())?;
            text.push_str(&format!("\nPictures are in {}\n", file.display()));
        }
        progress.finish();
        Ok(text)
    }
}

impl Evaluate {
    /// Scores finished loans; gives the figures.
    ///
    /// # Errors
    /// The artifact or the loans cannot be read, or the loans lack a column that the version has learnt from.
    pub async fn run(self) -> Result<String, Failure> {
        let progress = Progress::new(STEPS);
        let version = load(&self.model_dir).await?;
        let data = Data { uri: self.data.join(" "), ..version.manifest().learning.data.clone() };
        progress.step(format!("reading {}", data.uri));
        let mut source = read(&self.data).await?;
        spec::check(&mut source.table, &spec::needed(&data, [version.manifest()]))?;
        let loans = Loans::select(&source.table, &data)?;
        progress.step(format!("scoring {} loans", loans.len()));
        let text = evaluated::text(&version, &source, &loans);
        progress.finish();
        Ok(text)
    }
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::new(FailureReason::AccessDenied, format!("{}: {error}", file.display()));
    std::fs::write(file, text).map_err(failed)
}

async fn read(uris: &[String]) -> Result<Source, Failure> {
    train::read(&Environment::Laptop.data()?, uris).await
}

/// The version in a folder, verified.
async fn load(folder: &Path) -> Result<Published, Failure> {
    let (artifacts, uri) = (Environment::Laptop.artifacts()?, folder_uri(folder));
    let location = uri.parse().map_err(|error| Failure::new(FailureReason::RequestInvalid, error))?;
    let found = artifact::finished(&artifacts, &location).await;
    let found = found.map_err(|error| Failure::new(error.reason(), error))?;
    let missing = || {
        Failure::new(
            FailureReason::NotFound,
            format!("{uri} has no manifest.json: name a folder that train --out has written"),
        )
    };
    let (manifest, digest) = found.ok_or_else(missing)?;
    Published::load(&artifacts, &ArtifactRef { version: manifest.version, run: manifest.run, uri, digest }).await
}

fn folder_uri(folder: &Path) -> String {
    format!("{}/", folder.display().to_string().trim_end_matches('/'))
}

/// What the operator would ask for; the run's id stands for what is to be learnt.
fn request(name: &str, learning: Learning, out: &Path) -> TrainRequest {
    TrainRequest {
        format: FORMAT,
        model: format!("laptop/{name}"),
        version: 1,
        run: learning.digest().short(RUN_DIGITS).to_owned(),
        trigger: Trigger { kind: TriggerType::Request, token: None, episodes: Vec::new(), scheduled: None },
        learning,
        artifact: folder_uri(out),
        champion: None,
        outcomes_before: None,
        known: Vec::new(),
    }
}
