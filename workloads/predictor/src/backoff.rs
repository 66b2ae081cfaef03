//! Ever longer pauses between attempts, each shortened at random so that pods do not come back all at once.

use std::time::Duration;

use uuid::Uuid;

/// The first pause.
const FIRST: Duration = Duration::from_millis(250);

/// Ever longer pauses.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// Pauses that double up to `longest`.
    #[must_use]
    pub const fn up_to(longest: Duration) -> Self {
        Self { next: FIRST, longest }
    }

    /// The next pause, between half of it and all of it.
    pub fn pause(&mut self) -> Duration {
        let whole = self.next.min(self.longest);
        self.next = whole * 2;
        let [random, ..] = Uuid::new_v4().into_bytes();
        whole / 2 + (whole / 2) * u32::from(random) / 255
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn pauses_grow_to_their_bound() {
        let longest = Duration::from_secs(5);
        let mut backoff = Backoff::up_to(longest);
        for whole in [250, 500, 1000, 2000, 4000, 5000, 5000] {
            let pause = backoff.pause().as_millis();
            assert!((whole / 2..=whole).contains(&pause), "{pause} of {whole}");
        }
    }
}
