//! Every way to choose the threshold, on the real loans.

use serde_json::{Value, json};
use underwriter_contract::{learning::Algorithm, manifest::Manifest, summary::MetricName};

use crate::loans::{issued_before, learn, request_of};

fn decided(decision: Value) -> Manifest {
    let mut request = request_of(Algorithm::Scorecard);
    request.learning.decision = serde_json::from_value(decision).unwrap();
    learn(issued_before("2010-07"), &request).manifest
}

fn refused(manifest: &Manifest) -> f64 {
    manifest.metrics.iter().find(|metric| metric.name == MetricName::RefusedShare).unwrap().value
}

#[test]
fn a_probability_or_a_cost_is_the_threshold() {
    let given = decided(json!({"threshold": 0.15}));
    let cost = decided(json!({"cost": {"falseNegative": 17.0, "falsePositive": 3.0}}));
    for manifest in [given, cost] {
        // midway between the neighbouring scores of the calibrate rows
        assert!((manifest.threshold.probability - 0.15).abs() < 1e-3, "{:?}", manifest.threshold);
        assert!((0.05..0.5).contains(&refused(&manifest)));
    }
}

#[test]
fn the_riskiest_are_refused_and_the_share_asked_for_is_approved() {
    for at_least in [0.5, 0.9] {
        let manifest = decided(json!({"approvalRate": {"atLeast": at_least}}));
        assert!((refused(&manifest) - (1.0 - at_least)).abs() < 0.06, "{} at {at_least}", refused(&manifest));
    }
}
