//! PostgreSQL, S3, MLflow and published files for tests: real servers on free ports of this machine, each in a folder of
//! its own.
//!
//! They end when nobody holds them any more. Whatever goes wrong panics, because only tests call this.

#![expect(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc, reason = "a test fails by a panic")]

mod authority;
mod folder;
mod mlflow;
mod postgres;
mod process;
mod published;
mod s3;

use std::sync::{Arc, Mutex, PoisonError, Weak};

pub use authority::Authority;
pub use folder::Folder;
pub use mlflow::Mlflow;
pub use postgres::{Postgres, connect};
pub use process::free_port;
pub use published::{KAGGLE_KEY, KAGGLE_USERNAME, Published};
pub use s3::{KEY, S3, SECRET};

/// The server that other tests use at this moment, or a new one.
fn shared<T>(slot: &Mutex<Weak<T>>, start: impl FnOnce() -> T) -> Arc<T> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.upgrade().unwrap_or_else(|| {
        let server = Arc::new(start());
        *slot = Arc::downgrade(&server);
        server
    })
}
