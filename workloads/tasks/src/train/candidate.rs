//! A model, fitted on some rows: encodings first, then the linear scorer, the trees, or both on them.
//!
//! What comes out scores by the code that serves, so folds, calibration and threshold see the scores that will decide.

use std::collections::BTreeSet;

use rayon::prelude::*;
use thiserror::Error;
use underwriter_contract::{
    learning::Monotonic,
    manifest::{Column, Evidence, Learnt, Scorer, Trees},
};
use underwriter_model::{BoosterError, Contributions, Ensemble, ModelError, Value, evidence as weight_of_evidence};

use super::{
    boosting::{self, Boosting, Sample},
    evidence::{self, Binning},
    features::Feature,
    folds::Fold,
    points::{self, Regression},
    scorecard,
    split::Ordered,
};

/// What there is to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Every column of the application.
    pub features: &'a [Feature],
    /// Those that may be learnt from, by name.
    pub learnt: &'a BTreeSet<String>,
    /// Whether each loan went bad.
    pub bad: &'a [bool],
    /// Seed of everything random.
    pub seed: u32,
}

/// A fitted scorer.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The columns as it reads and encodes them.
    pub columns: Vec<Column>,
    /// What it makes of them.
    pub scorer: Scorer,
    /// Its trees, in LightGBM's text format.
    pub booster: Option<String>,
    ensemble: Ensemble,
}

/// Why there is no fit.
#[derive(Debug, Error)]
pub enum FitError {
    /// By the solver.
    #[error(transparent)]
    Scorecard(#[from] scorecard::ScorecardError),
    /// By LightGBM.
    #[error("LightGBM: {0}")]
    Boosting(#[from] lightgbm3::Error),
    /// What LightGBM wrote cannot be read.
    #[error("LightGBM wrote what cannot be read: {0}")]
    Booster(#[from] BoosterError),
    /// What was fitted cannot be served.
    #[error("what was fitted cannot be served: {0}")]
    Model(#[from] ModelError),
}

/// What to fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// The linear scorer.
    pub regression: Regression,
    /// Its weight in log-odds, from 0 to 1; trees have the rest.
    pub weight: f64,
    /// The trees.
    pub trees: Boosting,
}

impl Material<'_> {
    /// Fits the linear scorer where it has weight, and the trees where they have the rest.
    ///
    /// # Errors
    /// When the library that fits one fails.
    pub fn fit(&self, Recipe { regression, weight, trees }: Recipe, rows: &Ordered) -> Result<Candidate, FitError> {
        let mut encoded = Encoded::fit(self, &rows.rows, regression.binning());
        let boosted = (weight < 1.0).then(|| encoded.boosting(self, rows, trees)).transpose()?;
        let regress = || points::fit(&mut encoded.columns, self, &rows.rows, regression);
        let linear = (weight > 0.0).then(regress).transpose()?;
        let (trees, booster) = boosted.unzip();
        let scorer = Scorer { weight, linear, trees };
        let columns: Vec<Column> = self.features.iter().map(|feature| encoded.column(feature, &rows.rows)).collect();
        let ensemble = Ensemble::new(&columns, &scorer, booster.as_deref())?;
        Ok(Candidate { columns, scorer, booster, ensemble })
    }

    /// The values of one loan, in the order of the columns.
    pub fn values(&self, row: usize) -> Vec<Value> {
        self.features.iter().map(|feature| feature.value(row)).collect()
    }

    /// The outcomes of some rows.
    pub fn outcomes(&self, rows: &[usize]) -> Vec<bool> {
        rows.iter().map(|row| self.bad[*row]).collect()
    }
}

impl Candidate {
    /// Log-odds of some loans, before calibration.
    pub fn scores(&self, material: &Material, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|row| self.ensemble.score(&material.values(*row))).collect()
    }

    /// What each column adds to the score of one loan.
    pub fn contributions(&self, material: &Material, row: usize) -> Contributions {
        self.ensemble.contributions(&material.values(row))
    }
}

/// The columns that are learnt from, with their evidence.
struct Encoded<'a> {
    columns: Vec<(&'a Feature, Evidence)>,
}

impl<'a> Encoded<'a> {
    fn fit(material: &Material<'a>, rows: &[usize], binning: Binning) -> Self {
        let learnt = material.features.par_iter().filter(|feature| material.learnt.contains(&feature.name));
        Self { columns: learnt.map(|feature| (feature, evidence::fit(feature, material.bad, rows, binning))).collect() }
    }

    fn inputs_of_trees(&self, rows: &[usize]) -> Vec<Vec<f64>> {
        let encode = |(feature, evidence): &(&Feature, Evidence)| {
            feature.map(rows, |value| weight_of_evidence::feature(feature.kind, evidence, value))
        };
        self.columns.par_iter().map(encode).collect()
    }

    /// How risk must go with each input of the trees: 1 up, −1 down, 0 as it will.
    fn monotonic(&self) -> Vec<i8> {
        let sign = |(feature, _): &(&Feature, Evidence)| match feature.monotonic {
            Some(Monotonic::Increasing) => 1,
            Some(Monotonic::Decreasing) => -1,
            None => 0,
        };
        self.columns.iter().map(sign).collect()
    }

    fn boosting(&self, material: &Material<'a>, rows: &Ordered, trees: Boosting) -> Result<(Trees, String), FitError> {
        let columns = self.inputs_of_trees(&rows.rows);
        let (bad, monotonic) = (material.outcomes(&rows.rows), self.monotonic());
        let threads = boosting::threads(bad.len());
        let sample = Sample { columns: &columns, bad: &bad, monotonic: &monotonic, threads };
        let text = boosting::fit(sample, trees, material.seed)?;
        let names = self.columns.iter().map(|(feature, _)| feature.name.clone()).collect();
        Ok((Trees { columns: names }, text))
    }

    fn column(&self, feature: &Feature, rows: &[usize]) -> Column {
        let evidence =
            self.columns.iter().find(|(learnt, _)| learnt.name == feature.name).map(|(_, evidence)| evidence);
        let learnt = evidence.map(|evidence| Learnt {
            evidence: evidence.clone(),
            median: evidence::median(feature, rows),
            baseline: 0.0,
            reason: feature.reason.clone(),
        });
        Column { name: feature.name.clone(), kind: feature.kind, nullable: feature.nullable(), learnt }
    }
}

/// What trees see of a fold: both parts as the older rows have them encoded.
#[derive(Debug)]
pub struct Inputs {
    /// The columns of the older rows.
    pub older: Vec<Vec<f64>>,
    /// Their outcomes.
    pub bad_older: Vec<bool>,
    /// The newer rows, one by one.
    pub newer: Vec<Vec<f64>>,
    /// Their outcomes.
    pub bad_newer: Vec<bool>,
    /// How risk must go with each column.
    pub monotonic: Vec<i8>,
}

impl Inputs {
    /// Encodes a fold.
    pub fn of(material: &Material, fold: &Fold) -> Self {
        let (older, newer) = (&fold.older.rows, &fold.newer.rows);
        let encoded = Encoded::fit(material, older, Binning::Quantiles);
        let columns = encoded.inputs_of_trees(newer);
        Self {
            older: encoded.inputs_of_trees(older),
            bad_older: material.outcomes(older),
            newer: (0..newer.len()).map(|at| columns.iter().map(|column| column[at]).collect()).collect(),
            bad_newer: material.outcomes(newer),
            monotonic: encoded.monotonic(),
        }
    }
}
