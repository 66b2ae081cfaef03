//! Boosted trees in LightGBM's text format, evaluated bit for bit as LightGBM does and explained exactly.
//!
//! Numeric splits only: categories come as their weight of evidence. Linear trees, random forests and several classes
//! are refused with the line that says so. Whatever is wrong with a text is found while it is parsed, so that
//! evaluation needs no checks: every child exists, and no path returns to where it came from.

mod shap;
mod text;
mod tree;

pub use self::text::{BoosterError, Fault};
use self::tree::Tree;

/// The trees of a booster with one score, in log-odds.
#[derive(Clone, Debug, PartialEq)]
pub struct Booster {
    features: usize,
    trees: Vec<Tree>,
    base: f64,
}

impl Booster {
    /// Reads LightGBM's text format, version 3 or 4.
    ///
    /// # Errors
    /// The line, the tree and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, BoosterError> {
        let (features, trees) = text::parse(text)?;
        let base = trees.iter().map(Tree::expected).sum();
        Ok(Self { features, trees, base })
    }

    /// How many features a row has.
    #[must_use]
    pub const fn features(&self) -> usize {
        self.features
    }

    /// The raw score of a row, one number a feature, not-a-number where there is no value. Equals LightGBM's to the bit.
    #[must_use]
    pub fn margin(&self, row: &[f64]) -> f64 {
        self.trees.iter().map(|tree| tree.evaluate(row)).fold(0.0, |sum, leaf| sum + leaf)
    }

    /// The raw score of a row after each tree; the last is its [`margin`](Self::margin).
    pub fn staged(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        self.trees.iter().map(|tree| tree.evaluate(row)).scan(0.0, |sum, leaf| {
            *sum += leaf;
            Some(*sum)
        })
    }

    /// The expected margin: each leaf by its share of the training rows.
    #[must_use]
    pub const fn base(&self) -> f64 {
        self.base
    }

    /// Adds each feature's SHAP value to `sums`, which has one number a feature: base + Σ = margin.
    pub fn contributions(&self, row: &[f64], sums: &mut [f64]) {
        shap::add(&self.trees, row, sums);
    }
}

#[cfg(test)]
mod tests;
