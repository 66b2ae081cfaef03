//! Columns: all in a table, those that tell most one by one.

use maud::{Markup, html};
use underwriter_contract::manifest::ColumnKind;

use super::facts::{BinFacts, ColumnFacts, Facts, MOST_COLUMNS, Shape};
use crate::{
    report::{
        page::{self, figure, name, number, table, wide_figure},
        plot::{Axis, Chart, Colour, Unit, heat, rows},
        text,
    },
    train::shares::Share,
};

/// Fewer missing values than this in every span are not drawn.
const WORTH_SEEING: f64 = 0.01;

/// Every column in a line.
pub fn all(facts: &Facts) -> Markup {
    let row = |column: &ColumnFacts| {
        vec![
            name(&column.name),
            page::text(kind(column.kind)),
            page::text(&column.usage),
            number(text::percent(column.missing)),
            number(text::count(column.distinct as u64)),
            number(text::decimal(column.information)),
            number(text::decimal(column.area)),
            number(column.shift.map_or_else(|| "–".to_owned(), text::decimal)),
        ]
    };
    let headings = ["column", "kind", "use", "missing", "distinct", "information value", "ROC AUC", "stability"];
    html! {
        p { "Judged on " (text::count(facts.rows as u64)) " loans, those that tell most first. Information value: below .02 a column says
            next to nothing, above .5 suspiciously much. ROC AUC of the column alone, by its bins. Stability: the population
            stability index of the newest third of the loans against the oldest; above .25 the column has moved." }
        (table(&headings, &facts.columns.iter().map(row).collect::<Vec<_>>()))
    }
}

const fn kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "number",
        ColumnKind::Date => "date",
        ColumnKind::Category => "category",
    }
}

/// Which numbers say the same.
pub fn correlations(facts: &Facts) -> Markup {
    let (names, matrix) = &facts.correlations;
    html! {
        @if names.len() < 2 { p.muted { "There are fewer than two numbers." } }
        @else {
            (wide_figure("Spearman’s rank correlation", "Of the numbers that tell most, where both have a value. Vermillion: they rise together; blue: one falls.",
                heat::heat(names, matrix, "rank correlations")))
        }
    }
}

/// Column by column.
pub fn detail(facts: &Facts) -> Markup {
    let left = facts.columns.len().saturating_sub(MOST_COLUMNS);
    html! {
        @for column in facts.columns.iter().take(MOST_COLUMNS) { (one(column, &facts.spans)) }
        @if left > 0 { p.muted { (left) " columns that tell less stand in the table only." } }
    }
}

fn one(column: &ColumnFacts, spans: &[String]) -> Markup {
    html! {
        div.column {
            h3 { (column.name) span.tag { (kind(column.kind)) } span.tag { (column.usage) } }
            (numbers(column))
            div.figures {
                (distribution(column))
                figure { (evidence(&column.bins)) }
                @if column.missing_by_time.iter().any(|share| *share >= WORTH_SEEING) { (missing(column, spans)) }
            }
        }
    }
}

fn numbers(column: &ColumnFacts) -> Markup {
    let mut numbers = vec![
        ("information value", text::decimal(column.information)),
        ("ROC AUC", text::decimal(column.area)),
        ("missing", text::percent(column.missing)),
        ("distinct", text::count(column.distinct as u64)),
    ];
    numbers.extend(column.shift.map(|shift| ("stability", text::decimal(shift))));
    if let Shape::Numbers { quantiles, .. } = &column.shape {
        let names = ["least", "lower quarter", "median", "upper quarter", "most"];
        numbers.extend(
            names
                .into_iter()
                .zip(quantiles)
                .filter(|(_, value)| value.is_finite())
                .map(|(name, value)| (name, text::short(*value))),
        );
    }
    html! { div.facts { @for (name, value) in &numbers { span { (name) " " b { (value) } } } } }
}

fn distribution(column: &ColumnFacts) -> Markup {
    match &column.shape {
        Shape::Numbers { edges, counts, .. } => histogram(column, edges, counts),
        Shape::Levels(levels) => of_levels(column, levels),
    }
}

fn histogram(column: &ColumnFacts, edges: &[f64], counts: &[Vec<u64>; 2]) -> Markup {
    let shares = counts.each_ref().map(|counts| {
        let all = counts.iter().sum::<u64>().max(1) as f64;
        counts.iter().map(|count| *count as f64 / all).collect::<Vec<f64>>()
    });
    let most = shares.iter().flatten().copied().fold(0.0, f64::max);
    let (from, to) = edges.first().zip(edges.last()).map_or((0.0, 1.0), |(from, to)| (*from, *to));
    let title = if column.kind == ColumnKind::Date {
        format!("{}, months before the application", column.name)
    } else {
        column.name.clone()
    };
    let x = Axis::between(&text::cut(&title, 60), Unit::Number, from, to);
    let chart = Chart::new(x, Axis::around("share of each outcome", Unit::Share, [0.0, most])).sized(460.0, 240.0);
    let [good, bad] = &shares;
    let chart = chart.steps(Colour::Good, edges, good).steps(Colour::Bad, edges, bad);
    let drawing = chart.draw(&format!("distribution of {} by outcome", column.name));
    html! { figure {
        figcaption { b { "Distribution by outcome" } span { "Blue: " } b.good.inline { "good" } span { ", vermillion: " } b.bad.inline { "bad" }
            span { "; each adds up to 100 %." } }
        (drawing)
    } }
}

fn of_levels(column: &ColumnFacts, levels: &[(String, Share)]) -> Markup {
    let dot = |(name, share): &(String, Share)| rows::Dot {
        name: name.clone(),
        value: share.value,
        interval: (share.low, share.high),
        note: text::count(share.whole),
    };
    let highest = levels.iter().map(|(_, share)| if share.whole >= 50 { share.high } else { share.value });
    let axis = Axis::around("bad rate", Unit::Share, highest.chain([0.0]));
    let all = column.bins.iter().fold((0, 0), |sum, bin| (sum.0 + bin.bad_rate.part, sum.1 + bin.bad_rate.whole));
    let mean = all.0 as f64 / all.1.max(1) as f64;
    let drawing =
        rows::dots(&axis, Colour::Bad, &levels.iter().map(dot).collect::<Vec<_>>(), Some(mean), "bad rate by value");
    figure("Bad rate by value", "With its 95 % interval; loans at the right. Dashed: all loans.", drawing)
}

fn evidence(bins: &[BinFacts]) -> Markup {
    let row = |bin: &BinFacts| {
        vec![
            page::text(text::cut(&bin.name, 40)),
            number(text::count(bin.bad_rate.whole)),
            number(text::percent(bin.bad_rate.value)),
            number(text::signed(bin.evidence)),
        ]
    };
    const MOST: usize = 16;
    let left = bins.len().saturating_sub(MOST);
    html! {
        (table(&["bin", "loans", "bad rate", "weight of evidence"], &bins.iter().take(MOST).map(row).collect::<Vec<_>>()))
        @if left > 0 { p.muted { (left) " more." } }
    }
}

fn missing(column: &ColumnFacts, spans: &[String]) -> Markup {
    let points: Vec<(f64, f64)> =
        column.missing_by_time.iter().enumerate().map(|(at, share)| (at as f64 + 0.5, *share)).collect();
    let y = Axis::around("share without a value", Unit::Share, column.missing_by_time.iter().copied().chain([0.0]));
    let chart =
        Chart::new(Axis::names("time of application", spans, 6), y).sized(460.0, 190.0).line(Colour::Ink, &points);
    figure(
        "Missing over time",
        "Where it appears or vanishes at once, it tells the vintage, not the applicant.",
        chart.draw("missing values by time"),
    )
}
