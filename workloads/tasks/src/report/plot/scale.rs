//! Axes: from where to where, and which values are written.

use crate::report::text;

/// What an axis counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Shares, written as percentages.
    Share,
    /// Anything else.
    Number,
}

impl Unit {
    /// A value as it is written at an axis with steps of some size.
    fn write(self, value: f64, step: f64) -> String {
        match self {
            Self::Share => {
                let decimals = usize::from(step < 0.0095) + usize::from(step < 0.00095);
                format!("{:.decimals$}\u{202f}%", 100.0 * value)
            }
            Self::Number => text::short(value),
        }
    }
}

/// One axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What it shows.
    pub title: String,
    /// Least value.
    pub from: f64,
    /// Greatest value.
    pub to: f64,
    /// What is written at it.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis that ends at round values around the given ones.
    pub fn around(title: &str, unit: Unit, values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (least, most) =
            finite.fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
        let (least, most) = if least > most { (0.0, 1.0) } else { (least, most) };
        let most = if most - least <= f64::EPSILON * most.abs() { least + 1.0 } else { most };
        let step = step(most - least);
        Self::new(title, unit, ((least / step + 1e-9).floor() * step, (most / step - 1e-9).ceil() * step), step)
    }

    /// An axis with exactly these ends.
    pub fn between(title: &str, unit: Unit, from: f64, to: f64) -> Self {
        Self::new(title, unit, (from, to), step(to - from))
    }

    fn new(title: &str, unit: Unit, (from, to): (f64, f64), step: f64) -> Self {
        let first = (from / step - 1e-9).ceil();
        let count = ((to - first * step) / step + 1e-9).floor().max(0.0) as usize;
        let ticks = (0..=count).map(|tick| (first + tick as f64) * step).map(|value| (value, unit.write(value, step)));
        Self { title: title.to_owned(), from, to, ticks: ticks.collect() }
    }

    /// An axis of names, one a unit from 0; at most `most` are written.
    pub fn names(title: &str, names: &[String], most: usize) -> Self {
        let every = names.len().div_ceil(most).max(1);
        let ticks = names.iter().enumerate().filter(|(at, _)| at % every == 0);
        let ticks = ticks.map(|(at, name)| (at as f64 + 0.5, name.clone())).collect();
        Self { title: title.to_owned(), from: 0.0, to: names.len().max(1) as f64, ticks }
    }

    /// Where a value lies, from 0 to 1; what is beyond an end lies at the end.
    pub fn place(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

/// A round step that divides a range into four to eight.
fn step(range: f64) -> f64 {
    let size = 10_f64.powf((range / 5.0).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * size);
    steps.into_iter().find(|step| range / step <= 6.0).unwrap_or(size)
}

#[cfg(test)]
mod tests {
    use super::{Axis, Unit};

    fn written(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ends_and_steps_are_round() {
        let axis = Axis::around("bad rate", Unit::Share, [0.02, 0.183]);
        assert_eq!((axis.from, axis.to, written(&axis).len()), (0.0, 0.2, 5));
        assert_eq!((written(&axis)[1], written(&axis)[4]), ("5\u{202f}%", "20\u{202f}%"));
        let axis = Axis::around("rows", Unit::Number, [0.0, 3120.0]);
        assert_eq!(written(&axis), ["0", "1,000", "2,000", "3,000", "4,000"]);
        assert_eq!((axis.place(2000.0), axis.place(9e9), axis.place(-1.0)), (0.5, 1.0, 0.0));
    }

    #[test]
    fn degenerate_ranges_are_axes_too() {
        for values in [vec![], vec![3.0], vec![0.0, 0.0], vec![f64::NAN, f64::INFINITY], vec![-1e-12, 1e-12]] {
            let axis = Axis::around("x", Unit::Number, values.clone());
            assert!(axis.to > axis.from && (2..10).contains(&axis.ticks.len()), "{values:?}: {axis:?}");
        }
        let months: Vec<String> = (0..50).map(|month| month.to_string()).collect();
        assert_eq!(Axis::names("month", &months, 6).ticks.len(), 6);
    }
}
