//! A chart with two axes.

use maud::{Markup, html};

use super::{Axis, Colour, at};

/// Room around the plot, for what is written at the axes.
const LEFT: f64 = 54.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 42.0;

/// A chart with two axes; marks come to lie on each other in the order in which they are added.
#[derive(Debug)]
pub struct Chart {
    x: Axis,
    y: Axis,
    width: f64,
    height: f64,
    marks: Vec<Markup>,
}

impl Chart {
    /// An empty chart of half a page's width.
    pub fn new(x: Axis, y: Axis) -> Self {
        Self { x, y, width: 460.0, height: 290.0, marks: Vec::new() }
    }

    /// Of this size.
    #[must_use]
    pub fn sized(self, width: f64, height: f64) -> Self {
        Self { width, height, ..self }
    }

    fn x(&self, value: f64) -> String {
        at(LEFT + self.x.place(value) * (self.width - LEFT - RIGHT))
    }

    fn y(&self, value: f64) -> String {
        at(self.height - BOTTOM - self.y.place(value) * (self.height - TOP - BOTTOM))
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let point = |(at, (x, y)): (usize, &(f64, f64))| {
            format!("{}{} {}", if at == 0 { "M" } else { "L" }, self.x(*x), self.y(*y))
        };
        points.iter().enumerate().map(point).collect()
    }

    fn with(mut self, mark: Markup) -> Self {
        self.marks.push(mark);
        self
    }

    /// A line through points.
    #[must_use]
    pub fn line(self, colour: Colour, points: &[(f64, f64)]) -> Self {
        let path = self.path(points);
        self.with(html! { path class={ "line " (colour.class()) } d=(path) {} })
    }

    /// A dashed line through points, to compare with.
    #[must_use]
    pub fn guide(self, points: &[(f64, f64)]) -> Self {
        let path = self.path(points);
        self.with(html! { path.guide d=(path) {} })
    }

    /// A point with its interval.
    #[must_use]
    pub fn dot(self, colour: Colour, (x, y): (f64, f64), (low, high): (f64, f64)) -> Self {
        let (place, middle, low, high) = (self.x(x), self.y(y), self.y(low), self.y(high));
        self.with(html! {
            line class={ "whisker " (colour.class()) } x1=(place) x2=(place) y1=(low) y2=(high) {}
            circle class=(colour.class()) cx=(place) cy=(middle) r="3.5" {}
        })
    }

    /// A bar from 0, between two places of the x axis.
    #[must_use]
    pub fn bar(self, (from, to): (f64, f64), value: f64) -> Self {
        let (left, right) = (LEFT + self.x.place(from) * self.room(), LEFT + self.x.place(to) * self.room());
        let (top, bottom) = (self.y(value), self.y(0.0));
        let height = bottom.parse::<f64>().unwrap_or_default() - top.parse::<f64>().unwrap_or_default();
        self.with(html! { rect.plain x=(at(left)) y=(top) width=(at((right - left).max(0.5))) height=(at(height)) {} })
    }

    fn room(&self) -> f64 {
        self.width - LEFT - RIGHT
    }

    /// A filled outline of steps, each between two edges.
    #[must_use]
    pub fn steps(self, colour: Colour, edges: &[f64], values: &[f64]) -> Self {
        let ends = edges.first().zip(edges.last()).map_or((0.0, 0.0), |(first, last)| (*first, *last));
        let steps = edges.windows(2).zip(values).flat_map(|(edge, value)| [(edge[0], *value), (edge[1], *value)]);
        let outline: Vec<(f64, f64)> = std::iter::once((ends.0, 0.0)).chain(steps).chain([(ends.1, 0.0)]).collect();
        let path = self.path(&outline);
        self.with(html! { path class={ "fill " (colour.class()) } d=(path) {} })
    }

    /// A dashed vertical line with a text beside its top.
    #[must_use]
    pub fn mark(self, x: f64, label: &str) -> Self {
        let (place, right) = (self.x(x), self.x.place(x) > 0.6);
        let anchor = if right { "end" } else { "start" };
        let text = at(place.parse::<f64>().unwrap_or_default() + if right { -5.0 } else { 5.0 });
        let bottom = at(self.height - BOTTOM);
        self.with(html! {
            line.guide x1=(place) x2=(place) y1=(at(TOP)) y2=(bottom) {}
            text.ink x=(text) y=(at(TOP + 9.0)) text-anchor=(anchor) { (label) }
        })
    }

    /// A text that ends or starts at a point.
    #[must_use]
    pub fn label(self, colour: Colour, (x, y): (f64, f64), anchor: &str, label: &str) -> Self {
        let (x, y) = (self.x(x), self.y(y));
        self.with(html! { text class=(colour.class()) x=(x) y=(y) dy="-6" text-anchor=(anchor) { (label) } })
    }

    /// The drawing; `about` is read to those who cannot see it.
    pub fn draw(&self, about: &str) -> Markup {
        let size = format!("0 0 {} {}", self.width, self.height);
        html! {
            svg viewBox=(size) role="img" aria-label=(about) { (self.axes()) @for mark in &self.marks { (mark) } }
        }
    }

    fn axes(&self) -> Markup {
        let (left, right, bottom) = (at(LEFT), at(self.width - RIGHT), at(self.height - BOTTOM));
        let middle = (LEFT + self.width - RIGHT) / 2.0;
        let centre = at((TOP + self.height - BOTTOM) / 2.0);
        html! {
            @for (value, text) in &self.y.ticks {
                line.grid x1=(left) x2=(right) y1=(self.y(*value)) y2=(self.y(*value)) {}
                text x=(at(LEFT - 7.0)) y=(self.y(*value)) dy="4" text-anchor="end" { (text) }
            }
            line.axis x1=(left) x2=(right) y1=(bottom) y2=(bottom) {}
            @for (value, text) in &self.x.ticks {
                line.axis x1=(self.x(*value)) x2=(self.x(*value)) y1=(bottom) y2=(at(self.height - BOTTOM + 4.0)) {}
                text x=(self.x(*value)) y=(at(self.height - BOTTOM + 16.0)) text-anchor="middle" { (text) }
            }
            text.title x=(at(middle)) y=(at(self.height - 5.0)) text-anchor="middle" { (self.x.title) }
            text.title x="11" y=(centre) text-anchor="middle" transform={ "rotate(-90 11 " (centre) ")" } { (self.y.title) }
        }
    }
}
