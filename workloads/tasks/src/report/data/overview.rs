//! Rows as a whole: how many, how they ended, and when.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Explored;
use crate::{
    report::{
        page::{self, Cell, facts, name, number, table, wide_figure},
        plot::{Axis, Chart, Colour, Unit},
        text,
    },
    train::{shares::Share, stability},
};

/// More months than this are shown by quarter.
const MOST_MONTHS: usize = 72;

/// Rows, label and what was left out.
pub fn section(explored: &Explored) -> Markup {
    let Explored { data, source, loans, .. } = explored;
    let label = &data.label;
    html! {
        (facts(&[
            ("source", Cell::Code(data.uri.clone())),
            ("rows read", page::text(text::count(loans.rows_read()))),
            ("label", page::text(format!("{}: bad is {}; good is {}", label.column, label.bad.join(", "), label.good.join(", ")))),
            ("time", page::text(data.time.as_ref().map_or("none", |time| &time.column))),
            ("application id", page::text(data.id.as_ref().map_or("none", |id| &id.application))),
            ("repeated applications", page::text(text::count(loans.left_out.duplicates))),
            ("too young for their outcome", page::text(text::count(loans.left_out.young))),
            ("without a readable time", page::text(text::count(loans.left_out.undated))),
            ("unreadable rows", page::text(text::count(source.broken))),
        ]))
        (unfinished(&loans.left_out.labels))
        @if !source.examples.is_empty() { h3 { "Unreadable rows, for example" } ul { @for example in &source.examples { li { code { (example) } } } } }
    }
}

fn unfinished(labels: &BTreeMap<String, u64>) -> Markup {
    let mut rows: Vec<(&String, u64)> = labels.iter().map(|(label, rows)| (label, *rows)).collect();
    rows.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let row = |(label, rows): &(&String, u64)| {
        vec![name(if label.is_empty() { "(empty)" } else { label.as_str() }), number(text::count(*rows))]
    };
    html! {
        @if !rows.is_empty() {
            h3 { "Not finished" }
            p { "Rows with these labels are neither good nor bad, and not used." }
            (table(&["label", "rows"], &rows.iter().map(row).collect::<Vec<_>>()))
        }
    }
}

/// Volume and bad rate over time.
pub fn vintages(explored: &Explored) -> Markup {
    let spans = spans(explored);
    html! {
        @if spans.is_empty() { p.muted { "There is no time column." } }
        @else {
            p { "Loans by the time of application. Where the newest vintages are few and all too good or too bad, they are not finished yet." }
            div.figures { (volume(&spans)) (bad_rate(&spans)) }
        }
    }
}

fn spans(explored: &Explored) -> Vec<(String, Share)> {
    let loans = explored.loans;
    let by = |name: fn(jiff::civil::Date) -> String| {
        let mut spans: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (date, bad) in loans.dates.iter().flatten().zip(&loans.bad) {
            let (bads, rows) = spans.entry(name(*date)).or_default();
            *rows += 1;
            *bads += u64::from(*bad);
        }
        spans
    };
    let months = by(stability::month);
    let spans = if months.len() > MOST_MONTHS { by(stability::quarter) } else { months };
    spans.into_iter().filter_map(|(span, (bads, rows))| Some((span, Share::new(bads, rows)?))).collect()
}

fn axis(spans: &[(String, Share)]) -> Axis {
    Axis::names("time of application", &spans.iter().map(|(span, _)| span.clone()).collect::<Vec<_>>(), 12)
}

fn volume(spans: &[(String, Share)]) -> Markup {
    let most = spans.iter().map(|(_, share)| share.whole as f64);
    let y = Axis::around("finished loans", Unit::Number, most.chain([0.0]));
    let chart = Chart::new(axis(spans), y).sized(940.0, 220.0);
    let bar = |chart: Chart, (at, (_, share)): (usize, &(String, Share))| {
        chart.bar((at as f64 + 0.1, at as f64 + 0.9), share.whole as f64)
    };
    let drawing = spans.iter().enumerate().fold(chart, bar).draw("finished loans by time");
    wide_figure("Volume", "Finished loans of each month or quarter.", drawing)
}

/// The axis ends where the intervals of well-filled spans do.
fn bad_rate(spans: &[(String, Share)]) -> Markup {
    let highest = spans.iter().filter(|(_, share)| share.whole >= 50).map(|(_, share)| share.high);
    let values = spans.iter().map(|(_, share)| share.value).fold(0.0, f64::max);
    let y = Axis::around("bad rate", Unit::Share, highest.chain([0.0, values]));
    let all = spans.iter().fold((0, 0), |sum, (_, share)| (sum.0 + share.part, sum.1 + share.whole));
    let mean = all.0 as f64 / all.1.max(1) as f64;
    let chart = Chart::new(axis(spans), y).sized(940.0, 240.0).guide(&[(0.0, mean), (spans.len() as f64, mean)]);
    let dot = |chart: Chart, (at, (_, share)): (usize, &(String, Share))| {
        chart.dot(Colour::Bad, (at as f64 + 0.5, share.value), (share.low, share.high))
    };
    let drawing = spans.iter().enumerate().fold(chart, dot).draw("bad rate by time");
    wide_figure("Bad rate", "Share that went bad, with its 95 % interval. Dashed: all loans.", drawing)
}

/// What the guards found.
pub fn findings(explored: &Explored) -> Markup {
    let findings = &explored.columns.findings;
    html! {
        @if !findings.is_empty() { p { "What leaks the outcome and was dropped is not looked at any further." } }
        (crate::report::card::data::findings(findings))
    }
}
