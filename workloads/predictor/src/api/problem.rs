//! A refused request's answer (RFC 9457).

use axum::{
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use underwriter_contract::predict::{FieldProblem, Problem};

use crate::spool::SpoolError;

/// After how many seconds a client may try again.
const RETRY_AFTER: &str = "1";

/// A refused request's answer.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldProblem>,
}

impl Refusal {
    /// With a status and what to do.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new() }
    }

    /// 422, with each field at fault.
    #[must_use]
    pub fn fields(errors: Vec<FieldProblem>) -> Self {
        let detail = "Correct the fields named in errors and send the request again.".to_owned();
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail, errors }
    }

    /// 422: JSON, but of another shape.
    #[must_use]
    pub fn shape(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 503, to be tried again soon.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

impl From<SpoolError> for Refusal {
    fn from(error: SpoolError) -> Self {
        Self::unavailable(format!("No decision leaves here unrecorded: {error}. Try again."))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, detail, errors } = self;
        let title = status.canonical_reason().unwrap_or("Refused").to_owned();
        let problem = Problem { title, status: status.as_u16(), detail, errors };
        let kind: (HeaderName, &str) = (header::CONTENT_TYPE, "application/problem+json");
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            (status, [kind, (header::RETRY_AFTER, RETRY_AFTER)], body).into_response()
        } else {
            (status, [kind], body).into_response()
        }
    }
}
