//! What is counted, in the text format of OpenMetrics.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::{error::Category, stores::Kind};

/// Bounds of the durations, in seconds.
const SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Labels of a finished reconcile.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reconcile {
    kind: Word<Kind>,
    result: Word<Ended>,
}

/// Labels of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    kind: Word<Kind>,
    category: Word<Category>,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Ended {
    Done,
    Failed,
}

/// An enum's variant as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Word<T>(T);

impl<T: fmt::Debug> EncodeLabelValue for Word<T> {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        fmt::Write::write_fmt(encoder, format_args!("{:?}", self.0))
    }
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Reconcile, Counter>,
    errors: Family<Failure, Counter>,
    seconds: Histogram,
    leader: Gauge,
    resident: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("underwriter_operator");
        let (reconciles, errors) = (Family::default(), Family::default());
        let (seconds, leader, resident) = (Histogram::new(SECONDS), Gauge::default(), Gauge::default());
        registry.register("reconciles", "Reconciles that ended", reconciles.clone());
        registry.register("reconcile_errors", "Reconciles that failed, by the kind of fault", errors.clone());
        registry.register("reconcile_seconds", "How long a reconcile took", seconds.clone());
        registry.register("leader", "1 while this process leads", leader.clone());
        registry.register("resident_memory_bytes", "Resident memory of this process", resident.clone());
        Self { registry, reconciles, errors, seconds, leader, resident }
    }
}

impl Metrics {
    /// Counts a reconcile that ended well, or with a kind of fault.
    pub fn reconciled(&self, kind: Kind, took: Duration, fault: Option<Category>) {
        let result = Word(if fault.is_some() { Ended::Failed } else { Ended::Done });
        let kind = Word(kind);
        self.reconciles.get_or_create(&Reconcile { kind, result }).inc();
        self.seconds.observe(took.as_secs_f64());
        if let Some(category) = fault {
            self.errors.get_or_create(&Failure { kind, category: Word(category) }).inc();
        }
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// Whether this process leads, as last told.
    pub fn is_leader(&self) -> bool {
        self.leader.get() == 1
    }

    /// All of it as text.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn text(&self) -> Result<String, fmt::Error> {
        self.resident.set(resident_bytes().unwrap_or_default());
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The resident set in bytes, from `VmRSS` of `/proc/self/status` (in kB, whatever the size of a page).
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<i64>().ok().map(|kilobytes| kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_can_be_read() {
        let metrics = Metrics::default();
        metrics.leads(true);
        metrics.reconciled(Kind::LoanModel, Duration::from_millis(2), None);
        metrics.reconciled(Kind::DriftMonitor, Duration::from_millis(2), Some(Category::Conflict));
        let text = metrics.text().unwrap();
        for line in [
            "underwriter_operator_leader 1",
            r#"underwriter_operator_reconciles_total{kind="LoanModel",result="Done"} 1"#,
            r#"underwriter_operator_reconcile_errors_total{kind="DriftMonitor",category="Conflict"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1_000_000));
    }
}
