//! The prediction log in Postgres: decisions, and how the loans ended.
//!
//! Writing is idempotent: a batch that was sent twice is there once. Reading follows the order of the loans, not of the
//! answers, so that a replay of old applications gives the windows that it would have given then. The schema is in
//! `migrations/` and is brought up to date by whoever comes first. Spooling and batching are the predictor's.

mod connection;
mod copy;
mod error;
mod outcomes;
mod read;
mod record;
mod utc;
mod write;

pub use connection::Settings;
pub use error::{LogError, LogErrorKind};
pub use read::{Matured, Prediction};
pub use record::{MAX_ID, Record, Role};

use std::{sync::Arc, time::Duration};

use futures::stream::BoxStream;
use jiff::Timestamp;
use sqlx::PgPool;
use tokio::sync::OnceCell;
use underwriter_contract::{
    learning::Label,
    predict::{OutcomeReport, OutcomesTaken},
};

/// How long a batch, or some outcomes, may take.
const WRITE: Duration = Duration::from_secs(30);

/// The prediction log.
#[derive(Clone)]
pub struct Log {
    pool: PgPool,
    /// For monitors and training.
    reader: PgPool,
    prepared: Arc<OnceCell<()>>,
    /// Host, port and database, for messages.
    place: Arc<str>,
}
