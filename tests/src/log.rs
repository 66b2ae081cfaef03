//! The prediction log as an auditor reads it: straight from Postgres.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use sqlx::{PgPool, Row as _, postgres::PgPoolOptions};
use underwriter_contract::predict::Answer;

/// A connection to the story's database.
pub struct Log {
    pool: PgPool,
}

/// One live row, as far as a client can check it.
#[derive(Debug, PartialEq)]
pub struct LoggedDecision {
    /// The application's id.
    pub id: String,
    /// The version that decided.
    pub version: u32,
    /// The probability it gave.
    pub probability: f64,
}

impl Log {
    /// Connects to the database that `cluster/postgres.sh` started.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn connect() -> Result<Self> {
        let home = std::env::var("HOME").context("HOME is not set")?;
        let path = PathBuf::from(home).join(".cache/underwriter/postgres/secret.env");
        let secret = fs::read_to_string(&path).with_context(|| format!("no {}: is the cluster up?", path.display()))?;
        let url =
            secret.lines().find_map(|line| line.strip_prefix("DATABASE_URL=")).context("no DATABASE_URL in it")?;
        Ok(Self { pool: PgPoolOptions::new().max_connections(2).connect(url).await? })
    }

    /// Every live decision of a service by its id.
    ///
    /// # Errors
    /// Whatever Postgres says.
    pub async fn decisions(&self, service: &str) -> Result<BTreeMap<String, LoggedDecision>> {
        let query = "select decision_id::text, application_id, version, probability from decision \
                     where service = $1 and role = 'live'";
        let rows = sqlx::query(query).bind(service).fetch_all(&self.pool).await?;
        let one = |row: sqlx::postgres::PgRow| -> Result<_> {
            let version = u32::try_from(row.try_get::<i64, _>(2)?)?;
            Ok((row.try_get(0)?, LoggedDecision { id: row.try_get(1)?, version, probability: row.try_get(3)? }))
        };
        let count = rows.len();
        let decisions: BTreeMap<_, _> = rows.into_iter().map(one).collect::<Result<_>>()?;
        ensure!(decisions.len() == count, "{} of {count} rows repeat a decision", count - decisions.len());
        Ok(decisions)
    }

    /// Waits until the log holds exactly what a client was answered: every decision once, with the same version and
    /// probability, and nothing else.
    ///
    /// # Errors
    /// When it does not within a minute, with the first difference.
    pub async fn equals(&self, service: &str, answers: &BTreeMap<String, Answer>) -> Result<()> {
        let logged = self.holds(service, answers).await?;
        ensure!(logged == answers.len(), "the log has {logged} decisions, the client got {}", answers.len());
        Ok(())
    }

    /// Waits until the log holds every answer, with the same version and probability; how many decisions it has, those
    /// included that were answered meanwhile.
    ///
    /// # Errors
    /// When it does not within a minute, with the first difference.
    pub async fn holds(&self, service: &str, answers: &BTreeMap<String, Answer>) -> Result<usize> {
        let mut tries = 0;
        loop {
            let logged = self.decisions(service).await?;
            let Err(error) = compare(&logged, answers) else { return Ok(logged.len()) };
            tries += 1;
            ensure!(tries < 60, error);
            tokio::time::sleep(std::time::Duration::from_secs(1)).await; // the spool ships in batches
        }
    }
}

/// The first answer that the log does not have as the client got it.
fn compare(logged: &BTreeMap<String, LoggedDecision>, answers: &BTreeMap<String, Answer>) -> Result<()> {
    for (decision, answer) in answers {
        let Answer { id, version, probability, .. } = answer;
        let expected = LoggedDecision { id: id.clone(), version: *version, probability: *probability };
        let row = logged
            .get(decision)
            .with_context(|| format!("decision {decision} of application {id} is not in the log"))?;
        ensure!(*row == expected, "decision {decision}: the client got {expected:?}, the log has {row:?}");
    }
    Ok(())
}
