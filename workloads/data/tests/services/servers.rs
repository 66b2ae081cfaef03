//! Real servers on free ports of this machine, each in a folder of its own; they end when nobody holds them any more.

pub mod authority;
pub mod postgres;
pub mod process;
pub mod s3;

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The server that other tests use at this moment, or a new one.
pub fn shared<T>(slot: &Mutex<Weak<T>>, start: impl FnOnce() -> T) -> Arc<T> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.upgrade().unwrap_or_else(|| {
        let server = Arc::new(start());
        *slot = Arc::downgrade(&server);
        server
    })
}
