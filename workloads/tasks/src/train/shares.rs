//! Shares of rows and their ratios, with intervals.

use serde::Serialize;
use underwriter_contract::summary::rounded;
use underwriter_model::interval;

/// Of the normal distribution, for 95 %.
const NORMAL: f64 = 1.959_963_984_540_054;
const CONFIDENCE: f64 = 0.95;

/// A share with its 95 % Clopper–Pearson interval; rounded to six decimals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The rows that count.
    pub part: u64,
    /// All rows.
    pub whole: u64,
    /// part / whole.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Share {
    /// The share of what is true; none where there is nothing.
    pub fn of(rows: impl IntoIterator<Item = bool>) -> Option<Self> {
        let (part, whole) = rows.into_iter().fold((0, 0), |(part, whole), yes| (part + u64::from(yes), whole + 1));
        Self::new(part, whole)
    }

    /// `part` of `whole`; none where there is nothing.
    pub fn new(part: u64, whole: u64) -> Option<Self> {
        let (low, high) = interval::two_sided(part, whole, CONFIDENCE);
        let value = rounded(part as f64 / whole as f64)?;
        Some(Self { part, whole, value, low: rounded(low)?, high: rounded(high)? })
    }

    /// This share over another: the interval is normal in the logarithm (Katz et al. 1978). None where one of the two is 0.
    pub fn over(&self, other: &Self) -> Option<Ratio> {
        let variance = |share: &Self| 1.0 / share.part as f64 - 1.0 / share.whole as f64;
        let ratio = (self.part as f64 / self.whole as f64) / (other.part as f64 / other.whole as f64);
        let width = (NORMAL * (variance(self) + variance(other)).sqrt()).exp();
        Some(Ratio { value: rounded(ratio)?, low: rounded(ratio / width)?, high: rounded(ratio * width)? })
            .filter(|_| self.part > 0 && other.part > 0)
    }
}

/// One share over another, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// The ratio.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn counts_what_is_true() {
        let share = Share::of([true, false, false, true]).unwrap();
        assert_eq!((share.part, share.whole, share.value), (2, 4, 0.5));
        // scipy.stats.binomtest(2, 4).proportion_ci()
        assert_eq!((share.low, share.high), (0.067_586, 0.932_414));
        assert_eq!(Share::of([]), None);
    }

    #[test]
    fn ratios_equal_scipys() {
        // scipy.stats.contingency.relative_risk(30, 100, 60, 150) and its confidence_interval(0.95)
        let ratio = Share::new(30, 100).unwrap().over(&Share::new(60, 150).unwrap()).unwrap();
        assert_eq!((ratio.value, ratio.low, ratio.high), (0.750000, 0.524389, 1.072676));
        assert_eq!(Share::new(0, 100).unwrap().over(&Share::new(60, 150).unwrap()), None);
    }
}
