//! What can go wrong with MLflow, in kinds that tell what to do about it.

use std::fmt;

use underwriter_contract::summary::FailureReason;

/// What went wrong, where, and what to do about it. Never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlflowError {
    kind: MlflowErrorKind,
    place: String,
    cause: String,
    code: Option<String>,
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MlflowErrorKind {
    /// There is no MLflow at this address, or not what was asked for.
    NotFound,
    /// The credentials were refused, or are incomplete.
    AccessDenied,
    /// Nothing answers, or what answers cannot be trusted, or has troubles of its own.
    Unreachable,
    /// What was asked for makes no sense there.
    Invalid,
}

impl MlflowError {
    pub(super) fn new(kind: MlflowErrorKind, place: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self { kind, place: place.to_string(), cause: cause.to_string(), code: None }
    }

    /// Remembers what MLflow calls it.
    pub(super) fn with_code(self, code: Option<String>) -> Self {
        Self { code, ..self }
    }

    /// Whether MLflow calls it so.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> MlflowErrorKind {
        self.kind
    }

    /// The same for the operator.
    #[must_use]
    pub const fn reason(&self) -> FailureReason {
        match self.kind {
            MlflowErrorKind::NotFound => FailureReason::NotFound,
            MlflowErrorKind::AccessDenied => FailureReason::AccessDenied,
            MlflowErrorKind::Unreachable => FailureReason::Unreachable,
            MlflowErrorKind::Invalid => FailureReason::RequestInvalid,
        }
    }

    const fn remedy(&self) -> &'static str {
        match self.kind {
            MlflowErrorKind::NotFound => "check registry.mlflow.trackingUri",
            MlflowErrorKind::AccessDenied => "check the Secret of registry.mlflow.secretRef, and what its user may do",
            MlflowErrorKind::Unreachable => {
                "check that MLflow and its database run, the network policies, and the root certificates \
                 (UNDERWRITER_CA_BUNDLE)"
            }
            MlflowErrorKind::Invalid => "correct it",
        }
    }
}

impl fmt::Display for MlflowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.cause, self.remedy())
    }
}

impl std::error::Error for MlflowError {}
