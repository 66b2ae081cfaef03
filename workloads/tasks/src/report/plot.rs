//! Drawings as SVG, in the colours of the page: axes with units, few grid lines, labels where the eye is.
//!
//! Good and bad are blue and vermillion (Okabe & Ito 2008), which colour-blind readers tell apart. [`chart`] has two
//! continuous axes, [`rows`] one row a name, [`heat`] is a matrix. Coordinates have one decimal, so that the same values
//! give the same bytes.

pub mod chart;
pub mod heat;
pub mod rows;
pub mod scale;

pub use chart::Chart;
pub use scale::{Axis, Unit};

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Good loans.
    Good,
    /// Bad loans.
    Bad,
    /// Neither.
    Ink,
}

impl Colour {
    /// Its class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Ink => "ink",
        }
    }
}

/// A coordinate.
fn at(place: f64) -> String {
    format!("{:.1}", if place.abs() < 0.05 { 0.0 } else { place })
}
