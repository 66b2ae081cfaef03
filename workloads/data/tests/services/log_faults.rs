//! The log when things go wrong around it.

use std::{ops::Range, time::Duration};

use futures::{
    TryStreamExt as _,
    future::{join_all, try_join_all},
};
use underwriter_data::log::{Log, LogErrorKind};
use underwriter_servers::{Postgres, connect, free_port};

use crate::{
    clients,
    log::{MODEL, at, count, label, outcome, record},
};

#[tokio::test]
async fn migrates_once_under_several_pods() {
    let server = Postgres::shared();
    let url = server.database().await;
    let pods: Vec<Log> = (0..8).map(|_| clients::log(&url, None).unwrap()).collect();
    try_join_all(pods.iter().map(Log::prepare)).await.unwrap();

    let batch: Vec<_> =
        (0..50).map(|i| record(&i.to_string(), "2010-01", &format!("2026-0{}-02T00:00:00Z", 1 + i % 6))).collect();
    let reversed: Vec<_> = batch.iter().rev().cloned().collect();
    let written =
        join_all(pods.iter().enumerate().map(|(i, pod)| pod.write(if i % 2 == 0 { &batch } else { &reversed })));
    let written: u64 = written.await.into_iter().map(Result::unwrap).sum();
    assert_eq!(written, 50);
    let mut plain = connect(&url).await;
    assert_eq!(count(&mut plain, "decision").await, 50);
    assert_eq!(count(&mut plain, "pg_inherits WHERE inhparent = 'decision'::regclass").await, 6);
}

#[tokio::test]
async fn lives_beside_a_newer_schema() {
    let server = Postgres::shared();
    let url = server.database().await;
    clients::log(&url, None).unwrap().prepare().await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'of a later release', true, '', 0)";
    sqlx::query(newer).execute(&mut connect(&url).await).await.unwrap();
    clients::log(&url, None).unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn names_each_fault_by_its_kind() {
    let server = Postgres::shared();
    let nobody = format!("postgresql://underwriter:secret@127.0.0.1:{}/test", free_port());
    let unnamed = "postgresql://underwriter:secret@postgres.no-such-name.invalid:5432/test".to_owned();
    let faults = [
        (server.url("underwriter:hunter2", "postgres"), LogErrorKind::AccessDenied),
        (server.url("underwriter:secret", "no_such_database"), LogErrorKind::NotFound),
        (server.url("underwriter:secret", "postgres") + "?sslmode=require", LogErrorKind::Unreachable),
        (nobody, LogErrorKind::Unreachable),
        (unnamed, LogErrorKind::Unreachable),
    ];
    for (url, kind) in faults {
        let error = clients::log(&url, None).unwrap().ping().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(text.contains("postgresql://") && !text.contains("secret@") && !text.contains("hunter2"), "{text}");
    }
    for url in ["", "mysql://localhost/test", "postgresql://[", "postgresql://localhost/test?sslmode=sometimes"] {
        assert_eq!(clients::log(url, None).err().map(|error| error.kind()), Some(LogErrorKind::Invalid), "{url}");
    }
}

#[tokio::test]
async fn may_send_again_what_broke_off() {
    let mut server = Postgres::start(None);
    let url = server.database().await;
    let log = clients::log(&url, None).unwrap();
    let first = [record("1", "2010-01", "2026-01-02T00:00:00Z")];
    log.write(&first).await.unwrap();

    // The batch stands in staging and waits for this lock when the server is killed.
    let mut lock = connect(&url).await;
    sqlx::raw_sql("BEGIN; LOCK TABLE decision IN EXCLUSIVE MODE").execute(&mut lock).await.unwrap();
    let batch: Vec<_> = (2..500).map(|i| record(&i.to_string(), "2010-01", "2026-01-02T00:00:00Z")).collect();
    let writing = tokio::spawn({
        let (log, batch) = (log.clone(), batch.clone());
        async move { log.write(&batch).await }
    });
    let waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)";
    while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut lock).await.unwrap() {
        tokio::task::yield_now().await;
    }
    server.kill();
    let error = writing.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unreachable, "{error}");

    server.resume();
    assert_eq!(log.write(&batch).await.unwrap(), 498);
    assert_eq!(log.write(&first).await.unwrap(), 0);
    assert_eq!(count(&mut connect(&url).await, "decision").await, 499);
}

/// Right after a replay the planner knows nothing of the rows: it takes them for a few, whose loops cost nothing.
#[tokio::test]
async fn joins_many_rows_in_time_without_statistics() {
    const ROWS: usize = 20_000;
    let server = Postgres::shared();
    let url = server.database().await;
    let log = clients::log(&url, None).unwrap();
    let fill = async |ids: Range<usize>| {
        let records: Vec<_> =
            ids.clone().map(|id| record(&id.to_string(), "2010-01", "2026-01-02T00:00:00Z")).collect();
        log.write(&records).await.unwrap();
        let outcomes: Vec<_> = ids.map(|id| outcome(&id.to_string(), "Fully Paid", "2012-01-01T00:00:00Z")).collect();
        log.write_outcomes(MODEL, &outcomes).await.unwrap();
    };
    fill(0..1).await;
    let unknown = "ALTER TABLE outcome SET (autovacuum_enabled = off);
        ALTER TABLE decision_202601 SET (autovacuum_enabled = off)";
    sqlx::raw_sql(unknown).execute(&mut connect(&url).await).await.unwrap();
    fill(1..ROWS).await;
    let (label, in_time) = (label(), at("2100-01-01T00:00:00Z"));
    let matured = log.matured(MODEL, in_time, &label).try_collect::<Vec<_>>();
    let matured = tokio::time::timeout(Duration::from_secs(60), matured).await.expect("joined row by row");
    assert_eq!(matured.unwrap().len(), ROWS);
}
