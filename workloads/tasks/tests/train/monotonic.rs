//! What must be monotonic is so in the served score, whichever family is learnt, whatever the data say.

use proptest::prelude::*;
use underwriter_contract::learning::{Algorithm, ColumnRule, Monotonic};
use underwriter_model::{Model, Value};
use underwriter_tasks::train::table::Table;

use crate::loans::{issued_before, learn, load, request_of};

/// Columns that are made to go against what the loans say, and with it.
const RULES: [(&str, Monotonic); 4] = [
    ("annual_inc", Monotonic::Increasing),
    ("dti", Monotonic::Increasing),
    ("revol_util", Monotonic::Decreasing),
    ("inq_last_6mths", Monotonic::Increasing),
];

fn model(algorithm: Algorithm, loans: Table) -> Model {
    let mut request = request_of(algorithm);
    let rule = |(name, monotonic): (&str, Monotonic)| ColumnRule {
        name: name.to_owned(),
        monotonic: Some(monotonic),
        ..ColumnRule::default()
    };
    request.learning.data.columns.extend(RULES.map(rule));
    load(&learn(loans, &request))
}

#[test]
fn every_family_obeys() {
    for algorithm in [Algorithm::Scorecard, Algorithm::LogisticRegression, Algorithm::GradientBoosting, Algorithm::Auto]
    {
        let model = model(algorithm, issued_before("2010-07"));
        let columns = &model.manifest().columns;
        let place = |name: &str| columns.iter().position(|column| column.name == name).unwrap();
        let value = prop_oneof![1 => Just(Value::Missing), 4 => (-10.0..200_000.0).prop_map(Value::Number), 4 => (0.0..40.0).prop_map(Value::Number)];
        let row = proptest::collection::vec(value, columns.len());
        let case =
            (row, 0..RULES.len(), prop_oneof![-1.0..60.0, 0.0..200_000.0], prop_oneof![-1.0..60.0, 0.0..200_000.0]);
        proptest!(ProptestConfig::with_cases(2000), |((mut row, rule, one, other) in case)| {
            let (name, direction) = RULES[rule];
            let mut score = |number: f64| {
                row[place(name)] = Value::Number(number);
                model.score(&row).unwrap().score
            };
            let (lower, upper) = (score(f64::min(one, other)), score(f64::max(one, other)));
            let obeys = match direction {
                Monotonic::Increasing => lower <= upper,
                Monotonic::Decreasing => lower >= upper,
            };
            prop_assert!(obeys, "{algorithm:?}: {name} from {one} to {other}: {lower} {upper}");
        });
    }
}
