//! Mean losses of probabilities, with the standard error of a mean: by the central limit theorem their interval is normal.

use super::roc::{Estimate, mean, variance};

/// As near to 0 and 1 as scikit-learn lets a probability come before it takes the logarithm.
const CLIP: f64 = f64::EPSILON;

/// Mean squared error of the probabilities.
#[must_use]
pub fn brier(probabilities: &[f64], bad: &[bool]) -> Option<f64> {
    brier_estimate(probabilities, bad).map(|estimate| estimate.value)
}

/// Mean negative log likelihood; probabilities are clipped to within the rounding error of 1.
#[must_use]
pub fn log_loss(probabilities: &[f64], bad: &[bool]) -> Option<f64> {
    log_loss_estimate(probabilities, bad).map(|estimate| estimate.value)
}

/// [`brier`] with its standard error.
#[must_use]
pub fn brier_estimate(probabilities: &[f64], bad: &[bool]) -> Option<Estimate> {
    let loss = |(probability, bad): (&f64, &bool)| (probability - f64::from(u8::from(*bad))).powi(2);
    estimate(probabilities.iter().zip(bad).map(loss).collect(), 1.0)
}

/// [`log_loss`] with its standard error.
#[must_use]
pub fn log_loss_estimate(probabilities: &[f64], bad: &[bool]) -> Option<Estimate> {
    let loss = |(probability, bad): (&f64, &bool)| {
        let probability = probability.clamp(CLIP, 1.0 - CLIP);
        if *bad { -probability.ln() } else { -(-probability).ln_1p() }
    };
    estimate(probabilities.iter().zip(bad).map(loss).collect(), f64::MAX)
}

fn estimate(losses: Vec<f64>, most: f64) -> Option<Estimate> {
    let error = || (variance(&losses) / losses.len() as f64).sqrt();
    (!losses.is_empty()).then(|| Estimate { value: mean(&losses), error: error(), range: (0.0, most) })
}
