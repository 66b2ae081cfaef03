//! The routes, asked as a client would, with a small real version behind them.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::{Server, router};
use crate::{
    metrics::Metrics,
    stage::Stage,
    testing::{self, artifact},
    traffic::watch::Status,
};

fn api(stage: Stage) -> Router {
    let in_force = Some(Arc::new(testing::in_force(&[1], None)));
    let (_, traffic) = watch::channel(Status { in_force, generation: Some(1), fault: None });
    let (_, stage) = watch::channel(stage);
    let metrics = Arc::new(Metrics::default());
    router(Arc::new(Server { policy: testing::policy(), traffic, metrics, recording: None }), stage)
}

async fn send(method: Method, path: &str, kind: &str, body: impl Into<Body>) -> Response {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
    api(Stage::Serving).oneshot(request.body(body.into()).unwrap()).await.unwrap()
}

async fn post(path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
    let response = send(Method::POST, path, "application/json", body).await;
    let status = response.status();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    assert_eq!(kind, if status.is_success() { "application/json" } else { "application/problem+json" });
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn one_application_gets_one_answer() {
    let (status, answer) = post("/predict", artifact::application("17", 31.0).to_string()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&answer["id"], &answer["decision"]), (&json!("17"), &json!("refuse")));
    assert_eq!((&answer["model"], &answer["version"]), (&json!("loans/consumer-loans"), &json!(1)));
}

#[tokio::test]
async fn several_applications_get_answers_in_their_order() {
    let several = json!({"applications": [artifact::application("b", 5.0), artifact::application("a", 31.0)]});
    let (status, answers) = post("/predict", several.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    let ids: Vec<_> = answers["predictions"].as_array().unwrap().iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, ["b", "a"]);
}

#[tokio::test]
async fn one_bad_application_among_several_is_named_and_none_is_answered() {
    let mut bad = artifact::application("a", 5.0);
    bad["dti"] = json!("high");
    let several = json!({"applications": [artifact::application("b", 5.0), bad]});
    let (status, problem) = post("/predict", several.to_string()).await;
    assert_eq!((status, &problem["status"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(422)));
    assert_eq!(problem["errors"][0]["field"], "applications[1].dti");
    let (_, problem) = post("/predict", json!({"applications": [3]}).to_string()).await;
    assert_eq!(problem["errors"][0]["field"], "applications[0]");
}

#[tokio::test]
async fn each_way_to_be_wrong_has_its_status() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let many = json!({"applications": vec![json!({}); 1001]}).to_string();
    for (body, status, detail) in [
        (b"{\"id\": \n tru}".to_vec(), 400, "line 2 column"),
        (b"{\"id\": \"\xff\"}".to_vec(), 400, "line 1"),
        (deep.into_bytes(), 400, "recursion limit"),
        (b"".to_vec(), 400, "not JSON"),
        (b"[]".to_vec(), 422, "got an array"),
        (b"{\"applications\": 3}".to_vec(), 422, "got a number"),
        (b"{\"applications\": [], \"id\": 1}".to_vec(), 422, "\"id\""),
        (many.into_bytes(), 422, "got 1001"),
        (vec![b' '; (1 << 20) + 1], 413, "1048576"),
        (vec![b'x'; 10 << 20], 413, "1048576"),
    ] {
        let (found, problem) = post("/predict", body).await;
        assert_eq!(found, status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    let text = send(Method::POST, "/predict", "text/plain", "{}").await;
    assert_eq!(text.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let charset = artifact::application("1", 3.0).to_string();
    let charset = send(Method::POST, "/predict", "Application/JSON; charset=utf-8", charset).await;
    assert_eq!(charset.status(), StatusCode::OK);
    assert_eq!(send(Method::GET, "/predict", "", "").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(send(Method::POST, "/", "", "").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn outcomes_need_a_log() {
    let outcome = json!({"id": "1", "outcome": "Fully Paid", "observedAt": "2011-12-01T00:00:00Z"});
    assert_eq!(post("/outcomes", outcome.to_string()).await.0, StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn an_ending_process_asks_its_clients_to_go() {
    let body = artifact::application("1", 3.0).to_string();
    let request =
        Request::post("/predict").header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap();
    let response = api(Stage::Ending).oneshot(request).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()[header::CONNECTION]),
        (StatusCode::OK, &"close".parse().unwrap())
    );
}

/// JSON of every shape, with the names and texts that mean something here among others.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof!["id", "dti", "home", "income", "issue_d", "member_id", "applications", "outcomes", ".{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[0-9]{1,4}-[0-9]{1,2}(-[0-9]{1,2})?".prop_map(Value::from),
        "[-+<>]?[0-9.e+]{1,9}[%+ a-z]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        let fields = prop::collection::vec((name.clone(), inner.clone()), 0..8);
        let object = fields.prop_map(|fields| Value::Object(fields.into_iter().collect()));
        prop_oneof![prop::collection::vec(inner, 0..8).prop_map(Value::from), object]
    })
}

fn is_an_answer(path: &'static str, body: Vec<u8>) -> StatusCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(post(path, body)).0
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(body: Vec<u8>, outcomes: bool) {
        let status = is_an_answer(if outcomes { "/outcomes" } else { "/predict" }, body);
        prop_assert!(status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED, "{}", status);
    }

    #[test]
    fn any_json_gets_an_answer(value in any_json(), outcomes: bool) {
        let path = if outcomes { "/outcomes" } else { "/predict" };
        let status = is_an_answer(path, value.to_string().into_bytes());
        prop_assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{}", value);
    }

    #[test]
    fn any_field_of_an_application_gets_an_answer(name in "id|dti|home|income|issue_d|member_id|grade|.{0,6}", value in any_json()) {
        let mut application = artifact::application("1", 3.0);
        application[&name] = value;
        let status = is_an_answer("/predict", application.to_string().into_bytes());
        prop_assert!(status == StatusCode::OK || status == StatusCode::UNPROCESSABLE_ENTITY, "{}: {}", status, application);
    }
}
