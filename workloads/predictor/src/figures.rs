//! What one version did under one generation of traffic: the counts behind the operator's analysis.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use underwriter_contract::serving::VersionFigures;

use crate::latency::Latency;

/// Counts of one version.
#[derive(Debug, Default)]
pub struct Figures {
    predictions: AtomicU64,
    errors: AtomicU64,
    latency: Latency,
}

impl Figures {
    /// Counts an application that it was asked to answer and how long that took.
    pub fn asked(&self, took: Duration) {
        self.predictions.fetch_add(1, Ordering::Relaxed);
        self.latency.observe(took);
    }

    /// Counts one of them that it could not answer.
    pub fn erred(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// As the operator reads them.
    #[must_use]
    pub fn of(&self, version: u32) -> VersionFigures {
        VersionFigures {
            version,
            predictions: self.predictions.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            latency_p50: self.latency.quantile(0.5),
            latency_p99: self.latency.quantile(0.99),
        }
    }
}
