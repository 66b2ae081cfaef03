//! What every reconcile is given: no state of its own, only handles.

use jiff::Timestamp;
use kube::{Client, runtime::events::Recorder};

use crate::{metrics::Metrics, settings::Settings, stores::Stores};

/// Handles shared by the three controllers.
pub struct Context {
    /// Talks to the API server.
    pub client: Client,
    /// As the process was started.
    pub settings: Settings,
    /// What the cluster looks like, kept current by watches.
    pub stores: Stores,
    /// Publishes events; one, so that repeats become a series.
    pub recorder: Recorder,
    /// Counts what is done.
    pub metrics: Metrics,
    /// Reads the figures of prediction pods, within a second.
    pub pods: reqwest::Client,
    /// The clock; read once a reconcile.
    pub now: fn() -> Timestamp,
}
