//! What the process is told: the only place that reads arguments and environment.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Parser;
use jiff::SignedDuration;
use underwriter_contract::{
    readable,
    request::{ARTIFACTS_PREFIX, LOG_PREFIX},
    serving::{ADMIN_PORT, API_PORT, SPOOL_FOLDER, ServingRequest, TRAFFIC_FILE, TRAFFIC_FOLDER},
};
use underwriter_data::{
    log::{Log, LogError},
    store::{Store, StoreError},
};

const MORE: &str = "\
Environment:
  LOG_DATABASE_URL            the prediction log (Postgres); without it nothing is recorded
  ARTIFACTS_AWS_ACCESS_KEY_ID, ARTIFACTS_AWS_SECRET_ACCESS_KEY, ARTIFACTS_AWS_REGION, ARTIFACTS_AWS_ENDPOINT_URL
                              the store with the versions' artifacts
  RUST_LOG                    what is logged: info (default), debug, …

Examples:
  underwriter-predictor --model model/
      serve one version on a laptop, without a cluster and without a log
  LOG_DATABASE_URL=postgres://localhost/loans underwriter-predictor --model model/ --spool /tmp/spool
      the same, and record decisions
  curl -d @application.json -H content-type:application/json localhost:9696/predict
      ask it";

/// The prediction server of a loan-default model.
///
/// Answers POST /predict and takes POST /outcomes; probes, metrics and the figures of a rollout are on a port of their
/// own. In a cluster the operator tells it what to serve (UNDERWRITER_SERVING), on a laptop --model does.
#[derive(Clone, Debug, Parser)]
#[command(name = "underwriter-predictor", version, after_help = MORE)]
pub struct Settings {
    /// Serve the version in this folder, without a cluster
    #[arg(long, value_name = "DIR", conflicts_with = "serving")]
    pub model: Option<PathBuf>,
    /// What to serve, as the operator writes it
    #[arg(long, env = "UNDERWRITER_SERVING", value_name = "JSON", value_parser = serving, required_unless_present = "model")]
    pub serving: Option<ServingRequest>,
    /// The file that says which version answers whom
    #[arg(long, value_name = "FILE", default_value_os_t = traffic_file())]
    pub traffic: PathBuf,
    /// The folder where records wait for the prediction log
    #[arg(long, value_name = "DIR", default_value = SPOOL_FOLDER)]
    pub spool: PathBuf,
    /// The most MiB that may wait there; then requests are refused
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    pub spool_limit: u32,
    /// Address of the API
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from(([0, 0, 0, 0], API_PORT)))]
    pub listen: SocketAddr,
    /// Address of probes, metrics and figures
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from(([0, 0, 0, 0], ADMIN_PORT)))]
    pub admin_listen: SocketAddr,
    /// How long to go on answering after SIGTERM, until no more requests are sent here
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub drain: Duration,
    /// The name under which figures are reported
    #[arg(long, env = "POD_NAME", value_name = "NAME", default_value = "local")]
    pub pod: String,
}

impl Settings {
    /// The prediction log, where LOG_DATABASE_URL names one; nothing is contacted yet.
    ///
    /// # Errors
    /// It is no such URL.
    pub fn prediction_log(&self) -> Result<Option<Log>, LogError> {
        let named = std::env::var_os(format!("{LOG_PREFIX}DATABASE_URL")).is_some_and(|url| !url.is_empty());
        named.then(|| Log::from_env(LOG_PREFIX)).transpose()
    }

    /// The store with the versions' artifacts; files are for laptops only.
    ///
    /// # Errors
    /// The credentials are incomplete.
    pub fn artifacts(&self) -> Result<Store, StoreError> {
        let store = Store::from_env(ARTIFACTS_PREFIX)?;
        Ok(if self.model.is_some() { store.with_files() } else { store })
    }

    /// The most bytes that may wait in the spool.
    #[must_use]
    pub fn spool_bytes(&self) -> u64 {
        u64::from(self.spool_limit) << 20
    }
}

fn traffic_file() -> PathBuf {
    PathBuf::from(TRAFFIC_FOLDER).join(TRAFFIC_FILE)
}

fn serving(text: &str) -> Result<ServingRequest, String> {
    let request: ServingRequest = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match (readable(request.format), request.versions.is_empty()) {
        (false, _) => Err(format!("format {} is not understood by this release", request.format)),
        (true, true) => Err("it names no version".to_owned()),
        (true, false) => Ok(request),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(duration).map_err(|_| "expected no negative time".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::{CommandFactory as _, Parser as _};

    use super::Settings;

    #[test]
    fn the_arguments_are_consistent() {
        Settings::command().debug_assert();
    }

    #[test]
    fn a_laptop_needs_no_more_than_a_folder() {
        let settings = Settings::try_parse_from(["underwriter-predictor", "--model", "model/"]).unwrap();
        assert_eq!(settings.drain, Duration::from_secs(5));
        assert_eq!(settings.listen.port(), 9696);
        assert_eq!(settings.traffic.to_str(), Some("/etc/underwriter/traffic/traffic.json"));
    }

    #[test]
    fn what_cannot_be_served_is_refused_at_once() {
        for serving in
            ["{", "{}", r#"{"format":9,"model":"a/b","service":"s","versions":[],"reasons":4,"durability":"Spooled"}"#]
        {
            let refused = Settings::try_parse_from(["underwriter-predictor", "--serving", serving]).unwrap_err();
            assert!(refused.to_string().contains("--serving"), "{refused}");
        }
        assert!(Settings::try_parse_from(["underwriter-predictor", "--model", "m", "--drain", "-1s"]).is_err());
    }
}
