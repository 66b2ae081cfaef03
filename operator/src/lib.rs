//! The operator: three controllers that run the life of loan-default models on Kubernetes.
//!
//! A controller is a table of contents, `observe → validate → decide → build → apply → status`: [`loan_model`] trains
//! and promotes, [`prediction_service`] serves and tries, [`drift_monitor`] watches. `decide` is a pure function of
//! values and `now` everywhere; objects are written in [`apply`] only, read through the shared [`stores`].
//!
//! Nothing here knows a database or a bucket: pods are given names of Secrets and URIs, and answer with the values of
//! `underwriter-contract`.

pub mod apply;
pub mod context;
pub mod controller;
pub mod drift_monitor;
pub mod error;
pub mod events;
pub mod health;
pub mod leader;
pub mod loan_model;
pub mod metrics;
pub mod names;
pub mod pod;
pub mod prediction_service;
pub mod schedule;
pub mod settings;
pub mod stores;
pub mod summary;

pub use context::Context;
pub use error::Error;
