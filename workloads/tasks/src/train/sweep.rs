//! Which trees: a few points are tried on inner folds, newer rows each time than those learnt from.
//!
//! A trial fits the most trees once a fold; the sum of the folds' losses after each tree tells how many there should be.
//! The loss by which a trial is judged is honest: how many trees count in one fold is taken from the other folds. Among
//! trees of the same size the lowest loss wins; larger trees must pay. The encodings of a fold serve all its trials, which are
//! fitted side by side, and of each fold only the newer rows are kept.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use underwriter_contract::learning::Hyperparameters;
use underwriter_model::Booster;

use super::{
    boosting::{self, Boosting, MOST_ROUNDS, Parameters, Sample},
    candidate::{FitError, Inputs, Material},
    folds::Fold,
    parsimony::{loss, losses, pays},
    space,
};

/// How many trees there are where there is no fold to look at.
const WITHOUT_A_LOOK: u32 = 100;

/// What came of one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// How each tree is learnt.
    #[serde(flatten)]
    pub parameters: Parameters,
    /// How many trees have the lowest loss on the newer rows of all folds.
    pub rounds: u32,
    /// Mean log loss on the newer rows of all folds.
    pub loss: f64,
}

/// The trees that were chosen.
#[derive(Clone, Debug)]
pub struct Swept {
    /// What to fit.
    pub boosting: Boosting,
    /// Log-odds of the newer rows, fold by fold.
    pub margins: Vec<Vec<f64>>,
    /// Everything that was tried.
    pub trials: Vec<Trial>,
}

/// What there is to choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// How each tree may be learnt.
    pub points: Vec<Parameters>,
    /// How many there are, where that is fixed.
    pub rounds: Option<u32>,
}

impl Tuning {
    /// The points that are tried without a sweep.
    pub fn of(fixed: &Hyperparameters) -> Self {
        Self { points: space::points(fixed), rounds: fixed.rounds }
    }

    /// Whether there is anything to choose.
    pub fn is_open(&self) -> bool {
        self.rounds.is_none() || self.points.len() > 1
    }

    /// The trees that are fitted without a look.
    fn unseen(&self) -> Boosting {
        let parameters = self.points.first().copied().unwrap_or(Parameters::DEFAULT);
        Boosting { parameters, rounds: self.rounds.unwrap_or(WITHOUT_A_LOOK) }
    }
}

/// Tries every point and chooses.
///
/// # Errors
/// When LightGBM fails.
pub fn sweep(tuning: &Tuning, material: &Material, folds: &[Fold]) -> Result<Swept, FitError> {
    let seen = folds.iter().map(|fold| Seen::fit(tuning, material, fold)).collect::<Result<Vec<_>, _>>()?;
    let places = if folds.is_empty() { 0..0 } else { 0..tuning.points.len() };
    let tried: Vec<Tried> = places.map(|at| Tried::of(tuning, at, &seen)).collect();
    let trials = tried.iter().map(Tried::trial).collect();
    Ok(match best(tried) {
        Some(Tried { boosting, margins, .. }) => Swept { boosting, margins, trials },
        None => Swept { boosting: tuning.unseen(), margins: Vec::new(), trials },
    })
}

/// The lowest loss of each size, larger ones only where that pays.
fn best(mut tried: Vec<Tried>) -> Option<Tried> {
    tried.sort_by(|one, other| one.leaves().cmp(&other.leaves()).then(one.loss().total_cmp(&other.loss())));
    tried.dedup_by_key(|tried| tried.leaves());
    let choose = |one: Tried, other: Tried| if pays(&one.losses, &other.losses) { other } else { one };
    tried.into_iter().reduce(choose)
}

/// One point, fitted on every fold.
struct Tried {
    boosting: Boosting,
    margins: Vec<Vec<f64>>,
    /// Of each newer row of all folds.
    losses: Vec<f64>,
}

impl Tried {
    /// What the point of a place comes to on all folds.
    fn of(tuning: &Tuning, place: usize, folds: &[Seen]) -> Self {
        let lowest = |counts: &dyn Fn(usize) -> bool| {
            let counted = folds.iter().enumerate().filter(|(at, _)| counts(*at));
            lowest(&counted.map(|(_, fold)| fold.fitted[place].curve.as_slice()).collect::<Vec<_>>())
        };
        let honest = |at| tuning.rounds.unwrap_or_else(|| lowest(&|other| other != at || folds.len() == 1));
        let margins: Vec<_> = folds.iter().enumerate().map(|(at, fold)| fold.margins(place, honest(at))).collect();
        let losses = folds.iter().zip(&margins).flat_map(|(fold, margins)| losses(margins, &fold.bad)).collect();
        let rounds = tuning.rounds.unwrap_or_else(|| lowest(&|_| true));
        Self { boosting: Boosting { parameters: tuning.points[place], rounds }, margins, losses }
    }

    fn loss(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.losses.len() as f64
    }

    fn leaves(&self) -> u32 {
        self.boosting.parameters.leaves
    }

    fn trial(&self) -> Trial {
        let Boosting { parameters, rounds } = self.boosting;
        Trial { parameters, rounds, loss: self.loss() }
    }
}

/// The newer rows of one fold, and the trees of every point that the older ones gave.
struct Seen {
    newer: Vec<Vec<f64>>,
    bad: Vec<bool>,
    fitted: Vec<Fitted>,
}

/// The trees of one point, and the loss of the newer rows after each.
struct Fitted {
    booster: Booster,
    curve: Vec<f64>,
}

impl Seen {
    fn fit(tuning: &Tuning, material: &Material, fold: &Fold) -> Result<Self, FitError> {
        let Inputs { older, bad_older, newer, bad_newer, monotonic } = Inputs::of(material, fold);
        let sample = Sample { columns: &older, bad: &bad_older, monotonic: &monotonic, threads: 1 };
        let rounds = tuning.rounds.unwrap_or(MOST_ROUNDS);
        let fit = |point: &Parameters| {
            let text = boosting::fit(sample, Boosting { parameters: *point, rounds }, material.seed)?;
            let booster = Booster::parse(&text)?;
            let curve = curve(&booster, rounds, &newer, &bad_newer);
            Ok(Fitted { booster, curve })
        };
        let fitted = tuning.points.par_iter().map(fit).collect::<Result<_, FitError>>()?;
        Ok(Self { newer, bad: bad_newer, fitted })
    }

    fn margins(&self, place: usize, rounds: u32) -> Vec<f64> {
        let booster = &self.fitted[place].booster;
        let margin = |row: &Vec<f64>| booster.staged(row).take(rounds as usize).last().unwrap_or_default();
        self.newer.iter().map(margin).collect()
    }
}

/// The sum of the rows' losses after each tree; LightGBM ends early where no split is left.
fn curve(booster: &Booster, rounds: u32, rows: &[Vec<f64>], bad: &[bool]) -> Vec<f64> {
    let mut curve = vec![0.0; rounds as usize];
    for (row, bad) in rows.iter().zip(bad) {
        let mut last = 0.0;
        let mut stages = booster.staged(row);
        for sum in &mut curve {
            last = stages.next().unwrap_or(last);
            *sum += loss(last, *bad);
        }
    }
    curve
}

/// The number of trees after which the sum of some curves is lowest.
fn lowest(curves: &[&[f64]]) -> u32 {
    let total = |round: u32| curves.iter().map(|curve| curve[round as usize - 1]).sum::<f64>();
    let most = curves.first().map_or(1, |curve| curve.len() as u32);
    (1..=most).min_by(|one, other| total(*one).total_cmp(&total(*other))).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use underwriter_contract::{learning::Hyperparameters, manifest::ColumnKind};
    use underwriter_model::{calibration, metrics};

    use super::{Boosting, MOST_ROUNDS, Parameters, Seen, Swept, Tried, Tuning, best, sweep};
    use crate::train::{
        candidate::{Material, Recipe},
        features::{Cells, Feature},
        folds,
        points::Regression,
        split::Ordered,
    };

    const ROWS: usize = 3000;

    /// Loans that go bad where two numbers lie on the same side of the middle.
    fn crossed() -> (Vec<Feature>, Vec<bool>) {
        let noise = |row: usize, salt: u64| {
            let mixed = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 11) as f64 / (1u64 << 53) as f64
        };
        let cells = |column| Cells::Numbers((0..ROWS).map(|row| noise(row, column)).collect());
        let feature = |column| Feature::new(&format!("x{column}"), ColumnKind::Number, cells(column));
        let odds = |row| if (noise(row, 0) > 0.5) == (noise(row, 1) > 0.5) { 1.0 } else { -2.0 };
        let bad = (0..ROWS).map(|row| noise(row, 9) < calibration::sigmoid(odds(row))).collect();
        ((0..4).map(feature).collect(), bad)
    }

    fn with_material<T>(test: impl FnOnce(&Material, &Ordered) -> T) -> T {
        let (features, bad) = crossed();
        let learnt: BTreeSet<String> = features.iter().map(|feature| feature.name.clone()).collect();
        let material = Material { features: &features, learnt: &learnt, bad: &bad, seed: 7 };
        test(&material, &Ordered::at_random((0..ROWS).collect(), 7))
    }

    #[test]
    fn how_many_trees_is_a_choice_too() {
        let fixed = Hyperparameters {
            leaves: Some(3),
            learning_rate: Some(0.2),
            min_leaf: Some(40),
            column_share: Some(0.6),
            row_share: Some(0.9),
            l2: Some(1.0),
            ..Default::default()
        };
        let tuning = Tuning::of(&fixed);
        assert!(tuning.points.len() == 1 && tuning.is_open());
        assert!(!Tuning { rounds: Some(20), ..tuning }.is_open());
    }

    /// Each newer row is scored as the whole candidate would score it, with the number of trees that other folds want.
    #[test]
    fn margins_are_those_of_the_candidates() {
        with_material(|material, rows| {
            let folds = folds::expanding(rows, material.bad);
            let fixed = Hyperparameters { rounds: Some(25), ..Default::default() };
            let tuning = Tuning::of(&fixed);
            let Swept { boosting, margins, trials } = sweep(&tuning, material, &folds).unwrap();
            assert_eq!((margins.len(), trials.len(), boosting.rounds), (3, tuning.points.len(), 25));
            for (fold, margins) in folds.iter().zip(&margins) {
                let recipe = Recipe { regression: Regression::Logistic, weight: 0.0, trees: boosting };
                let candidate = material.fit(recipe, &fold.older).unwrap();
                assert_eq!(candidate.scores(material, &fold.newer.rows), *margins);
            }
            let mean = |trial: &super::Trial| (trial.parameters == boosting.parameters).then_some(trial.loss);
            let rows: Vec<usize> = folds.iter().flat_map(|fold| fold.newer.rows.clone()).collect();
            let probabilities: Vec<f64> = margins.concat().into_iter().map(calibration::sigmoid).collect();
            let loss = metrics::log_loss(&probabilities, &material.outcomes(&rows)).unwrap();
            assert!((trials.iter().find_map(mean).unwrap() - loss).abs() < 1e-12);
        });
    }

    #[test]
    fn enough_trees_are_found_and_no_more() {
        with_material(|material, rows| {
            let folds = folds::expanding(rows, material.bad);
            let fast = Parameters { learning_rate: 0.5, min_leaf: 20, ..Parameters::DEFAULT };
            let tried = |rounds| {
                let tuning = Tuning { points: vec![fast], rounds };
                let seen: Vec<Seen> =
                    folds.iter().map(|fold| Seen::fit(&tuning, material, fold)).collect::<Result<_, _>>().unwrap();
                Tried::of(&tuning, 0, &seen)
            };
            let (chosen, all) = (tried(None), tried(Some(MOST_ROUNDS)));
            assert!((2..100).contains(&chosen.boosting.rounds), "{}", chosen.boosting.rounds);
            assert!(chosen.loss() < all.loss() - 0.01, "{} {}", chosen.loss(), all.loss());
        });
    }

    #[test]
    fn without_a_fold_nothing_is_tried() {
        with_material(|material, _| {
            let tuning = Tuning::of(&Hyperparameters::default());
            let Swept { boosting, margins, trials } = sweep(&tuning, material, &[]).unwrap();
            assert_eq!(boosting, Boosting { parameters: Parameters::DEFAULT, rounds: 100 });
            assert!(margins.is_empty() && trials.is_empty());
        });
    }

    fn made(leaves: u32, losses: Vec<f64>) -> Tried {
        let parameters = Parameters { leaves, ..Parameters::DEFAULT };
        Tried { boosting: Boosting { parameters, rounds: 1 }, margins: Vec::new(), losses }
    }

    #[test]
    fn larger_trees_must_pay() {
        let noisy = |mean: f64| (0..100).map(|row| mean + f64::from(row % 2) / 10.0).collect::<Vec<_>>();
        let small = vec![0.4; 100];
        let chosen =
            |large: f64| best(vec![made(8, noisy(large)), made(4, small.clone()), made(4, vec![0.41; 100])]).unwrap();
        assert_eq!(chosen(0.349).leaves(), 4, "lower, but by less than a standard error");
        assert_eq!(chosen(0.33).leaves(), 8);
        assert_eq!(chosen(0.349).losses, small, "of one size the lowest");
        assert!(best(Vec::new()).is_none());
    }
}
