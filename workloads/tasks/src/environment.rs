//! Where a task finds stores and the log: the only reader of their credentials.

use underwriter_contract::{
    request::{ARTIFACTS_PREFIX, DATA_PREFIX, LOG_PREFIX, REGISTRY_PREFIX},
    summary::Failure,
};
use underwriter_data::{log::Log, mlflow::Mlflow, sources::Sources, store::Store};

/// Where a task finds stores and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// In a pod, by the variables that the operator set; files of the node are refused.
    Cluster,
    /// On a laptop; files are taken as well.
    Laptop,
}

impl Environment {
    /// What the loans are read from.
    ///
    /// # Errors
    /// When its settings are incomplete.
    pub fn data(self) -> Result<Sources, Failure> {
        let sources = Sources::from_env(DATA_PREFIX).map_err(|error| Failure::new(error.reason(), error))?;
        Ok(if self == Self::Laptop { sources.with_files() } else { sources })
    }

    /// The store with the artifacts and reports.
    ///
    /// # Errors
    /// When its settings are incomplete.
    pub fn artifacts(self) -> Result<Store, Failure> {
        self.store(ARTIFACTS_PREFIX)
    }

    /// The prediction log.
    ///
    /// # Errors
    /// When its settings are incomplete.
    pub fn log(self) -> Result<Log, Failure> {
        Log::from_env(LOG_PREFIX).map_err(|error| Failure::new(error.reason(), error))
    }

    /// The MLflow server at an address.
    ///
    /// # Errors
    /// When its settings are incomplete.
    pub fn mlflow(self, address: &str) -> Result<Mlflow, Failure> {
        Mlflow::from_env(address, REGISTRY_PREFIX).map_err(|error| Failure::new(error.reason(), error))
    }

    /// The bucket with the files of MLflow's runs, where clients write it themselves: by keys of its own, or by those
    /// of the artifacts.
    ///
    /// # Errors
    /// When its settings are incomplete.
    pub fn registry(self) -> Result<Store, Failure> {
        let own = std::env::var_os(format!("{REGISTRY_PREFIX}AWS_ACCESS_KEY_ID")).is_some_and(|key| !key.is_empty());
        self.store(if own { REGISTRY_PREFIX } else { ARTIFACTS_PREFIX })
    }

    fn store(self, prefix: &str) -> Result<Store, Failure> {
        let store = Store::from_env(prefix).map_err(|error| Failure::new(error.reason(), error))?;
        Ok(if self == Self::Laptop { store.with_files() } else { store })
    }
}
