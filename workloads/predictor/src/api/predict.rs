//! `POST /predict`: one application, or up to a thousand, answered together or not at all.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde_json::{Map, Value};
use underwriter_contract::predict::{Answer, Answers, FieldProblem};

use super::{
    Server,
    body::{kind, read_object},
    problem::Refusal,
};
use crate::{
    decision::{Decided, Policy, Stamp, Undecided, decide},
    metrics::Metrics,
    recording::Recording,
    spool::line,
    traffic::InForce,
};

/// The most bytes of a request.
const MAX_BYTES: usize = 1 << 20;
/// The most applications in it.
const MAX_APPLICATIONS: usize = 1000;
/// The field that holds several.
const SEVERAL: &str = "applications";

type Fields = Map<String, Value>;

/// Answers the route, and takes its time.
pub async fn handle(State(server): State<Arc<Server>>, request: Request) -> Result<Response, Refusal> {
    let _timed = Timed::new(&server.metrics);
    predict(&server, request).await
}

/// A request in flight, until it is dropped: also where the client goes away.
struct Timed<'a> {
    metrics: &'a Metrics,
    started: Instant,
}

impl<'a> Timed<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        metrics.in_flight.inc();
        Self { metrics, started: Instant::now() }
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        self.metrics.request_seconds.observe(self.started.elapsed().as_secs_f64());
    }
}

async fn predict(server: &Server, request: Request) -> Result<Response, Refusal> {
    let fields = read_object(request, MAX_BYTES).await?;
    let in_force = server.traffic.borrow().in_force.clone();
    let in_force = in_force.ok_or_else(|| Refusal::unavailable("No version is in force yet. Try again."))?;
    if fields.contains_key(SEVERAL) {
        let applications = applications(fields)?;
        let decided = decide_all(in_force.clone(), server.policy.clone(), applications).await?;
        let predictions = conclude(server, &in_force, decided).await?;
        return Ok(Json(Answers { predictions }).into_response());
    }
    let decided = decide(&in_force, &server.policy, fields, Stamp::new(Timestamp::now())).map_err(refuse)?;
    let answer = conclude(server, &in_force, vec![decided]).await?.pop();
    Ok(Json(answer).into_response())
}

/// Writes down what was decided; only then may the answers leave.
async fn conclude(server: &Server, in_force: &InForce, decided: Vec<Decided>) -> Result<Vec<Answer>, Refusal> {
    if let Some(Recording { spool, log: _ }) = &server.recording {
        spool.write(&lines(&decided)?).await?;
    }
    let answers: Vec<_> = decided.into_iter().map(|decided| decided.answer).collect();
    for answer in &answers {
        in_force.answered(answer.version, answer.decision);
    }
    Ok(answers)
}

fn lines(decided: &[Decided]) -> Result<Vec<u8>, Refusal> {
    let mut lines = Vec::with_capacity(decided.len() * 2048);
    for Decided { record, answer: _ } in decided {
        let unwritable = |error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("Cannot record: {error}."));
        line::append(&mut lines, record).map_err(unwritable)?;
    }
    Ok(lines)
}

fn applications(mut fields: Fields) -> Result<Vec<Fields>, Refusal> {
    let several = fields.shift_remove(SEVERAL).unwrap_or_default();
    if let Some(field) = fields.keys().next() {
        return Err(Refusal::shape(format!("Beside {SEVERAL} there may be no other field, but there is {field:?}.")));
    }
    let Value::Array(several) = several else {
        return Err(Refusal::shape(format!("Expected an array in {SEVERAL}, got {}.", kind(&several))));
    };
    if several.len() > MAX_APPLICATIONS {
        let detail = format!("At most {MAX_APPLICATIONS} applications a request, got {}.", several.len());
        return Err(Refusal::shape(detail));
    }
    each(several, |application| match application {
        Value::Object(fields) => Ok(fields),
        other => Err(vec![FieldProblem {
            field: String::new(),
            message: format!("expected an object, got {}", kind(&other)),
        }]),
    })
    .map_err(Refusal::fields)
}

/// On a thread of its own: a thousand applications with reasons take longer than other requests should wait.
async fn decide_all(in_force: Arc<InForce>, policy: Policy, several: Vec<Fields>) -> Result<Vec<Decided>, Refusal> {
    let now = Timestamp::now();
    let work = move || {
        let mut failed = None;
        let decided = each(several, |fields| match decide(&in_force, &policy, fields, Stamp::new(now)) {
            Ok(decided) => Ok(decided),
            Err(Undecided::Invalid(problems)) => Err(problems),
            Err(undecided @ Undecided::Failed { .. }) => {
                failed = Some(undecided);
                Err(Vec::new())
            }
        });
        match failed {
            Some(undecided) => Err(refuse(undecided)),
            None => decided.map_err(Refusal::fields),
        }
    };
    let ended = |_| Refusal::unavailable("The process is ending. Try again.");
    tokio::task::spawn_blocking(work).await.map_err(ended)?
}

/// Does the same with each, and gathers the problems of all under `applications[i].field`.
fn each<T, R>(
    several: Vec<T>,
    mut work: impl FnMut(T) -> Result<R, Vec<FieldProblem>>,
) -> Result<Vec<R>, Vec<FieldProblem>> {
    let mut done = Vec::with_capacity(several.len());
    let mut problems = Vec::new();
    let mut whole = true;
    for (index, one) in several.into_iter().enumerate() {
        match work(one) {
            Ok(result) => done.push(result),
            Err(found) => {
                whole = false;
                problems.extend(found.into_iter().map(|problem| within(index, problem)));
            }
        }
    }
    if whole { Ok(done) } else { Err(problems) }
}

fn within(index: usize, FieldProblem { field, message }: FieldProblem) -> FieldProblem {
    let dot = if field.is_empty() { "" } else { "." };
    FieldProblem { field: format!("{SEVERAL}[{index}]{dot}{field}"), message }
}

fn refuse(undecided: Undecided) -> Refusal {
    match undecided {
        Undecided::Invalid(problems) => Refusal::fields(problems),
        Undecided::Failed { version } => {
            tracing::error!(version, "the stable version could not score an application");
            let detail = format!("Version {version} could not score this application; this was counted.");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
        }
    }
}
