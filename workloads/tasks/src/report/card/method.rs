//! How a version scores.

use maud::{Markup, html};
use underwriter_contract::{learning::Algorithm, manifest::Manifest};

use super::{Card, family, points};
use crate::{
    report::{
        page::{self, number, table},
        text,
    },
    train::selection::FoldLosses,
};

/// Family, the choice between families, and the points of the linear part.
pub fn section(card: &Card) -> Markup {
    html! {
        p { (description(card.manifest)) }
        (choice(card.manifest, &card.report.folds))
        (points::section(card))
    }
}

fn description(manifest: &Manifest) -> String {
    let learnt = manifest.columns.iter().filter(|column| column.learnt.is_some()).count();
    let terms = manifest.scorer.linear.as_ref().map_or(0, |linear| linear.terms.len());
    let weight = manifest.scorer.weight;
    let parts = match (weight >= 1.0, weight <= 0.0) {
        (true, _) => format!("a regression with {terms} terms"),
        (_, true) => "boosted trees".to_owned(),
        _ => format!(
            "{} of the log-odds from a regression with {terms} terms, {} from boosted trees",
            text::percent(weight),
            text::percent(1.0 - weight)
        ),
    };
    format!(
        "{} on {learnt} columns: {parts}. Numbers are divided into bins, and each bin and category is read as its weight of \
         evidence: ln(share of the bad in it / share of the good in it). Log-odds become probabilities by a curve that was \
         fitted on rows the model has not seen (Platt).",
        family(manifest.algorithm)
    )
}

fn choice(manifest: &Manifest, folds: &[FoldLosses]) -> Markup {
    let row = |(at, fold): (usize, &FoldLosses)| {
        let losses = [fold.scorecard, fold.logistic_regression, fold.gradient_boosting, fold.chosen];
        let rows = [fold.older, fold.newer].map(|rows| number(text::count(rows as u64)));
        let losses = losses.map(|loss| number(format!("{loss:.4}")));
        std::iter::once(page::text((at + 1).to_string())).chain(rows).chain(losses).collect()
    };
    let rows: Vec<Vec<page::Cell>> = folds.iter().enumerate().map(row).collect();
    let headings = ["fold", "older rows", "newer rows", "scorecard", "logistic regression", "boosted trees", "chosen"];
    html! {
        @if rows.is_empty() {
            p { @if manifest.learning.training.algorithm == Algorithm::Auto {
                "There were too few bad loans for folds: the simplest family was taken."
            } @else { "The specification names the family; no other was tried." } }
        } @else {
            h3 { "How the family was chosen" }
            p { "Log loss on newer rows after learning from older ones; lower is better. Boosted trees, and the scorecard beside
                the logistic regression, had to be better by more than one standard error." }
            (table(&headings, &rows))
        }
    }
}
