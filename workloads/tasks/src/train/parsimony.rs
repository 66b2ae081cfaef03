//! When what is less simple pays: with few bad loans the lowest loss is chance.

/// Negative log likelihood of an outcome, by its log-odds.
pub fn loss(margin: f64, bad: bool) -> f64 {
    let against = if bad { -margin } else { margin };
    against.max(0.0) + (-against.abs()).exp().ln_1p()
}

/// Of each row.
pub fn losses(margins: &[f64], bad: &[bool]) -> Vec<f64> {
    margins.iter().zip(bad).map(|(margin, bad)| loss(*margin, *bad)).collect()
}

/// Whether the other's losses of the same rows are lower by more than one standard error of the mean difference (after
/// Breiman et al. 1984, 3.4.3).
pub fn pays(simpler: &[f64], other: &[f64]) -> bool {
    let gains: Vec<f64> = simpler.iter().zip(other).map(|(simpler, other)| simpler - other).collect();
    let rows = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / rows;
    let variance = gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / (rows - 1.0);
    mean > (variance / rows).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underwriter_model::{calibration, metrics};

    use super::{loss, pays};

    #[test]
    fn a_gain_must_exceed_its_own_standard_error() {
        let simpler = [0.5; 100];
        let gaining =
            |gain: f64| (0..100).map(|row| 0.5 - gain + if row % 2 == 0 { 0.1 } else { -0.1 }).collect::<Vec<_>>();
        assert!(pays(&simpler, &gaining(0.011)) && !pays(&simpler, &gaining(0.009)));
        assert!(!pays(&simpler, &simpler) && !pays(&[], &[]));
    }

    proptest! {
        #[test]
        fn losses_are_those_of_probabilities(margin in -30.0..30.0_f64, bad: bool) {
            let reference = metrics::log_loss(&[calibration::sigmoid(margin)], &[bad]).unwrap();
            prop_assert!((loss(margin, bad) - reference).abs() < 1e-4 * (1.0 + reference));
        }
    }
}
