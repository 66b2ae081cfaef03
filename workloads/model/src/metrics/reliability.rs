//! Whether probabilities are what happens: rows in bins of equal count, mean probability against the share that went bad.

use crate::interval;

use super::CONFIDENCE;

/// Bins of the calibration error, as scikit-learn's and most published figures have them.
pub const BINS: usize = 10;

/// One bin of a calibration curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Rows in it.
    pub rows: u64,
    /// Rows that went bad.
    pub bad: u64,
    /// Mean of their probabilities.
    pub probability: f64,
    /// Share that went bad.
    pub rate: f64,
    /// The 95 % Clopper–Pearson interval of that share.
    pub interval: (f64, f64),
}

/// The calibration curve in at most so many bins, cut at quantiles of the probabilities (interpolated between rows); a
/// probability at a cut belongs below it, so that equal ones stay together. Bins without rows are left out.
#[must_use]
pub fn reliability(probabilities: &[f64], bad: &[bool], bins: usize) -> Vec<Bin> {
    sums(&places(probabilities, bins), probabilities, bad).iter().filter_map(Sums::bin).collect()
}

/// Expected calibration error: Σ rows of a bin / all rows · |mean probability − share that went bad| (Naeini et al.
/// 2015), over [`BINS`] bins of equal count (Nixon et al. 2019). It is a little above 0 even for the true probabilities.
#[must_use]
pub fn calibration_error(probabilities: &[f64], bad: &[bool]) -> Option<f64> {
    error_of(&sums(&places(probabilities, BINS), probabilities, bad))
}

/// What a bin adds up to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub rows: u64,
    pub bad: u64,
    pub probabilities: f64,
}

impl Sums {
    pub(super) fn add(&mut self, probability: f64, bad: bool) {
        self.rows += 1;
        self.bad += u64::from(bad);
        self.probabilities += probability;
    }

    fn bin(&self) -> Option<Bin> {
        let Self { rows, bad, probabilities } = *self;
        (rows > 0).then(|| Bin {
            rows,
            bad,
            probability: probabilities / rows as f64,
            rate: bad as f64 / rows as f64,
            interval: interval::two_sided(bad, rows, CONFIDENCE),
        })
    }
}

pub(super) fn error_of(sums: &[Sums]) -> Option<f64> {
    let rows: u64 = sums.iter().map(|sums| sums.rows).sum();
    let distance: f64 = sums.iter().map(|sums| (sums.probabilities - sums.bad as f64).abs()).sum();
    (rows > 0).then(|| distance / rows as f64)
}

/// The bin of each row.
pub(super) fn places(probabilities: &[f64], bins: usize) -> Vec<usize> {
    let mut sorted = probabilities.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cuts: Vec<f64> = (1..bins).filter_map(|cut| quantile(&sorted, cut as f64 / bins as f64)).collect();
    probabilities.iter().map(|probability| cuts.partition_point(|cut| cut < probability)).collect()
}

fn sums(places: &[usize], probabilities: &[f64], bad: &[bool]) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); places.iter().max().map_or(0, |last| last + 1)];
    for ((place, probability), bad) in places.iter().zip(probabilities).zip(bad) {
        sums[*place].add(*probability, *bad);
    }
    sums
}

/// A quantile of sorted values, interpolated between neighbours as numpy does.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_equal_counts_and_keep_equal_rows_together() {
        let probabilities: Vec<f64> = (0..100).map(|row| f64::from(row) / 100.0).collect();
        let bad: Vec<bool> = (0..100).map(|row| row >= 90).collect();
        let bins = reliability(&probabilities, &bad, 10);
        assert_eq!(bins.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [10; 10]);
        assert_eq!((bins[0].rate, bins[9].rate), (0.0, 1.0));
        assert!((bins[9].probability - 0.945).abs() < 1e-12 && bins[9].interval.1 == 1.0);
        assert_eq!(reliability(&[0.5; 40], &[false; 40], 10).len(), 1);
        assert!(reliability(&[], &[], 10).is_empty());
    }

    #[test]
    fn is_the_mean_distance() {
        // two bins: .1 against 0 of 2, .9 against 1 of 2
        let error = error_of(&sums(&[0, 0, 1, 1], &[0.1, 0.1, 0.9, 0.9], &[false, false, true, false]));
        assert!((error.unwrap() - (0.1 + 0.4) / 2.0).abs() < 1e-12);
        assert_eq!(calibration_error(&[], &[]), None);
        assert_eq!(calibration_error(&[0.25; 8], &[true, false, false, false, true, false, false, false]), Some(0.0));
    }
}
