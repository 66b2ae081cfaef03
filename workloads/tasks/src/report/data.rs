//! The data report: what exploring the data would have shown, before anything was fitted.
//!
//! [`facts`] counts, [`columns`] and [`overview`] print. Bounded in size: the columns that tell most are shown one by one,
//! the rest in a table; and in time: columns are judged on at most [`facts::MOST_ROWS`] rows, evenly spread over time.

pub mod columns;
pub mod correlation;
pub mod facts;
pub mod overview;

use underwriter_contract::learning::Data;

use self::facts::Facts;
use super::{
    page::{Page, Section, Tile},
    text,
};
use crate::train::{guards::Columns, loans::Loans, source::Source};

/// What a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Explored<'a> {
    /// What the data is for: `namespace/name` of the model.
    pub model: &'a str,
    /// What was said of it.
    pub data: &'a Data,
    /// What was read.
    pub source: &'a Source,
    /// The finished loans.
    pub loans: &'a Loans,
    /// What the guards made of the columns.
    pub columns: &'a Columns,
}

impl Explored<'_> {
    /// The whole file.
    pub fn render(&self) -> String {
        let facts = Facts::of(self);
        let section = |id, title, body| Section { id, title, body };
        let page = Page {
            kind: "Data report",
            title: format!("Loans of {}", self.model),
            lead: self.data.uri.clone(),
            tiles: tiles(self, &facts),
            sections: vec![
                section("overview", "Overview", overview::section(self)),
                section("vintages", "Vintages", overview::vintages(self)),
                section("findings", "What guards found", overview::findings(self)),
                section("columns", "All columns", columns::all(&facts)),
                section("correlations", "Correlations", columns::correlations(&facts)),
                section("detail", "Column by column", columns::detail(&facts)),
            ],
            footer: format!("Written by Underwriter {}.", env!("CARGO_PKG_VERSION")),
        };
        page.render()
    }
}

fn tiles(explored: &Explored, facts: &Facts) -> Vec<Tile> {
    let (loans, tile) =
        (explored.loans, |name: &str, value: String, note: String| Tile { name: name.to_owned(), value, note });
    let bad = loans.bad.iter().filter(|bad| **bad).count();
    let dates = loans.dates.as_ref().and_then(|dates| dates.first().zip(dates.last()));
    let mut tiles = vec![
        tile(
            "finished loans",
            text::count(loans.len() as u64),
            format!("{} rows were not taken", text::count(not_taken(explored))),
        ),
        tile("went bad", text::percent(bad as f64 / loans.len() as f64), format!("{} loans", text::count(bad as u64))),
        tile(
            "columns",
            facts.columns.len().to_string(),
            format!("{} may be learnt from", explored.columns.learnt.len()),
        ),
    ];
    tiles.extend(
        dates.map(|(from, to)| tile("years", format!("{}–{}", from.year(), to.year()), format!("{from} to {to}"))),
    );
    tiles
}

fn not_taken(explored: &Explored) -> u64 {
    let left = &explored.loans.left_out;
    left.not_finished + left.young + left.duplicates + left.undated + explored.source.broken
}
