//! What can go wrong with an object, in kinds that tell what to do about it.

use std::fmt;

use underwriter_contract::summary::FailureReason;

/// What went wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    kind: StoreErrorKind,
    place: String,
    cause: String,
    advice: Option<&'static str>,
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The bucket, the object or the file does not exist.
    NotFound,
    /// The credentials were refused, or are incomplete.
    AccessDenied,
    /// Nothing answers, or what answers cannot be trusted.
    Unreachable,
    /// What was asked for makes no sense here.
    Invalid,
    /// Anything else.
    Other,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, place: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self { kind, place: place.to_string(), cause: cause.to_string(), advice: None }
    }

    /// The same with another remedy than that of its kind.
    pub(crate) fn advising(self, advice: &'static str) -> Self {
        Self { advice: Some(advice), ..self }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The same for the operator.
    #[must_use]
    pub const fn reason(&self) -> FailureReason {
        match self.kind {
            StoreErrorKind::NotFound => FailureReason::NotFound,
            StoreErrorKind::AccessDenied => FailureReason::AccessDenied,
            StoreErrorKind::Unreachable => FailureReason::Unreachable,
            StoreErrorKind::Invalid => FailureReason::RequestInvalid,
            StoreErrorKind::Other => FailureReason::Internal,
        }
    }

    fn remedy(&self) -> &'static str {
        self.advice.unwrap_or(match self.kind {
            StoreErrorKind::NotFound => "check that bucket and object exist and are spelt so",
            StoreErrorKind::AccessDenied => "check the keys in the Secret and what they may do",
            StoreErrorKind::Unreachable => {
                "check AWS_ENDPOINT_URL, the network policies, and the root certificates (UNDERWRITER_CA_BUNDLE)"
            }
            StoreErrorKind::Invalid => "correct it",
            StoreErrorKind::Other => "try again",
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.cause, self.remedy())
    }
}

impl std::error::Error for StoreError {}
