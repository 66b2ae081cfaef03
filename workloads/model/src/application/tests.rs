use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fixture::manifest;

fn schema() -> Schema {
    Schema::new(&manifest())
}

fn complete() -> Json {
    json!({
        "id": "a-1", "member_id": 7, "issue_d": "Dec-2011",
        "dti": 12.5, "first_credit": "2001-12", "home": "RENT", "state": "CA"
    })
}

/// The complete application with these fields instead; null-valued keys that start with `-` are taken out.
fn with(changes: Json) -> Map<String, Json> {
    let mut fields = complete().as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        match name.strip_prefix('-') {
            Some(absent) => drop(fields.shift_remove(absent)),
            None => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    fields
}

#[track_caller]
fn problems(changes: Json, expected: &[(&str, &str)]) {
    let problems = schema().parse(&with(changes)).unwrap_err();
    let problems: Vec<_> = problems.iter().map(|p| (p.field.as_str(), p.message.as_str())).collect();
    assert_eq!(problems, expected);
}

#[track_caller]
fn warnings(changes: Json, expected: &[(&str, &str)]) {
    let warnings = schema().parse(&with(changes)).unwrap().warnings;
    let warnings: Vec<_> = warnings.iter().map(|p| (p.field.as_str(), p.message.as_str())).collect();
    assert_eq!(warnings, expected);
}

#[test]
fn a_complete_application() {
    let application = schema().parse(&with(json!({}))).unwrap();
    assert_eq!((application.id.as_str(), application.applicant.as_deref()), ("a-1", Some("7")));
    assert_eq!(application.time.unwrap().to_string(), "2011-12-01T00:00:00Z");
    let level = |text: &str| Value::Level(text.to_owned());
    assert_eq!(application.values, [Value::Number(12.5), Value::Number(120.0), level("RENT"), level("CA")]);
    assert!(application.warnings.is_empty());
}

#[test]
fn texts_are_read_as_in_training() {
    let application = schema().parse(&with(json!({"dti": " 1,234.5%", "home": " OWN "}))).unwrap();
    assert_eq!(application.values[0], Value::Number(1234.5));
    assert_eq!(application.values[2], Value::Level("OWN".to_owned()));
}

#[test]
fn columns_that_may_be_empty_may_be_absent() {
    let fields = with(json!({"-first_credit": null, "-home": null, "-state": null, "-member_id": null}));
    let application = schema().parse(&fields).unwrap();
    assert_eq!(application.values[1..], [Value::Missing, Value::Missing, Value::Missing]);
    assert_eq!((application.applicant, application.warnings.len()), (None, 0));
}

#[test]
fn wrong_types_say_what_was_expected_and_what_came() {
    problems(json!({"dti": true}), &[("dti", "expected a number, got true")]);
    problems(json!({"dti": "much"}), &[("dti", "expected a number, got \"much\"")]);
    problems(json!({"dti": [1]}), &[("dti", "expected a number, got a list")]);
    problems(json!({"home": {}}), &[("home", "expected a text without NUL characters, got an object")]);
    let date = "expected a date such as 2011-12-01, 2011-12 or Dec-2011, got 2011";
    problems(json!({"first_credit": 2011}), &[("first_credit", date)]);
    let long = format!("expected a number, got \"{}…\"", "x".repeat(40));
    problems(json!({"dti": "x".repeat(10_000_000)}), &[("dti", &long)]);
}

#[test]
fn what_is_required_must_be_there() {
    problems(json!({"-id": null}), &[("id", "is required: it names the application")]);
    problems(json!({"id": " "}), &[("id", "is required: it names the application")]);
    problems(json!({"-issue_d": null}), &[("issue_d", "is required: it is the application's time")]);
    problems(
        json!({"-dti": null}),
        &[("dti", "is required: it was never empty in the data that the model learnt from")],
    );
}

#[test]
fn ids_are_texts_or_numbers() {
    assert_eq!(schema().parse(&with(json!({"id": 12345}))).unwrap().id, "12345");
    problems(json!({"id": []}), &[("id", "expected a text of at most 256 characters, or a number, got a list")]);
    assert!(schema().parse(&with(json!({"id": "x".repeat(257)}))).is_err());
    assert!(schema().parse(&with(json!({"id": "a\0"}))).is_err());
}

#[test]
fn unknown_fields_are_named() {
    problems(json!({"hoem": "RENT"}), &[("hoem", "is not known to this model; did you mean `home`?")]);
    problems(json!({"colour": 1}), &[("colour", "is not known to this model")]);
    let after = "is known only after the outcome: an application cannot have it, and the model does not use it";
    problems(json!({"recoveries": 0, "loan_status": "x"}), &[("recoveries", after), ("loan_status", after)]);
}

#[test]
fn what_is_odd_is_a_warning() {
    warnings(json!({"dti": null}), &[("dti", "has no value, as it never happened in training")]);
    warnings(json!({"dti": "n/a"}), &[("dti", "has no value, as it never happened in training")]);
    warnings(json!({"home": "CASTLE"}), &[("home", "`CASTLE` was not seen in training")]);
    warnings(json!({"home": "NONE", "state": "ZZ"}), &[]);
    assert_eq!(schema().parse(&with(json!({"home": 3}))).unwrap().values[2], Value::Level("3".to_owned()));
}

#[test]
fn all_problems_come_at_once_but_not_without_end() {
    problems(
        json!({"-id": null, "dti": false, "x": 1}),
        &[
            ("id", "is required: it names the application"),
            ("dti", "expected a number, got false"),
            ("x", "is not known to this model"),
        ],
    );
    let many: Map<String, Json> = (0..1000).map(|i| (format!("unknown_{i}"), Json::Null)).collect();
    assert_eq!(schema().parse(&many).unwrap_err().len(), MOST_PROBLEMS);
}

fn json_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
        Just(json!("2011-12")),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        let fields = proptest::collection::vec(("\\PC{0,8}", inner.clone()), 0..3);
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Json::from),
            fields.prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_application_is_read_or_refused(fields in proptest::collection::vec((
        prop_oneof!["id", "member_id", "issue_d", "dti", "first_credit", "home", "state", "recoveries", "\\PC{0,12}"],
        json_value(),
    ), 0..9)) {
        match schema().parse(&fields.into_iter().collect()) {
            Ok(application) => prop_assert_eq!(application.values.len(), manifest().columns.len()),
            Err(problems) => prop_assert!((1..=MOST_PROBLEMS).contains(&problems.len())),
        }
    }
}
