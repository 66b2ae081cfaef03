//! Fits the weight of evidence of a column: ln(share of the bad / share of the good) within a bin or level.
//!
//! Higher is riskier. Half a loan is added to each count, which takes most of the bias away (Haldane 1956), and fewer
//! than [`ENOUGH`] loans are no evidence: 0. Applying it is `underwriter_model::evidence`.

use std::collections::BTreeMap;

use underwriter_contract::manifest::{Bins, Evidence, Levels};

use super::{
    binning,
    features::{Cells, Feature},
};

/// Bins of a number by quantiles.
const BINS: usize = 10;
/// Bins of a number before neighbours are merged.
const FINE_BINS: usize = 20;
/// The least share of the rows in a bin.
const LEAST_SHARE: f64 = 0.05;
/// Levels with fewer rows are pooled.
const ENOUGH: usize = 50;
/// The most levels of a category that are learnt one by one.
const MOST_LEVELS: usize = 50;

/// How the range of a number is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binning {
    /// Into bins of about equal size.
    Quantiles,
    /// Into bins whose risk only rises or only falls.
    Monotonic,
}

/// Good and bad loans.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// That went bad.
    pub bad: f64,
    /// That did not.
    pub good: f64,
}

impl Count {
    fn of(outcomes: impl IntoIterator<Item = bool>) -> Self {
        outcomes.into_iter().fold(Self::default(), Self::with)
    }

    fn with(self, bad: bool) -> Self {
        if bad { Self { bad: self.bad + 1.0, ..self } } else { Self { good: self.good + 1.0, ..self } }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { bad: self.bad + other.bad, good: self.good + other.good }
    }

    fn minus(self, other: Self) -> Self {
        Self { bad: self.bad - other.bad, good: self.good - other.good }
    }

    /// All of them.
    #[must_use]
    pub fn rows(self) -> f64 {
        self.bad + self.good
    }

    fn evidence(self, all: Self) -> f64 {
        if self.rows() < ENOUGH as f64 {
            return 0.0;
        }
        ((self.bad + 0.5) / (all.bad + 0.5) / ((self.good + 0.5) / (all.good + 0.5))).ln()
    }
}

/// Fits a column on some rows.
pub fn fit(feature: &Feature, bad: &[bool], rows: &[usize], binning: Binning) -> Evidence {
    let all = Count::of(rows.iter().map(|row| bad[*row]));
    match &feature.cells {
        Cells::Numbers(_) => {
            let bins = bins(feature, bad, rows, (all, binning));
            Evidence::Bins(if feature.neutral { neutral(bins, feature, rows) } else { bins })
        }
        Cells::Levels { names, codes } => {
            let mut counts = vec![Count::default(); names.len()];
            let mut missing = Count::default();
            for row in rows {
                let count = codes[*row].map_or(&mut missing, |code| &mut counts[code as usize]);
                *count = count.with(bad[*row]);
            }
            let counted = names.iter().cloned().zip(counts).filter(|(_, count)| count.rows() > 0.0);
            let missing = if feature.neutral { Count::default() } else { missing };
            Evidence::Levels(levels(counted.collect(), missing, all))
        }
    }
}

fn levels(mut counts: Vec<(String, Count)>, missing: Count, all: Count) -> Levels {
    counts.sort_by(|one, other| other.1.rows().total_cmp(&one.1.rows()));
    let learnt = counts.iter().take(MOST_LEVELS).take_while(|(_, count)| count.rows() >= ENOUGH as f64).count();
    let pooled = counts.split_off(learnt);
    let other = pooled.iter().fold(Count::default(), |sum, (_, count)| sum.plus(*count));
    let mut rare: Vec<String> = pooled.into_iter().map(|(name, _)| name).collect();
    rare.sort_unstable();
    let evidence: BTreeMap<String, f64> = counts.into_iter().map(|(name, count)| (name, count.evidence(all))).collect();
    Levels { evidence, rare, other: other.evidence(all), missing: missing.evidence(all) }
}

/// As if whoever gave no value were an applicant like any other.
fn neutral(bins: Bins, feature: &Feature, rows: &[usize]) -> Bins {
    Bins { missing: 0.0, instead: median(feature, rows), ..bins }
}

/// The middle one of the values there are; none for a category.
pub fn median(feature: &Feature, rows: &[usize]) -> Option<f64> {
    let values = feature.ascending(rows);
    values.get(values.len() / 2).map(|(number, _)| *number)
}

fn bins(feature: &Feature, bad: &[bool], rows: &[usize], (all, binning): (Count, Binning)) -> Bins {
    let values: Vec<(f64, bool)> =
        feature.ascending(rows).into_iter().map(|(number, row)| (number, bad[row])).collect();
    let missing = all.minus(Count::of(values.iter().map(|(_, bad)| *bad)));
    let least = (LEAST_SHARE * rows.len() as f64).max(ENOUGH as f64);
    let parts = match (binning, feature.monotonic) {
        (Binning::Quantiles, None) => quantiles(&values, BINS, least),
        (_, direction) => binning::monotonic(&quantiles(&values, FINE_BINS, least), direction),
    };
    let edges = parts.iter().skip(1).map(|(first, _)| *first).collect();
    let evidence = parts.iter().map(|(_, count)| count.evidence(all)).collect();
    Bins { edges, evidence, missing: missing.evidence(all), instead: None }
}

/// Divides sorted values into bins of about equal size, each with its least value; equal values stay together, and a
/// bin with fewer than `least` rows is merged with its neighbour below.
fn quantiles(values: &[(f64, bool)], count: usize, least: f64) -> Vec<(f64, Count)> {
    let wanted = (values.len() as f64 / count as f64).max(least);
    let mut bins: Vec<(f64, Count)> = Vec::new();
    for run in values.chunk_by(|one, other| one.0 == other.0) {
        let count = Count::of(run.iter().map(|(_, bad)| *bad));
        match bins.last_mut() {
            // a run as large as a bin stands for itself, where what came before it can too
            Some((_, last)) if last.rows() < least || last.rows() + count.rows() <= wanted => *last = last.plus(count),
            _ => bins.push((run[0].0, count)),
        }
    }
    merge_last(&mut bins, least);
    bins
}

fn merge_last(bins: &mut Vec<(f64, Count)>, least: f64) {
    while bins.len() > 1 && bins.last().is_some_and(|(_, count)| count.rows() < least) {
        let count = bins.pop().map(|(_, count)| count).unwrap_or_default();
        if let Some((_, last)) = bins.last_mut() {
            *last = last.plus(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underwriter_contract::{
        learning::Monotonic,
        manifest::{ColumnKind, Evidence},
    };

    use super::{BINS, Binning, fit, quantiles};
    use crate::train::features::{Cells, Feature};

    fn number(cells: Vec<f64>) -> Feature {
        Feature::new("x", ColumnKind::Number, Cells::Numbers(cells))
    }

    #[test]
    fn is_higher_where_more_go_bad() {
        // 200 rows at 36 with 20 bad, 100 rows at 60 with 40 bad, 100 rows without a value and no bad
        let value = |row: usize| {
            if row < 200 {
                36.0
            } else if row < 300 {
                60.0
            } else {
                f64::NAN
            }
        };
        let bad: Vec<bool> = (0..400).map(|row| row < 20 || (200..240).contains(&row)).collect();
        let feature = number((0..400).map(value).collect());
        let Evidence::Bins(bins) = fit(&feature, &bad, &(0..400).collect::<Vec<_>>(), Binning::Quantiles) else {
            panic!("numbers have bins")
        };
        let expected = |bad: f64, good: f64| ((bad + 0.5) / 60.5 / ((good + 0.5) / 340.5)).ln();
        assert_eq!(bins.edges, [60.0]);
        let pairs = [
            (bins.evidence[0], expected(20.0, 180.0)),
            (bins.evidence[1], expected(40.0, 60.0)),
            (bins.missing, expected(0.0, 100.0)),
        ];
        for (ours, theirs) in pairs {
            assert!((ours - theirs).abs() < 1e-12, "{ours} {theirs}");
        }
    }

    #[test]
    fn where_missing_says_nothing_it_is_as_any_other_value() {
        let bad: Vec<bool> = (0..400).map(|row| row < 100).collect();
        let mut feature = number((0..400).map(|row| if row < 100 { f64::NAN } else { f64::from(row % 3) }).collect());
        feature.neutral = true;
        let Evidence::Bins(bins) = fit(&feature, &bad, &(0..400).collect::<Vec<_>>(), Binning::Monotonic) else {
            panic!("numbers have bins")
        };
        assert_eq!((bins.missing, bins.instead), (0.0, Some(1.0)));
    }

    #[test]
    fn pools_rare_levels() {
        let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let codes = (0..400)
            .map(|row| {
                Some(if row < 150 {
                    1
                } else if row < 330 {
                    3
                } else if row < 365 {
                    0
                } else {
                    2
                })
            })
            .collect();
        let feature = Feature::new("x", ColumnKind::Category, Cells::Levels { names, codes });
        let bad: Vec<bool> = (0..400).map(|row| row % 4 == 0).collect();
        let Evidence::Levels(levels) = fit(&feature, &bad, &(0..400).collect::<Vec<_>>(), Binning::Quantiles) else {
            panic!("categories have levels")
        };
        assert_eq!(levels.evidence.keys().collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!((levels.rare, levels.missing), (vec!["a".to_owned(), "c".to_owned()], 0.0));
    }

    proptest! {
        #[test]
        fn evidence_goes_one_way_where_it_must(
            rows in proptest::collection::vec((-9.0..9.0, any::<bool>()), 100..800),
            binning in prop_oneof![Just(Binning::Quantiles), Just(Binning::Monotonic)],
            rising in any::<bool>(),
        ) {
            let (numbers, bad): (Vec<f64>, Vec<bool>) = rows.into_iter().unzip();
            let mut feature = number(numbers);
            feature.monotonic = Some(if rising { Monotonic::Increasing } else { Monotonic::Decreasing });
            let Evidence::Bins(bins) = fit(&feature, &bad, &(0..bad.len()).collect::<Vec<_>>(), binning) else {
                panic!("numbers have bins")
            };
            prop_assert!(bins.evidence.windows(2).all(|pair| (pair[0] <= pair[1]) == rising || pair[0] == pair[1]));
        }

        #[test]
        fn bins_are_few_and_large_enough(mut numbers in proptest::collection::vec(prop_oneof![Just(0.0), (-5..5i32).prop_map(f64::from), -9.0..9.0], 1..600)) {
            numbers.sort_by(f64::total_cmp);
            let values: Vec<(f64, bool)> = numbers.iter().map(|number| (*number, *number > 0.0)).collect();
            let least = 0.05 * values.len() as f64;
            let bins = quantiles(&values, BINS, least);
            prop_assert!(bins.len() <= 20);
            prop_assert!(bins.len() == 1 || bins.iter().all(|(_, count)| count.rows() >= least));
            prop_assert!(bins.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert_eq!(bins.iter().map(|(_, count)| count.rows()).sum::<f64>(), values.len() as f64);
        }
    }
}
