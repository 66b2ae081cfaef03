//! A histogram of durations that many threads feed without a lock and that knows its quantiles to one part in sixteen.
//!
//! Buckets are log-linear: each power of two of nanoseconds is divided into eight.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Bits of a power of two's division into eight.
const BITS: u32 = 3;
/// Eight exact buckets, then eight for each power of two up to 2^40 ns, some 18 minutes.
const BUCKETS: usize = (40 - BITS as usize + 1) << BITS;

/// Durations by bucket.
#[derive(Debug)]
pub struct Latency([AtomicU64; BUCKETS]);

impl Default for Latency {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Latency {
    /// Counts one duration.
    pub fn observe(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.0.get(bucket(nanos).min(BUCKETS - 1)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The smallest duration that at least `share` (0 to 1) of all are no longer than, in microseconds, as the middle of
    /// its bucket; 0 where there is none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let counts = self.0.each_ref().map(|bucket| bucket.load(Ordering::Relaxed));
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil().max(1.0);
        let mut passed = 0;
        let reached = counts.iter().position(|count| {
            passed += count;
            passed as f64 >= wanted
        });
        reached.map_or(0.0, |bucket| middle(bucket) / 1e3)
    }
}

const fn bucket(nanos: u64) -> usize {
    if nanos >> BITS == 0 {
        return nanos as usize;
    }
    let power = nanos.ilog2();
    let eighth = (nanos >> (power - BITS)) & ((1 << BITS) - 1);
    (((power - BITS + 1) as usize) << BITS) + eighth as usize
}

fn middle(bucket: usize) -> f64 {
    let (power, eighth) = (bucket >> BITS, bucket & ((1 << BITS) - 1));
    if power == 0 {
        return eighth as f64;
    }
    let width = (1_u64 << (power - 1)) as f64;
    (8.0 + eighth as f64 + 0.5) * width
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::Latency;

    #[test]
    fn nothing_observed_has_no_quantile() {
        assert_eq!(Latency::default().quantile(0.99), 0.0);
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_values(mut nanos in prop::collection::vec(1_u64..10_000_000_000, 1..200)) {
            let latency = Latency::default();
            nanos.iter().for_each(|nanos| latency.observe(Duration::from_nanos(*nanos)));
            nanos.sort_unstable();
            for share in [0.5, 0.99] {
                let rank = (nanos.len() as f64 * share).ceil() as usize;
                let exact = nanos[rank - 1] as f64 / 1e3;
                let ratio = latency.quantile(share) / exact;
                prop_assert!((15.0 / 16.0..=17.0 / 16.0).contains(&ratio), "{share}: {ratio}");
            }
        }
    }
}
