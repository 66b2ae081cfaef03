//! The CRDs as the API server will see them: current, bounded, small, and refusing what they must.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::{fs, path::Path};

use kube::core::cel::{validate_cel, validate_cel_update};
use serde_json::{Value, json};
use underwriter_crds::{DriftMonitor, LoanModel, ModelVersion, PredictionService, all, to_yaml};

#[test]
fn committed_yaml_is_current() {
    for (file, crd) in all().unwrap() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("yaml").join(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), to_yaml(&crd).unwrap(), "{file} is stale: run `make crds`");
    }
}

#[test]
fn every_crd_stays_small() {
    for (file, crd) in all().unwrap() {
        assert!(to_yaml(&crd).unwrap().len() < 100_000, "{file}");
    }
}

/// Calls `check` on every schema below this one, with its place.
fn visit(place: &str, schema: &Value, check: &mut impl FnMut(&str, &Value)) {
    check(place, schema);
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        visit(&format!("{place}.{name}"), inner, check);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            visit(&format!("{place}[]"), &schema[key], check);
        }
    }
}

#[test]
fn every_list_in_a_spec_is_bounded_and_nothing_is_nullable() {
    for (file, crd) in all().unwrap() {
        visit(
            file,
            &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"],
            &mut |place, schema| {
                assert!(schema["type"] != "array" || schema["maxItems"].is_u64(), "{place} has no maxItems");
                assert!(schema["nullable"] != true, "{place} is nullable");
            },
        );
    }
}

#[test]
fn a_new_object_is_not_observed_yet() {
    for (file, crd) in all().unwrap() {
        let status = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"];
        assert_eq!(status["default"]["observedGeneration"], -1, "{file}");
    }
}

fn loan_model(name: &str, uri: &str, gate: Value) -> LoanModel {
    serde_json::from_value(json!({
        "apiVersion": "underwriter.dev/v1alpha1", "kind": "LoanModel", "metadata": {"name": name},
        "spec": {
            "data": {"uri": uri, "label": {"column": "loan_status", "bad": ["Charged Off"], "good": ["Fully Paid"]}},
            "decision": {"recall": {"atLeast": 0.75}},
            "promotion": {"gates": [gate]}
        }
    }))
    .unwrap()
}

#[test]
fn a_loan_model_is_refused_for_a_name_a_source_or_a_gate_that_cannot_be() {
    let gate = json!({"metric": "rocAuc", "atLeast": 0.6});
    for uri in ["s3://loans", "s3://loans/", "s3://loans/a.csv", "https://example.org/a.csv", "kaggle://o/d/a b.csv"] {
        let accepted = loan_model("consumer-loans", uri, gate.clone());
        assert!(validate_cel(&accepted).is_ok(), "{uri}: {:?}", validate_cel(&accepted));
    }
    let both = json!({"metric": "rocAuc", "atLeast": 0.6, "atMost": 0.9});
    for refused in [
        loan_model("Consumer-Loans", "s3://loans/", gate.clone()),
        loan_model(&"a".repeat(41), "s3://loans/", gate.clone()),
        loan_model("consumer-loans", "file:///loans.csv", gate.clone()),
        loan_model("consumer-loans", "http://example.org/loans.csv", gate.clone()),
        loan_model("consumer-loans", "kaggle://owner/dataset", gate),
        loan_model("consumer-loans", "s3://loans/", both),
        loan_model("consumer-loans", "s3://loans/", json!({"metric": "rocAuc"})),
        loan_model("consumer-loans", "s3://loans/", json!({"metric": "recall", "atLeast": 75})),
        loan_model("consumer-loans", "s3://loans/", json!({"metric": "brier", "atMost": -0.1})),
        loan_model("consumer-loans", "s3://loans/", json!({"metric": "unknown", "atMost": 0.1})),
    ] {
        assert!(validate_cel(&refused).is_err(), "{:?} {:?}", refused.metadata.name, refused.spec.promotion);
    }
}

#[test]
fn a_loan_model_is_refused_for_a_decision_or_a_column_that_cannot_be() {
    let changed = |change: fn(&mut Value)| {
        let model = loan_model("consumer-loans", "s3://loans/", json!({"metric": "rocAuc", "atLeast": 0.6}));
        let mut model = serde_json::to_value(model).unwrap();
        change(&mut model["spec"]);
        validate_cel(&serde_json::from_value::<LoanModel>(model).unwrap())
    };
    let accepted: [fn(&mut Value); 2] = [
        |spec| spec["decision"] = json!({"cost": {"falseNegative": 5, "falsePositive": 1}}),
        |spec| spec["data"]["columns"] = json!([{"name": "dti", "monotonic": "Increasing", "reason": "debts"}]),
    ];
    for change in accepted {
        assert!(changed(change).is_ok(), "{:?}", changed(change));
    }
    let refused: [fn(&mut Value); 3] = [
        |spec| spec["decision"] = json!({}),
        |spec| spec["decision"]["threshold"] = json!(0.3),
        |spec| spec["data"]["columns"] = json!([{"name": "age", "role": "Protected", "monotonic": "Increasing"}]),
    ];
    for change in refused {
        assert!(changed(change).is_err());
    }
}

#[test]
fn hyperparameters_and_sweeps_are_of_trees() {
    let tuned = |algorithm: &str| {
        let mut model = loan_model("consumer-loans", "s3://loans/", json!({"metric": "rocAuc", "atLeast": 0.6}));
        let training = json!({"algorithm": algorithm, "hyperparameters": {"leaves": 4, "columnShare": 0.5}});
        model.spec.training = serde_json::from_value(training).unwrap();
        model
    };
    for (algorithm, accepted) in [("Auto", true), ("GradientBoosting", true), ("Scorecard", false)] {
        let fixed = tuned(algorithm);
        let mut swept = fixed.clone();
        swept.spec.training.hyperparameters = None;
        swept.spec.training.sweep = serde_json::from_value(json!({"trials": 20})).unwrap();
        for model in [fixed, swept] {
            assert_eq!(validate_cel(&model).is_ok(), accepted, "{algorithm}");
        }
    }
}

#[test]
fn the_address_of_mlflow_has_a_scheme_and_no_credentials() {
    let at = |uri: &str| {
        let mut model = loan_model("loans", "s3://loans/", json!({"metric": "rocAuc", "atLeast": 0.6}));
        model.spec.registry = serde_json::from_value(json!({"mlflow": {"trackingUri": uri}})).unwrap();
        validate_cel(&model)
    };
    for accepted in ["http://mlflow.mlflow:5000", "https://example.org/mlflow", "https://example.org/"] {
        assert!(at(accepted).is_ok(), "{accepted}: {:?}", at(accepted));
    }
    for refused in
        ["mlflow:5000", "https://ada:secret@example.org", "https://", "https://a/?b", "databricks", "s3://a/"]
    {
        assert!(at(refused).is_err(), "{refused}");
    }
}

#[test]
fn gates_of_every_kind_are_taken() {
    for gate in [
        json!({"metric": "logLoss", "atMost": 1.5}),
        json!({"metric": "brier", "atMost": 0.2}),
        json!({"metric": "ks", "versusChampion": {"maxLoss": 0.02}}),
    ] {
        let model = loan_model("consumer-loans", "s3://loans/", gate);
        assert!(validate_cel(&model).is_ok(), "{:?} {:?}", model.spec.promotion, validate_cel(&model));
    }
}

#[test]
fn a_time_zone_is_that_of_a_schedule() {
    let retraining = |retraining: Value| {
        let mut model = loan_model("loans", "s3://loans/", json!({"metric": "ks", "atLeast": 0.1}));
        model.spec.retraining = serde_json::from_value(retraining).unwrap();
        validate_cel(&model)
    };
    assert!(retraining(json!({"schedule": "0 2 * * 1", "timeZone": "Europe/Berlin"})).is_ok());
    assert!(retraining(json!({"schedule": "0 2 * * 1"})).is_ok());
    assert!(retraining(json!({"timeZone": "Europe/Berlin"})).is_err());
}

fn model_version(threshold: f64, decisions: &[&str]) -> ModelVersion {
    let digest = format!("sha256:{}", "0".repeat(64));
    let record = |decision: &&str| json!({"decision": decision, "by": "ann", "at": "2026-01-01T00:00:00Z"});
    serde_json::from_value(json!({
        "apiVersion": "underwriter.dev/v1alpha1", "kind": "ModelVersion", "metadata": {"name": "m-v1"},
        "spec": {
            "modelRef": {"name": "m"}, "version": 1, "runId": "r", "configDigest": digest,
            "trigger": {"type": "Initial"}, "artifact": {"uri": "s3://a/", "digest": digest},
            "data": {"uri": "s3://l/", "digest": digest, "rows": 1}, "algorithm": "Scorecard", "metrics": [],
            "threshold": threshold, "decisions": decisions.iter().map(record).collect::<Vec<_>>()
        }
    }))
    .unwrap()
}

#[test]
fn a_version_only_ever_gains_decisions() {
    let old = model_version(0.2, &["Promoted"]);
    assert!(validate_cel_update(&model_version(0.2, &["Promoted", "Revoked"]), &old).is_ok());
    for changed in [model_version(0.3, &["Promoted"]), model_version(0.2, &[]), model_version(0.2, &["Denied"])] {
        assert!(validate_cel_update(&changed, &old).is_err(), "{:?}", changed.spec);
    }
}

fn example(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/consumer-loans");
    fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn the_examples_say_what_they_mean() {
    let model: LoanModel = serde_saphyr::from_str(&example("loan-model.yaml")).unwrap();
    assert!(validate_cel(&model).is_ok());
    let service: PredictionService = serde_saphyr::from_str(&example("prediction-service.yaml")).unwrap();
    assert_eq!(Some(&service.spec.model_ref.name), model.metadata.name.as_ref());
    let monitor: DriftMonitor = serde_saphyr::from_str(&example("drift-monitor.yaml")).unwrap();
    assert_eq!(Some(&monitor.spec.source.service), service.metadata.name.as_ref());
}
