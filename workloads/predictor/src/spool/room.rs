//! How much a spool holds, and how much it may: bytes are counted from before they are written until the prediction log
//! has them.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use super::SpoolError;

/// Since when nothing waits.
const NEVER: i64 = i64::MAX;

/// Bytes held, their bound, and how long they have waited.
#[derive(Debug)]
pub struct Room {
    held: AtomicU64,
    limit: u64,
    waiting_since: AtomicI64,
}

impl Room {
    /// Room for `limit` bytes, of which `held` are taken.
    #[must_use]
    pub const fn new(held: u64, limit: u64) -> Self {
        Self { held: AtomicU64::new(held), limit, waiting_since: AtomicI64::new(NEVER) }
    }

    /// Takes some bytes.
    ///
    /// # Errors
    /// [`SpoolError::Full`] where they would go over the bound; then none are taken.
    pub fn take(&self, bytes: u64) -> Result<(), SpoolError> {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed);
        if held.saturating_add(bytes) <= self.limit {
            return Ok(());
        }
        self.release(bytes);
        Err(SpoolError::Full { held, limit: self.limit })
    }

    /// Gives bytes back.
    pub fn release(&self, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes held now.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Notes since when the segment that is on its way to the log has waited; `None` where none is.
    pub fn set_waiting(&self, since: Option<Timestamp>) {
        self.waiting_since.store(since.map_or(NEVER, Timestamp::as_second), Ordering::Relaxed);
    }

    /// For how many seconds it has waited.
    #[must_use]
    pub fn lag(&self, now: Timestamp) -> u64 {
        u64::try_from(now.as_second().saturating_sub(self.waiting_since.load(Ordering::Relaxed))).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan as _};

    use super::Room;

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let room = Room::new(4, 10);
        assert!(room.take(7).is_err());
        assert_eq!(room.held(), 4);
        room.take(6).unwrap();
        room.release(10);
        assert_eq!(room.held(), 0);
    }

    #[test]
    fn lag_is_the_wait_of_what_is_on_its_way() {
        let room = Room::new(0, 10);
        let now = Timestamp::UNIX_EPOCH + 90.seconds();
        assert_eq!(room.lag(now), 0);
        room.set_waiting(Some(now - 7.seconds()));
        assert_eq!(room.lag(now), 7);
        room.set_waiting(None);
        assert_eq!(room.lag(now), 0);
    }
}
