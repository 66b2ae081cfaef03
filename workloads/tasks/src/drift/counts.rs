//! What every statistic here is taken from: distinct values, ascending, each with its count.
//!
//! An exact profile is that already, and a window is turned into it, so that both sides cost what they hold in distinct
//! values and not what they hold in rows.

use std::cmp::Ordering;

/// A finite number that can be ordered; both zeros are the same.
#[derive(Clone, Copy, Debug)]
pub struct Number(f64);

impl Number {
    /// None where it is infinite or not a number: Evidently drops such values before it tests a column.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value + 0.0))
    }

    /// As it was given.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

/// Distinct values, ascending, each with how often it occurs (never 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts<T>(Vec<(T, u64)>);

impl<T: Ord> FromIterator<(T, u64)> for Counts<T> {
    /// From values in any order, with repetitions.
    fn from_iter<I: IntoIterator<Item = (T, u64)>>(values: I) -> Self {
        let mut counts: Vec<_> = values.into_iter().filter(|(_, count)| *count > 0).collect();
        counts.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        counts.dedup_by(|(value, count), (kept, sum)| {
            let same = value == kept;
            *sum += if same { *count } else { 0 };
            same
        });
        Self(counts)
    }
}

impl<T: Ord> Counts<T> {
    /// The values and their counts.
    pub fn iter(&self) -> impl Iterator<Item = &(T, u64)> {
        self.0.iter()
    }

    /// How many values there are, repetitions included.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Every value of either side, ascending, with its count on this side and on the other.
    pub fn beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a T, u64, u64)> {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        std::iter::from_fn(move || {
            let order = match (left.peek(), right.peek()) {
                (Some((a, _)), Some((b, _))) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            let (a, b) = (left.next_if(|_| order.is_le()), right.next_if(|_| order.is_ge()));
            let (value, _) = a.or(b)?;
            Some((value, a.map_or(0, |(_, count)| *count), b.map_or(0, |(_, count)| *count)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Counts, Number};

    #[test]
    fn takes_both_zeros_for_one_and_drops_what_is_not_finite() {
        let values = [0.0, -0.0, f64::NAN, f64::INFINITY, 1.0, f64::NEG_INFINITY];
        let counts: Counts<Number> = values.into_iter().filter_map(Number::new).map(|value| (value, 1)).collect();
        let found: Vec<_> = counts.iter().map(|(value, count)| (value.get(), *count)).collect();
        assert_eq!(found, [(0.0, 2), (1.0, 1)]);
    }

    proptest! {
        #[test]
        fn beside_has_every_value_once_in_order(left in values(), right in values()) {
            let all: BTreeSet<u8> = left.iter().chain(&right).copied().collect();
            let (a, b) = (counted(&left), counted(&right));
            let found: Vec<_> = a.beside(&b).map(|(value, a, b)| (*value, a, b)).collect();
            let occurs = |values: &[u8], value: u8| values.iter().filter(|other| **other == value).count() as u64;
            let wanted: Vec<_> = all.iter().map(|value| (*value, occurs(&left, *value), occurs(&right, *value))).collect();
            prop_assert_eq!(found, wanted);
        }
    }

    fn values() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(0..12_u8, 0..30)
    }

    fn counted(values: &[u8]) -> Counts<u8> {
        values.iter().map(|value| (*value, 1)).collect()
    }
}
