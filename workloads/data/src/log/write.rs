//! Decisions, in batches.

use sqlx::{Acquire as _, Executor as _, PgConnection};

use super::{Log, LogError, Record, WRITE, copy, utc::Utc};

/// One a connection, emptied by each commit. It has the log's columns but none of its constraints.
const STAGING: &str = "CREATE TEMPORARY TABLE IF NOT EXISTS decision_staging (LIKE decision) ON COMMIT DELETE ROWS";

/// In a sentence of its own, so that its locks are short. It makes what is missing and nothing else.
const PARTITIONS: &str = "SELECT ensure_decision_partition(month) FROM (
        SELECT DISTINCT date_trunc('month', answered_at AT TIME ZONE 'UTC')::date AS month
        FROM unnest($1) AS batch (answered_at)
    ) months ORDER BY month";

impl Log {
    /// Writes a batch, all or nothing, and returns how many of its rows were not there before. Safe to repeat, with
    /// any other batch at the same time.
    ///
    /// # Errors
    /// Nothing of it was written, as far as is known; send it again.
    pub async fn write(&self, records: &[Record]) -> Result<u64, LogError> {
        if records.is_empty() {
            return Ok(0);
        }
        let mut connection = self.connection().await?;
        let ended = tokio::time::timeout(WRITE, insert(&mut connection, records)).await;
        self.settle(connection, ended)
    }
}

async fn insert(connection: &mut PgConnection, records: &[Record]) -> sqlx::Result<u64> {
    let times: Vec<Utc> = records.iter().map(|record| Utc(record.answered_at)).collect();
    sqlx::query(PARTITIONS).bind(times).execute(&mut *connection).await?;

    let mut transaction = connection.begin().await?;
    transaction.execute(STAGING).await?;
    let mut copy = transaction.copy_in_raw(&copy_sentence()).await?;
    copy.send(copy::encode(records)).await?;
    copy.finish().await?;
    let inserted = sqlx::query(sqlx::AssertSqlSafe(insert_sentence())).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(inserted.rows_affected())
}

fn copy_sentence() -> String {
    format!("COPY decision_staging ({}) FROM STDIN (FORMAT binary)", copy::COLUMNS)
}

/// In the order of the key, so that two batches with rows in common wait for each other and never both.
fn insert_sentence() -> String {
    let columns = copy::COLUMNS;
    format!(
        "INSERT INTO decision ({columns}) SELECT {columns} FROM decision_staging \
         ORDER BY answered_at, decision_id, role ON CONFLICT DO NOTHING"
    )
}
