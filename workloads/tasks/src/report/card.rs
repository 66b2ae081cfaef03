//! The model card: what a version is for, what it was learnt from and how, how well it does, for whom it does worse, and
//! what nobody should conclude from it.
//!
//! Everything on it stands in manifest and report, so that it can be printed again. Sections by reader: [`purpose`] and
//! [`data`] for everybody, [`method`] and [`points`] for the validator, [`performance`], [`decision`] and [`people`] for
//! the risk officer, [`origin`] for the auditor.

pub mod data;
pub mod decision;
pub mod method;
pub mod origin;
pub mod people;
pub mod performance;
pub mod points;
pub mod purpose;

use std::collections::BTreeMap;

use underwriter_contract::{
    Digest,
    learning::Family,
    manifest::Manifest,
    summary::{Metric, MetricName},
};

use super::{
    page::{Page, Section, Tile},
    text,
};
use crate::train::report::Report;

/// What a card is made from.
#[derive(Clone, Copy, Debug)]
pub struct Card<'a> {
    /// The version; the digests of its files are not in it yet.
    pub manifest: &'a Manifest,
    /// What the run found.
    pub report: &'a Report,
    /// Digests of the version's other files.
    pub files: &'a BTreeMap<String, Digest>,
}

impl Card<'_> {
    /// The whole file.
    pub fn render(&self) -> String {
        let Manifest { model, version, data, algorithm, code, .. } = self.manifest;
        let rows = text::count(data.rows);
        let lead = format!("{}, learnt from {rows} finished loans{}", family(*algorithm), span(data.from, data.to));
        let page = Page {
            kind: "Model card",
            title: format!("{model}, version {version}"),
            lead,
            tiles: self.tiles(),
            sections: self.sections(),
            footer: format!(
                "Written by Underwriter {code}. The figures stand in report.json and manifest.json as well."
            ),
        };
        page.render()
    }

    fn tiles(&self) -> Vec<Tile> {
        let figures = [
            (MetricName::RocAuc, "ROC AUC"),
            (MetricName::Recall, "bad loans refused"),
            (MetricName::ApprovalRate, "approved"),
            (MetricName::CalibrationError, "calibration error"),
        ];
        let tile = |(name, title): (MetricName, &str)| {
            let metric = self.metric(name)?;
            Some(Tile { name: title.to_owned(), value: written(metric), note: interval(metric)? })
        };
        let threshold = Tile {
            name: "refused from".to_owned(),
            value: text::percent(self.manifest.threshold.probability),
            note: "probability of going bad".to_owned(),
        };
        figures.into_iter().filter_map(tile).chain([threshold]).collect()
    }

    fn sections(&self) -> Vec<Section> {
        let section = |id, title, body| Section { id, title, body };
        vec![
            section("purpose", "Purpose and decision", purpose::section(self)),
            section("data", "Data", data::section(self)),
            section("method", "Method", method::section(self)),
            section("performance", "Performance", performance::section(self)),
            section("calibration", "Calibration", performance::calibration(self)),
            section("threshold", "Threshold", decision::section(self)),
            section("reasons", "Reasons", people::reasons(self)),
            section("stability", "Stability", performance::stability(self)),
            section("fairness", "Fairness evidence", people::fairness(self)),
            section("comparison", "Comparison with the champion", performance::comparison(self)),
            section("limits", "Limits", purpose::limits(self)),
            section("provenance", "Provenance", origin::section(self)),
        ]
    }

    fn metric(&self, name: MetricName) -> Option<&Metric> {
        self.report.metrics.iter().find(|metric| metric.name == name)
    }
}

/// A family in words.
pub const fn family(family: Family) -> &'static str {
    match family {
        Family::GradientBoosting => "Gradient boosted trees",
        Family::Scorecard => "Scorecard",
        Family::LogisticRegression => "Logistic regression",
        Family::Blend => "Blend of regression and boosted trees",
    }
}

/// ` of 2007-06-01 to 2011-09-01`, where there are dates.
fn span(from: Option<jiff::civil::Date>, to: Option<jiff::civil::Date>) -> String {
    from.zip(to).map_or_else(String::new, |(from, to)| format!(" of {from} to {to}"))
}

/// Whether a figure is a share.
const fn is_share(name: MetricName) -> bool {
    matches!(name, MetricName::Recall | MetricName::Precision | MetricName::RefusedShare | MetricName::ApprovalRate)
}

fn number(name: MetricName, value: f64) -> String {
    if is_share(name) { text::percent(value) } else { text::decimal(value) }
}

/// A figure as it is written.
fn written(metric: &Metric) -> String {
    number(metric.name, metric.value)
}

/// Its interval, where it has one.
fn interval(metric: &Metric) -> Option<String> {
    let (low, high) = metric.low.zip(metric.high)?;
    Some(format!("{} to {}", number(metric.name, low), number(metric.name, high)))
}
