//! `report.json`: what a run found on its way, for people.

use serde::Serialize;
use underwriter_contract::{
    learning::RecallTarget,
    manifest::{Blocks, Column, Finding},
    summary::{Comparison, Metric, MetricName, rounded},
};
use underwriter_model::{evidence, metrics, threshold};

use super::{
    candidate::Material, loans::LeftOut, performance::Performance, selection::FoldLosses, shares::Share,
    source::Source, sweep::Trial, trials::Merged,
};

/// Single columns rank honest loans no better than this, as a rule.
const SUSPICIOUS_AUC: f64 = 0.75;

/// What a run found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The rows by their role.
    pub blocks: Blocks,
    /// Rows that cannot be read.
    pub broken: Broken,
    /// Rows that were not taken.
    pub left_out: LeftOut,
    /// Outcomes that came from the prediction log, duplicates of the source included.
    pub matured: u64,
    /// What the guards found.
    pub findings: Vec<Finding>,
    /// What is odd but was kept.
    pub warnings: Vec<String>,
    /// By which the family was chosen.
    pub folds: Vec<FoldLosses>,
    /// The trees that were tried.
    pub trials: Vec<Trial>,
    /// Those that were tried before, in pods of their own.
    pub sweep: Option<Merged>,
    /// What each recall costs.
    pub recall_costs: Vec<RecallCost>,
    /// Figures on the test rows.
    pub metrics: Vec<Metric>,
    /// Against the champion.
    pub compared_with: Option<Comparison>,
    /// Curves, and figures by vintage and group, on the test rows.
    #[serde(flatten)]
    pub performance: Performance,
}

/// Rows that cannot be read.
#[derive(Debug, Serialize)]
pub struct Broken {
    /// How many.
    pub rows: u64,
    /// The first of them, by part, line and fault.
    pub examples: Vec<String>,
    /// How many more were no UTF-8, and were read as Windows-1252.
    pub recoded: u64,
}

impl From<&Source> for Broken {
    fn from(source: &Source) -> Self {
        Self { rows: source.broken, examples: source.examples.clone(), recoded: source.recoded }
    }
}

/// What one wanted recall would cost.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecallCost {
    /// What is promised on the calibrate rows, at the confidence of the spec or 95 %.
    pub at_least: f64,
    /// Share of all test rows that is refused.
    pub refused_share: f64,
    /// Share of the bad test rows that is found.
    pub recall: f64,
    /// Share of the refused test rows that is bad.
    pub precision: f64,
    /// Share of the good test rows that is refused: what the recall costs.
    pub refused_good: f64,
}

/// Scores of some rows, and how they ended.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// Log-odds.
    pub scores: &'a [f64],
    /// How the loans ended.
    pub bad: &'a [bool],
}

/// The price of each recall from .5 to .95: thresholds from the calibrate rows, shares on the test rows. What is out of
/// reach is left out.
pub fn recall_costs(calibrate: Scored, test: Scored, confidence: f64) -> Vec<RecallCost> {
    let wanted = (10..20).map(|step| f64::from(step) / 20.0);
    let cost = |at_least: f64| {
        let target = RecallTarget { at_least, confidence };
        let choice = threshold::choose(calibrate.scores, calibrate.bad, &target).ok()?;
        let metrics = metrics::at_threshold(test.scores, test.bad, choice.score);
        let share = |name| metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value);
        let good = test.scores.iter().zip(test.bad).filter(|(_, bad)| !**bad).map(|(score, _)| *score >= choice.score);
        Some(RecallCost {
            at_least,
            refused_share: share(MetricName::RefusedShare)?,
            recall: share(MetricName::Recall)?,
            precision: share(MetricName::Precision)?,
            refused_good: Share::of(good)?.value,
        })
    };
    wanted.filter_map(cost).collect()
}

/// Columns that rank suspiciously well by themselves, and texts that are no values.
pub fn warnings(columns: &[Column], material: &Material, rows: &[usize]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (column, feature) in columns.iter().zip(material.features) {
        if let Some(learnt) = &column.learnt {
            let ranks = feature.map(rows, |value| evidence::of(&learnt.evidence, value));
            let auc = metrics::roc_auc(&ranks, &material.outcomes(rows)).map_or(0.5, |auc| auc.value);
            if auc > SUSPICIOUS_AUC {
                let auc = rounded(auc).unwrap_or_default();
                warnings.push(format!("{} alone ranks with ROC AUC {auc}: was it known at application?", column.name));
            }
        }
        if feature.unreadable > 0 {
            let (name, count, kind) = (&feature.name, feature.unreadable, feature.kind);
            warnings.push(format!("{name}: {count} texts are no {kind:?} and count as missing"));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::{Scored, recall_costs};

    #[test]
    fn more_recall_costs_more() {
        let scores: Vec<f64> = (0..1000).map(|row| f64::from(row % 101) + f64::from(row) / 1e4).collect();
        let bad: Vec<bool> = scores.iter().enumerate().map(|(row, score)| *score > (row % 97) as f64).collect();
        let block = Scored { scores: &scores, bad: &bad };
        let costs = recall_costs(block, block, 0.95);
        assert_eq!(costs.len(), 10);
        assert!(costs.is_sorted_by(|less, more| less.refused_share < more.refused_share));
        assert!(costs.iter().all(|cost| cost.recall >= cost.at_least));
    }
}
