//! Conditions by the rules of kstatus: `Ready` always, `Reconciling` and `Stalled` only while true.

use std::fmt;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The types of condition, of all kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConditionType {
    /// The object does its work.
    Ready,
    /// This generation has not been acted on yet.
    Reconciling,
    /// Nothing will move until a person changes something.
    Stalled,
    /// A LoanModel's candidate waits for a person.
    AwaitingApproval,
    /// A LoanModel should be trained again.
    RetrainingRequired,
    /// A PredictionService tries another version.
    RollingOut,
    /// A PredictionService went back to the version it had.
    RolledBack,
    /// A DriftMonitor's window is not like the reference.
    Drifted,
    /// A LoanModel's registry shows what the cluster has.
    RegistryMirrored,
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A condition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody can tell.
    Unknown,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for State {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// A condition as decided, before it is merged with those that stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its type.
    pub kind: ConditionType,
    /// Whether it holds.
    pub state: State,
    /// Why, in one CamelCase word; each kind has an enum of them.
    pub reason: String,
    /// Why, for a person.
    pub message: String,
}

impl Wanted {
    /// A condition; the reason is an enum's variant.
    pub fn new(
        kind: ConditionType,
        state: impl Into<State>,
        reason: impl fmt::Debug,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, state: state.into(), reason: format!("{reason:?}"), message: message.into() }
    }
}

/// The wanted conditions as the API has them. A transition time moves only when the status does; what is not wanted is
/// not kept.
#[must_use]
pub fn merge(standing: &[Condition], wanted: Vec<Wanted>, generation: Option<i64>, now: Timestamp) -> Vec<Condition> {
    wanted.into_iter().map(|condition| merge_one(standing, condition, generation, now)).collect()
}

fn merge_one(standing: &[Condition], wanted: Wanted, observed_generation: Option<i64>, now: Timestamp) -> Condition {
    let Wanted { kind, state, reason, message } = wanted;
    let (type_, status) = (kind.to_string(), state.as_str().to_owned());
    let unchanged = standing.iter().find(|old| old.type_ == type_ && old.status == status);
    let last_transition_time = unchanged.map_or(Time(now), |old| old.last_transition_time.clone());
    Condition { last_transition_time, message, observed_generation, reason, status, type_ }
}

/// Whether a condition of this type stands as true.
#[must_use]
pub fn holds(conditions: &[Condition], kind: ConditionType) -> bool {
    let name = kind.to_string();
    conditions.iter().any(|condition| condition.type_ == name && condition.status == "True")
}

/// The invariants of kstatus; every test and property test runs them.
///
/// # Errors
/// The first that is broken.
pub fn check(conditions: &[Condition]) -> Result<(), String> {
    let count = |name: &str| conditions.iter().filter(|condition| condition.type_ == name).count();
    if count("Ready") != 1 {
        return Err(format!("Ready stands {} times", count("Ready")));
    }
    for condition in conditions {
        let Condition { type_, status, reason, .. } = condition;
        if count(type_) > 1 {
            return Err(format!("{type_} stands twice"));
        }
        if matches!(type_.as_str(), "Reconciling" | "Stalled") && status != "True" {
            return Err(format!("{type_} stands as {status}"));
        }
        if reason.is_empty() {
            return Err(format!("{type_} has no reason"));
        }
    }
    let both = count("Reconciling") + count("Stalled") == 2;
    if both { Err("Reconciling and Stalled at once".into()) } else { Ok(()) }
}
