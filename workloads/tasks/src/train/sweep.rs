//! Which trees: a few points are tried on inner folds, newer rows each time than those learnt from.
//!
//! A trial fits the most trees once a fold; the sum of the folds' losses after each tree tells how many there should be.
//! The loss by which a trial is judged is honest: how many trees count in one fold is taken from the other folds. Among
//! trees of the same size the lowest loss wins; larger trees must pay. The encodings of a fold serve all its trials.

use serde::{Deserialize, Serialize};
use underwriter_contract::{
    learning::Hyperparameters,
    summary::{Failure, FailureReason},
};
use underwriter_model::Booster;

use super::{
    boosting::{self, Boosting, MOST_ROUNDS, Parameters, Sample},
    candidate::{FitError, Inputs, Material},
    folds::Fold,
    parsimony::pays,
};

/// What is tried: the default, and trees that are held back, from the smallest, for few bad loans, to the largest.
const POINTS: [Parameters; 4] = [
    Parameters::DEFAULT,
    Parameters { leaves: 4, learning_rate: 0.1, ..Parameters::HELD_BACK },
    Parameters::HELD_BACK,
    Parameters { leaves: 16, ..Parameters::HELD_BACK },
];

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

/// Whether there is anything to choose.
pub fn is_open(fixed: &Hyperparameters) -> bool {
    fixed.rounds.is_none() || points(fixed).len() > 1
}

/// Tries every point and chooses.
///
/// # Errors
/// When LightGBM fails.
pub fn sweep(fixed: &Hyperparameters, material: &Material, folds: &[Fold]) -> Result<Swept, FitError> {
    let points = if folds.is_empty() { Vec::new() } else { points(fixed) };
    let inputs: Vec<Inputs> = folds.iter().map(|fold| Inputs::of(material, fold)).collect();
    let tried = points.iter().map(|point| Tried::fit(*point, fixed.rounds, &inputs, material.seed));
    let tried = tried.collect::<Result<Vec<_>, _>>()?;
    let trials = tried.iter().map(Tried::trial).collect();
    Ok(match best(tried) {
        Some(Tried { boosting, margins, .. }) => Swept { boosting, margins, trials },
        None => Swept { boosting: unseen(fixed), margins: Vec::new(), trials },
    })
}

/// The trees that are fitted without a look.
fn unseen(fixed: &Hyperparameters) -> Boosting {
    Boosting { parameters: Parameters::DEFAULT.with(fixed), rounds: fixed.rounds.unwrap_or(WITHOUT_A_LOOK) }
}

/// The points, where some of the parameters are fixed.
fn points(fixed: &Hyperparameters) -> Vec<Parameters> {
    let mut points: Vec<Parameters> = Vec::new();
    for point in POINTS.map(|point| point.with(fixed)) {
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points
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
    fn fit(parameters: Parameters, rounds: Option<u32>, folds: &[Inputs], seed: u32) -> Result<Self, FitError> {
        let most = Boosting { parameters, rounds: rounds.unwrap_or(MOST_ROUNDS) };
        let fitted = folds.iter().map(|inputs| Fitted::fit(most, inputs, seed)).collect::<Result<Vec<_>, _>>()?;
        let honest = |at: usize| rounds.unwrap_or_else(|| lowest(&fitted, |other| other != at || fitted.len() == 1));
        let margins: Vec<_> = fitted.iter().enumerate().map(|(at, fold)| fold.margins(honest(at))).collect();
        let newer = fitted.iter().zip(&margins);
        let losses = newer.flat_map(|(fold, margins)| losses(margins, &fold.inputs.bad_newer)).collect();
        let rounds = rounds.unwrap_or_else(|| lowest(&fitted, |_| true));
        Ok(Self { boosting: Boosting { parameters, rounds }, margins, losses })
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

/// The trees of one fold, and the loss of its newer rows after each.
struct Fitted<'a> {
    inputs: &'a Inputs,
    booster: Booster,
    curve: Vec<f64>,
}

impl<'a> Fitted<'a> {
    fn fit(boosting: Boosting, inputs: &'a Inputs, seed: u32) -> Result<Self, FitError> {
        let text = boosting::fit(Sample { columns: &inputs.older, bad: &inputs.bad_older, monotonic: &inputs.monotonic }, boosting, seed)?;
        let booster = Booster::parse(&text)?;
        let mut curve = vec![0.0; boosting.rounds as usize];
        for (row, bad) in inputs.newer.iter().zip(&inputs.bad_newer) {
            let mut last = 0.0;
            let mut stages = booster.staged(row);
            for sum in &mut curve {
                last = stages.next().unwrap_or(last); // LightGBM ends early where no split is left
                *sum += loss(last, *bad);
            }
        }
        Ok(Self { inputs, booster, curve })
    }

    fn margins(&self, rounds: u32) -> Vec<f64> {
        let margin = |row: &Vec<f64>| self.booster.staged(row).take(rounds as usize).last().unwrap_or_default();
        self.inputs.newer.iter().map(margin).collect()
    }
}

fn losses(margins: &[f64], bad: &[bool]) -> Vec<f64> {
    margins.iter().zip(bad).map(|(margin, bad)| loss(*margin, *bad)).collect()
}

/// Negative log likelihood of an outcome, by its log-odds.
fn loss(margin: f64, bad: bool) -> f64 {
    let against = if bad { -margin } else { margin };
    against.max(0.0) + (-against.abs()).exp().ln_1p()
}

/// The number of trees with the lowest loss on some of the folds together.
fn lowest(fitted: &[Fitted], counts: impl Fn(usize) -> bool) -> u32 {
    let folds: Vec<&Fitted> = fitted.iter().enumerate().filter(|(at, _)| counts(*at)).map(|(_, fold)| fold).collect();
    let total = |round: u32| folds.iter().map(|fold| fold.curve[round as usize - 1]).sum::<f64>();
    let most = folds.first().map_or(1, |fold| fold.curve.len() as u32);
    (1..=most).min_by(|one, other| total(*one).total_cmp(&total(*other))).unwrap_or(1)
}

impl Parameters {
    /// With what is fixed in place of its own.
    #[must_use]
    fn with(self, fixed: &Hyperparameters) -> Self {
        let Hyperparameters { leaves, learning_rate, rounds: _, min_leaf, column_share, row_share, l2 } = *fixed;
        Self {
            leaves: leaves.unwrap_or(self.leaves),
            learning_rate: learning_rate.unwrap_or(self.learning_rate),
            min_leaf: min_leaf.unwrap_or(self.min_leaf),
            column_share: column_share.unwrap_or(self.column_share),
            row_share: row_share.unwrap_or(self.row_share),
            l2: l2.unwrap_or(self.l2),
        }
    }
}

/// Whether what is fixed is within the bounds of the CRD; a task on a laptop has no API server before it.
///
/// # Errors
/// `RequestInvalid`, with the field and its bounds.
pub fn check(fixed: &Hyperparameters) -> Result<(), Failure> {
    let Hyperparameters { leaves, learning_rate, rounds, min_leaf, column_share, row_share, l2 } = *fixed;
    let bounds = [
        ("leaves", leaves.map(f64::from), 2.0, 16.0),
        ("learningRate", learning_rate, 0.005, 0.5),
        ("rounds", rounds.map(f64::from), 1.0, f64::from(MOST_ROUNDS)),
        ("minLeaf", min_leaf.map(f64::from), 20.0, 10_000.0),
        ("columnShare", column_share, 0.1, 1.0),
        ("rowShare", row_share, 0.1, 1.0),
        ("l2", l2, 0.0, 1000.0),
    ];
    for (name, value, low, high) in bounds {
        if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
            let message = format!("training.hyperparameters.{name} is {value}; it must be from {low} to {high}");
            return Err(Failure::new(FailureReason::RequestInvalid, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use underwriter_contract::{learning::Hyperparameters, manifest::ColumnKind};
    use underwriter_model::{calibration, metrics};

    use super::{Boosting, Inputs, MOST_ROUNDS, Parameters, Swept, Tried, best, check, is_open, loss, points, sweep};
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
        let feature = |column: u64| Feature {
            name: format!("x{column}"),
            kind: ColumnKind::Number,
            cells: Cells::Numbers((0..ROWS).map(|row| noise(row, column)).collect()),
            unreadable: 0,
        };
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
    fn what_is_fixed_replaces_the_choice() {
        assert_eq!(points(&Hyperparameters::default()), super::POINTS);
        let fixed = Hyperparameters { leaves: Some(3), learning_rate: Some(0.2), l2: Some(1.0), ..Default::default() };
        let tried = points(&fixed);
        assert!(tried.len() == 2, "the same but for what is fixed is tried once: {tried:?}");
        assert!(tried.iter().all(|point| (point.leaves, point.learning_rate, point.l2) == (3, 0.2, 1.0)));
        let shares = Hyperparameters { min_leaf: Some(40), column_share: Some(0.6), row_share: Some(0.9), ..fixed };
        assert!(points(&shares).len() == 1 && is_open(&shares), "how many is still to be chosen");
        assert!(!is_open(&Hyperparameters { rounds: Some(20), ..shares }));
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        assert!(check(&Hyperparameters { leaves: Some(16), rounds: Some(MOST_ROUNDS), ..Default::default() }).is_ok());
        let failure = check(&Hyperparameters { leaves: Some(64), ..Default::default() }).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "RequestInvalid: training.hyperparameters.leaves is 64; it must be from 2 to 16"
        );
        assert!(check(&Hyperparameters { row_share: Some(f64::NAN), ..Default::default() }).is_err());
    }

    /// Each newer row is scored as the whole candidate would score it, with the number of trees that other folds want.
    #[test]
    fn margins_are_those_of_the_candidates() {
        with_material(|material, rows| {
            let folds = folds::expanding(rows, material.bad);
            let fixed = Hyperparameters { rounds: Some(25), ..Default::default() };
            let Swept { boosting, margins, trials } = sweep(&fixed, material, &folds).unwrap();
            assert_eq!((margins.len(), trials.len(), boosting.rounds), (3, points(&fixed).len(), 25));
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
            let inputs: Vec<Inputs> =
                folds::expanding(rows, material.bad).iter().map(|fold| Inputs::of(material, fold)).collect();
            let fast = Parameters { learning_rate: 0.5, min_leaf: 20, ..Parameters::DEFAULT };
            let chosen = Tried::fit(fast, None, &inputs, 7).unwrap();
            assert!((2..100).contains(&chosen.boosting.rounds), "{}", chosen.boosting.rounds);
            let all = Tried::fit(fast, Some(MOST_ROUNDS), &inputs, 7).unwrap();
            assert!(chosen.loss() < all.loss() - 0.01, "{} {}", chosen.loss(), all.loss());
        });
    }

    #[test]
    fn without_a_fold_nothing_is_tried() {
        with_material(|material, _| {
            let Swept { boosting, margins, trials } = sweep(&Hyperparameters::default(), material, &[]).unwrap();
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

    proptest! {
        #[test]
        fn losses_are_those_of_probabilities(margin in -30.0..30.0_f64, bad: bool) {
            let reference = metrics::log_loss(&[calibration::sigmoid(margin)], &[bad]).unwrap();
            prop_assert!((loss(margin, bad) - reference).abs() < 1e-4 * (1.0 + reference));
        }
    }
}
