//! The command line of the tasks. See [`underwriter_tasks`].

use std::{
    io::{IsTerminal as _, stderr},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, Subcommand, error::ErrorKind};
use tracing_subscriber::EnvFilter;
use underwriter_tasks::{compare, drift, laptop, mirror, shell, sweep, train};

/// Learns versions of a loan-default model and watches whether the world still looks like their data.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Look at loans: labels, vintages, columns, and what would leak.
    #[command(after_help = EXPLORE)]
    Explore(laptop::Explore),
    /// Learn one version and write its artifact.
    #[command(after_help = TRAIN)]
    Train {
        #[command(flatten)]
        laptop: laptop::Train,
        #[command(flatten)]
        job: shell::Options,
    },
    /// Score finished loans with an artifact, and say how well it does.
    #[command(after_help = EVALUATE)]
    Evaluate(laptop::Evaluate),
    /// Try one point of a run's sweep and write what came of it beside the run's artifact.
    Sweep {
        /// The trial's number, from 0.
        #[arg(long, env = "JOB_COMPLETION_INDEX")]
        index: u32,
        #[command(flatten)]
        job: shell::Options,
    },
    /// Compare the newest predictions with the profile of a version.
    Drift(shell::Options),
    /// Score a version and the champion on loans that neither was made from.
    Compare(shell::Options),
    /// Make MLflow show a model's versions.
    Mirror(shell::Options),
}

const EXIT_CODES: &str = "Exit codes: 0 done, 2 the input is wrong, 3 credentials were refused or there is no such place, \
1 worth another try.";

const EXPLORE: &str = "Examples:
  underwriter-tasks explore --data loans.csv.gz --label loan_status --time issue_d --out loans.html
  underwriter-tasks explore --model loan-model.yaml --data loans.parquet
  KAGGLE_USERNAME=… KAGGLE_KEY=… underwriter-tasks explore --data kaggle://owner/dataset/loans.csv --label loan_status";

const TRAIN: &str = "Examples:
  underwriter-tasks train --data loans.csv.gz --label loan_status --time issue_d --out model/
  underwriter-tasks train --data 2010.csv 2011.csv --label status --bad \"Charged Off\" --good \"Fully Paid\" --recall 0.8
  underwriter-tasks train --model loan-model.yaml --data loans.csv.gz     # the LoanModel of the cluster
  underwriter-tasks train --request request.json                          # as a Job does";

const EVALUATE: &str = "Examples:
  underwriter-tasks evaluate --model-dir model/ --data newer-loans.csv.gz";

const TWICE: &str = "--request says all that is wanted: it cannot be used with --data, --model or --label";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(stderr().is_terminal()).with_writer(stderr).init();
    underwriter_data::install_crypto();
    match arguments.task {
        Task::Explore(explore) => shell::answer(explore.run()),
        Task::Train { laptop, job } => match (laptop.is_asked(), job.request.is_some()) {
            (true, true) => Arguments::command().error(ErrorKind::ArgumentConflict, TWICE).exit(),
            (true, false) => shell::answer(laptop.run()),
            (false, _) => shell::run(&job, train::run),
        },
        Task::Evaluate(evaluate) => shell::answer(evaluate.run()),
        Task::Sweep { index, job } => shell::run(&job, |request, environment| sweep::run(request, environment, index)),
        Task::Drift(job) => shell::run(&job, drift::run),
        Task::Compare(job) => shell::run(&job, compare::run),
        Task::Mirror(job) => shell::run(&job, mirror::run),
    }
}
