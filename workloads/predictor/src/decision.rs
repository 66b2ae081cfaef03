//! From an application to its decision: who answers, what it says, what the prediction log keeps.
//!
//! Pure but for the figures it counts. The canary's whole part (reading, scoring, explaining) runs behind a panic guard:
//! where it errs, the stable version answers and the error is the canary's. The stable version is guarded too, so that
//! no application can end the process; where it errs there is nobody left to answer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use jiff::Timestamp;
use serde_json::{Map, Value};
use underwriter_contract::predict::{Answer, FieldProblem, Reason, Verdict};
use underwriter_data::log::{Record, Role};
use underwriter_model::{Application, Scored};
use uuid::Uuid;

use crate::{
    choice::takes_canary,
    traffic::{Arm, InForce, Trial},
    version::Version,
};

/// What is the same for all decisions of a service.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `namespace/name` of the LoanModel.
    pub model: String,
    /// The PredictionService's name.
    pub service: String,
    /// The most reasons that go with a refusal.
    pub reasons: usize,
}

/// A decision's name and moment, fixed before anything is written.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// A UUID of version 7.
    pub id: Uuid,
    /// The time in it.
    pub at: Timestamp,
}

impl Stamp {
    /// A new name for a decision taken `at`. To the microsecond, as Postgres keeps it.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        let seconds = u64::try_from(at.as_second()).unwrap_or_default();
        let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
        Self { id: Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)), at }
    }
}

/// A decision, for the client and for the log.
#[derive(Debug)]
pub struct Decided {
    /// For the client.
    pub answer: Answer,
    /// For the log.
    pub record: Record,
}

/// Why there is no decision.
#[derive(Debug, PartialEq, Eq)]
pub enum Undecided {
    /// The application is at fault, and where.
    Invalid(Vec<FieldProblem>),
    /// The version that everybody falls back to could not score it.
    Failed {
        /// Which.
        version: u32,
    },
}

/// Decides one application.
///
/// # Errors
/// See [`Undecided`].
pub fn decide(
    in_force: &InForce,
    policy: &Policy,
    fields: Map<String, Value>,
    stamp: Stamp,
) -> Result<Decided, Undecided> {
    let problems = unloggable(&fields);
    if !problems.is_empty() {
        return Err(Undecided::Invalid(problems));
    }
    let (version, judged) = answer(in_force, policy, &fields, stamp)?;
    Ok(conclude(version, policy, fields, judged, stamp))
}

/// A version's word on an application.
struct Judged {
    application: Application,
    scored: Scored,
    reasons: Vec<Reason>,
}

/// What came of asking one version.
enum Attempt {
    Judged(Judged),
    Invalid(Vec<FieldProblem>),
    Failed,
}

fn answer<'a>(
    in_force: &'a InForce,
    policy: &Policy,
    fields: &Map<String, Value>,
    stamp: Stamp,
) -> Result<(&'a Version, Judged), Undecided> {
    let InForce { stable, canary, generation: _ } = in_force;
    let chosen = canary.as_ref().filter(|trial| is_chosen(trial, &stable.version, policy, fields, stamp));
    let other = canary.as_ref().map(|trial| &*trial.arm.version);
    let Some(trial) = chosen else {
        return settle(stable, attempt(stable, other, fields, policy));
    };
    match attempt(&trial.arm, Some(&stable.version), fields, policy) {
        Attempt::Judged(judged) => Ok((&trial.arm.version, judged)),
        Attempt::Failed => settle(stable, attempt(stable, other, fields, policy)),
        // What only the canary cannot read is the canary's fault, not the applicant's.
        Attempt::Invalid(_) => {
            let started = Instant::now();
            let settled = settle(stable, attempt(stable, other, fields, policy))?;
            trial.arm.erred(started.elapsed());
            Ok(settled)
        }
    }
}

fn settle(stable: &Arm, attempt: Attempt) -> Result<(&Version, Judged), Undecided> {
    match attempt {
        Attempt::Judged(judged) => Ok((&stable.version, judged)),
        Attempt::Invalid(problems) => Err(Undecided::Invalid(problems)),
        Attempt::Failed => Err(Undecided::Failed { version: stable.version.number() }),
    }
}

fn is_chosen(trial: &Trial, stable: &Version, policy: &Policy, fields: &Map<String, Value>, stamp: Stamp) -> bool {
    let who = stable.applicant(fields).unwrap_or_else(|| stamp.id.to_string());
    takes_canary(&policy.service, trial.arm.version.number(), &who, trial.weight)
}

fn attempt(arm: &Arm, other: Option<&Version>, fields: &Map<String, Value>, policy: &Policy) -> Attempt {
    let started = Instant::now();
    // A panic leaves nothing half done: a version is only read.
    let guarded = AssertUnwindSafe(|| judge(&arm.version, other, fields, policy.reasons));
    let attempt = catch_unwind(guarded).unwrap_or(Attempt::Failed);
    match &attempt {
        Attempt::Judged(_) => arm.figures.asked(started.elapsed()),
        Attempt::Failed => arm.erred(started.elapsed()),
        Attempt::Invalid(_) => {}
    }
    attempt
}

fn judge(version: &Version, other: Option<&Version>, fields: &Map<String, Value>, most: usize) -> Attempt {
    let parsed = match other {
        Some(other) if fields.keys().any(|field| foreign(version, other, field)) => {
            let own = fields.iter().filter(|(field, _)| !foreign(version, other, field));
            version.schema.parse(&own.map(|(field, value)| (field.clone(), value.clone())).collect())
        }
        _ => version.schema.parse(fields),
    };
    let application = match parsed {
        Ok(application) => application,
        Err(problems) => return Attempt::Invalid(problems),
    };
    let Ok(scored) = version.model.score(&application.values) else {
        return Attempt::Failed;
    };
    let reasons = match scored.verdict {
        Verdict::Refuse if most > 0 => version.model.reasons(&application.values, most),
        _ => Vec::new(),
    };
    Attempt::Judged(Judged { application, scored, reasons })
}

/// A field that only the other version knows: during a rollout clients send what either of the two accepts.
fn foreign(version: &Version, other: &Version, field: &str) -> bool {
    !version.knows(field) && other.knows(field)
}

fn conclude(
    version: &Version,
    policy: &Policy,
    mut fields: Map<String, Value>,
    judged: Judged,
    stamp: Stamp,
) -> Decided {
    let Judged { application, scored, reasons } = judged;
    let manifest = version.model.manifest();
    version.retain_columns(&mut fields);
    let record = Record {
        decision_id: stamp.id,
        answered_at: stamp.at,
        role: Role::Live,
        application_id: application.id.clone(),
        applicant_id: application.applicant,
        application_time: application.time.unwrap_or(stamp.at),
        model: policy.model.clone(),
        service: policy.service.clone(),
        version: version.number(),
        run: manifest.run.clone(),
        features: fields,
        score: scored.score,
        probability: scored.probability,
        threshold: manifest.threshold.probability,
        decision: scored.verdict,
        reasons: reasons.clone(),
    };
    let answer = Answer {
        id: application.id,
        decision_id: stamp.id.to_string(),
        model: policy.model.clone(),
        version: version.number(),
        probability: scored.probability,
        threshold: manifest.threshold.probability,
        decision: scored.verdict,
        reasons,
        warnings: application.warnings,
    };
    Decided { answer, record }
}

/// The fields that Postgres could not keep: its texts hold no NUL.
fn unloggable(fields: &Map<String, Value>) -> Vec<FieldProblem> {
    let nul = fields.iter().filter(|(field, value)| field.contains('\0') || holds_nul(value));
    let problem = |field: &String| FieldProblem {
        field: field.replace('\0', "\u{fffd}"),
        message: "expected text without a NUL character".to_owned(),
    };
    nul.map(|(field, _)| problem(field)).collect()
}

/// Recursion is bounded: the JSON was read with a bound on its depth.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(field, value)| field.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Map, Value, json};
    use underwriter_contract::predict::Verdict;

    use super::{Decided, Stamp, Undecided, decide};
    use crate::{
        testing::{self, artifact},
        traffic::InForce,
    };

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn ask(in_force: &InForce, application: Value) -> Result<Decided, Undecided> {
        decide(in_force, &testing::policy(), fields(application), Stamp::new(Timestamp::now()))
    }

    fn problem(undecided: Undecided) -> (String, String) {
        let Undecided::Invalid(problems) = undecided else { panic!("{undecided:?}") };
        (problems[0].field.clone(), problems[0].message.clone())
    }

    #[test]
    fn answer_and_record_say_the_same() {
        let in_force = testing::in_force(&[1], None);
        let Decided { answer, record } = ask(&in_force, artifact::application("17", 31.0)).unwrap();
        assert_eq!((answer.decision, answer.version, answer.id.as_str()), (Verdict::Refuse, 1, "17"));
        assert!(!answer.reasons.is_empty());
        assert_eq!(answer.decision_id, record.decision_id.to_string());
        assert_eq!((answer.probability, answer.threshold), (record.probability, record.threshold));
        assert_eq!((&answer.reasons, answer.decision), (&record.reasons, record.decision));
        assert_eq!(record.application_time.to_string(), "2011-06-01T00:00:00Z");
        let kept: Vec<_> = record.features.keys().map(String::as_str).collect();
        assert_eq!(kept, ["income", "dti", "home", "grade"]);
    }

    #[test]
    fn an_approval_has_no_reasons() {
        let in_force = testing::in_force(&[1], None);
        let Decided { answer, .. } = ask(&in_force, artifact::application("17", 5.0)).unwrap();
        assert_eq!((answer.decision, answer.reasons.len()), (Verdict::Approve, 0));
    }

    #[test]
    fn the_stable_version_answers_where_the_canary_errs() {
        let in_force = testing::traffic(&[testing::version(1), testing::erring(2)], Some(100));
        let mut rich = artifact::application("17", 5.0);
        assert_eq!(ask(&in_force, rich.clone()).unwrap().answer.version, 2);
        rich["income"] = json!(1e300);
        assert_eq!(ask(&in_force, rich).unwrap().answer.version, 1);
        let figures = in_force.figures();
        assert_eq!((figures[0].predictions, figures[0].errors), (1, 0));
        assert_eq!((figures[1].predictions, figures[1].errors), (2, 1));
    }

    #[test]
    fn what_only_the_canary_cannot_read_is_its_own_error() {
        let mut strict = artifact::manifest(2);
        strict.columns[1].nullable = false;
        let in_force = testing::traffic(&[testing::version(1), testing::loaded(strict)], Some(100));
        let mut application = artifact::application("17", 5.0);
        application.as_object_mut().unwrap().shift_remove("dti");
        assert_eq!(ask(&in_force, application).unwrap().answer.version, 1);
        assert_eq!(in_force.figures()[1].errors, 1);

        assert!(ask(&in_force, json!({"id": "1"})).is_err());
        assert_eq!(in_force.figures()[1].errors, 1);
    }

    #[test]
    fn fields_of_either_version_are_taken_during_a_rollout() {
        let mut narrow = artifact::manifest(1);
        narrow.columns.retain(|column| column.name != "grade");
        let narrow = testing::loaded(narrow);
        let alone = testing::traffic(std::slice::from_ref(&narrow), None);
        assert_eq!(problem(ask(&alone, artifact::application("1", 5.0)).unwrap_err()).0, "grade");
        let rollout = testing::traffic(&[narrow, testing::version(2)], Some(0));
        let Decided { answer, record } = ask(&rollout, artifact::application("1", 5.0)).unwrap();
        assert_eq!((answer.version, record.features.contains_key("grade")), (1, false));
    }

    #[test]
    fn the_stable_version_has_nobody_behind_it() {
        let in_force = testing::traffic(&[testing::erring(1)], None);
        let mut rich = artifact::application("17", 5.0);
        rich["income"] = json!(1e300);
        assert_eq!(ask(&in_force, rich).unwrap_err(), Undecided::Failed { version: 1 });
        assert_eq!(in_force.figures()[0].errors, 1);
    }

    #[test]
    fn what_postgres_cannot_keep_is_refused() {
        let in_force = testing::in_force(&[1], None);
        let mut nul = artifact::application("17", 5.0);
        nul["home"] = json!("a\u{0}b");
        assert_eq!(problem(ask(&in_force, nul).unwrap_err()).0, "home");
        let long = artifact::application(&"7".repeat(257), 5.0);
        assert_eq!(problem(ask(&in_force, long).unwrap_err()).0, "id");
        assert!(ask(&in_force, artifact::application(&"ß".repeat(256), 5.0)).is_ok());
    }

    #[test]
    fn the_same_applicant_always_gets_the_same_version() {
        let in_force = testing::in_force(&[1, 2], Some(50));
        let version = |id: &str, member: &str| {
            let mut application = artifact::application(id, 5.0);
            application["member_id"] = json!(member);
            ask(&in_force, application).unwrap().answer.version
        };
        let members: Vec<_> = (0..40).map(|member| member.to_string()).collect();
        for member in &members {
            assert_eq!(version("first loan", member), version("second loan", member));
        }
        assert!(members.iter().any(|member| version("1", member) == 1));
        assert!(members.iter().any(|member| version("1", member) == 2));
    }
}
