//! The tasks of a model's life: `train` learns a version, `sweep` tries one point for it, `drift` looks whether the world
//! still is as it was learnt, `compare` judges a version against a champion that it does not know yet, `mirror` shows the
//! versions in MLflow.
//!
//! Each takes one request from [`underwriter_contract`] and gives one summary; [`shell`] is the process around them, and
//! [`laptop`] what a person calls without a cluster.
//! The only crate that links polars, linfa and LightGBM.

pub mod compare;
pub mod drift;
pub mod environment;
pub mod laptop;
pub mod mirror;
pub mod progress;
pub mod report;
pub mod shell;
pub mod sweep;
pub mod termination;
pub mod train;
