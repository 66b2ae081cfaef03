//! Decisions and outcomes: what is read is what was written, once, in the order of the loans.

use futures::TryStreamExt as _;
use jiff::Timestamp;
use serde_json::json;
use sqlx::PgConnection;
use underwriter_contract::{
    learning::Label,
    predict::{OutcomeReport, OutcomesTaken, Reason, Verdict},
};
use underwriter_data::log::{Log, MAX_ID, Record, Role};
use underwriter_servers::{Postgres, connect};
use uuid::Uuid;

use crate::clients;

pub const MODEL: &str = "demo/consumer-loans";
const SERVICE: &str = "loan-api";

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A live decision on an application of the first of the month.
pub fn record(application: &str, month: &str, answered_at: &str) -> Record {
    Record {
        decision_id: Uuid::now_v7(),
        answered_at: at(answered_at),
        role: Role::Live,
        application_id: application.to_owned(),
        applicant_id: None,
        application_time: at(&format!("{month}-01T00:00:00Z")),
        model: MODEL.to_owned(),
        service: SERVICE.to_owned(),
        version: 1,
        run: "0123456789abcdef".to_owned(),
        features: json!({"dti": 11.25, "term": " 36 months", "mths_since_last_delinq": null})
            .as_object()
            .unwrap()
            .clone(),
        score: -1.5,
        probability: 0.17,
        threshold: 0.2,
        decision: Verdict::Refuse,
        reasons: vec![Reason { column: "dti".into(), text: "Debts are high".into(), contribution: 0.25 }],
    }
}

pub fn outcome(id: &str, value: &str, observed_at: &str) -> OutcomeReport {
    OutcomeReport { id: id.into(), outcome: value.into(), observed_at: at(observed_at), granted: true, source: None }
}

pub fn label() -> Label {
    Label { column: "loan_status".into(), bad: vec!["Charged Off".into()], good: vec!["Fully Paid".into()] }
}

/// A log of its own, and a plain connection to the same database.
async fn fresh(server: &Postgres) -> (Log, PgConnection) {
    let url = server.database().await;
    (clients::log(&url, None).unwrap(), connect(&url).await)
}

pub async fn count(connection: &mut PgConnection, table: &'static str) -> i64 {
    let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn keeps_every_field_of_a_record() {
    let server = Postgres::shared();
    let (log, mut plain) = fresh(&server).await;
    let written = Record { applicant_id: Some("p-7".into()), ..record("a", "2010-03", "2026-01-02T03:04:05.678901Z") };
    assert_eq!(log.write(std::slice::from_ref(&written)).await.unwrap(), 1);

    let (row,): (serde_json::Value,) = sqlx::query_as(
        "SELECT to_jsonb(row) || jsonb_build_object('answered_at', answered_at AT TIME ZONE 'UTC',
            'application_time', application_time AT TIME ZONE 'UTC') FROM decision AS row",
    )
    .fetch_one(&mut plain)
    .await
    .unwrap();
    let expected = json!({
        "decision_id": written.decision_id, "answered_at": "2026-01-02T03:04:05.678901", "role": "live",
        "application_id": "a", "applicant_id": "p-7", "application_time": "2010-03-01T00:00:00", "model": MODEL,
        "service": SERVICE, "version": 1, "run": "0123456789abcdef", "features": written.features, "score": -1.5,
        "probability": 0.17, "threshold": 0.2, "decision": "refuse", "reasons": written.reasons,
    });
    assert_eq!(row, expected);
    let read: Vec<_> = log.window(MODEL, SERVICE, 10, None).try_collect().await.unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].version, read[0].application_time), (1, written.application_time));
    assert_eq!((&read[0].features, read[0].score, read[0].probability), (&written.features, -1.5, 0.17));
}

#[tokio::test]
async fn takes_a_batch_once_however_often_it_comes() {
    let server = Postgres::shared();
    let (log, mut plain) = fresh(&server).await;
    let mut batch: Vec<_> = (0..100).map(|i| record(&i.to_string(), "2010-01", "2026-01-02T00:00:00Z")).collect();
    batch.push(Record { role: Role::Shadow, ..batch[0].clone() });
    assert_eq!(log.write(&batch).await.unwrap(), 101);
    assert_eq!(log.write(&batch).await.unwrap(), 0);
    batch.push(record("new", "2010-01", "2026-01-02T00:00:00Z"));
    batch.push(batch[101].clone());
    assert_eq!(log.write(&batch).await.unwrap(), 1);
    assert_eq!(log.write(&[]).await.unwrap(), 0);
    assert_eq!(count(&mut plain, "decision WHERE role = 'live'").await, 101);
}

#[tokio::test]
async fn divides_by_months_of_utc() {
    let server = Postgres::shared();
    let (log, mut plain) = fresh(&server).await;
    let times =
        ["2026-01-31T23:59:59.999999Z", "2026-02-01T00:00:00Z", "2026-02-28T23:00:00-02:00", "2025-12-31T00:00:00Z"];
    sqlx::query("SET timezone = 'Asia/Tokyo'").execute(&mut plain).await.unwrap();
    let batch: Vec<_> = times.iter().map(|time| record("a", "2010-01", time)).collect();
    assert_eq!(log.write(&batch).await.unwrap(), 4);
    for partition in ["decision_202512", "decision_202601", "decision_202602", "decision_202603"] {
        assert_eq!(count(&mut plain, partition).await, 1, "{partition}");
    }
    // A session of another time zone makes the same partitions.
    sqlx::query("SELECT ensure_decision_partition('2026-04-15')").execute(&mut plain).await.unwrap();
    assert_eq!(log.write(&[record("a", "2010-01", "2026-04-01T00:00:00Z")]).await.unwrap(), 1);
    assert_eq!(count(&mut plain, "decision_202604").await, 1);
}

#[tokio::test]
async fn lets_nothing_block_a_batch() {
    let server = Postgres::shared();
    let (log, mut plain) = fresh(&server).await;
    let odd = [
        Record { features: json!({"purpose\u{0}": "a\u{0}b", "x": 1e308}).as_object().unwrap().clone(), ..sane() },
        Record { score: f64::NAN, probability: f64::INFINITY, ..sane() },
        Record { application_id: "\u{0}\u{1F600}".repeat(5000), applicant_id: Some("y".repeat(100_000)), ..sane() },
        Record { application_time: Timestamp::MIN, ..sane() },
        Record { application_time: Timestamp::MAX, answered_at: Timestamp::MIN, ..sane() },
        Record { version: u32::MAX, ..sane() },
        Record { application_id: String::new(), model: "\t\\N\n".into(), ..sane() },
    ];
    assert_eq!(log.write(&odd).await.unwrap(), odd.len() as u64);
    let (longest,): (i32,) =
        sqlx::query_as("SELECT max(length(application_id)) FROM decision").fetch_one(&mut plain).await.unwrap();
    assert_eq!(usize::try_from(longest).unwrap(), MAX_ID);
    assert_eq!(log.window(MODEL, SERVICE, 10, None).try_collect::<Vec<_>>().await.unwrap().len(), odd.len() - 1);
}

fn sane() -> Record {
    record("a", "2010-01", "2026-01-02T00:00:00Z")
}

#[tokio::test]
async fn cuts_windows_in_the_order_of_the_loans() {
    let server = Postgres::shared();
    let (log, _) = fresh(&server).await;
    let numbered = |number: u128, month, answered| Record {
        decision_id: Uuid::from_u128(number),
        score: number as f64,
        ..record("a", month, answered)
    };
    let mut batch = vec![
        numbered(6, "2011-02", "2026-01-01T00:00:00Z"),
        numbered(5, "2011-01", "2026-02-01T00:00:01Z"),
        numbered(4, "2011-01", "2026-02-01T00:00:00Z"),
        numbered(3, "2011-01", "2026-02-01T00:00:00Z"),
        numbered(2, "2010-01", "2026-03-01T00:00:00Z"),
    ];
    batch.push(Record { role: Role::Shadow, ..numbered(7, "2012-01", "2026-01-01T00:00:00Z") });
    batch.push(Record { service: "other".into(), ..numbered(8, "2012-01", "2026-01-01T00:00:00Z") });
    batch.push(Record { version: 2, ..numbered(9, "2012-01", "2026-01-01T00:00:00Z") });
    log.write(&batch).await.unwrap();

    let scores = async |newest, version| -> Vec<f64> {
        log.window(MODEL, SERVICE, newest, version).map_ok(|row| row.score).try_collect().await.unwrap()
    };
    assert_eq!(scores(100, None).await, [2.0, 3.0, 4.0, 5.0, 6.0, 9.0]);
    assert_eq!(scores(3, Some(1)).await, [4.0, 5.0, 6.0]);
    assert_eq!(scores(3, Some(3)).await, [0.0; 0]);
}

#[tokio::test]
async fn takes_outcomes_by_their_rules() {
    let server = Postgres::shared();
    let (log, mut plain) = fresh(&server).await;
    log.write(&[record("1", "2010-01", "2026-01-02T00:00:00Z")]).await.unwrap();
    let (early, late) = ("2011-01-01T00:00:00Z", "2012-01-01T00:00:00Z");
    let reports = [outcome("1", "Fully Paid", early), outcome("2", "Charged Off", early)];
    let took = |accepted, repeated, conflicting, unknown| OutcomesTaken { accepted, repeated, conflicting, unknown };
    let none: [OutcomeReport; 0] = [];
    assert_eq!(log.write_outcomes(MODEL, &none).await.unwrap(), took(0, 0, 0, 0));
    assert_eq!(log.write_outcomes(MODEL, &reports).await.unwrap(), took(2, 0, 0, 1));
    assert_eq!(log.write_outcomes(MODEL, &reports).await.unwrap(), took(0, 2, 0, 0));

    let said_by_another = OutcomeReport { source: Some("bureau\u{0}".into()), ..reports[0].clone() };
    let not_granted = OutcomeReport { granted: false, ..reports[0].clone() };
    let mixed = [
        said_by_another,
        not_granted,
        outcome("1", "Charged Off", early),
        outcome("1", " Charged Off ", late),
        outcome("1", "Charged Off", late),
        outcome("1", "Fully Paid", late),
    ];
    assert_eq!(log.write_outcomes(MODEL, &mixed).await.unwrap(), took(1, 2, 3, 0));
    assert_eq!(log.write_outcomes(MODEL, &mixed).await.unwrap(), took(0, 3, 3, 0));
    assert_eq!(count(&mut plain, "outcome").await, 3);
    assert_eq!(count(&mut plain, "outcome_conflict").await, 3);
    assert_eq!(log.write_outcomes("demo/other", &reports).await.unwrap(), took(2, 0, 0, 2));
}

#[tokio::test]
async fn joins_the_newest_outcome_with_the_latest_decision() {
    let server = Postgres::shared();
    let (log, _) = fresh(&server).await;
    let again = Record {
        features: json!({"dti": 2}).as_object().unwrap().clone(),
        ..record("1", "2010-05", "2026-01-03T00:00:00Z")
    };
    let mut batch = vec![again];
    batch.extend(["1", "2", "3", "4", "5"].map(|id| record(id, "2010-03", "2026-01-02T00:00:00Z")));
    batch.push(Record { role: Role::Shadow, ..record("6", "2010-03", "2026-01-02T00:00:00Z") });
    log.write(&batch).await.unwrap();
    let refused = OutcomeReport { granted: false, ..outcome("4", "Charged Off", "2012-01-01T00:00:00Z") };
    let reports = [
        outcome("1", "Fully Paid", "2011-01-01T00:00:00Z"),
        outcome("1", "Charged Off", "2012-01-01T00:00:00Z"),
        outcome("2", "Fully Paid", "2011-01-01T00:00:00Z"),
        outcome("3", "Late", "2011-01-01T00:00:00Z"),
        outcome("4", "Charged Off", "2011-01-01T00:00:00Z"),
        refused,
        outcome("6", "Charged Off", "2011-01-01T00:00:00Z"),
        outcome("7", "Charged Off", "2011-01-01T00:00:00Z"),
    ];
    log.write_outcomes(MODEL, &reports).await.unwrap();

    let matured = async |before: Timestamp| -> Vec<(String, String, serde_json::Value)> {
        let rows = log.matured(MODEL, before, &label());
        rows.map_ok(|row| (row.application_id, row.outcome, row.features["dti"].clone())).try_collect().await.unwrap()
    };
    let expected = [("2", "Fully Paid", json!(11.25)), ("1", "Charged Off", json!(2))];
    assert_eq!(matured(Timestamp::MAX).await, expected.map(|(id, value, dti)| (id.into(), value.into(), dti)));
    assert!(matured(at("2026-01-01T00:00:00Z")).await.is_empty());
}

#[tokio::test]
async fn counts_what_went_bad_since() {
    let server = Postgres::shared();
    let (log, mut plain) = fresh(&server).await;
    log.write(&["1", "2", "3", "4"].map(|id| record(id, "2010-03", "2026-01-02T00:00:00Z"))).await.unwrap();
    let early = ["1", "2", "3", "unknown"].map(|id| outcome(id, "Charged Off", "2011-01-01T00:00:00Z"));
    log.write_outcomes(MODEL, &early).await.unwrap();
    let (pin,): (String,) =
        sqlx::query_as("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            .fetch_one(&mut plain)
            .await
            .unwrap();
    let late = [
        outcome("1", "Charged Off", "2012-01-01T00:00:00Z"),
        outcome("2", "Fully Paid", "2012-01-01T00:00:00Z"),
        outcome("4", "Charged Off", "2012-01-01T00:00:00Z"),
    ];
    log.write_outcomes(MODEL, &late).await.unwrap();
    let bad = ["Charged Off".to_owned(), "Default".to_owned()];
    assert_eq!(log.new_bad(MODEL, &bad, None).await.unwrap(), 3);
    assert_eq!(log.new_bad(MODEL, &bad, Some(at(&pin))).await.unwrap(), 1);
    assert_eq!(log.new_bad("demo/other", &bad, None).await.unwrap(), 0);
}
