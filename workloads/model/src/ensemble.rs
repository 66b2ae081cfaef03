//! z = weight · linear + (1 − weight) · trees, in log-odds, and what each column adds to it.
//!
//! Not here: what follows from z, which is [`crate::scorer`]'s. The trainer scores with this before there is a
//! threshold or a calibration.

use std::collections::HashMap;

use underwriter_contract::manifest::{self, Column, Evidence, Linear, Scorer, Term};

use crate::{
    booster::Booster,
    evidence,
    scorer::{ModelError, check},
    value::Value,
};

/// Linear part and trees, ready to score.
#[derive(Clone, Debug)]
pub struct Ensemble {
    columns: Vec<Column>,
    weight: f64,
    linear: Option<Scorecard>,
    trees: Option<Trees>,
}

/// The linear part, by the columns' places.
#[derive(Clone, Debug)]
struct Scorecard {
    intercept: f64,
    terms: Vec<(usize, f64, f64)>,
}

/// The trees, and the place of each feature's column.
#[derive(Clone, Debug)]
struct Trees {
    booster: Booster,
    features: Vec<usize>,
}

/// What moved a score: base + Σ columns = z.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// The score while nothing is known of the applicant.
    pub base: f64,
    /// One a column, in the manifest's order; 0 where nothing was learnt.
    pub columns: Vec<f64>,
}

impl Ensemble {
    /// Puts a scorer together. A part without weight is left out, whether or not it is there.
    ///
    /// # Errors
    /// What is missing, not finite or does not fit together.
    pub fn new(columns: &[Column], scorer: &Scorer, booster: Option<&str>) -> Result<Self, ModelError> {
        let places = check::columns(columns)?;
        let weight = check::share("scorer.weight", scorer.weight)?;
        let linear = if weight > 0.0 { Some(Scorecard::new(&places, scorer.linear.as_ref())?) } else { None };
        let trees = if weight < 1.0 { Some(Trees::new(&places, scorer.trees.as_ref(), booster)?) } else { None };
        Ok(Self { columns: columns.to_vec(), weight, linear, trees })
    }

    /// z of a row of values in the manifest's column order; not finite where the numbers overflow.
    #[must_use]
    pub fn score(&self, values: &[Value]) -> f64 {
        let linear = self.linear.as_ref().map(|linear| self.weight * linear.score(|at| self.evidence(values, at)));
        let trees =
            self.trees.as_ref().map(|trees| (1.0 - self.weight) * trees.booster.margin(&self.row(trees, values)));
        match (linear, trees) {
            (Some(linear), Some(trees)) => linear + trees,
            (linear, trees) => linear.or(trees).unwrap_or_default(),
        }
    }

    /// What each column adds to z: weight · (evidence − mean) in the linear part, exact SHAP values in the trees.
    #[must_use]
    pub fn contributions(&self, values: &[Value]) -> Contributions {
        let mut sums = Contributions { base: 0.0, columns: vec![0.0; self.columns.len()] };
        if let Some(linear) = &self.linear {
            linear.explain(self.weight, &mut sums, |at| self.evidence(values, at));
        }
        if let Some(trees) = &self.trees {
            trees.explain(1.0 - self.weight, &mut sums, &self.row(trees, values));
        }
        sums
    }

    fn learnt(&self, at: usize) -> Option<(&Column, &Evidence)> {
        let column = self.columns.get(at)?;
        Some((column, &column.learnt.as_ref()?.evidence))
    }

    fn evidence(&self, values: &[Value], at: usize) -> f64 {
        let value = values.get(at).unwrap_or(&Value::Missing);
        self.learnt(at).map_or(f64::NAN, |(_, evidence)| evidence::of(evidence, value))
    }

    /// What the trees see.
    fn row(&self, trees: &Trees, values: &[Value]) -> Vec<f64> {
        let feature = |at: &usize| {
            let value = values.get(*at).unwrap_or(&Value::Missing);
            self.learnt(*at).map_or(f64::NAN, |(column, evidence)| evidence::feature(column.kind, evidence, value))
        };
        trees.features.iter().map(feature).collect()
    }
}

impl Scorecard {
    fn new(places: &Places, linear: Option<&Linear>) -> Result<Self, ModelError> {
        let Linear { intercept, terms } =
            linear.ok_or(ModelError::Absent { part: "scorer.linear", weight: "above 0" })?;
        let intercept = check::finite("scorer.linear.intercept", *intercept)?;
        let names = terms.iter().map(|term| term.column.as_str());
        let found = check::places("scorer.linear", names, places)?;
        let term = |(at, term): (usize, &Term)| -> Result<_, ModelError> {
            let place = || format!("scorer.linear.terms `{}`", term.column);
            Ok((at, check::finite(place(), term.weight)?, check::finite(place(), term.mean)?))
        };
        let terms = found.into_iter().zip(terms).map(term).collect::<Result<_, _>>()?;
        Ok(Self { intercept, terms })
    }

    fn score(&self, evidence: impl Fn(usize) -> f64) -> f64 {
        self.terms.iter().fold(self.intercept, |sum, (at, weight, _)| sum + weight * evidence(*at))
    }

    fn explain(&self, share: f64, sums: &mut Contributions, evidence: impl Fn(usize) -> f64) {
        sums.base += share * self.terms.iter().fold(self.intercept, |sum, (_, weight, mean)| sum + weight * mean);
        for (at, weight, mean) in &self.terms {
            sums.add(*at, share * weight * (evidence(*at) - mean));
        }
    }
}

impl Trees {
    fn new(places: &Places, trees: Option<&manifest::Trees>, text: Option<&str>) -> Result<Self, ModelError> {
        let trees = trees.ok_or(ModelError::Absent { part: "scorer.trees", weight: "below 1" })?;
        let text = text.ok_or(ModelError::Absent { part: "the booster's text", weight: "below 1" })?;
        let features = check::places("scorer.trees", trees.columns.iter().map(String::as_str), places)?;
        let booster = Booster::parse(text)?;
        if booster.features() != features.len() {
            return Err(ModelError::Features { booster: booster.features(), manifest: features.len() });
        }
        Ok(Self { booster, features })
    }

    fn explain(&self, share: f64, sums: &mut Contributions, row: &[f64]) {
        let mut features = vec![0.0; self.features.len()];
        self.booster.contributions(row, &mut features);
        sums.base += share * self.booster.base();
        for (at, feature) in self.features.iter().zip(features) {
            sums.add(*at, share * feature);
        }
    }
}

impl Contributions {
    fn add(&mut self, at: usize, contribution: f64) {
        if let Some(sum) = self.columns.get_mut(at) {
            *sum += contribution;
        }
    }

    /// base + Σ columns.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.columns.iter().fold(self.base, |sum, column| sum + column)
    }
}

/// Where each learnt column stands.
pub(crate) type Places<'a> = HashMap<&'a str, usize>;
