//! What can go wrong in a reconcile, and what to do about each: wait for a change, try again, or ask a person.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

/// The shortest pause after a failure.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST: Duration = Duration::from_secs(300);

/// What can go wrong in a reconcile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused or could not be reached.
    #[error("cannot {action}: {}", said(source))]
    Api {
        /// What was tried, with the object's name.
        action: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// Somebody else changed the object first.
    #[error("cannot {action}: it was changed meanwhile, and is looked at again")]
    Conflict {
        /// What was tried, with the object's name.
        action: String,
    },
    /// An object of that name stands and is not ours.
    #[error("{kind} {name} exists and belongs to somebody else: delete or rename it, or rename this object")]
    NameTaken {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// An object's name is not one of ours.
    #[error(
        "{name:?} is not a usable name: a lower-case letter, then letters, digits and dashes, at most 40 characters"
    )]
    NameInvalid {
        /// The name.
        name: String,
    },
    /// A spec says what the CRD's validation would have refused.
    #[error("spec.{field}: {why}")]
    SpecInvalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// What the operator itself wrote cannot be read.
    #[error("{kind} {name}: {what} cannot be read ({why}): delete it, and it is made again")]
    Unreadable {
        /// The kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The part of it.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// What helps against an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A change of the spec: `Stalled` until then.
    Invalid,
    /// Time: tried again with growing pauses.
    Transient,
    /// A person: `Stalled`, with an event.
    Terminal,
}

/// The kind of an error in one word: reason of its event and condition, label of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// The API server refused or could not be reached.
    ApiError,
    /// The operator lacks a right.
    Forbidden,
    /// Somebody else was faster.
    Conflict,
    /// See [`Error::NameTaken`].
    NameTaken,
    /// See [`Error::NameInvalid`].
    NameInvalid,
    /// See [`Error::SpecInvalid`].
    SpecInvalid,
    /// See [`Error::Unreadable`].
    Unreadable,
}

impl Error {
    /// An answer of the API server to `action`, for instance `create Job loans-v1`.
    #[must_use]
    pub fn api(action: String, source: kube::Error) -> Self {
        match source {
            kube::Error::Api(status) if status.is_conflict() => Self::Conflict { action },
            source => Self::Api { action, source: Box::new(source) },
        }
    }

    /// What helps.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Api { .. } | Self::Conflict { .. } => Class::Transient,
            Self::NameInvalid { .. } | Self::SpecInvalid { .. } => Class::Invalid,
            Self::NameTaken { .. } | Self::Unreadable { .. } => Class::Terminal,
        }
    }

    /// The kind of fault in one word.
    #[must_use]
    pub fn category(&self) -> Category {
        match self {
            Self::Api { source, .. } if forbidden(source) => Category::Forbidden,
            Self::Api { .. } => Category::ApiError,
            Self::Conflict { .. } => Category::Conflict,
            Self::NameTaken { .. } => Category::NameTaken,
            Self::NameInvalid { .. } => Category::NameInvalid,
            Self::SpecInvalid { .. } => Category::SpecInvalid,
            Self::Unreadable { .. } => Category::Unreadable,
        }
    }
}

/// What the API server said, without the status around it.
fn said(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error { status.message.clone() } else { error.to_string() }
}

fn forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_forbidden())
}

/// The pause after the `failures`-th failure in a row of one object: doubles from a second up to five minutes.
#[must_use]
pub fn backoff(failures: u32) -> Duration {
    jittered(SHORTEST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST))
}

/// Up to a tenth longer, so that objects that failed together do not come back together.
#[must_use]
pub fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish(); // seeded by the system; saves a dependency
    pause + pause.mul_f64((random % 1_000) as f64 / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let within = |failures, seconds: u64| {
            let pause = backoff(failures).as_millis();
            (u128::from(seconds) * 1_000..=u128::from(seconds) * 1_100).contains(&pause)
        };
        assert!(within(1, 1) && within(2, 2) && within(5, 16) && within(20, 300) && within(u32::MAX, 300));
    }

    #[test]
    fn a_conflict_is_told_from_other_answers() {
        let answer = |code, reason: &str| {
            let status = kube::core::Status::failure("no", reason).with_code(code);
            Error::api("patch".into(), kube::Error::Api(status.boxed())).category()
        };
        assert_eq!(answer(409, "Conflict"), Category::Conflict);
        assert_eq!(answer(403, "Forbidden"), Category::Forbidden);
        assert_eq!(answer(500, "InternalError"), Category::ApiError);
    }
}
