//! One row a name: bars, and dots with intervals.

use maud::{Markup, html};

use super::{Axis, Colour, at};
use crate::report::text;

const NAMES: f64 = 150.0;
const RIGHT: f64 = 56.0;
const ROW: f64 = 21.0;
const BOTTOM: f64 = 38.0;
/// The longest name that is written whole.
const LONGEST: usize = 24;

/// A bar a name, with its value written at its end.
pub fn bars(axis: &Axis, rows: &[(String, f64, String)], about: &str) -> Markup {
    let frame = Frame { axis, width: 460.0, rows: rows.len() };
    let bar = |(row, (name, value, written)): (usize, &(String, f64, String))| {
        let (zero, end, y) = (frame.x(0.0), frame.x(*value), frame.y(row));
        let beside = if end < zero { (end - 5.0, "end") } else { (end + 5.0, "start") };
        html! {
            (frame.name(row, name))
            rect.bar x=(at(zero.min(end))) y=(at(y - 6.0)) width=(at((end - zero).abs())) height="12" {}
            text x=(at(beside.0)) y=(at(y)) dy="4" text-anchor=(beside.1) { (written) }
        }
    };
    frame.draw(about, rows.iter().enumerate().map(bar).collect())
}

/// A point with its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// The name.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its interval.
    pub interval: (f64, f64),
    /// What is written at the right.
    pub note: String,
}

/// A dot a name, with a dashed line to compare with.
pub fn dots(axis: &Axis, colour: Colour, rows: &[Dot], guide: Option<f64>, about: &str) -> Markup {
    let frame = Frame { axis, width: 460.0, rows: rows.len() };
    let end = at(frame.width - RIGHT + 8.0);
    let dot = |(row, dot): (usize, &Dot)| {
        let (y, class) = (at(frame.y(row)), colour.class());
        html! {
            (frame.name(row, &dot.name))
            line class={ "whisker " (class) } x1=(at(frame.x(dot.interval.0))) x2=(at(frame.x(dot.interval.1))) y1=(y) y2=(y) {}
            circle class=(class) cx=(at(frame.x(dot.value))) cy=(y) r="3.5" {}
            text x=(end) y=(y) dy="4" { (dot.note) }
        }
    };
    let guide = guide.map(|value| at(frame.x(value)));
    let line = html! { @if let Some(x) = &guide { line.guide x1=(x) x2=(x) y1="0" y2=(at(frame.bottom())) {} } };
    frame.draw(about, std::iter::once(line).chain(rows.iter().enumerate().map(dot)).collect())
}

/// Where rows and values lie.
struct Frame<'a> {
    axis: &'a Axis,
    width: f64,
    rows: usize,
}

impl Frame<'_> {
    fn x(&self, value: f64) -> f64 {
        NAMES + self.axis.place(value) * (self.width - NAMES - RIGHT)
    }

    fn y(&self, row: usize) -> f64 {
        (row as f64 + 0.5) * ROW + 2.0
    }

    fn bottom(&self) -> f64 {
        self.rows as f64 * ROW + 4.0
    }

    fn name(&self, row: usize, name: &str) -> Markup {
        let y = at(self.y(row));
        html! { text.name x=(at(NAMES - 9.0)) y=(y) dy="4" text-anchor="end" { title { (name) } (text::cut(name, LONGEST)) } }
    }

    fn draw(&self, about: &str, marks: Vec<Markup>) -> Markup {
        let bottom = self.bottom();
        let size = format!("0 0 {} {}", self.width, at(bottom + BOTTOM));
        let middle = at((NAMES + self.width - RIGHT) / 2.0);
        html! {
            svg viewBox=(size) role="img" aria-label=(about) {
                @for (value, text) in &self.axis.ticks {
                    line.grid x1=(at(self.x(*value))) x2=(at(self.x(*value))) y1="0" y2=(at(bottom)) {}
                    text x=(at(self.x(*value))) y=(at(bottom + 14.0)) text-anchor="middle" { (text) }
                }
                @for mark in &marks { (mark) }
                text.title x=(middle) y=(at(bottom + 32.0)) text-anchor="middle" { (self.axis.title) }
            }
        }
    }
}
