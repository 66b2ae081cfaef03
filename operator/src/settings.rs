//! The only place that reads arguments and the environment.

use std::{net::SocketAddr, time::Duration};

use clap::{Parser, ValueEnum};
use underwriter_contract::learning::SecretRef;
use underwriter_crds::loan_model::Artifacts;

/// Runs the life of loan-default models on Kubernetes.
#[derive(Clone, Debug, Parser)]
#[command(version, about)]
pub struct Settings {
    /// Image of the training and scan Jobs.
    #[arg(long, env = "UNDERWRITER_TASKS_IMAGE")]
    pub tasks_image: String,
    /// Image of the prediction pods.
    #[arg(long, env = "UNDERWRITER_PREDICTOR_IMAGE")]
    pub predictor_image: String,
    /// When kubelet pulls these images.
    #[arg(long, default_value = "IfNotPresent")]
    pub image_pull_policy: String,
    /// Where versions are kept unless a LoanModel says otherwise: `s3://bucket/prefix/`.
    #[arg(long, env = "UNDERWRITER_ARTIFACTS_URI", value_parser = folder)]
    pub artifacts_uri: String,
    /// Secret with the credentials of that store, in each model's namespace.
    #[arg(long, value_parser = secret)]
    pub artifacts_secret: Option<SecretRef>,
    /// Secret with the credentials of data sources that name none.
    #[arg(long, value_parser = secret)]
    pub data_secret: Option<SecretRef>,
    /// Secret with the prediction log's `DATABASE_URL`, for models that name none.
    #[arg(long, value_parser = secret)]
    pub prediction_log_secret: Option<SecretRef>,
    /// ConfigMap with more certificate authorities under the key `ca.crt`, in each model's namespace.
    #[arg(long)]
    pub ca_config_map: Option<String>,
    /// A variable of every pod that is made, for instance `HTTPS_PROXY=http://proxy:3128`; may be given again.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub workload_env: Vec<(String, String)>,
    /// Where probes, metrics and the log level are served.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub http_listen: SocketAddr,
    /// Namespace of the lease by which one of several operators leads.
    #[arg(long, env = "POD_NAMESPACE", default_value = "underwriter-system")]
    pub lease_namespace: String,
    /// Name of that lease.
    #[arg(long, default_value = "underwriter-operator")]
    pub lease_name: String,
    /// This process among several operators.
    #[arg(long, env = "POD_NAME", default_value = "underwriter-operator")]
    pub pod_name: String,
    /// The namespace to work in; all of them unless given.
    #[arg(long, env = "UNDERWRITER_NAMESPACE")]
    pub namespace: Option<String>,
    /// How far ahead the pods of a service are told of new traffic, so that all of them switch at once.
    #[arg(long, default_value = "3s", value_parser = duration)]
    pub rollout_lead_time: Duration,
    /// What is logged, for instance `info,underwriter_operator=debug`; changes at run time by `PUT /log`.
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    pub log: String,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

impl Settings {
    /// The store of a model that names none.
    #[must_use]
    pub fn artifacts(&self) -> Artifacts {
        Artifacts { uri: self.artifacts_uri.clone(), secret_ref: self.artifacts_secret.clone() }
    }
}

fn folder(text: &str) -> Result<String, String> {
    let valid = text.starts_with("s3://") && text.ends_with('/');
    if valid { Ok(text.to_owned()) } else { Err("expected a folder such as s3://bucket/prefix/".into()) }
}

/// An empty name, as a chart's empty value gives, is refused: leave the argument out instead.
fn secret(name: &str) -> Result<SecretRef, String> {
    if name.is_empty() { Err("expected the name of a Secret".into()) } else { Ok(SecretRef { name: name.into() }) }
}

/// A name that pods use for something of their own is refused: what we say there would be lost, or do harm.
fn variable(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once('=') else { return Err("expected NAME=VALUE".into()) };
    let valid = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|other| other.is_ascii_alphanumeric() || other == '_');
    if !valid || name.starts_with("UNDERWRITER_") {
        return Err("expected a name of letters, digits and _, not beginning with UNDERWRITER_".into());
    }
    Ok((name.into(), value.into()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = underwriter_crds::Duration::try_from(text.to_owned()).map_err(|error| error.to_string())?;
    Ok(Duration::from_secs(parsed.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: [&str; 7] =
        ["operator", "--tasks-image", "tasks", "--predictor-image", "predictor", "--artifacts-uri", "s3://artifacts/"];

    #[test]
    fn three_arguments_are_enough() {
        let settings = Settings::try_parse_from(LEAST).unwrap();
        assert_eq!(settings.artifacts(), Artifacts { uri: "s3://artifacts/".into(), secret_ref: None });
        assert_eq!(settings.rollout_lead_time, Duration::from_secs(3));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for wrong in [
            ["--artifacts-uri", "/tmp"],
            ["--rollout-lead-time", "3"],
            ["--data-secret", ""],
            ["--workload-env", "HTTPS_PROXY"],
            ["--workload-env", "=value"],
            ["--workload-env", "2ND=value"],
            ["--workload-env", "UNDERWRITER_REQUEST={}"],
        ] {
            assert!(Settings::try_parse_from(LEAST.into_iter().chain(wrong)).is_err(), "{wrong:?}");
        }
    }
}
