//! A matrix of correlations: blue below 0, vermillion above, paler the nearer to 0.

use maud::{Markup, html};

use super::at;
use crate::report::text;

const NAMES: f64 = 160.0;
const CELL: f64 = 38.0;
const TOP: f64 = 56.0;
const RIGHT: f64 = 30.0;
const LONGEST: usize = 24;

/// The lower half of a symmetric matrix; `values[row][column]`.
pub fn heat(names: &[String], values: &[Vec<f64>], about: &str) -> Markup {
    let size = names.len() as f64 * CELL;
    let cells = (0..names.len()).flat_map(|row| (0..row).map(move |column| (row, column)));
    html! {
        svg.heat viewBox={ "0 0 " (at(NAMES + size + RIGHT)) " " (at(TOP + size)) } role="img" aria-label=(about) {
            @for (place, name) in names.iter().enumerate() { (names_of(place, name, names.len())) }
            @for (row, column) in cells { (cell(row, column, values[row][column])) }
        }
    }
}

fn names_of(place: usize, name: &str, count: usize) -> Markup {
    let middle = (place as f64 + 0.5) * CELL;
    let (x, y) = (at(NAMES + middle), at(TOP + place as f64 * CELL + CELL - 8.0));
    html! {
        @if place > 0 {
            text.name x=(at(NAMES - 8.0)) y=(at(TOP + middle)) dy="4" text-anchor="end" { title { (name) } (text::cut(name, LONGEST)) }
        }
        @if place + 1 < count {
            text.name x=(x) y=(y) text-anchor="start" transform={ "rotate(-45 " (x) " " (y) ")" } { (text::cut(name, 18)) }
        }
    }
}

fn cell(row: usize, column: usize, value: f64) -> Markup {
    let (x, y) = (NAMES + column as f64 * CELL, TOP + row as f64 * CELL);
    let class = if value < 0.0 { "good" } else { "bad" };
    let strength = format!("{:.2}", 0.04 + 0.76 * value.abs().min(1.0));
    let sign = if value <= -0.005 { "−" } else { "" };
    let written = format!("{:.2}", value.abs()).replace("0.", ".");
    html! {
        rect class=(class) x=(at(x + 1.0)) y=(at(y + 1.0)) width=(at(CELL - 2.0)) height=(at(CELL - 2.0)) rx="3" fill-opacity=(strength) {}
        text.ink x=(at(x + CELL / 2.0)) y=(at(y + CELL / 2.0)) dy="4" text-anchor="middle" { (sign) (written) }
    }
}
