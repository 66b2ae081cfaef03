//! From an application to score, probability, decision and reasons: pure, no I/O, small dependencies.
//!
//! The trainer and the server run this same code, so that what was measured is what decides:
//!
//! - [`parse`], [`value`]: a text or a JSON value becomes a number, a date or a category;
//! - [`application`]: a request becomes the values of the manifest's columns, with every problem named;
//! - [`evidence`]: a value becomes its weight of evidence;
//! - [`booster`]: LightGBM's text format, evaluated bit for bit and explained exactly;
//! - [`ensemble`]: linear part and trees, blended into a score in log-odds;
//! - [`scorer`]: a whole version: score, probability and verdict; [`reasons`]: why it refused;
//! - [`calibration`], [`threshold`], [`metrics`], [`interval`]: what a run learns and measures after its fit.
//!
//! Not here: reading of files, fitting of scorers, anything that knows the time or the network.

pub mod application;
pub mod booster;
pub mod calibration;
pub mod ensemble;
pub mod evidence;
pub mod interval;
pub mod metrics;
pub mod parse;
pub mod reasons;
pub mod scorer;
pub mod threshold;
pub mod value;

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod reference;

pub use application::{Application, Schema};
pub use booster::{Booster, BoosterError};
pub use ensemble::{Contributions, Ensemble};
pub use scorer::{Model, ModelError, NotFinite, Scored};
pub use value::{Unreadable, Value};
