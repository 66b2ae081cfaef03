//! `POST /outcomes`: how loans ended. Nothing is acknowledged that is not committed in the prediction log.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use underwriter_contract::{
    learning::Label,
    predict::{FieldProblem, OutcomeReport, OutcomesTaken},
};
use underwriter_data::log::MAX_ID;

use super::{
    Server,
    body::{kind, read_object},
    problem::Refusal,
};

/// The most bytes of a request.
const MAX_BYTES: usize = 8 << 20;
/// The most outcomes in it.
const MAX_OUTCOMES: usize = 10_000;
/// The most problems that a refusal names.
const MAX_PROBLEMS: usize = 100;
/// The field that holds several.
const SEVERAL: &str = "outcomes";

/// Answers the route.
pub async fn handle(State(server): State<Arc<Server>>, request: Request) -> Result<Json<OutcomesTaken>, Refusal> {
    let fields = read_object(request, MAX_BYTES).await?;
    let Some(recording) = &server.recording else {
        let detail = "This service has no prediction log (LOG_DATABASE_URL) to keep outcomes in.";
        return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, detail));
    };
    let in_force = server.traffic.borrow().in_force.clone();
    let in_force = in_force.ok_or_else(|| Refusal::unavailable("No version is in force yet. Try again."))?;
    let reports = reports(fields, in_force.stable.version.label())?;
    match recording.log.write_outcomes(&server.policy.model, &reports).await {
        Ok(taken) => Ok(Json(taken)),
        Err(error) => {
            tracing::warn!(%error, "outcomes were not taken");
            Err(Refusal::unavailable("The prediction log did not take the outcomes: none is kept. Try again."))
        }
    }
}

fn reports(mut fields: Map<String, Value>, label: &Label) -> Result<Vec<OutcomeReport>, Refusal> {
    let Some(several) = fields.shift_remove(SEVERAL) else {
        return gather([("", Value::Object(fields))].map(|(place, value)| report(place, value, label)));
    };
    if let Some(field) = fields.keys().next() {
        return Err(Refusal::shape(format!("Beside {SEVERAL} there may be no other field, but there is {field:?}.")));
    }
    let Value::Array(several) = several else {
        return Err(Refusal::shape(format!("Expected an array in {SEVERAL}, got {}.", kind(&several))));
    };
    if several.len() > MAX_OUTCOMES {
        return Err(Refusal::shape(format!("At most {MAX_OUTCOMES} outcomes a request, got {}.", several.len())));
    }
    let report = |(index, value)| report(&format!("{SEVERAL}[{index}]"), value, label);
    gather(several.into_iter().enumerate().map(report))
}

fn gather(all: impl IntoIterator<Item = Result<OutcomeReport, FieldProblem>>) -> Result<Vec<OutcomeReport>, Refusal> {
    let mut reports = Vec::new();
    let mut problems = Vec::new();
    for one in all {
        match one {
            Ok(report) => reports.push(report),
            Err(problem) => problems.push(problem),
        }
    }
    problems.truncate(MAX_PROBLEMS);
    if problems.is_empty() { Ok(reports) } else { Err(Refusal::fields(problems)) }
}

fn report(place: &str, value: Value, label: &Label) -> Result<OutcomeReport, FieldProblem> {
    let problem = |field: &str, message: String| {
        let dot = if place.is_empty() || field.is_empty() { "" } else { "." };
        FieldProblem { field: format!("{place}{dot}{field}"), message }
    };
    let report = OutcomeReport::deserialize(value).map_err(|error| problem("", error.to_string()))?;
    let OutcomeReport { id, outcome, observed_at: _, granted: _, source } = &report;
    if label.is_bad(outcome).is_none() {
        let known: Vec<_> = label.bad.iter().chain(&label.good).map(String::as_str).collect();
        return Err(problem("outcome", format!("expected one of {}, got {outcome:?}", known.join(", "))));
    }
    for (field, text) in [("id", Some(id)), ("source", source.as_ref())] {
        if text.is_some_and(|text| text.contains('\0') || text.chars().nth(MAX_ID).is_some()) {
            return Err(problem(field, format!("expected at most {MAX_ID} characters, and no NUL")));
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use serde_json::json;
    use underwriter_contract::learning::Label;

    use super::reports;

    fn label() -> Label {
        Label { column: "status".into(), bad: vec!["Charged Off".into()], good: vec!["Fully Paid".into()] }
    }

    fn fields(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn one_or_several_are_taken() {
        let one = json!({"id": "17", "outcome": "Fully Paid", "observedAt": "2011-12-01T00:00:00Z"});
        assert_eq!(reports(fields(one.clone()), &label()).unwrap().len(), 1);
        assert_eq!(reports(fields(json!({"outcomes": [one, one]})), &label()).unwrap().len(), 2);
        assert_eq!(reports(fields(json!({"outcomes": []})), &label()).unwrap().len(), 0);
    }

    #[tokio::test]
    async fn a_value_outside_of_the_vocabulary_is_named() {
        let several = json!({"outcomes": [
            {"id": "1", "outcome": "Current", "observedAt": "2011-12-01T00:00:00Z"},
            {"id": "2", "outcome": "Fully Paid", "observedAt": "yesterday"},
            {"id": "a\u{0}b", "outcome": "Fully Paid", "observedAt": "2011-12-01T00:00:00Z"},
        ]});
        let response = reports(fields(several), &label()).unwrap_err().into_response();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let named: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
        assert_eq!(named, ["outcomes[0].outcome", "outcomes[1]", "outcomes[2].id"]);
        assert_eq!(problem["errors"][0]["message"], "expected one of Charged Off, Fully Paid, got \"Current\"");
    }
}
