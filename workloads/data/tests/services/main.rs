//! Stores, the web, artifacts and the log against real servers, which the tests start themselves.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its helpers too")]

mod artifact;
mod clients;
mod log;
mod log_faults;
mod store;
mod tls;
mod web;
