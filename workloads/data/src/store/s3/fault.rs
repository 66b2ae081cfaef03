//! Which kind of fault an S3 error is.

use std::{error::Error, fmt::Write as _};

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::store::{Location, StoreError, StoreErrorKind};

/// The code of an object that is not there, in a bucket that is.
pub(super) const NO_SUCH_KEY: &str = "NoSuchKey";

/// The code that the service gave, if it answered.
pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

pub(super) fn fault<E: ProvideErrorMetadata + Error + 'static>(place: &Location, error: &SdkError<E>) -> StoreError {
    StoreError::new(kind(error), place, cause(error))
}

fn kind<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> StoreErrorKind {
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (error, status) {
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(status)) => answered(status, code(error)),
        _ if chain(error).contains("credentials") => StoreErrorKind::AccessDenied,
        (SdkError::TimeoutError(_) | SdkError::DispatchFailure(_), _) => StoreErrorKind::Unreachable,
        _ => StoreErrorKind::Other,
    }
}

fn answered(status: u16, code: Option<&str>) -> StoreErrorKind {
    match (status, code) {
        (404, _) => StoreErrorKind::NotFound,
        (_, Some("ExpiredToken" | "InvalidToken")) | (401 | 403, _) => StoreErrorKind::AccessDenied,
        (429 | 500.., _) => StoreErrorKind::Unreachable,
        (301 | 307 | 400, _) => StoreErrorKind::Invalid,
        _ => StoreErrorKind::Other,
    }
}

/// What the service said, or all that is known of why it said nothing.
fn cause<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> String {
    match (error.as_service_error(), code(error)) {
        (Some(service), Some(code)) => match service.message() {
            Some(message) => format!("{code}: {message}"),
            None => code.to_owned(),
        },
        (Some(_), None) => {
            error.raw_response().map_or_else(String::new, |answer| format!("status {}", answer.status()))
        }
        (None, _) => chain(error),
    }
}

/// An error with the errors that led to it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}"); // writing to a String cannot fail
        source = error.source();
    }
    text
}
