//! The prediction server: answers applications with the version in force, and records every decision.
//!
//! A request's way: [`api`] reads it within bounds, [`decision`] asks the version that [`traffic`] and [`choice`] name
//! (a canary behind a panic guard, the stable version where it errs), [`spool`] makes the record safe, and only then
//! the answer leaves. [`admin`] tells probes, Prometheus and the operator how it goes; [`serve`] is the life of the
//! process, [`settings`] what it is told.
//!
//! Not here: how a version scores (`underwriter-model`), where artifacts and log are (`underwriter-data`).

pub mod admin;
pub mod api;
pub mod backoff;
pub mod choice;
pub mod decision;
pub mod figures;
pub mod latency;
pub mod load;
pub mod metrics;
pub mod recording;
pub mod serve;
pub mod settings;
pub mod spool;
pub mod stage;
pub mod traffic;
pub mod version;

#[cfg(test)]
mod testing;
