//! What the version tells applicants, and what its decisions mean for groups of them.

use maud::{Markup, html};
use underwriter_contract::manifest::Column;

use super::Card;
use crate::{
    report::{
        page::{self, Cell, figure, name, number, table},
        plot::{Axis, Colour, Unit, rows},
        text,
    },
    train::{
        fairness::{Group, ProtectedColumn},
        performance::Importance,
        shares::{Ratio, Share},
    },
};

/// The most columns that are drawn.
const MOST: usize = 25;

/// What matters most, and the words for it.
pub fn reasons(card: &Card) -> Markup {
    let importance = &card.report.performance.importance;
    let shown = &importance[..importance.len().min(MOST)];
    html! {
        p { "What each column adds to the score is exact (Shapley values of the trees, weighted evidence of the regression). A refusal
            names the columns that add most to it compared with those who are approved." }
        div.figures { (figure("Importance", "Mean size of a column’s contribution to the log-odds, over the test rows.", bars(shown))) }
        (texts(card, shown))
        @if importance.len() > MOST { p.muted { (importance.len() - MOST) " columns with less weight are left out here." } }
    }
}

fn bars(importance: &[Importance]) -> Markup {
    let most = importance.first().map_or(1.0, |one| one.mean_contribution);
    let axis = Axis::around("log-odds", Unit::Number, [0.0, most]);
    let row = |one: &Importance| (one.column.clone(), one.mean_contribution, text::decimal(one.mean_contribution));
    rows::bars(&axis, &importance.iter().map(row).collect::<Vec<_>>(), "importance of columns")
}

fn texts(card: &Card, importance: &[Importance]) -> Markup {
    let column = |one: &Importance| card.manifest.columns.iter().find(|column| column.name == one.column);
    let row = |column: &Column| {
        let reason = column.learnt.as_ref()?.reason.as_ref()?;
        let words =
            if reason.high == reason.low { reason.high.clone() } else { format!("{} · {}", reason.high, reason.low) };
        Some(vec![name(&column.name), page::text(words), page::text(&reason.missing)])
    };
    let texts: Vec<Vec<Cell>> = importance.iter().filter_map(column).filter_map(row).collect();
    table(&["column", "what a refusal says", "where there is no value"], &texts)
}

/// By protected group.
pub fn fairness(card: &Card) -> Markup {
    let protected = &card.report.performance.protected;
    html! {
        @if protected.is_empty() {
            p.muted { "No column has the role Protected, so nothing can be said of groups. Such columns are never learnt from; giving them
                this role only makes the evidence of this section." }
        } @else {
            p { "Nothing was learnt from these columns. Ratios are to the largest group; below .8 the four-fifths rule of 29 CFR 1607 sees
                evidence of adverse impact. This is evidence, not a verdict: groups differ in their bad rates, and small groups by
                chance. 95 % intervals in brackets." }
            @for column in protected { (of_column(column)) }
        }
    }
}

fn of_column(column: &ProtectedColumn) -> Markup {
    let headings = ["group", "rows", "bad rate", "approved", "ratio", "bad refused", "ratio", "good refused", "ratio"];
    let notes: Vec<String> = column.groups.iter().filter_map(note).collect();
    html! {
        h3 { (column.column) }
        div.figures { (figure("Approved", "Share of each group that is approved, with its interval. Dashed: the largest group.", approved(column))) }
        (table(&headings, &column.groups.iter().map(row).collect::<Vec<_>>()))
        @for note in &notes { p.note { (note) } }
    }
}

fn approved(column: &ProtectedColumn) -> Markup {
    let dot = |group: &Group| rows::Dot {
        name: group.name.clone(),
        value: group.approved.value,
        interval: (group.approved.low, group.approved.high),
        note: text::percent(group.approved.value),
    };
    let largest = column.largest().map(|group| group.approved.value);
    let axis = Axis::between("approved", Unit::Share, 0.0, 1.0);
    rows::dots(&axis, Colour::Ink, &column.groups.iter().map(dot).collect::<Vec<_>>(), largest, "approval by group")
}

fn row(group: &Group) -> Vec<Cell> {
    let versus = group.versus_largest;
    let approved =
        if group.is_large_enough() { ratio(versus.and_then(|versus| versus.approved)) } else { "too few".to_owned() };
    vec![
        name(&group.name),
        number(text::count(group.bad_rate.whole)),
        number(text::percent(group.bad_rate.value)),
        number(share(Some(group.approved))),
        number(approved),
        number(share(group.recall)),
        number(ratio(versus.and_then(|versus| versus.recall))),
        number(share(group.false_refusals)),
        number(ratio(versus.and_then(|versus| versus.false_refusals))),
    ]
}

/// `43.5 % (40.7–46.3)`.
fn share(share: Option<Share>) -> String {
    let ends = |share: Share| format!("({:.1}–{:.1})", 100.0 * share.low, 100.0 * share.high);
    share.map_or_else(|| "–".to_owned(), |share| format!("{} {}", text::percent(share.value), ends(share)))
}

/// `0.91 (0.82–1.01)`.
fn ratio(ratio: Option<Ratio>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{:.2} ({:.2}–{:.2})", ratio.value, ratio.low, ratio.high))
}

/// Says where the whole interval lies under four fifths.
fn note(group: &Group) -> Option<String> {
    let ratio = group.versus_largest?.approved.filter(|ratio| ratio.high < 0.8)?;
    Some(format!(
        "{}: approved {:.2} times as often as the largest group ({:.2} to {:.2}), below four fifths beyond chance.",
        group.name, ratio.value, ratio.low, ratio.high
    ))
}
