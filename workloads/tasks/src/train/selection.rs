//! How much of each family: the blend with the lowest log loss on inner folds, newer rows each time than those learnt
//! from.
//!
//! Each regression is fitted once a fold, trees once a fold and trial; a blend is the weighted mean of the log-odds of the
//! trees that were chosen and of the better regression. Trees, and the less simple regression, have to pay for it.

use serde::Serialize;
use underwriter_contract::learning::{Algorithm, Family};

use super::{
    boosting::Boosting,
    candidate::{Candidate, FitError, Material, Recipe},
    folds::{self, Fold},
    parsimony::{losses, pays},
    points::Regression,
    split::Ordered,
    sweep::{self, Swept, Trial, Tuning},
};

/// Steps of the weight from trees alone to the regression alone.
const STEPS: u32 = 20;

/// Mean log loss on the newer rows of one fold.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoldLosses {
    /// Rows learnt from.
    pub older: usize,
    /// Rows looked at.
    pub newer: usize,
    /// Of regression on the evidence of monotonic bins.
    pub scorecard: f64,
    /// Of regression on evidence and ranks.
    pub logistic_regression: f64,
    /// Of boosted trees.
    pub gradient_boosting: f64,
    /// Of what was chosen.
    pub chosen: f64,
}

/// What was chosen, fitted on all rows.
#[derive(Debug)]
pub struct Chosen {
    /// What it is made of.
    pub family: Family,
    /// Its fit.
    pub candidate: Candidate,
    /// By which it was chosen; empty where the spec has chosen.
    pub losses: Vec<FoldLosses>,
    /// The trees that were tried; empty where there are none.
    pub trials: Vec<Trial>,
}

/// Fits what the spec names, or what does best.
///
/// # Errors
/// When the library that fits a family fails.
pub fn choose(algorithm: Algorithm, tuning: &Tuning, material: &Material, rows: &Ordered) -> Result<Chosen, FitError> {
    let folds = folds::expanding(rows, material.bad);
    match algorithm {
        Algorithm::Scorecard => Chosen::fit(material, rows, Recipe::alone(Regression::Scorecard)),
        Algorithm::LogisticRegression => Chosen::fit(material, rows, Recipe::alone(Regression::Logistic)),
        Algorithm::GradientBoosting => {
            let folds = if tuning.is_open() { folds } else { Vec::new() };
            let Swept { boosting, trials, .. } = sweep::sweep(tuning, material, &folds)?;
            Ok(Chosen { trials, ..Chosen::fit(material, rows, Recipe::trees(boosting))? })
        }
        Algorithm::Auto => {
            let Swept { boosting, margins, trials } = sweep::sweep(tuning, material, &folds)?;
            let scored = folds.iter().zip(margins).map(|(fold, trees)| Scored::fit(material, fold, trees));
            let scored = scored.collect::<Result<Vec<_>, _>>()?;
            let recipe = best(&scored, boosting);
            let losses = scored.iter().map(|fold| fold.losses(recipe)).collect();
            Ok(Chosen { losses, trials, ..Chosen::fit(material, rows, recipe)? })
        }
    }
}

impl Chosen {
    fn fit(material: &Material, rows: &Ordered, recipe: Recipe) -> Result<Self, FitError> {
        let candidate = material.fit(recipe, rows)?;
        Ok(Self { family: family(recipe), candidate, losses: Vec::new(), trials: Vec::new() })
    }
}

impl Recipe {
    /// A regression without trees.
    const fn alone(regression: Regression) -> Self {
        Self { regression, weight: 1.0, trees: Boosting::NONE }
    }

    /// Trees without a regression.
    const fn trees(trees: Boosting) -> Self {
        Self { regression: Regression::Logistic, weight: 0.0, trees }
    }
}

fn family(Recipe { regression, weight, .. }: Recipe) -> Family {
    match regression {
        _ if weight <= 0.0 => Family::GradientBoosting,
        _ if weight < 1.0 => Family::Blend,
        Regression::Scorecard => Family::Scorecard,
        Regression::Logistic => Family::LogisticRegression,
    }
}

/// Each newer row counts the same. Trees must pay; how much of the regression stays beside them need not, for it holds
/// them back.
fn best(folds: &[Scored], trees: Boosting) -> Recipe {
    let tried = |recipe| Tried { recipe, losses: folds.iter().flat_map(|fold| fold.each(recipe)).collect() };
    let linear = tried(Recipe::alone(Regression::Logistic)).unless_beaten(tried(Recipe::alone(Regression::Scorecard)));
    let regression = linear.recipe.regression;
    let weights = (1..STEPS).map(|step| f64::from(step) / f64::from(STEPS));
    let blends = weights.map(|weight| Recipe { regression, weight, trees });
    let tree_like = std::iter::once(Recipe::trees(trees)).chain(blends).map(tried);
    let blend = tree_like.reduce(|one, other| if other.total() < one.total() { other } else { one });
    blend.map_or(linear.recipe, |blend| linear.unless_beaten(blend).recipe)
}

/// A recipe, and its loss of each row of all folds.
struct Tried {
    recipe: Recipe,
    losses: Vec<f64>,
}

impl Tried {
    fn total(&self) -> f64 {
        self.losses.iter().sum()
    }

    /// Itself, or the other where that pays.
    fn unless_beaten(self, other: Self) -> Self {
        if pays(&self.losses, &other.losses) { other } else { self }
    }
}

/// Log-odds of every family for the newer rows of a fold.
struct Scored {
    older: usize,
    scorecard: Vec<f64>,
    logistic: Vec<f64>,
    trees: Vec<f64>,
    bad: Vec<bool>,
}

impl Scored {
    fn fit(material: &Material, fold: &Fold, trees: Vec<f64>) -> Result<Self, FitError> {
        let newer = &fold.newer.rows;
        let fit = |regression| material.fit(Recipe::alone(regression), &fold.older);
        let scores = |regression| fit(regression).map(|fitted| fitted.scores(material, newer));
        let (scorecard, logistic) = (scores(Regression::Scorecard)?, scores(Regression::Logistic)?);
        Ok(Self { older: fold.older.rows.len(), scorecard, logistic, trees, bad: material.outcomes(newer) })
    }

    /// The loss of each row.
    fn each(&self, Recipe { regression, weight, .. }: Recipe) -> Vec<f64> {
        let linear = match regression {
            Regression::Scorecard => &self.scorecard,
            Regression::Logistic => &self.logistic,
        };
        let blend = |(linear, trees): (&f64, &f64)| weight * linear + (1.0 - weight) * trees;
        losses(&linear.iter().zip(&self.trees).map(blend).collect::<Vec<_>>(), &self.bad)
    }

    fn losses(&self, chosen: Recipe) -> FoldLosses {
        let loss = |recipe| self.each(recipe).iter().sum::<f64>() / self.bad.len() as f64;
        FoldLosses {
            older: self.older,
            newer: self.bad.len(),
            scorecard: loss(Recipe::alone(Regression::Scorecard)),
            logistic_regression: loss(Recipe::alone(Regression::Logistic)),
            gradient_boosting: loss(Recipe::trees(Boosting::NONE)),
            chosen: loss(chosen),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use underwriter_contract::{
        learning::{Algorithm, Family, Hyperparameters},
        manifest::ColumnKind,
    };
    use underwriter_model::calibration;

    use super::choose;
    use crate::train::{
        candidate::Material,
        features::{Cells, Feature},
        split::Ordered,
        sweep::Tuning,
    };

    /// Knuth's multiplicative hash of row and column, as a number between 0 and 1.
    fn uniform(row: usize, column: usize) -> f64 {
        let mixed = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add((column as u64 + 1) << 33);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn chosen(columns: usize, truth: impl Fn(&[f64]) -> f64) -> super::Chosen {
        const ROWS: usize = 6000;
        let cells = |column| Cells::Numbers((0..ROWS).map(|row| uniform(row, column)).collect());
        let feature = |column: usize| Feature::new(&format!("x{column}"), ColumnKind::Number, cells(column));
        let features: Vec<Feature> = (0..columns).map(feature).collect();
        let learnt: BTreeSet<String> = features.iter().map(|feature| feature.name.clone()).collect();
        let log_odds = |row| truth(&(0..columns).map(|column| uniform(row, column)).collect::<Vec<_>>());
        let bad: Vec<bool> = (0..ROWS).map(|row| uniform(row, 99) < calibration::sigmoid(log_odds(row))).collect();
        let material = Material { features: &features, learnt: &learnt, bad: &bad, seed: 1 };
        choose(
            Algorithm::Auto,
            &Tuning::of(&Hyperparameters::default()),
            &material,
            &Ordered::at_random((0..ROWS).collect(), 1),
        )
        .unwrap()
    }

    #[test]
    fn each_family_wins_where_the_truth_is_its_own() {
        let linear = chosen(16, |x| x.iter().map(|x| 2.0 * (x - 0.5)).sum::<f64>() - 1.0);
        let weight = linear.candidate.scorer.weight;
        assert!(linear.losses.len() == 3 && weight > 0.6, "{weight}: {:?}", linear.losses);
        assert!(linear.losses.iter().all(|fold| fold.logistic_regression < fold.gradient_boosting));
        let crossed = chosen(4, |x| if (x[0] > 0.5) == (x[1] > 0.5) { 1.5 } else { -1.5 });
        assert_eq!(crossed.family, Family::GradientBoosting);
        let clearly = |fold: &super::FoldLosses| fold.gradient_boosting < fold.scorecard - 0.05;
        assert!(crossed.losses.iter().all(clearly), "{:?}", crossed.losses);
    }

    #[test]
    fn a_blend_wins_where_the_truth_is_of_both() {
        let crossed = |x: &[f64]| if (x[0] > 0.5) == (x[1] > 0.5) { 0.5 } else { -0.5 };
        let both = chosen(16, |x| x[2..].iter().map(|x| 1.5 * (x - 0.5)).sum::<f64>() + crossed(x) - 1.0);
        let weight = both.candidate.scorer.weight;
        assert!(both.family == Family::Blend && (0.1..0.9).contains(&weight), "{weight}: {:?}", both.losses);
        assert!(both.losses.iter().all(|fold| fold.chosen < fold.scorecard.min(fold.gradient_boosting)));
    }
}
