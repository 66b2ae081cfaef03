//! What a version was learnt from, and what was left out.

use maud::{Markup, html};
use underwriter_contract::{
    learning::{ColumnRole, Outcomes},
    manifest::{Action, Block, Finding, Guard, Manifest},
};

use super::Card;
use crate::report::{
    page::{self, Cell, facts, name, number, table},
    text,
};

/// Source, rows and columns.
pub fn section(card: &Card) -> Markup {
    let data = &card.manifest.data;
    html! {
        (facts(&[
            ("source", Cell::Code(data.uri.clone())),
            ("digest of the rows", Cell::Code(data.digest.as_str().to_owned())),
            ("finished loans used", page::text(text::count(data.rows))),
            ("left out", page::text(left_out(card))),
            ("outcomes of the prediction log", page::text(outcomes(card))),
            ("columns", page::text(columns(card.manifest))),
        ]))
        h3 { "Rows by their role" }
        p { "The oldest rows fit, the newest test, and a month is never divided, where there is a time column. What was tested
            is what is shipped: nothing was fitted again." }
        (blocks(card.manifest))
        h3 { "What guards found" }
        (findings(&card.report.findings))
        @if !card.report.warnings.is_empty() {
            h3 { "Kept, but odd" }
            ul { @for warning in &card.report.warnings { li { (warning) } } }
        }
    }
}

fn left_out(card: &Card) -> String {
    let (left, broken) = (&card.report.left_out, &card.report.broken);
    let labels: Vec<String> =
        left.labels.iter().map(|(label, rows)| format!("{label}: {}", text::count(*rows))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
    let young = left.young_from.map_or_else(String::new, |from| {
        format!(", {} too young (applied for from {from} on)", text::count(left.young))
    });
    format!(
        "{} not finished{labels}{young}, {} repeated, {} without a readable time, {} unreadable rows",
        text::count(left.not_finished),
        text::count(left.duplicates),
        text::count(left.undated),
        text::count(broken.rows),
    )
}

fn outcomes(card: &Card) -> String {
    let manifest = card.manifest;
    match (manifest.learning.data.outcomes, manifest.outcomes_before) {
        (Outcomes::Include, Some(before)) => {
            format!("{} joined, received before {before}", text::count(card.report.matured))
        }
        (Outcomes::Include, None) => "there is no log".to_owned(),
        (Outcomes::Ignore, _) => "not wanted".to_owned(),
    }
}

fn columns(manifest: &Manifest) -> String {
    let learnt = manifest.columns.iter().filter(|column| column.learnt.is_some()).count();
    let of = |role: ColumnRole| -> String {
        let named = manifest.learning.data.columns.iter().filter(|rule| rule.role == role);
        let names: Vec<&str> = named.map(|rule| rule.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    format!(
        "{learnt} learnt from; excluded by the specification: {}; protected, never learnt from: {}",
        of(ColumnRole::Excluded),
        of(ColumnRole::Protected)
    )
}

fn blocks(manifest: &Manifest) -> Markup {
    let blocks = &manifest.blocks;
    let date =
        |date: Option<jiff::civil::Date>| page::text(date.map_or_else(|| "–".to_owned(), |date| date.to_string()));
    let row = |(role, purpose, block): (&str, &str, &Block)| {
        vec![
            name(role),
            page::text(purpose),
            number(text::count(block.rows)),
            number(text::count(block.bad)),
            number(text::percent(block.bad as f64 / block.rows.max(1) as f64)),
            date(block.from),
            date(block.to),
        ]
    };
    let rows = [
        ("fit", "encodings, models, the choice between them", &blocks.fit),
        ("calibrate", "probabilities and threshold", &blocks.calibrate),
        ("test", "the figures of this card", &blocks.test),
    ];
    table(&["role", "for", "rows", "bad", "bad rate", "from", "to"], &rows.map(row))
}

/// What guards found, columns of which the same is said together.
pub fn findings(findings: &[Finding]) -> Markup {
    let mut said: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for one in findings {
        let same = |(other, _): &&mut (&Finding, _)| {
            (other.guard, &other.evidence, other.action) == (one.guard, &one.evidence, one.action)
        };
        match said.iter_mut().find(same) {
            Some((_, columns)) => columns.push(&one.column),
            None => said.push((one, vec![&one.column])),
        }
    }
    let row = |(one, columns): &(&Finding, Vec<&str>)| {
        let texts = [guard(one.guard), &one.evidence, action(one.action)].map(page::text);
        std::iter::once(name(columns.join(", "))).chain(texts).collect()
    };
    html! {
        @if said.is_empty() { p.muted { "Nothing." } }
        @else { (table(&["column", "finding", "evidence", "what was done"], &said.iter().map(row).collect::<Vec<_>>())) }
    }
}

/// A guard's finding in words.
pub const fn guard(guard: Guard) -> &'static str {
    match guard {
        Guard::LeaksByName => "leaks the outcome, by its name",
        Guard::LeaksByPurity => "leaks the outcome, by its values",
        Guard::Constant => "never varies",
        Guard::Unique => "nearly unique to each loan",
        Guard::Location => "tells where somebody lives",
        Guard::Personal => "tells who somebody is",
        Guard::EmptyByVintage => "empty for some vintages",
    }
}

/// What was done about it, in words.
pub const fn action(action: Action) -> &'static str {
    match action {
        Action::Dropped => "dropped, not even kept in the log",
        Action::NotLearnt => "kept, not learnt from",
        Action::Neutralised => "learnt from; no value says nothing",
        Action::Warned => "learnt from as it is",
    }
}
