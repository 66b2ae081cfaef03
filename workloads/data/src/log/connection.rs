//! Reaching the log: settings, pool, migrations.

use std::{sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgConnection, Postgres,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    sync::OnceCell,
    time::{error::Elapsed, timeout},
};

use super::{Log, LogError, LogErrorKind};
use crate::roots::Roots;

/// Enough for a pod: the log is written in batches.
const CONNECTIONS: u32 = 4;
/// How long a connection may take to come about.
const ACQUIRE: Duration = Duration::from_secs(10);
/// How long a ping may take.
const PING: Duration = Duration::from_secs(5);
/// How long migrations may take, the wait for another pod's included.
const MIGRATE: Duration = Duration::from_secs(300);

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How to reach the log. Has no `Debug`, so that the password is in no log.
#[derive(Clone)]
pub struct Settings(PgConnectOptions);

impl Settings {
    /// Reads `<prefix>DATABASE_URL`, `postgresql://user:password@host:port/database?sslmode=verify-full`. Extra roots
    /// count for `sslmode` `verify-ca` and `verify-full`.
    ///
    /// # Errors
    /// The variable is missing, or is no such URL.
    pub fn read(
        prefix: &str,
        roots: Option<&Roots>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, LogError> {
        let name = format!("{prefix}DATABASE_URL");
        let invalid = |cause: &dyn std::fmt::Display| LogError::new(LogErrorKind::Invalid, &name, cause);
        let url = variable(&name).filter(|url| !url.is_empty()).ok_or_else(|| invalid(&"is not set"))?;
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(invalid(&"does not start with postgresql://"));
        }
        let options: PgConnectOptions = url.parse().map_err(|error| invalid(&error))?;
        // Notices tell that what is there already was not made again: that is the normal case here.
        let options = options.application_name("underwriter").options([("client_min_messages", "warning")]);
        let trusting = roots.map(|roots| options.clone().ssl_root_cert_from_pem(roots.pem().to_vec()));
        Ok(Self(trusting.unwrap_or(options)))
    }

    fn place(&self) -> String {
        let database = self.0.get_database().unwrap_or_else(|| self.0.get_username());
        format!("postgresql://{}:{}/{database}", self.0.get_host(), self.0.get_port())
    }
}

impl Log {
    /// The log whose URL is in the environment under a prefix
    /// ([`LOG_PREFIX`](underwriter_contract::request::LOG_PREFIX)); nothing is contacted yet.
    ///
    /// # Errors
    /// As [`Settings::read`], or the CA bundle cannot be read.
    pub fn from_env(prefix: &str) -> Result<Self, LogError> {
        let roots =
            Roots::from_env().map_err(|error| LogError::new(LogErrorKind::Invalid, "root certificates", error))?;
        Settings::read(prefix, roots.as_ref(), |name| std::env::var(name).ok()).map(Self::new)
    }

    /// The log behind these settings; nothing is contacted yet. Must be called within a runtime.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let place = settings.place().into();
        let pool = |options| {
            PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE).connect_lazy_with(options)
        };
        // Whole tables are joined for a training run. Right after many rows came in, the planner's statistics know
        // nothing of them, and the nested loop that it would choose for a few rows takes minutes for many.
        let reader = pool(settings.0.clone().options([("enable_nestloop", "off")]));
        Self { pool: pool(settings.0), reader, prepared: Arc::new(OnceCell::new()), place }
    }

    /// Whether the log answers, with its schema up to date.
    ///
    /// # Errors
    /// It does not, and why.
    pub async fn ping(&self) -> Result<(), LogError> {
        let mut connection = self.connection().await?;
        let ended = timeout(PING, connection.ping()).await;
        self.settle(connection, ended)
    }

    /// Brings the schema up to date, once in the life of this value. Every other operation begins with it.
    ///
    /// # Errors
    /// The log cannot be reached, or the user may not create tables.
    pub async fn prepare(&self) -> Result<(), LogError> {
        self.prepared.get_or_try_init(|| self.migrate()).await.copied()
    }

    /// Migrates on a connection of its own: if it fails, the end of that gives back the lock it may hold.
    async fn migrate(&self) -> Result<(), LogError> {
        let connection = self.pool.acquire().await.map_err(|error| self.fault(&error))?;
        let mut connection: PgConnection = connection.detach();
        let mut migrations = Migrator { migrations: MIGRATIONS.migrations.clone(), ..Migrator::DEFAULT };
        // A pod of the previous release must live beside a schema that is newer than it.
        migrations.set_ignore_missing(true);
        timeout(MIGRATE, migrations.run_direct(None, &mut connection, false))
            .await
            .map_err(|_| self.late())?
            .map_err(|error| self.fault(&error.into()))
    }

    /// A connection to a log whose schema is up to date.
    pub(super) async fn connection(&self) -> Result<PoolConnection<Postgres>, LogError> {
        self.prepare().await?;
        self.pool.acquire().await.map_err(|error| self.fault(&error))
    }

    /// What an operation that was bounded in time has come to. Its connection goes back to the pool only when it did
    /// well: after a failure nobody knows what it is in the middle of.
    pub(super) fn settle<T>(
        &self,
        connection: PoolConnection<Postgres>,
        ended: Result<sqlx::Result<T>, Elapsed>,
    ) -> Result<T, LogError> {
        let done = ended.map_err(|_| self.late()).and_then(|done| done.map_err(|error| self.fault(&error)));
        if done.is_err() {
            drop(connection.detach());
        }
        done
    }

    fn late(&self) -> LogError {
        LogError::new(LogErrorKind::Unreachable, &self.place, "there was no answer in time")
    }

    pub(super) fn fault(&self, error: &sqlx::Error) -> LogError {
        LogError::from_sql(&self.place, error)
    }
}
