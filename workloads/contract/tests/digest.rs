//! A digest of what is learnt must never move by itself: an operator's upgrade would train every model again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use serde_json::{Value, json};
use underwriter_contract::learning::Learning;

fn learning(change: impl FnOnce(&mut Value)) -> Learning {
    let mut value = json!({
        "data": {
            "uri": "s3://loans/lending-club/",
            "label": {"column": "loan_status", "bad": ["Charged Off"], "good": ["Fully Paid"]},
            "time": {"column": "issue_d"},
            "columns": [{"name": "grade", "role": "Excluded"}, {"name": "age", "role": "Protected"}]
        },
        "decision": {"recall": {"atLeast": 0.75}}
    });
    change(&mut value);
    serde_json::from_value(value).unwrap()
}

/// The SHA-256 of the canonical text, taken with `sha256sum`.
#[test]
fn the_digest_stands_still() {
    assert_eq!(learning(|_| ()).digest().short(12), "a17a90545e61");
}

#[test]
fn what_is_not_learning_does_not_change_it() {
    let digest = learning(|_| ()).digest();
    for change in [
        ("/data/secretRef", json!({"name": "other"})),
        ("/decision/mode", json!("Advise")),
        ("/data/outcomes", json!("Include")),
        ("/training", json!({"algorithm": "Auto", "seed": 0})),
        ("/training", json!({"hyperparameters": {}})),
        ("/data/columns", json!([{"name": "age", "role": "Protected"}, {"name": "grade", "role": "Excluded"}])),
    ] {
        assert_eq!(learning(|value| put(value, change.0, change.1.clone())).digest(), digest, "{}", change.0);
    }
}

#[test]
fn how_many_trials_run_at_a_time_does_not_change_it() {
    let sweep = |parallelism: u32| json!({"sweep": {"trials": 20, "parallelism": parallelism}});
    let digest = |parallelism| learning(|value| put(value, "/training", sweep(parallelism))).digest();
    assert_eq!(digest(2), digest(20));
}

#[test]
fn what_is_learning_changes_it() {
    let digest = learning(|_| ()).digest();
    for change in [
        ("/data/uri", json!("s3://loans/other/")),
        ("/data/label/bad", json!(["Charged Off", "Default"])),
        ("/data/outcomes", json!("Ignore")),
        ("/data/columns", json!([])),
        ("/training", json!({"seed": 1})),
        ("/training", json!({"split": "Random"})),
        ("/training", json!({"algorithm": "Scorecard"})),
        ("/training", json!({"hyperparameters": {"leaves": 4}})),
        ("/training", json!({"sweep": {"trials": 20}})),
        ("/decision/recall/atLeast", json!(0.8)),
        ("/decision/recall/confidence", json!(0.9)),
        ("/decision", json!({"approvalRate": {"atLeast": 0.8}})),
        ("/decision", json!({"cost": {"falseNegative": 5, "falsePositive": 1}})),
        ("/decision", json!({"threshold": 0.2})),
        ("/data/maturity", json!({"window": "1095d"})),
        ("/data/leakage", json!("Warn")),
        ("/data/columns/0", json!({"name": "grade", "role": "Excluded", "reason": "other"})),
        ("/data/columns/1", json!({"name": "age", "role": "Protected", "monotonic": "Decreasing"})),
    ] {
        assert_ne!(learning(|value| put(value, change.0, change.1.clone())).digest(), digest, "{}", change.0);
    }
}

fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap();
    match key.parse::<usize>() {
        Ok(at) => parent[at] = new,
        Err(_) => parent[key] = new,
    }
}
