//! Outcomes, as they are reported.

use sqlx::{Acquire as _, PgConnection, Postgres, postgres::PgArguments, query::QueryAs};

use super::{
    Log, LogError, OutcomeReport, OutcomesTaken, WRITE,
    copy::{cut, storable},
    utc::Utc,
};

/// Begins a sentence with the reports, in their order.
macro_rules! with_reports {
    ($sentence:literal) => {
        concat!(
            "WITH report AS (
                SELECT * FROM unnest($2::text[], $3::text[], $4::boolean[], $5, $6::text[])
                WITH ORDINALITY AS row (application_id, value, granted, observed_at, source, position)
            ), ",
            $sentence
        )
    };
}

/// In the order of the key, so that two calls with rows in common wait for each other and never both.
const TAKE: &str = with_reports!(
    "taken AS (
        INSERT INTO outcome (model, application_id, value, granted, observed_at, source)
        SELECT $1, application_id, value, granted, observed_at, source FROM report
        ORDER BY application_id, observed_at, position
        ON CONFLICT DO NOTHING
        RETURNING application_id
    )
    SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
        SELECT FROM decision WHERE model = $1 AND application_id = taken.application_id
    )) FROM taken"
);

/// After [`TAKE`], every report has its row: its own, or one that was there.
const SET_ASIDE: &str = with_reports!(
    "conflicting AS (
        SELECT report.* FROM report JOIN outcome USING (application_id, observed_at)
        WHERE outcome.model = $1 AND (outcome.value, outcome.granted) <> (report.value, report.granted)
    ), aside AS (
        INSERT INTO outcome_conflict (model, application_id, value, granted, observed_at, source)
        SELECT $1, application_id, value, granted, observed_at, source FROM conflicting
        ORDER BY application_id, observed_at, value, granted
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM conflicting"
);

impl Log {
    /// Takes some outcomes, all or none. An identical repeat changes nothing; another value for a moment that has one
    /// is set aside; an id that the log does not know yet is taken and counted.
    ///
    /// # Errors
    /// Nothing was taken, and why.
    pub async fn write_outcomes(&self, model: &str, reports: &[OutcomeReport]) -> Result<OutcomesTaken, LogError> {
        let mut connection = self.connection().await?;
        let ended = tokio::time::timeout(WRITE, take(&mut connection, model, reports)).await;
        self.settle(connection, ended)
    }
}

async fn take(connection: &mut PgConnection, model: &str, reports: &[OutcomeReport]) -> sqlx::Result<OutcomesTaken> {
    let mut transaction = connection.begin().await?;
    let taking = bind(sqlx::query_as(TAKE), model, reports);
    let (accepted, unknown): (i64, i64) = taking.fetch_one(&mut *transaction).await?;
    let setting_aside = bind(sqlx::query_as(SET_ASIDE), model, reports);
    let (conflicting,): (i64,) = setting_aside.fetch_one(&mut *transaction).await?;
    transaction.commit().await?;

    let repeated = reports.len() as i64 - accepted - conflicting;
    let [accepted, repeated, conflicting, unknown] =
        [accepted, repeated, conflicting, unknown].map(|count| u64::try_from(count).unwrap_or(0));
    Ok(OutcomesTaken { accepted, repeated, conflicting, unknown })
}

fn bind<'a, T>(
    query: QueryAs<'a, Postgres, T, PgArguments>,
    model: &'a str,
    reports: &'a [OutcomeReport],
) -> QueryAs<'a, Postgres, T, PgArguments> {
    let texts = |text: fn(&OutcomeReport) -> &str| -> Vec<_> {
        reports.iter().map(|report| storable(text(report)).into_owned()).collect()
    };
    let sources = reports.iter().map(|report| report.source.as_deref().map(|source| storable(source).into_owned()));
    query
        .bind(model)
        .bind(texts(|report| cut(&report.id)))
        .bind(texts(|report| report.outcome.trim()))
        .bind(reports.iter().map(|report| report.granted).collect::<Vec<_>>())
        .bind(reports.iter().map(|report| Utc(report.observed_at)).collect::<Vec<_>>())
        .bind(sources.collect::<Vec<_>>())
}
