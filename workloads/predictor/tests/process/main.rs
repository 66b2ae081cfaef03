//! The built binary, with real clients and a real Postgres: what was answered is never lost, and no request fails while
//! the process ends.

#[cfg(test)]
#[path = "../../src/testing/artifact.rs"]
mod artifact;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod predictor;
#[cfg(test)]
mod scenarios;
