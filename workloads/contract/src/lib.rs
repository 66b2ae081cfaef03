//! What passes between the operator and the workloads: plain values, no I/O.
//!
//! A request goes down as a pod's environment ([`request`], [`serving`]), a summary comes up as a Job's termination
//! message ([`summary`]), and between runs everything is in the artifact ([`manifest`], [`profile`]). [`learning`] is
//! the part of a LoanModel that decides what is learnt; the CRDs embed it, so that a task on a laptop reads the same
//! file as the cluster. [`predict`] is what clients of the prediction service send and get.
//!
//! Every value that outlives a process carries [`FORMAT`]; readers take this format and the one before it.

pub mod digest;
pub mod duration;
pub mod learning;
pub mod manifest;
pub mod predict;
pub mod profile;
pub mod request;
pub mod serving;
pub mod summary;

pub use digest::Digest;
pub use duration::Duration;

/// The format of requests, summaries and artifacts that this code writes.
pub const FORMAT: u32 = 1;

/// Whether a value written in `format` can be read by this code.
#[must_use]
pub const fn readable(format: u32) -> bool {
    format == FORMAT || format + 1 == FORMAT
}
