//! What Prometheus reads.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use underwriter_contract::predict::Verdict;

/// Upper bounds of the buckets of a request's time, in seconds.
const BOUNDS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// What Prometheus reads.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    predictions: Family<ByDecision, Counter>,
    errors: Family<ByVersion, Counter>,
    /// Seconds from a predict request's head to its answer.
    pub request_seconds: Histogram,
    /// Predict requests that are being answered.
    pub in_flight: Gauge,
    /// What the log took, and did not.
    pub log: LogMetrics,
    spool_bytes: Gauge,
    spool_lag: Gauge,
}

/// What became of records on their way from the spool to the log.
#[derive(Clone, Debug, Default)]
pub struct LogMetrics {
    /// Records committed.
    pub written: Counter,
    /// Attempts that failed and are made again.
    pub failures: Counter,
    /// Records that the log will never take.
    pub refused: Counter,
    /// Lines of the spool that were torn or changed.
    pub damaged: Counter,
}

/// What one version did since the process started.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Approvals answered.
    pub approved: Counter,
    /// Refusals answered.
    pub refused: Counter,
    /// Applications that it could not answer.
    pub errors: Counter,
}

impl Tally {
    /// Counts an answer.
    pub fn answered(&self, verdict: Verdict) {
        match verdict {
            Verdict::Approve => self.approved.inc(),
            Verdict::Refuse => self.refused.inc(),
        };
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVersion {
    version: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByDecision {
    version: u32,
    decision: Decision,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Decision {
    #[expect(non_camel_case_types, reason = "label values are lower case, as in an answer")]
    approve,
    #[expect(non_camel_case_types, reason = "label values are lower case, as in an answer")]
    refuse,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("underwriter_predictor"),
            predictions: Family::default(),
            errors: Family::default(),
            request_seconds: Histogram::new(BOUNDS),
            in_flight: Gauge::default(),
            log: LogMetrics::default(),
            spool_bytes: Gauge::default(),
            spool_lag: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let Self { registry, predictions, errors, request_seconds, in_flight, log, spool_bytes, spool_lag } = self;
        let LogMetrics { written, failures, refused, damaged } = log;
        registry.register("predictions", "Applications answered", predictions.clone());
        registry.register("errors", "Applications that a version could not answer", errors.clone());
        let help = "Time from a predict request's head to its answer";
        registry.register_with_unit("request", help, Unit::Seconds, request_seconds.clone());
        registry.register("in_flight", "Predict requests being answered", in_flight.clone());
        registry.register("log_records_written", "Records committed to the prediction log", written.clone());
        registry.register("log_write_failures", "Attempts to write to the log that failed", failures.clone());
        registry.register("log_records_refused", "Records that the log will never take", refused.clone());
        registry.register("spool_lines_damaged", "Lines of the spool that were torn or changed", damaged.clone());
        registry.register_with_unit("spool", "Records waiting for the log", Unit::Bytes, spool_bytes.clone());
        registry.register_with_unit("spool_lag", "Age of the oldest of them", Unit::Seconds, spool_lag.clone());
    }

    /// The counters of one version.
    #[must_use]
    pub fn tally(&self, version: u32) -> Tally {
        let decision = |decision| self.predictions.get_or_create_owned(&ByDecision { version, decision });
        Tally {
            approved: decision(Decision::approve),
            refused: decision(Decision::refuse),
            errors: self.errors.get_or_create_owned(&ByVersion { version }),
        }
    }

    /// The text that Prometheus scrapes, with what the spool holds now.
    #[must_use]
    pub fn render(&self, spool_bytes: u64, spool_lag: u64) -> String {
        self.spool_bytes.set(i64::try_from(spool_bytes).unwrap_or(i64::MAX));
        self.spool_lag.set(i64::try_from(spool_lag).unwrap_or(i64::MAX));
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry); // writing to a String cannot fail
        text
    }
}

#[cfg(test)]
mod tests {
    use underwriter_contract::predict::Verdict;

    use super::Metrics;

    #[test]
    fn scraped_text_has_what_was_counted() {
        let metrics = Metrics::default();
        let tally = metrics.tally(3);
        tally.answered(Verdict::Refuse);
        tally.errors.inc();
        metrics.request_seconds.observe(0.002);
        let text = metrics.render(17, 4);
        for line in [
            r#"underwriter_predictor_predictions_total{version="3",decision="refuse"} 1"#,
            r#"underwriter_predictor_predictions_total{version="3",decision="approve"} 0"#,
            r#"underwriter_predictor_errors_total{version="3"} 1"#,
            r#"underwriter_predictor_request_seconds_bucket{le="0.0025"} 1"#,
            "underwriter_predictor_spool_bytes 17",
            "underwriter_predictor_spool_lag_seconds 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
