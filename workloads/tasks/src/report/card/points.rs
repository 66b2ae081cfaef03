//! The linear part as a table: of a scorecard with points, as scorecards are printed.
//!
//! 600 points stand for 30 good loans to one bad one, and 20 more points double that (the convention of Siddiqi 2006). The
//! base is spread evenly over the columns, so that an applicant's points are the sum of one figure a column.

use maud::{Markup, html};
use underwriter_contract::manifest::{Bins, Column, ColumnKind, Evidence, Levels, Linear, Manifest, Term};

use super::Card;
use crate::report::text;

/// Points that double the odds.
const DOUBLES: f64 = 20.0;
/// Points that stand for [`ODDS`].
const ANCHOR: f64 = 600.0;
/// Good loans to one bad one.
const ODDS: f64 = 30.0;
/// The most columns that are printed.
const MOST: usize = 60;

/// From log-odds to points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Points a unit of log-odds towards bad; negative.
    pub factor: f64,
    /// Points of each column before its evidence counts.
    pub base: f64,
}

impl Scale {
    /// The scale of a version that is its regression alone; none where trees have a say.
    pub fn of(manifest: &Manifest) -> Option<Self> {
        let linear = manifest.scorer.linear.as_ref().filter(|_| manifest.scorer.weight >= 1.0)?;
        let terms = linear.terms.len() as f64;
        let each = DOUBLES / std::f64::consts::LN_2;
        let (slope, intercept) = (manifest.calibration.slope, manifest.calibration.intercept);
        let base = ANCHOR - each * (ODDS.ln() + slope * linear.intercept + intercept);
        (terms > 0.0).then_some(Self { factor: -each * slope, base: base / terms })
    }

    /// Points of some evidence.
    pub fn points(&self, weighted_evidence: f64) -> f64 {
        self.base + self.factor * weighted_evidence
    }
}

/// What each bin and level counts.
pub fn section(card: &Card) -> Markup {
    let Some(linear) = &card.manifest.scorer.linear else { return html! {} };
    let scale = Scale::of(card.manifest);
    let terms = ordered(card, linear);
    let left = linear.terms.len().saturating_sub(terms.len());
    html! {
        h3 { @if scale.is_some() { "Points" } @else { "The regression’s part" } }
        p { @if scale.is_some() {
            "An applicant’s points are the sum over the columns: 600 points stand for 30 good loans to one bad one, and 20 more
            points double these odds. Points are rounded here; the version computes with all digits. WoE is the weight of evidence."
        } @else { "Log-odds that a bin or category adds to the regression’s part, before the blend; above 0 is riskier." } }
        div.points { @for (column, term) in terms { (of_column(column, term, scale)) } }
        @if left > 0 { p.muted { "The " (left) " columns that matter least are left out here; all are in manifest.json." } }
    }
}

/// The terms with their columns, the most important first.
fn ordered<'a>(card: &Card<'a>, linear: &'a Linear) -> Vec<(&'a Column, &'a Term)> {
    let importance = &card.report.performance.importance;
    let rank = |name: &str| importance.iter().position(|one| one.column == name).unwrap_or(usize::MAX);
    let column = |term: &Term| card.manifest.columns.iter().find(|column| column.name == term.column);
    let mut terms: Vec<_> = linear.terms.iter().filter_map(|term| Some((column(term)?, term))).collect();
    terms.sort_by_key(|(column, _)| rank(&column.name));
    terms.truncate(MOST);
    terms
}

/// One small table: what each value counts.
fn of_column(column: &Column, term: &Term, scale: Option<Scale>) -> Markup {
    let Some(learnt) = &column.learnt else { return html! {} };
    let values = match &learnt.evidence {
        Evidence::Bins(bins) => of_bins(bins, column.kind),
        Evidence::Levels(levels) => of_levels(levels),
    };
    html! {
        table {
            caption { (column.name) }
            thead { tr { th { "value" } @if scale.is_some() { th.n { "WoE" } th.n { "points" } } @else { th.n { "log-odds" } } } }
            tbody { @for (value, evidence) in &values { tr { td { (value) } (counts(*evidence, term.weight, scale)) } } }
        }
    }
}

fn counts(evidence: f64, weight: f64, scale: Option<Scale>) -> Markup {
    html! {
        @match scale {
            Some(scale) => { td.n { (text::signed(evidence)) } td.n { (format!("{:.0}", scale.points(weight * evidence))) } }
            None => { td.n { (text::signed(weight * evidence)) } }
        }
    }
}

/// Bins by their values, that of missing ones last.
pub fn of_bins(bins: &Bins, kind: ColumnKind) -> Vec<(String, f64)> {
    let unit = if kind == ColumnKind::Date { " months before" } else { "" };
    let edge = |at: usize| bins.edges.get(at).map(|edge| text::short(*edge));
    let name = |bin: usize| match (bin.checked_sub(1).and_then(edge), edge(bin)) {
        (None, None) => "any value".to_owned(),
        (None, Some(to)) => format!("below {to}{unit}"),
        (Some(from), None) => format!("{from}{unit} and more"),
        (Some(from), Some(to)) => format!("{from} to below {to}{unit}"),
    };
    let values = bins.evidence.iter().enumerate().map(|(bin, evidence)| (name(bin), *evidence));
    values.chain([("not given".to_owned(), bins.missing)]).collect()
}

fn of_levels(levels: &Levels) -> Vec<(String, f64)> {
    let mut values: Vec<(String, f64)> =
        levels.evidence.iter().map(|(level, evidence)| (level.clone(), *evidence)).collect();
    values.sort_by(|one, other| one.1.total_cmp(&other.1));
    values.push(("any other value".to_owned(), levels.other));
    values.push(("not given".to_owned(), levels.missing));
    values
}
