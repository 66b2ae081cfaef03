//! Figures for the tests of the gates.

use underwriter_contract::summary::{Comparison, Metric, MetricName};

use super::Figures;

/// A figure in the middle of its interval.
pub fn metric(name: MetricName, low: f64, high: f64) -> Metric {
    Metric { name, value: f64::midpoint(low, high), low: Some(low), high: Some(high) }
}

/// A figure of which no interval is known.
pub fn bare(name: MetricName, value: f64) -> Metric {
    Metric { name, value, low: None, high: None }
}

/// What was found against a version.
pub fn comparison(version: u32, reused: bool, differences: Vec<Metric>) -> Comparison {
    Comparison { version, rows: 900, reused, differences }
}

/// A version where none decides.
pub fn alone(metrics: &[Metric]) -> Figures<'_> {
    Figures { metrics, comparison: None, champion: None }
}

/// A version of which only its comparison is known.
pub fn against(champion: u32, comparison: Option<&Comparison>) -> Figures<'_> {
    Figures { metrics: &[], comparison, champion: Some(champion) }
}
