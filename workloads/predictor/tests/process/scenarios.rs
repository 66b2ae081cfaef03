//! What clients got, against what is kept, through kills, outages and endings.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use sqlx::Row as _;
use tokio::time::sleep;
use underwriter_contract::serving::Analysis;
use underwriter_data::{
    log::{self, Log, Record},
    store::{self, Store},
};
use underwriter_predictor::{
    metrics::LogMetrics,
    spool::{refuge::Refuge, segment},
};
use underwriter_servers::{Folder, Postgres, connect, free_port};

use crate::{
    artifact,
    clients::{Clients, Seen},
    predictor::{PATIENCE, Predictor, folder_with},
};

/// Enough answers that a kill finds some on their way.
const ANSWERS: u64 = 2_000;

fn model() -> Folder {
    folder_with(&artifact::manifest(1))
}

async fn until_answered(predictor: &Predictor, wanted: u64) {
    for _ in 0..PATIENCE.as_millis() / 20 {
        let analysis: Analysis = reqwest::get(predictor.admin("/analysis")).await.unwrap().json().await.unwrap();
        if analysis.versions[0].predictions >= wanted {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("there were no {wanted} answers in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answered_decision_is_in_the_spool_of_a_killed_process() {
    let folder = model();
    let away = format!("postgresql://nobody@127.0.0.1:{}/none", free_port());
    let mut predictor = Predictor::start(&folder, &away).ready().await;
    let clients = Clients::start(&predictor.api("/predict"), 4);
    until_answered(&predictor, ANSWERS).await;
    predictor.signal("-KILL");
    predictor.wait();
    let Seen { answers, failures } = clients.stop().await;
    assert!(!failures.is_empty(), "clients count a killed process");

    let (segments, _) = segment::survey(&folder.path().join("spool")).unwrap();
    let spooled: BTreeSet<String> = segments
        .iter()
        .flat_map(|sealed| sealed.read::<Record>().unwrap().records)
        .map(|record| record.decision_id.to_string())
        .collect();
    let lost: Vec<_> = answers.keys().filter(|id| !spooled.contains(*id)).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), answers.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_equal_answers_through_outage_and_kill() {
    let (folder, mut postgres) = (model(), Postgres::start(None));
    let log = postgres.database().await;
    let mut predictor = Predictor::start(&folder, &log).ready().await;
    let clients = Clients::start(&predictor.api("/predict"), 2);
    until_answered(&predictor, ANSWERS).await;
    postgres.kill();
    until_answered(&predictor, 2 * ANSWERS).await;
    postgres.resume();
    until_answered(&predictor, 3 * ANSWERS).await;
    postgres.kill();
    until_answered(&predictor, 4 * ANSWERS).await;
    let before = clients.stop().await;
    assert_eq!(before.failures, [""; 0], "an outage of the log fails no request");
    predictor.signal("-KILL");
    predictor.wait();

    postgres.resume();
    let mut predictor = Predictor::start(&folder, &log).ready().await;
    let clients = Clients::start(&predictor.api("/predict"), 1);
    until_answered(&predictor, 100).await;
    let after = clients.stop().await;
    predictor.signal("-TERM");
    assert!(predictor.wait().success(), "{}", predictor.output());

    let mut connection = connect(&log).await;
    let rows = sqlx::query(
        "SELECT decision_id::text, application_id, probability, decision FROM decision WHERE role = 'live'",
    );
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    let logged: BTreeSet<(String, String, u64, String)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get::<f64, _>(2).to_bits(), row.get(3))).collect();
    let answers = before.answers.into_values().chain(after.answers.into_values());
    let answered: BTreeSet<_> = answers
        .map(|answer| {
            let decision = json!(answer.decision).as_str().unwrap().to_owned();
            (answer.decision_id, answer.id, answer.probability.to_bits(), decision)
        })
        .collect();
    assert_eq!(rows.len(), logged.len(), "no decision twice");
    assert_eq!(logged, answered);
    let (left, _) = segment::survey(&folder.path().join("spool")).unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_the_process_ends() {
    let (folder, postgres) = (model(), Postgres::shared());
    let log = postgres.database().await;
    let mut predictor = Predictor::start(&folder, &log).ready().await;
    let clients = Clients::start(&predictor.api("/predict"), 4);
    until_answered(&predictor, 500).await;
    predictor.signal("-TERM");
    sleep(Duration::from_millis(500)).await;
    let ready = reqwest::get(predictor.admin("/readyz")).await.unwrap();
    assert_eq!(ready.status(), 503);
    until_answered(&predictor, 1000).await;
    let Seen { answers, failures } = clients.stop().await;
    assert_eq!(failures, [""; 0], "of {} requests", answers.len());
    assert!(predictor.wait().success(), "{}", predictor.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_pod_takes_in_what_one_left_in_the_store() {
    let (folder, postgres, shelf) = (model(), Postgres::shared(), Folder::new("shelf"));
    let database = postgres.database().await;
    let away = format!("postgresql://nobody@127.0.0.1:{}/none", free_port());
    let mut predictor = Predictor::start(&folder, &away).ready().await;
    let clients = Clients::start(&predictor.api("/predict"), 1);
    until_answered(&predictor, 100).await;
    let answered = clients.stop().await.answers.len() as u64;
    predictor.signal("-KILL");
    predictor.wait();

    let settings = store::Settings::read("NONE_", None, |_| None).unwrap();
    let version = format!("{}/consumer-loans/1-run/", shelf.path().display());
    let refuge = Refuge::beside(Store::new(settings).with_files(), &version, "loan-api").unwrap();
    assert_eq!(refuge.bring(&folder.path().join("spool"), "pod-a").await.unwrap(), 1);

    let log = log::Settings::read("LOG_", None, |_| Some(database.clone())).map(Log::new).unwrap();
    assert_eq!(refuge.take_in(&log, &LogMetrics::default()).await.unwrap(), answered);
    assert_eq!(refuge.take_in(&log, &LogMetrics::default()).await.unwrap(), 0);
    let rows = sqlx::query("SELECT count(*) FROM decision").fetch_one(&mut connect(&database).await).await.unwrap();
    assert_eq!(rows.get::<i64, _>(0).cast_unsigned(), answered);
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_acknowledged_when_they_are_committed() {
    let (folder, mut postgres) = (model(), Postgres::start(None));
    let log = postgres.database().await;
    let predictor = Predictor::start(&folder, &log).ready().await;
    let client = reqwest::Client::new();
    let send = |body: Value| client.post(predictor.api("/outcomes")).json(&body).send();
    let outcome = |id: &str, value: &str| json!({"id": id, "outcome": value, "observedAt": "2011-12-01T00:00:00Z"});

    let several = json!({"outcomes": [outcome("1", "Fully Paid"), outcome("2", "Charged Off")]});
    let taken: Value = send(several.clone()).await.unwrap().json().await.unwrap();
    assert_eq!(taken, json!({"accepted": 2, "repeated": 0, "conflicting": 0, "unknown": 2}));
    let taken: Value = send(several.clone()).await.unwrap().json().await.unwrap();
    assert_eq!(taken, json!({"accepted": 0, "repeated": 2, "conflicting": 0, "unknown": 0}));
    assert_eq!(send(outcome("3", "Current")).await.unwrap().status(), 422);

    postgres.kill();
    let away = send(outcome("3", "Fully Paid")).await.unwrap();
    assert_eq!((away.status().as_u16(), away.headers().contains_key("retry-after")), (503, true));
    postgres.resume();
    let taken: Value = send(outcome("3", "Fully Paid")).await.unwrap().json().await.unwrap();
    assert_eq!(taken["accepted"], 1);
}

#[test]
fn an_artifact_that_is_none_ends_the_process_with_a_clear_word() {
    let folder = model();
    let manifest = folder.path().join("manifest.json");
    std::fs::write(&manifest, "{\"format\": 1, \"model\"").unwrap();
    let mut predictor = Predictor::start(&folder, "");
    assert_eq!(predictor.wait().code(), Some(2));
    assert!(predictor.output().contains("manifest.json"), "{}", predictor.output());
}
