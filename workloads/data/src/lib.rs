//! Everything of the workloads that reaches outside: S3, files, the prediction log in Postgres, and MLflow.
//!
//! [`store`] reads and writes objects, [`web`] reads what is published, [`sources`] is all that loans are read from,
//! [`artifact`] keeps a version as an immutable folder of them that is verified
//! wherever it is read, [`log`] holds decisions and outcomes, [`mlflow`] is shown what there is. Errors carry a kind that
//! the operator can act on.
//! What the bytes mean is not here: loans are parsed by the tasks, models by `underwriter-model`.

pub mod artifact;
pub mod log;
pub mod mlflow;
pub mod roots;
pub mod sources;
pub mod store;
pub mod web;

/// Chooses ring for every TLS connection of the process; binaries call it first thing in `main`.
///
/// It is the only provider that is linked. Were a dependency to bring another, rustls would refuse to guess, and panic.
pub fn install_crypto() {
    // An error means that a provider was installed before: then there is nothing left to choose.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
