//! Which rows fit, which calibrate and which test.
//!
//! By time the newest rows test and those before them calibrate, so that figures are as honest as the future would be;
//! a month is never divided. Both blocks are no larger than their purpose needs, so that the fit keeps the newest rows
//! it can: what was tested is what is shipped, and there is no refit.

use std::ops::Range;

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use underwriter_contract::{
    learning::Split,
    summary::{Failure, FailureReason},
};

/// With so many bad loans a block is large enough.
const WANTED_BAD: usize = 300;
/// With fewer it is of no use.
const LEAST_BAD: usize = 100;
/// The test block and the calibrate block take at most one row in so many.
const SHARE: usize = 5;

/// Rows by their role, each list in the order in which rows may be divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Encodings, scorers and the choice between them.
    pub fit: Ordered,
    /// Calibration and threshold.
    pub calibrate: Vec<usize>,
    /// Figures.
    pub test: Vec<usize>,
}

/// Rows in order, and where they may be divided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ordered {
    /// The rows.
    pub rows: Vec<usize>,
    /// Places in `rows`, ascending: where a month begins, or any place where the order is random.
    pub starts: Vec<usize>,
}

impl Ordered {
    /// Rows by time; `dates` are ascending.
    pub fn by_month(dates: &[Date]) -> Self {
        let month = |date: &Date| (date.year(), date.month());
        let begins = |at: &usize| *at == 0 || month(&dates[at - 1]) != month(&dates[*at]);
        Self { rows: (0..dates.len()).collect(), starts: (0..dates.len()).filter(begins).collect() }
    }

    /// Rows in an order that only the seed decides.
    pub fn at_random(mut rows: Vec<usize>, seed: u32) -> Self {
        rows.sort_by_cached_key(|row| Sha256::digest([seed.to_le_bytes().as_slice(), &row.to_le_bytes()].concat()));
        Self { starts: (0..rows.len()).collect(), rows }
    }

    /// The rows of a range of places, with the starts within it.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let starts = self.starts.iter().filter(|start| range.contains(start)).map(|start| start - range.start);
        Self { starts: starts.collect(), rows: self.rows[range].to_vec() }
    }

    /// The place nearest to a share of the rows at which they may be divided.
    #[must_use]
    pub fn cut(&self, share: f64) -> usize {
        let wanted = share * self.rows.len() as f64;
        let distance = |start: &&usize| (**start as f64 - wanted).abs() as u64;
        self.starts.iter().min_by_key(distance).copied().unwrap_or_default()
    }
}

/// Divides the loans.
///
/// # Errors
/// `TooFewBad`, which says what a block lacks.
pub fn split(bad: &[bool], dates: Option<&[Date]>, wanted: Option<Split>, seed: u32) -> Result<Blocks, Failure> {
    let all = match (dates, wanted) {
        (Some(dates), None | Some(Split::Time)) => Ordered::by_month(dates),
        _ => Ordered::at_random((0..bad.len()).collect(), seed),
    };
    let most = bad.len() / SHARE;
    let test = newest("test", &all, bad, most)?;
    let calibrate = newest("calibrate", &all.slice(0..test), bad, most)?;
    let fit = all.slice(0..calibrate);
    let bad_fit = count(&fit.rows, bad);
    if bad_fit < LEAST_BAD {
        return Err(too_few("fit", bad_fit, fit.rows.len()));
    }
    Ok(Blocks { fit, calibrate: all.rows[calibrate..test].to_vec(), test: all.rows[test..].to_vec() })
}

/// Where the newest rows begin that are just enough.
fn newest(block: &str, ordered: &Ordered, bad: &[bool], most: usize) -> Result<usize, Failure> {
    let end = ordered.rows.len();
    let (mut begin, mut found) = (end, 0);
    for start in ordered.starts.iter().rev() {
        if found >= WANTED_BAD || end - start > most {
            break;
        }
        found += count(&ordered.rows[*start..begin], bad);
        begin = *start;
    }
    if found < LEAST_BAD { Err(too_few(block, found, most)) } else { Ok(begin) }
}

fn count(rows: &[usize], bad: &[bool]) -> usize {
    rows.iter().filter(|row| bad[**row]).count()
}

fn too_few(block: &str, found: usize, rows: usize) -> Failure {
    let message = format!(
        "the {block} block would have {found} bad loans in at most {rows} rows (whole months, and a fifth of all rows for \
         calibrate and for test); it needs {LEAST_BAD}: give more loans, or set training.split to Random"
    );
    Failure::new(FailureReason::TooFewBad, message)
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::Date};
    use proptest::prelude::*;
    use underwriter_contract::learning::Split;

    use super::{Blocks, LEAST_BAD, split};

    fn dates(months: &[usize]) -> Vec<Date> {
        let first = jiff::civil::date(2008, 1, 1);
        let month = |(at, rows): (usize, &usize)| vec![first + (at as i64).months(); *rows];
        months.iter().enumerate().flat_map(month).collect()
    }

    fn every(rows: usize, share: usize) -> Vec<bool> {
        (0..rows).map(|row| row % share == 0).collect()
    }

    fn sizes(blocks: &Blocks) -> [usize; 3] {
        [blocks.fit.rows.len(), blocks.calibrate.len(), blocks.test.len()]
    }

    #[test]
    fn takes_no_more_than_is_needed() {
        let dates = dates(&[1000; 40]);
        let blocks = split(&every(40_000, 7), Some(&dates), None, 0).unwrap();
        assert_eq!(sizes(&blocks), [34_000, 3000, 3000]);
        let blocks = split(&every(40_000, 7), Some(&dates), Some(Split::Random), 0).unwrap();
        assert!(blocks.test.len() < 2600 && blocks.calibrate.len() < 2600, "{:?}", sizes(&blocks));
    }

    #[test]
    fn says_what_is_lacking() {
        let failure = split(&every(2000, 7), Some(&dates(&[100; 20])), None, 0).unwrap_err();
        assert!(failure.to_string().starts_with("TooFewBad: the test block would have 5"), "{failure}");
    }

    #[test]
    fn depends_on_the_seed_only() {
        let of = |seed| split(&every(9000, 4), None, None, seed).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    proptest! {
        #[test]
        fn divides_no_month_and_loses_no_row(months in proptest::collection::vec(0..900usize, 3..60), share in 2..9usize) {
            let dates = dates(&months);
            let bad = every(dates.len(), share);
            if let Ok(Blocks { fit, calibrate, test }) = split(&bad, Some(&dates), None, 0) {
                let all: Vec<usize> = fit.rows.iter().chain(&calibrate).chain(&test).copied().collect();
                prop_assert_eq!(all, (0..dates.len()).collect::<Vec<_>>());
                for (older, newer) in [(&fit.rows, &calibrate), (&calibrate, &test)] {
                    prop_assert!(dates[*older.last().unwrap()] < dates[newer[0]]);
                }
                for block in [&calibrate, &test] {
                    prop_assert!(block.len() * 5 <= dates.len());
                    prop_assert!(block.iter().filter(|row| bad[**row]).count() >= LEAST_BAD);
                }
            }
        }

        #[test]
        fn random_blocks_are_disjoint(rows in 2000..6000usize, seed in any::<u32>()) {
            let blocks = split(&every(rows, 3), None, None, seed).unwrap();
            let mut all: Vec<usize> = blocks.fit.rows.iter().chain(&blocks.calibrate).chain(&blocks.test).copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
        }
    }
}
