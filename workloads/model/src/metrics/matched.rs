//! The difference of two shares of the same rows, with the interval of Agresti and Min ("Simple improved confidence
//! intervals for comparing matched proportions", Statistics in Medicine 24, 2005): Wald's, with half a row added to each
//! of the four cells, so that it also holds where the two hardly ever differ.

use super::roc::NORMAL;

/// How many rows there are, and how many have the property by one of the two alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// All rows.
    pub rows: u64,
    /// By the first alone.
    pub first: u64,
    /// By the second alone.
    pub second: u64,
}

impl Matched {
    /// Counts rows, each with the word of the first and of the second.
    pub(super) fn count(rows: impl Iterator<Item = (bool, bool)>) -> Self {
        rows.fold(Self::default(), |counts, (first, second)| Self {
            rows: counts.rows + 1,
            first: counts.first + u64::from(first && !second),
            second: counts.second + u64::from(second && !first),
        })
    }

    /// The share by the first less that by the second; none without rows.
    #[must_use]
    pub fn difference(self) -> Option<f64> {
        (self.rows > 0).then(|| (self.first as f64 - self.second as f64) / self.rows as f64)
    }

    /// Its 95 % interval.
    #[must_use]
    pub fn interval(self) -> (f64, f64) {
        let [rows, first, second] = [self.rows as f64 + 2.0, self.first as f64 + 0.5, self.second as f64 + 0.5];
        let difference = (first - second) / rows;
        let error = (first + second - (first - second).powi(2) / rows).sqrt() / rows;
        let within = |end: f64| end.clamp(-1.0, 1.0);
        (within(difference - NORMAL * error), within(difference + NORMAL * error))
    }
}

#[cfg(test)]
mod tests {
    use super::Matched;

    #[test]
    fn half_a_row_is_added_to_each_cell() {
        let (low, high) = Matched { rows: 100, first: 12, second: 4 }.interval();
        assert!((low - 0.000_680).abs() < 1e-6 && (high - 0.156_182).abs() < 1e-6, "{low}, {high}");
    }

    #[test]
    fn the_difference_lies_within_its_interval_whatever_is_counted() {
        for rows in 1..40 {
            for first in 0..=rows {
                for second in 0..=rows - first {
                    let counts = Matched { rows, first, second };
                    let (low, high) = counts.interval();
                    let difference = counts.difference().unwrap();
                    assert!(low <= difference && difference <= high && low < high, "{counts:?}: {low}, {high}");
                }
            }
        }
    }
}
