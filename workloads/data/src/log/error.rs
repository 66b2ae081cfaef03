//! What can go wrong with the log, in kinds that tell what to do about it.

use std::fmt;

use sqlx::error::DatabaseError;
use underwriter_contract::summary::FailureReason;

/// What went wrong, where, and what to do about it. Never holds a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogError {
    kind: LogErrorKind,
    place: String,
    cause: String,
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogErrorKind {
    /// There is no such database.
    NotFound,
    /// Name or password were refused, or a right is missing.
    AccessDenied,
    /// Nothing answers, or what answers cannot be trusted.
    Unreachable,
    /// The settings make no sense.
    Invalid,
    /// Anything else.
    Other,
}

impl LogError {
    pub(super) fn new(kind: LogErrorKind, place: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self { kind, place: place.to_string(), cause: cause.to_string() }
    }

    pub(super) fn from_sql(place: &str, error: &sqlx::Error) -> Self {
        use sqlx::Error as E;
        let kind = match error {
            E::Database(error) => answered(error.as_ref()),
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => LogErrorKind::Unreachable,
            E::Configuration(_) => LogErrorKind::Invalid,
            E::Migrate(error) => return Self::from_migration(place, error),
            _ => LogErrorKind::Other,
        };
        let cause =
            if matches!(error, E::PoolTimedOut) { "no connection came about".into() } else { error.to_string() };
        Self::new(kind, place, cause)
    }

    fn from_migration(place: &str, error: &sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as M;
        match error {
            M::Execute(error) | M::ExecuteMigration(error, _) => Self::from_sql(place, error),
            other => Self::new(LogErrorKind::Other, place, other),
        }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> LogErrorKind {
        self.kind
    }

    /// The same for the operator.
    #[must_use]
    pub const fn reason(&self) -> FailureReason {
        match self.kind {
            LogErrorKind::NotFound => FailureReason::NotFound,
            LogErrorKind::AccessDenied => FailureReason::AccessDenied,
            LogErrorKind::Unreachable => FailureReason::Unreachable,
            LogErrorKind::Invalid => FailureReason::RequestInvalid,
            LogErrorKind::Other => FailureReason::Internal,
        }
    }

    const fn remedy(&self) -> &'static str {
        match self.kind {
            LogErrorKind::NotFound => "create the database, or correct its name in DATABASE_URL",
            LogErrorKind::AccessDenied => {
                "check user and password in the Secret, and the user's rights on the database"
            }
            LogErrorKind::Unreachable => {
                "check that Postgres runs, the network policies, sslmode and the root certificates (UNDERWRITER_CA_BUNDLE)"
            }
            LogErrorKind::Invalid => "expected postgresql://user:password@host:port/database",
            LogErrorKind::Other => "see the database's own log",
        }
    }
}

/// By SQLSTATE (PostgreSQL documentation, appendix A).
fn answered(error: &dyn DatabaseError) -> LogErrorKind {
    let code = error.code().unwrap_or_default();
    match code.as_ref() {
        "3D000" => LogErrorKind::NotFound,
        "42501" => LogErrorKind::AccessDenied,
        code if code.starts_with("28") => LogErrorKind::AccessDenied,
        code if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => LogErrorKind::Unreachable,
        _ => LogErrorKind::Other,
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.cause, self.remedy())
    }
}

impl std::error::Error for LogError {}
