//! The distances between two samples by which Evidently 0.7 tests columns of more than 1,000 reference rows.
//!
//! Pure; both samples as [`Counts`]. None where a sample has no value: there is nothing to compare.

use crate::drift::counts::{Counts, Number};

/// The smallest deviation that Evidently divides by (`stattests/wasserstein_distance_norm.py`).
const LEAST_DEVIATION: f64 = 0.001;

/// First Wasserstein distance in units of the reference's standard deviation.
///
/// W₁ = ∫ |U(x) − V(x)| dx over the two empirical distribution functions (Ramdas, García and Cuturi 2017, proposition 1;
/// `scipy.stats.wasserstein_distance`), divided by max(σ, 0.001).
#[must_use]
pub fn wasserstein(reference: &Counts<Number>, current: &Counts<Number>) -> Option<f64> {
    let (rows, others) = (filled(reference)?, filled(current)?);
    let (mut seen, mut seen_others, mut last, mut area) = (0, 0, None, 0.0);
    for (value, count, other) in reference.beside(current) {
        let width = value.get() - last.unwrap_or(value.get());
        area += width * (seen as f64 / rows - seen_others as f64 / others).abs();
        (seen, seen_others, last) = (seen + count, seen_others + other, Some(value.get()));
    }
    Some(area / deviation(reference, rows).max(LEAST_DEVIATION))
}

/// Standard deviation of a whole population: σ² = Σ (x − mean)² / n (`numpy.std`, which Evidently uses).
fn deviation(counts: &Counts<Number>, rows: f64) -> f64 {
    let mean = counts.iter().map(|(value, count)| value.get() * (*count as f64 / rows)).sum::<f64>();
    counts.iter().map(|(value, count)| (value.get() - mean).powi(2) * (*count as f64 / rows)).sum::<f64>().sqrt()
}

/// Jensen–Shannon distance over the values of both samples.
///
/// √((KL(p ‖ m) + KL(q ‖ m)) / 2) with m = (p + q) / 2 and natural logarithms (Endres and Schindelin 2003;
/// `scipy.spatial.distance.jensenshannon`); at most √(ln 2).
#[must_use]
pub fn jensen_shannon<T: Ord>(reference: &Counts<T>, current: &Counts<T>) -> Option<f64> {
    let (rows, others) = (filled(reference)?, filled(current)?);
    let divergences = reference.beside(current).map(|(_, count, other)| {
        let (p, q) = (count as f64 / rows, other as f64 / others);
        let middle = f64::midpoint(p, q);
        relative_entropy(p, middle) + relative_entropy(q, middle)
    });
    Some((divergences.sum::<f64>() / 2.0).max(0.0).sqrt())
}

/// x · ln(x / y), which is 0 where x is (`scipy.special.rel_entr`).
fn relative_entropy(x: f64, y: f64) -> f64 {
    if x > 0.0 { x * (x / y).ln() } else { 0.0 }
}

/// The number of values, where there is any.
fn filled<T: Ord>(counts: &Counts<T>) -> Option<f64> {
    Some(counts.total()).filter(|total| *total > 0).map(|total| total as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Counts, Number, jensen_shannon, wasserstein};

    #[test]
    fn wasserstein_equals_scipy() {
        // scipy.stats.wasserstein_distance([0, 1, 3], [5, 6, 8]) = 5; numpy.std([0, 1, 3]) = sqrt(14) / 3
        let found = wasserstein(&numbers(&[0.0, 1.0, 3.0]), &numbers(&[5.0, 6.0, 8.0])).unwrap();
        assert!((found - 5.0 / (14.0_f64.sqrt() / 3.0)).abs() < 1e-12, "{found}");
    }

    #[test]
    fn a_constant_reference_is_divided_by_the_least_deviation() {
        let found = wasserstein(&numbers(&[1.0, 1.0]), &numbers(&[1.5])).unwrap();
        assert!((found - 500.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn jensen_shannon_equals_scipy() {
        // scipy.spatial.distance.jensenshannon([1, 0, 0], [0, 1, 0]) = 0.8325546111576977, ([1, 0], [.5, .5]) = 0.46450140402245893
        let levels = |texts: &[&'static str]| texts.iter().map(|text| (*text, 1)).collect::<Counts<_>>();
        for (reference, current, wanted) in [
            (levels(&["a"]), levels(&["b"]), 0.832_554_611_157_697_7),
            (levels(&["a", "a"]), levels(&["a", "b"]), 0.464_501_404_022_458_9),
        ] {
            let found = jensen_shannon(&reference, &current).unwrap();
            assert!((found - wanted).abs() < 1e-12, "{found}");
        }
    }

    #[test]
    fn nothing_has_no_distance() {
        let (some, none) = (numbers(&[1.0]), numbers(&[]));
        assert_eq!((wasserstein(&some, &none), wasserstein(&none, &some)), (None, None));
        assert_eq!((jensen_shannon(&some, &none), jensen_shannon(&none, &some)), (None, None));
    }

    proptest! {
        #[test]
        fn a_sample_is_at_no_distance_from_itself(values in values()) {
            let sample = numbers(&values);
            prop_assert_eq!(wasserstein(&sample, &sample), Some(0.0));
            prop_assert!(jensen_shannon(&sample, &sample).unwrap() < 1e-7);
        }

        #[test]
        fn jensen_shannon_is_symmetric_and_bounded(left in values(), right in values()) {
            let (left, right) = (numbers(&left), numbers(&right));
            let (there, back) = (jensen_shannon(&left, &right).unwrap(), jensen_shannon(&right, &left).unwrap());
            prop_assert!((there - back).abs() < 1e-9);
            prop_assert!(there <= std::f64::consts::LN_2.sqrt() + 1e-12);
        }

        #[test]
        fn wasserstein_of_a_moved_sample_is_the_move(values in values(), by in 0.1..100.0_f64) {
            let moved: Vec<_> = values.iter().map(|value| value + by).collect();
            let reference = numbers(&values);
            let deviation = super::deviation(&reference, values.len() as f64).max(0.001);
            let found = wasserstein(&reference, &numbers(&moved)).unwrap() * deviation;
            prop_assert!((found - by).abs() < 1e-9 * by.max(1e3), "{} is not {}", found, by);
        }
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec((-500..500_i32).prop_map(|value| f64::from(value) / 4.0), 1..40)
    }

    fn numbers(values: &[f64]) -> Counts<Number> {
        values.iter().filter_map(|value| Number::new(*value)).map(|value| (value, 1)).collect()
    }
}
