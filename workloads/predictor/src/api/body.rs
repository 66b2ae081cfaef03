//! From a request's bytes to JSON, within bounds: size, time, depth.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream, HttpBody as _},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use futures::StreamExt as _;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::problem::Refusal;

/// How long a body may take to come in.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much is read and thrown away before a refusal, so that a client that writes before it reads gets the answer
/// rather than a reset connection.
const MAX_DISCARD: usize = 64 << 20;
/// Room made for a body before any of it has come.
const FIRST_ROOM: u64 = 64 << 10;

/// Reads a JSON object of at most `limit` bytes.
///
/// # Errors
/// 415, 413, 408, 400 with line and column, or 422 where it is JSON but no object.
pub async fn read_object(request: Request, limit: usize) -> Result<Map<String, Value>, Refusal> {
    let (head, body) = request.into_parts();
    if !is_json(&head.headers) {
        discard(body.into_data_stream()).await;
        let detail = "Send the body as JSON, with content-type: application/json.";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "The body did not come in time.");
    let bytes = timeout(PATIENCE, read_bytes(body, limit)).await.map_err(late)??;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(Refusal::shape(format!("Expected a JSON object, got {}.", kind(&other)))),
        // serde_json bounds the depth and names line and column.
        Err(error) => Err(Refusal::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {error}."))),
    }
}

/// What a JSON value is, in words.
#[must_use]
pub const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

async fn read_bytes(body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let announced = body.size_hint().lower().min(FIRST_ROOM);
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let broken = |error| Refusal::new(StatusCode::BAD_REQUEST, format!("The body broke off: {error}."));
        let chunk = chunk.map_err(broken)?;
        if bytes.len() + chunk.len() > limit {
            discard(stream).await;
            let detail = format!("The body may hold at most {limit} bytes: send fewer at a time.");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn discard(mut stream: BodyDataStream) {
    let mut discarded = 0;
    let all = async {
        while let Some(Ok(chunk)) = stream.next().await {
            discarded += chunk.len();
            if discarded > MAX_DISCARD {
                return;
            }
        }
    };
    let _ = timeout(PATIENCE, all).await; // who is slower than that gets the answer at once
}
