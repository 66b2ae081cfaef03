//! MLflow's tracking server and model registry, by its REST API 2.0.
//!
//! MLflow is a mirror here and never the truth: nothing is read from it but what is needed to write everything once.
//! Every operation can be repeated after a crash, because each looks for what an earlier one left. What a version's
//! parameters and figures are called, and when something is written at all, is not here.

mod artifacts;
mod connection;
mod error;
mod registry;
mod settings;
mod tracking;

pub use artifacts::Destination;
pub use error::{MlflowError, MlflowErrorKind};
pub use registry::{Registered, RegisteredVersion};
pub use settings::Settings;
pub use tracking::{NewRun, Run};

use serde_json::{Value, json};

use crate::roots::Roots;
use connection::Connection;

/// One MLflow server.
#[derive(Clone)]
pub struct Mlflow(Connection);

impl Mlflow {
    /// The server at an address, with the credentials found in the environment under a prefix
    /// ([`REGISTRY_PREFIX`](underwriter_contract::request::REGISTRY_PREFIX)); nothing is contacted yet.
    ///
    /// # Errors
    /// As [`Settings::read`], or the CA bundle cannot be read.
    pub fn from_env(address: &str, prefix: &str) -> Result<Self, MlflowError> {
        let roots = Roots::from_env()
            .map_err(|error| MlflowError::new(MlflowErrorKind::Invalid, "root certificates", error))?;
        Settings::read(address, prefix, roots, |name| std::env::var(name).ok()).map(Self::new)
    }

    /// The server behind these settings; nothing is contacted yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Connection::new(settings))
    }
}

/// Tags as the API has them.
fn tags(pairs: &[(&str, String)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}
