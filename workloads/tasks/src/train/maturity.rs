//! Which applications are too young for their outcome to count.
//!
//! Of a young vintage only the loans that ended early are finished, by an early default or an early pay-off, and they are
//! like neither the bad nor the good loans of a full term. Age is judged by application and outcome dates, never by the
//! clock.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date};
use serde::Serialize;
use underwriter_contract::learning::Maturity;

/// The share of a vintage's granted loans that must be finished.
const FINISHED: f64 = 0.95;
/// Months with fewer loans are judged together with their neighbours.
const ENOUGH: u64 = 100;
/// Fewer loans in a row say nothing.
const TELLING: u64 = 30;

/// The loans of one month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Vintage {
    /// Its first day.
    pub month: Date,
    /// Loans that were applied for in it.
    pub granted: u64,
    /// Those of them whose outcome is known.
    pub finished: u64,
}

/// Counts loans by month, oldest first; each with its date and whether it is finished.
pub fn vintages(loans: impl IntoIterator<Item = (Date, bool)>) -> Vec<Vintage> {
    let mut months: BTreeMap<Date, (u64, u64)> = BTreeMap::new();
    for (date, finished) in loans {
        let count = months.entry(date.first_of_month()).or_default();
        *count = (count.0 + 1, count.1 + u64::from(finished));
    }
    months.into_iter().map(|(month, (granted, finished))| Vintage { month, granted, finished }).collect()
}

/// The first day of the applications that are too young. `newest` is the day of the newest application or outcome.
pub fn young_from(wanted: Option<&Maturity>, vintages: &[Vintage], newest: Date) -> Option<Date> {
    match wanted {
        Some(Maturity { window, as_of }) => {
            let window = SignedDuration::from_secs(i64::try_from(window.as_secs()).unwrap_or(i64::MAX));
            as_of.unwrap_or(newest).checked_sub(window).and_then(Date::tomorrow).ok()
        }
        None => unfinished_from(vintages),
    }
}

/// The oldest of the newest months that are not finished.
fn unfinished_from(vintages: &[Vintage]) -> Option<Date> {
    let telling = pools(vintages).filter(|pool| pool.granted >= TELLING);
    let young = telling.take_while(|pool| (pool.finished as f64) < FINISHED * pool.granted as f64);
    young.last().map(|pool| pool.month)
}

/// Months with enough loans, or neighbours with enough together, newest first; each from its oldest month.
fn pools(vintages: &[Vintage]) -> impl Iterator<Item = Vintage> {
    let mut pools: Vec<Vintage> = Vec::new();
    for vintage in vintages.iter().rev() {
        match pools.last_mut() {
            Some(pool) if pool.granted < ENOUGH && vintage.granted < ENOUGH => {
                let (granted, finished) = (pool.granted + vintage.granted, pool.finished + vintage.finished);
                *pool = Vintage { month: vintage.month, granted, finished };
            }
            _ => pools.push(*vintage),
        }
    }
    pools.into_iter()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};
    use underwriter_contract::{Duration, learning::Maturity};

    use super::{Vintage, vintages, young_from};

    /// Months of 2011, with loans and how many of them are finished.
    fn months(counts: &[(u64, u64)]) -> Vec<Vintage> {
        let vintage = |(at, (granted, finished)): (i8, &(u64, u64))| Vintage {
            month: date(2011, at, 1),
            granted: *granted,
            finished: *finished,
        };
        (1..).zip(counts).map(vintage).collect()
    }

    fn young(counts: &[(u64, u64)]) -> Option<Date> {
        young_from(None, &months(counts), date(2012, 1, 1))
    }

    #[test]
    fn the_newest_months_are_cut_until_they_are_finished() {
        assert_eq!(young(&[(500, 500), (500, 480)]), None);
        assert_eq!(young(&[(500, 500), (500, 400), (500, 10)]), Some(date(2011, 2, 1)));
        assert_eq!(young(&[(500, 100), (500, 500)]), None, "an old month keeps what it has");
        assert_eq!(young(&[(500, 100)]), Some(date(2011, 1, 1)));
        assert_eq!(young(&[]), None);
    }

    #[test]
    fn few_loans_are_judged_together() {
        assert_eq!(young(&[(500, 500), (60, 20), (2, 2)]), Some(date(2011, 2, 1)));
        assert_eq!(young(&[(500, 500), (2, 1)]), None, "two loans say nothing");
        assert_eq!(young(&[(500, 500), (500, 10), (2, 1)]), Some(date(2011, 2, 1)));
        let old_policy = [(20, 12), (30, 29), (40, 40), (50, 50), (60, 60), (90, 20), (90, 2)];
        assert_eq!(young(&old_policy), Some(date(2011, 6, 1)), "an old month with odd labels is no reason");
    }

    #[test]
    fn a_window_cuts_what_is_younger() {
        let wanted = |as_of| Maturity { window: Duration::hours(24 * 365), as_of };
        let newest = date(2015, 3, 31);
        assert_eq!(young_from(Some(&wanted(None)), &[], newest), Some(date(2014, 4, 1)));
        assert_eq!(young_from(Some(&wanted(Some(date(2014, 1, 1)))), &[], newest), Some(date(2013, 1, 2)));
    }

    #[test]
    fn counts_by_month() {
        let loans = [(date(2011, 2, 9), true), (date(2011, 1, 3), false), (date(2011, 2, 1), false)];
        let counted = vintages(loans).iter().map(|v| (v.month.month(), v.granted, v.finished)).collect::<Vec<_>>();
        assert_eq!(counted, [(1, 1, 0), (2, 2, 1)]);
    }
}
