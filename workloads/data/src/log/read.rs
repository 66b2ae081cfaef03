//! What monitors and training read.

use futures::{StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use serde_json::{Map, Value};
use sqlx::{FromRow, Postgres, postgres::PgArguments, postgres::PgRow, query::QueryAs};

use super::{BoxStream, Label, Log, LogError, Timestamp, utc::Utc};

const WINDOW: &str = "
    SELECT version, application_time, features, score, probability FROM (
        SELECT * FROM decision
        WHERE model = $1 AND service = $2 AND role = 'live' AND ($4::bigint IS NULL OR version = $4)
        ORDER BY application_time DESC, answered_at DESC, decision_id DESC
        LIMIT $3
    ) newest
    ORDER BY application_time, answered_at, decision_id";

const MATURED: &str = "
    WITH newest AS (
        SELECT DISTINCT ON (application_id) application_id, value, granted, observed_at FROM outcome
        WHERE model = $1 AND received_at < $2
        ORDER BY application_id, observed_at DESC
    ), latest AS (
        SELECT DISTINCT ON (application_id) application_id, application_time, features, value, observed_at
        FROM newest JOIN decision USING (application_id)
        WHERE granted AND value = ANY($3) AND model = $1 AND role = 'live' AND answered_at < $2
        ORDER BY application_id, answered_at DESC, decision_id DESC
    )
    SELECT application_id, application_time, features, value AS outcome, observed_at FROM latest
    ORDER BY application_time, application_id";

const NEW_BAD: &str = "
    WITH newest AS (
        SELECT DISTINCT ON (application_id) application_id, value, granted FROM outcome
        WHERE model = $1
        ORDER BY application_id, observed_at DESC
    )
    SELECT count(*) FROM newest
    WHERE granted AND value = ANY($2)
    AND EXISTS (
        SELECT FROM decision WHERE model = $1 AND application_id = newest.application_id AND role = 'live'
    )
    AND NOT EXISTS (
        SELECT FROM outcome known
        WHERE known.model = $1 AND known.application_id = newest.application_id
        AND known.granted AND known.value = ANY($2) AND known.received_at < $3
    )";

/// A live decision, as a monitor sees it.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Prediction {
    /// The version that answered.
    #[sqlx(try_from = "i64")]
    pub version: u32,
    /// When the application was made.
    #[sqlx(try_from = "Utc")]
    pub application_time: Timestamp,
    /// Its columns.
    #[sqlx(json)]
    pub features: Map<String, Value>,
    /// In log-odds, before calibration.
    pub score: f64,
    /// Calibrated.
    pub probability: f64,
}

/// An application whose outcome is known.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Matured {
    /// Its id.
    pub application_id: String,
    /// When it was made.
    #[sqlx(try_from = "Utc")]
    pub application_time: Timestamp,
    /// Its columns, as they were when it was last decided.
    #[sqlx(json)]
    pub features: Map<String, Value>,
    /// How the loan ended: one of the label's values.
    pub outcome: String,
    /// When that was seen.
    #[sqlx(try_from = "Utc")]
    pub observed_at: Timestamp,
}

impl Log {
    /// The newest live decisions of a service, oldest first, by application time, then answer time, then decision id;
    /// only those of one version where one is given.
    pub fn window<'a>(
        &'a self,
        model: &'a str,
        service: &'a str,
        predictions: u32,
        answered_by: Option<u32>,
    ) -> BoxStream<'a, Result<Prediction, LogError>> {
        let query = sqlx::query_as(WINDOW).bind(model).bind(service);
        self.rows(query.bind(i64::from(predictions)).bind(answered_by.map(i64::from)))
    }

    /// The applications whose outcome had been received before a moment: for each the newest observation, where that
    /// says that the loan was granted and ended with one of the label's values, joined with its latest live decision
    /// of before that moment. In the order of the applications' times, then ids.
    pub fn matured<'a>(
        &'a self,
        model: &'a str,
        received_before: Timestamp,
        label: &Label,
    ) -> BoxStream<'a, Result<Matured, LogError>> {
        let finished: Vec<String> = label.bad.iter().chain(&label.good).cloned().collect();
        self.rows(sqlx::query_as(MATURED).bind(model).bind(Utc(received_before)).bind(finished))
    }

    /// How many applications with a live decision have gone bad by outcomes received at or after a moment (ever,
    /// without one): what there is to learn from for a version whose outcomes were pinned at that moment.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn new_bad(&self, model: &str, bad: &[String], after: Option<Timestamp>) -> Result<u64, LogError> {
        self.prepare().await?;
        let query = sqlx::query_scalar(NEW_BAD).bind(model).bind(bad).bind(after.map(Utc));
        let count: i64 = query.fetch_one(&self.reader).await.map_err(|error| self.fault(&error))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn rows<'a, T>(&'a self, query: QueryAs<'a, Postgres, T, PgArguments>) -> BoxStream<'a, Result<T, LogError>>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'a,
    {
        let rows = move |()| query.fetch(&self.reader).map_err(|error| self.fault(&error));
        self.prepare().map_ok(rows).try_flatten_stream().boxed()
    }
}
