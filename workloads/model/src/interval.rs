//! Exact intervals of a share (Clopper & Pearson 1934), by the quantiles of the beta distribution.

use statrs::distribution::{Beta, ContinuousCDF};

/// Lower end of the one-sided interval of `successes` in `trials`; 0 where there were no trials.
#[must_use]
pub fn lower(successes: u64, trials: u64, confidence: f64) -> f64 {
    if successes == 0 {
        return 0.0;
    }
    quantile(successes as f64, (trials.saturating_sub(successes) + 1) as f64, 1.0 - confidence).unwrap_or(0.0)
}

/// Upper end of the one-sided interval of `successes` in `trials`; 1 where there were no trials.
#[must_use]
pub fn upper(successes: u64, trials: u64, confidence: f64) -> f64 {
    1.0 - lower(trials.saturating_sub(successes), trials, confidence)
}

/// Both ends of the two-sided interval.
#[must_use]
pub fn two_sided(successes: u64, trials: u64, confidence: f64) -> (f64, f64) {
    let each = 1.0 - (1.0 - confidence) / 2.0;
    (lower(successes, trials, each), upper(successes, trials, each))
}

fn quantile(alpha: f64, beta: f64, probability: f64) -> Option<f64> {
    Some(Beta::new(alpha, beta).ok()?.inverse_cdf(probability.clamp(0.0, 1.0)))
}
