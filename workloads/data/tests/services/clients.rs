//! The store and the log of a test's servers.

use underwriter_data::{
    log::{self, Log, LogError},
    roots::Roots,
    store::{self, Store},
};
use underwriter_servers::KEY;

/// A store at an endpoint.
pub fn store(endpoint: &str, secret: &str, roots: Option<Roots>) -> Store {
    let value = |name: &str| match name {
        "DATA_AWS_ACCESS_KEY_ID" => Some(KEY.to_owned()),
        "DATA_AWS_SECRET_ACCESS_KEY" => Some(secret.to_owned()),
        "DATA_AWS_ENDPOINT_URL" => Some(endpoint.to_owned()),
        _ => None,
    };
    Store::new(store::Settings::read("DATA_", roots, value).unwrap())
}

/// The log at a URL.
pub fn log(url: &str, roots: Option<&Roots>) -> Result<Log, LogError> {
    let variable = |name: &str| (name == "LOG_DATABASE_URL").then(|| url.to_owned());
    log::Settings::read("LOG_", roots, variable).map(Log::new)
}
