//! From scores to decisions: calibration, threshold, and what reasons are measured against.
//!
//! All of it is taken from the calibrate rows, which no fit has seen.

use underwriter_contract::{
    learning::RecallTarget,
    manifest::{Platt, Threshold},
    summary::{Failure, FailureReason},
};
use underwriter_model::{calibration, threshold};

use super::candidate::{Candidate, Material};

/// How scores become decisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Score to probability.
    pub calibration: Platt,
    /// From where to refuse.
    pub threshold: Threshold,
    /// Mean contribution of each column among the approved rows.
    pub baselines: Vec<f64>,
}

impl Decision {
    /// Learns it from the calibrate rows.
    ///
    /// # Errors
    /// `RecallOutOfReach`, when no threshold promises the wanted recall.
    pub fn learn(
        candidate: &Candidate,
        material: &Material,
        rows: &[usize],
        target: &RecallTarget,
    ) -> Result<Self, Failure> {
        let (scores, bad) = (candidate.scores(material, rows), material.outcomes(rows));
        let choice = threshold::choose(&scores, &bad, target)
            .map_err(|unreachable| Failure::new(FailureReason::RecallOutOfReach, unreachable))?;
        let calibration = calibration::fit(&scores, &bad);
        let threshold = Threshold {
            score: choice.score,
            probability: calibration::apply(&calibration, choice.score),
            found: choice.found,
            bad: choice.bad,
            recall_low: choice.recall_low,
        };
        let approved: Vec<usize> =
            rows.iter().zip(&scores).filter(|(_, score)| **score < choice.score).map(|(row, _)| *row).collect();
        Ok(Self { calibration, threshold, baselines: baselines(candidate, material, &approved) })
    }

    /// Calibrated probabilities of some scores.
    pub fn probabilities(&self, scores: &[f64]) -> Vec<f64> {
        scores.iter().map(|score| calibration::apply(&self.calibration, *score)).collect()
    }
}

/// Zeros where nobody was approved.
fn baselines(candidate: &Candidate, material: &Material, approved: &[usize]) -> Vec<f64> {
    let mut sums = vec![0.0; material.features.len()];
    for row in approved {
        let contributions = candidate.contributions(material, *row);
        sums.iter_mut().zip(contributions.columns).for_each(|(sum, contribution)| *sum += contribution);
    }
    sums.iter().map(|sum| sum / approved.len().max(1) as f64).collect()
}
