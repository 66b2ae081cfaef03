//! The log holds what clients were answered, also when Postgres is away and when a predictor is killed.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use underwriter_tests::{client::Seen, log::Log};

use crate::{
    asking::{Asking, all_counted, none_failed},
    process,
    space::{Space, all_ready, full, until, within},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn after_postgres_was_away() -> Result<()> {
    within("log-outage", async |space| {
        space.trained().await?;
        let client = space.served(30_702, |_| ()).await?;
        let asking = Asking::start(&client, space.applications());
        asking.answered(100, 30).await?;

        postgres("stop")?;
        let during = outage(&asking).await;
        postgres("start")?;

        during.context("while Postgres was away")?;
        asking.answered(100, 30).await?;
        let seen = asking.stop().await;
        none_failed(&seen)?;
        Log::connect().await?.equals(&space.service, &seen.answers).await
    })
    .await
}

/// Answers go on while the log is away; there is nothing to wait for but time.
async fn outage(asking: &Asking) -> Result<()> {
    tokio::time::sleep(Duration::from_secs(if full() { 60 } else { 15 })).await;
    asking.answered(100, 30).await
}

fn postgres(action: &str) -> Result<()> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../cluster/postgres.sh");
    process::run(script.to_str().context("the checkout's path is not UTF-8")?, &[action])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn after_a_predictor_was_killed() -> Result<()> {
    within("log-kill", async |space| {
        space.trained().await?;
        let client = space.served(30_703, |_| ()).await?;
        let asking = Asking::start(&client, space.applications());
        asking.answered(100, 30).await?;

        let pod = space.pods().await?.remove(0);
        let killed = process::of_pod(&pod).context("the pod has no process")?;
        process::kill(killed)?;

        let again = async || process::of_pod(&pod).filter(|process| *process != killed);
        until(60, "the process started again", again).await?;
        space.service(120, "all pods ready again", all_ready).await?;
        asking.answered(100, 30).await?;
        let seen = asking.stop().await;
        all_counted(&seen)?;
        holds_every_answer(space, &seen).await
    })
    .await
}

/// Each answer once, as it was given. The killed process may have written decisions whose answers never left, but no
/// more of them than requests that failed.
async fn holds_every_answer(space: &Space, seen: &Seen) -> Result<()> {
    let log = Log::connect().await?;
    let logged = until(60, "every answer in the log", async || {
        let logged = log.decisions(&space.service).await.ok()?;
        seen.answers.keys().all(|decision| logged.contains_key(decision)).then_some(logged)
    });
    let logged = logged.await?;
    for (decision, answer) in &seen.answers {
        let row = &logged[decision];
        let same = (&row.id, row.version, row.probability) == (&answer.id, answer.version, answer.probability);
        ensure!(same, "the client got {answer:?}, the log has {row:?}");
    }
    let (unknown, failed) = (logged.len() - seen.answers.len(), seen.failures.len());
    ensure!(unknown <= failed, "{unknown} decisions in the log that nobody got, {failed} requests failed");
    Ok(())
}
