//! The command line of the tasks. See [`underwriter_tasks`].

use std::{
    io::{IsTerminal as _, stderr},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use underwriter_tasks::{drift, shell, train};

/// Learns versions of a loan-default model and watches whether the world still looks like their data.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
    #[command(flatten)]
    options: shell::Options,
}

#[derive(Subcommand)]
enum Task {
    /// Learn one version and write its artifact.
    Train,
    /// Compare the newest predictions with the profile of a version.
    Drift,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(stderr().is_terminal()).with_writer(stderr).init();
    underwriter_data::install_crypto();
    match arguments.task {
        Task::Train => shell::run(&arguments.options, train::run),
        Task::Drift => shell::run(&arguments.options, drift::run),
    }
}
