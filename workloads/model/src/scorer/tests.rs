use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::fixture::{BOOSTER, manifest, manifest_json};

fn model() -> Model {
    Model::load(manifest(), Some(BOOSTER)).unwrap()
}

fn level(text: &str) -> Value {
    Value::Level(text.to_owned())
}

/// `dti`, `first_credit` and `home` of an applicant.
fn values(dti: f64, months: f64, home: &str) -> Vec<Value> {
    vec![Value::Number(dti), Value::Number(months), level(home), Value::Missing]
}

/// The fixture with one value replaced must be refused with this message.
#[track_caller]
fn refused(pointer: &str, value: Json, expected: &str) {
    let mut json = manifest_json();
    *json.pointer_mut(pointer).unwrap() = value;
    let manifest: Manifest = serde_json::from_value(json).unwrap();
    assert_eq!(Model::load(manifest, Some(BOOSTER)).unwrap_err().to_string(), expected);
}

#[test]
fn parts_are_blended_and_calibrated() {
    let scored = model().score(&values(25.0, 12.0, "RENT")).unwrap();
    let (linear, trees) = (-1.0 + 1.0 + 0.5 * 0.8 + 2.0 * 0.5, 0.75 + 0.5);
    assert!((scored.score - (0.25 * linear + 0.75 * trees)).abs() < 1e-12);
    assert!((scored.probability - 1.0 / (1.0 + (-(2.0 * scored.score - 0.5)).exp())).abs() < 1e-12);
    assert_eq!(scored.verdict, Verdict::Refuse);
    assert_eq!(model().score(&values(5.0, 200.0, "OWN")).unwrap().verdict, Verdict::Approve);
}

#[test]
fn at_the_threshold_is_refused() {
    let values = values(5.0, 200.0, "OWN");
    let mut manifest = manifest();
    manifest.threshold.score = model().score(&values).unwrap().score;
    assert_eq!(Model::load(manifest.clone(), Some(BOOSTER)).unwrap().score(&values).unwrap().verdict, Verdict::Refuse);
    manifest.threshold.score = manifest.threshold.score.next_up();
    assert_eq!(Model::load(manifest, Some(BOOSTER)).unwrap().score(&values).unwrap().verdict, Verdict::Approve);
}

#[test]
fn each_part_scores_alone() {
    let mut manifest = manifest();
    manifest.scorer.weight = 1.0;
    manifest.scorer.trees = None;
    let linear = Model::load(manifest.clone(), None).unwrap();
    assert!((linear.score(&values(25.0, 12.0, "RENT")).unwrap().score - 1.4).abs() < 1e-12);
    manifest.scorer.weight = 0.0;
    manifest.scorer.trees = model().manifest().scorer.trees.clone();
    manifest.scorer.linear = None;
    let trees = Model::load(manifest.clone(), Some(BOOSTER)).unwrap();
    assert_eq!(trees.score(&values(25.0, 12.0, "RENT")).unwrap().score, 1.25);
    assert_eq!(
        Model::load(manifest, None).unwrap_err().to_string(),
        "the booster's text is missing, which a weight below 1 needs"
    );
}

#[test]
fn an_overflow_is_no_verdict() {
    let mut json = manifest_json();
    *json.pointer_mut("/columns/2/learnt/evidence/levels/evidence/RENT").unwrap() = json!(1e10);
    *json.pointer_mut("/scorer/linear/terms/2/weight").unwrap() = json!(1e300);
    let model = Model::load(serde_json::from_value(json).unwrap(), Some(BOOSTER)).unwrap();
    assert_eq!(model.score(&values(25.0, 12.0, "RENT")), Err(NotFinite));
    assert!(
        model.score(&values(25.0, 12.0, "NONE")).is_ok() || model.score(&values(25.0, 12.0, "NONE")) == Err(NotFinite)
    );
    let _ = model.reasons(&values(25.0, 12.0, "RENT"), 4);
}

#[test]
fn a_manifest_that_cannot_be_right_is_refused() {
    refused("/format", json!(7), "manifest: format 7 cannot be read by this release");
    refused("/scorer/weight", json!(1.5), "manifest: scorer.weight must be between 0 and 1");
    refused("/scorer/linear", json!(null), "scorer.linear is missing, which a weight above 0 needs");
    refused("/scorer/trees/columns", json!(["dti"]), "the booster has 2 features, scorer.trees names 1 columns");
    refused("/calibration/slope", json!(0.0), "manifest: calibration.slope must be above 0 and finite");
    refused("/threshold/probability", json!(1.5), "manifest: threshold.probability must be between 0 and 1");
    let edges = "manifest: columns `dti`.learnt.evidence.edges must be finite and ascending";
    refused("/columns/0/learnt/evidence/bins/edges", json!([20.0, 10.0]), edges);
    let evidence = "manifest: columns `dti`.learnt.evidence.evidence must be one more than there are edges";
    refused("/columns/0/learnt/evidence/bins/evidence", json!([0.0]), evidence);
    let kind = "manifest: columns `home`.learnt.evidence must be bins, as it is a number";
    refused("/columns/2/kind", json!("Number"), kind);
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let unknown = "manifest: scorer.linear names `state`, from which nothing was learnt";
    refused("/scorer/linear/terms/0/column", json!("state"), unknown);
    refused(
        "/scorer/trees/columns/0",
        json!("nil"),
        "manifest: scorer.trees names `nil`, from which nothing was learnt",
    );
    let twice = "manifest: scorer.linear names `home`, which it has named before";
    refused("/scorer/linear/terms/0/column", json!("home"), twice);
    refused("/columns/0/name", json!("state"), "manifest: columns names `state`, which is there twice");
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    let mut manifest = manifest();
    manifest.threshold.score = f64::NAN;
    let refused = Model::load(manifest.clone(), Some(BOOSTER)).unwrap_err();
    assert_eq!(refused.to_string(), "manifest: threshold.score must be finite");
    manifest.threshold.score = 0.0;
    manifest.scorer.linear.as_mut().unwrap().terms[1].mean = f64::INFINITY;
    let refused = Model::load(manifest, Some(BOOSTER)).unwrap_err();
    assert_eq!(refused.to_string(), "manifest: scorer.linear.terms `first_credit` must be finite");
}

#[test]
fn reasons_set_the_applicant_apart() {
    let reasons = model().reasons(&values(25.0, 12.0, "CASTLE"), 4);
    let told: Vec<_> = reasons.iter().map(|reason| (reason.column.as_str(), reason.text.as_str())).collect();
    assert_eq!(told, [("dti", "high"), ("home", "unknown kind"), ("first_credit", "low")]);
    assert!(reasons.is_sorted_by(|a, b| a.contribution >= b.contribution));
    assert_eq!(model().reasons(&values(25.0, 12.0, "CASTLE"), 1).len(), 1);
    assert!(model().reasons(&values(25.0, 12.0, "CASTLE"), 0).is_empty());
    let nothing = model().reasons(&[Value::Missing, Value::Missing, Value::Missing, Value::Missing], 4);
    assert!(nothing.iter().all(|reason| reason.text == "none given"));
}

#[test]
fn there_is_always_one_reason() {
    let best = model().reasons(&values(5.0, 200.0, "OWN"), 4);
    assert_eq!(best.len(), 1);
    assert!(best[0].contribution <= 0.0);
}

fn applicant() -> impl Strategy<Value = Vec<Value>> {
    let number = prop_oneof![4 => (-10.0_f64..60.0).prop_map(Value::Number), 1 => Just(Value::Missing)];
    let home = prop_oneof![
        Just(level("OWN")),
        Just(level("RENT")),
        Just(level("NONE")),
        Just(level("X")),
        Just(Value::Missing)
    ];
    (number.clone(), number, home).prop_map(|(dti, months, home)| vec![dti, months, home, Value::Missing])
}

proptest! {
    #[test]
    fn contributions_add_up(values in applicant(), weight in 0.0_f64..=1.0) {
        let mut manifest = manifest();
        manifest.scorer.weight = weight;
        let model = Model::load(manifest, Some(BOOSTER)).unwrap();
        let score = model.score(&values).unwrap().score;
        prop_assert!((model.contributions(&values).total() - score).abs() < 1e-9);
    }

    #[test]
    fn the_higher_score_has_the_higher_probability(one in applicant(), other in applicant()) {
        let (one, other) = (model().score(&one).unwrap(), model().score(&other).unwrap());
        prop_assert!(one.score >= other.score || one.probability <= other.probability);
        prop_assert!(other.score - one.score < 1e-9 || one.probability < other.probability);
    }

    #[test]
    fn a_damaged_manifest_is_refused_or_scores(at in 0_usize..64, number in any::<f64>(), values in applicant()) {
        let mut json = manifest_json();
        let mut count = 0;
        damage(&mut json, at, &json!(number), &mut count);
        let Ok(manifest) = serde_json::from_value::<Manifest>(json) else { return Ok(()) };
        if let Ok(model) = Model::load(manifest, Some(BOOSTER)) {
            let _ = (model.score(&values), model.reasons(&values, 4));
        }
    }

    #[test]
    fn rows_of_any_length_are_scored(values in proptest::collection::vec(Just(Value::Missing), 0..9)) {
        let _ = (model().score(&values), model().reasons(&values, 4));
    }
}

/// Replaces the number `at`-th from the start.
fn damage(json: &mut Json, at: usize, by: &Json, count: &mut usize) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| damage(item, at, by, count)),
        Json::Object(fields) => fields.values_mut().for_each(|field| damage(field, at, by, count)),
        Json::Number(_) => {
            if *count == at {
                *json = by.clone();
            }
            *count += 1;
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}
