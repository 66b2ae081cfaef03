//! Optimal monotonic binning: of all ways to merge neighbouring bins so that risk only rises or only falls, the one under
//! which the outcomes are likeliest.
//!
//! Each bin costs one unit of log likelihood, as each parameter does by Akaike's criterion (1974), so bins that say the
//! same are merged. Solved exactly by dynamic programming over where the last bin begins and ends. The objective of
//! optbinning (Navas-Palencia 2020) is information value instead; likelihood needs no limit on the number of bins.

use underwriter_contract::learning::Monotonic;

use super::evidence::Count;

/// A bin: its least value, and its loans.
pub type Bin = (f64, Count);

/// What a bin costs, in log likelihood.
const COST: f64 = 1.0;

/// Merges neighbouring bins so that risk is monotonic, in the direction that is asked for, or else fits better.
pub fn monotonic(bins: &[Bin], direction: Option<Monotonic>) -> Vec<Bin> {
    let rising = || merged(bins, |lower, upper| lower <= upper);
    let falling = || merged(bins, |lower, upper| lower >= upper);
    let (_, cuts) = match direction {
        Some(Monotonic::Increasing) => rising(),
        Some(Monotonic::Decreasing) => falling(),
        None => [falling(), rising()].into_iter().max_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or_default(),
    };
    cuts.windows(2).map(|cut| (bins[cut[0]].0, sum(&bins[cut[0]..cut[1]]))).collect()
}

fn sum(bins: &[Bin]) -> Count {
    bins.iter().fold(Count::default(), |sum, (_, count)| sum.plus(*count))
}

/// Log likelihood of a bin's outcomes at its own rate, less what it costs.
fn worth(count: Count) -> f64 {
    let part = |loans: f64| if loans > 0.0 { loans * (loans / count.rows()).ln() } else { 0.0 };
    part(count.bad) + part(count.good) - COST
}

/// With half a loan of each kind more, as evidence has it: so evidence is as monotonic as these rates.
fn rate(count: Count) -> f64 {
    (count.bad + 0.5) / (count.rows() + 1.0)
}

/// The best division with its worth: where bins begin, and the end. `in_order` tells whether two rates may follow each
/// other.
fn merged(bins: &[Bin], in_order: impl Fn(f64, f64) -> bool) -> (f64, Vec<usize>) {
    let ends = bins.len();
    // best[begin][end - 1]: the best division of the first `end` bins whose last bin is `begin..end`, and where the bin
    // before that begins
    let mut best = vec![vec![(f64::NEG_INFINITY, 0); ends]; ends];
    for end in 1..=ends {
        for begin in 0..end {
            let last = sum(&bins[begin..end]);
            let fits = |before: &usize| in_order(rate(sum(&bins[*before..begin])), rate(last));
            let before = (0..begin).filter(fits).map(|before| (best[before][begin - 1].0, before));
            let before = if begin == 0 { Some((0.0, 0)) } else { before.max_by(|a, b| a.0.total_cmp(&b.0)) };
            best[begin][end - 1] = before.map_or((f64::NEG_INFINITY, 0), |(sum, before)| (sum + worth(last), before));
        }
    }
    let last = (0..ends).max_by(|a, b| best[*a][ends - 1].0.total_cmp(&best[*b][ends - 1].0));
    let Some(last) = last else { return (0.0, Vec::new()) };
    (best[last][ends - 1].0, traced(&best, last, ends))
}

/// Walks back from the last bin to the first.
fn traced(best: &[Vec<(f64, usize)>], last: usize, ends: usize) -> Vec<usize> {
    let mut cuts = vec![ends, last];
    let (mut begin, mut end) = (last, ends);
    while begin > 0 {
        (begin, end) = (best[begin][end - 1].1, begin);
        cuts.push(begin);
    }
    cuts.reverse();
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Bin, Count, monotonic, rate, worth};

    fn bins(counts: &[(u32, u32)]) -> Vec<Bin> {
        let count = |(bad, good): &(u32, u32)| Count { bad: f64::from(*bad), good: f64::from(*good) };
        counts.iter().enumerate().map(|(at, pair)| (at as f64, count(pair))).collect()
    }

    fn edges(bins: &[Bin]) -> Vec<f64> {
        bins.iter().map(|(edge, _)| *edge).collect()
    }

    #[test]
    fn merges_what_says_the_same_and_what_is_out_of_order() {
        let steps = bins(&[(10, 90), (11, 89), (30, 70), (29, 71), (60, 40)]);
        assert_eq!(edges(&monotonic(&steps, None)), [0.0, 2.0, 4.0]);
        let dip = bins(&[(10, 90), (40, 60), (20, 80), (70, 30)]);
        assert_eq!(edges(&monotonic(&dip, None)), [0.0, 1.0, 3.0]);
        let falling = bins(&[(60, 40), (30, 70), (5, 95)]);
        assert_eq!(edges(&monotonic(&falling, None)), [0.0, 1.0, 2.0]);
        assert_eq!(edges(&monotonic(&bins(&[(10, 90); 6]), None)), [0.0]);
        assert!(monotonic(&[], None).is_empty());
    }

    /// Every division into neighbouring bins.
    fn divisions(bins: &[Bin]) -> Vec<Vec<Bin>> {
        let merge = |mask: usize| {
            let mut merged: Vec<Bin> = Vec::new();
            for (at, bin) in bins.iter().enumerate() {
                match merged.last_mut() {
                    Some(last) if mask & (1 << at) == 0 => last.1 = last.1.plus(bin.1),
                    _ => merged.push(*bin),
                }
            }
            merged
        };
        (0..1 << bins.len()).step_by(2).map(merge).collect()
    }

    proptest! {
        #[test]
        fn no_monotonic_division_is_better(counts in proptest::collection::vec((0..40u32, 1..40u32), 1..8)) {
            let bins = bins(&counts);
            let total = |division: &[Bin]| division.iter().map(|(_, count)| worth(*count)).sum::<f64>();
            let rates = |division: &[Bin]| division.iter().map(|(_, count)| rate(*count)).collect::<Vec<_>>();
            let ordered = |division: &Vec<Bin>| {
                let rates = rates(division);
                rates.is_sorted() || rates.iter().rev().is_sorted()
            };
            let ours = monotonic(&bins, None);
            prop_assert!(ordered(&ours), "{:?}", rates(&ours));
            prop_assert_eq!(ours.iter().map(|(_, count)| count.rows()).sum::<f64>(), bins.iter().map(|(_, count)| count.rows()).sum::<f64>());
            let best = divisions(&bins).into_iter().filter(ordered).map(|division| total(&division)).fold(f64::MIN, f64::max);
            prop_assert!((total(&ours) - best).abs() < 1e-9, "{} {best}", total(&ours));
        }
    }
}
