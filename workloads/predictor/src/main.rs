//! The prediction server's process: arguments, logging, exit code.

use std::{
    io::{IsTerminal as _, stderr},
    path::Path,
    process::ExitCode,
};

use clap::Parser as _;
use tracing_subscriber::EnvFilter;
use underwriter_contract::summary::Failure;
use underwriter_predictor::{serve, settings::Settings};

/// Where kubelet looks for a container's last words.
const TERMINATION_LOG: &str = "/dev/termination-log";

#[tokio::main]
async fn main() -> ExitCode {
    underwriter_data::install_crypto();
    let settings = Settings::parse();
    start_logging(settings.model.is_some());
    match serve::run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!(reason = ?failure.reason, "{}", failure.message);
            say_last(&failure);
            ExitCode::from(failure.reason.exit_code())
        }
    }
}

/// Tells kubelet why, where there is one: the operator shows it in the service's conditions.
fn say_last(failure: &Failure) {
    if Path::new(TERMINATION_LOG).exists()
        && let Err(error) = std::fs::write(TERMINATION_LOG, failure.to_string())
    {
        tracing::warn!(%error, "{TERMINATION_LOG}");
    }
}

/// Lines for people on a laptop, JSON in a cluster.
fn start_logging(on_laptop: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if on_laptop { logging.with_ansi(stderr().is_terminal()).init() } else { logging.json().init() }
}
