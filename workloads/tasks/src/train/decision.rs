//! From scores to decisions: calibration, threshold, and what reasons are measured against.
//!
//! All of it is taken from the calibrate rows, which no fit has seen.

use underwriter_contract::{
    learning::{self, Cost, Target},
    manifest::{Platt, Threshold},
    summary::{Failure, FailureReason},
};
use underwriter_model::{
    calibration,
    threshold::{self, Choice},
};

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
    /// `RecallOutOfReach`, when no threshold promises the wanted recall; `RequestInvalid`, when nothing says what is
    /// wanted.
    pub fn learn(candidate: &Candidate, material: &Material, rows: &[usize], target: Target) -> Result<Self, Failure> {
        let (scores, bad) = (candidate.scores(material, rows), material.outcomes(rows));
        let calibration = calibration::fit(&scores, &bad);
        let choice = choose(&scores, &bad, &calibration, target)?;
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

fn choose(scores: &[f64], bad: &[bool], platt: &Platt, target: Target) -> Result<Choice, Failure> {
    let from = |probability| threshold::at(calibration::score(platt, probability), scores, bad);
    Ok(match target {
        Target::Recall(recall) => threshold::choose(scores, bad, recall)
            .map_err(|unreachable| Failure::new(FailureReason::RecallOutOfReach, unreachable))?,
        Target::Cost(Cost { false_negative, false_positive }) => {
            from(false_positive / (false_positive + false_negative))
        }
        Target::ApprovalRate(rate) => threshold::approving(scores, bad, rate.at_least),
        Target::Threshold(probability) => from(probability),
    })
}

/// The target of a decision.
///
/// # Errors
/// `RequestInvalid`, where it has none or more than one.
pub fn only(decision: &learning::Decision) -> Result<Target<'_>, Failure> {
    let message = "decision: exactly one of recall, cost, approvalRate and threshold must be set";
    decision.target().ok_or_else(|| Failure::new(FailureReason::RequestInvalid, message))
}

/// The target of a decision that so many bad loans are calibrated on.
///
/// # Errors
/// As [`only`]; `RecallOutOfReach`, where one is wanted that so many bad loans
/// cannot promise, however well they are ranked.
pub fn target<'a>(decision: &'a learning::Decision, bad: usize) -> Result<Target<'a>, Failure> {
    let target = only(decision)?;
    match target {
        Target::Recall(recall) => match threshold::choose(&vec![0.0; bad], &vec![true; bad], recall) {
            Ok(_) => Ok(target),
            Err(unreachable) => Err(Failure::new(FailureReason::RecallOutOfReach, unreachable)),
        },
        _ => Ok(target),
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
