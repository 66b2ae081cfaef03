//! What is saved is what was fitted: held against LightGBM itself on every loan, and against itself run twice.

use lightgbm3::Booster;
use underwriter_contract::{learning::Algorithm, manifest::Column};
use underwriter_model::{Model, Value, evidence};
use underwriter_tasks::train::{
    candidate::Material,
    decision::{self, Decision},
    guards::Columns,
    selection,
    split::split,
    sweep::Tuning,
    version::Version,
};

use crate::loans::{booster, finished, issued_before, learn, load, request, request_of, values};

#[test]
fn served_margins_equal_lightgbms_on_every_loan() {
    let request = request_of(Algorithm::GradientBoosting);
    let version = learn(issued_before("2012"), &request);
    let model = load(&version);
    let rows = values(&model, &finished(&issued_before("2012"), &request.learning.data));
    let learnt: Vec<(usize, &Column)> =
        model.manifest().columns.iter().enumerate().filter(|(_, column)| column.learnt.is_some()).collect();
    let input = |row: &Vec<underwriter_model::Value>| -> Vec<f64> {
        let feature = |(at, column): &(usize, &Column)| {
            evidence::feature(column.kind, &column.learnt.as_ref().unwrap().evidence, &row[*at])
        };
        learnt.iter().map(feature).collect()
    };
    let matrix: Vec<f64> = rows.iter().flat_map(input).collect();
    let width = i32::try_from(learnt.len()).unwrap();
    let lightgbm = Booster::from_string(&booster(&version).unwrap()).unwrap();
    let margins = lightgbm.raw_scores(&matrix, width, true).unwrap();
    let contributions = lightgbm.predict_contrib(&matrix, width, true).unwrap();
    for ((row, margin), theirs) in rows.iter().zip(margins).zip(contributions.chunks(learnt.len() + 1)) {
        let score = model.score(row).unwrap().score;
        assert_eq!(score.to_bits(), margin.to_bits(), "{score} {margin}");
        let ours = model.contributions(row);
        let sum = ours.base + ours.columns.iter().sum::<f64>();
        assert!((sum - score).abs() < 1e-9);
        for ((at, column), contribution) in learnt.iter().zip(theirs) {
            assert!((ours.columns[*at] - contribution).abs() < 1e-9, "{}", column.name);
        }
    }
}

/// Every number of an artifact is text in between, and the scores are those that the trainer decided by.
#[test]
fn what_is_saved_scores_as_what_was_trained() {
    for algorithm in [Algorithm::Auto, Algorithm::Scorecard, Algorithm::LogisticRegression, Algorithm::GradientBoosting]
    {
        let request = request_of(algorithm);
        let loans = finished(&issued_before("2010-07"), &request.learning.data);
        let columns = Columns::judge(&loans, &request.learning.data).unwrap();
        let material = Material { features: &columns.features, learnt: &columns.learnt, bad: &loans.bad, seed: 0 };
        let blocks = split(&loans.bad, loans.dates.as_deref(), None, 0).unwrap();
        let tuning = Tuning::of(&request.learning.training.hyperparameters.unwrap_or_default());
        let trained = selection::choose(algorithm, &tuning, &material, &blocks.fit).unwrap().candidate;
        let target = decision::only(&request.learning.decision).unwrap();
        let decision = Decision::learn(&trained, &material, &blocks.calibrate, target).unwrap();

        let version = learn(issued_before("2010-07"), &request);
        let written = serde_json::to_vec(&version.manifest).unwrap();
        let saved = Model::load(serde_json::from_slice(&written).unwrap(), booster(&version).as_deref()).unwrap();
        let scores = trained.scores(&material, &(0..loans.len()).collect::<Vec<_>>());
        let probabilities = decision.probabilities(&scores);
        for (row, (score, probability)) in values(&saved, &loans).iter().zip(scores.iter().zip(probabilities)) {
            let scored = saved.score(row).unwrap();
            assert!((scored.score - score).abs() <= 1e-12, "{algorithm:?}: {} {score}", scored.score);
            assert!((scored.probability - probability).abs() <= 1e-12, "{algorithm:?}");
        }
    }
}

/// The trees of a blend are LightGBM's own, and the rest is its weight.
#[test]
fn a_blends_trees_equal_lightgbms() {
    let request = request();
    let version = learn(issued_before("2011-07"), &request);
    let model = load(&version);
    let weight = version.manifest.scorer.weight;
    assert!(weight > 0.0 && weight < 1.0, "these loans make a blend: {weight}");
    let alone = |weight: f64| {
        let mut manifest = version.manifest.clone();
        manifest.scorer.weight = weight;
        manifest.scorer.linear = manifest.scorer.linear.filter(|_| weight > 0.0);
        manifest.scorer.trees = manifest.scorer.trees.filter(|_| weight < 1.0);
        Model::load(manifest, booster(&version).filter(|_| weight < 1.0).as_deref()).unwrap()
    };
    let (linear, trees) = (alone(1.0), alone(0.0));
    let rows = values(&model, &finished(&issued_before("2011-07"), &request.learning.data));
    let lightgbm = margins(&version, &rows);
    for (row, margin) in rows.iter().zip(lightgbm) {
        assert!((trees.score(row).unwrap().score - margin).abs() <= 1e-12);
        let blended = weight * linear.score(row).unwrap().score + (1.0 - weight) * margin;
        assert!((model.score(row).unwrap().score - blended).abs() <= 1e-12);
    }
}

/// What LightGBM makes of the saved trees, on inputs encoded as the manifest says.
fn margins(version: &Version, rows: &[Vec<Value>]) -> Vec<f64> {
    let columns = &version.manifest.columns;
    let place = |name: &String| columns.iter().position(|column| column.name == *name).unwrap();
    let places: Vec<usize> = version.manifest.scorer.trees.iter().flat_map(|trees| &trees.columns).map(place).collect();
    let input = |row: &Vec<Value>| {
        let feature = |at: &usize| {
            evidence::feature(columns[*at].kind, &columns[*at].learnt.as_ref().unwrap().evidence, &row[*at])
        };
        places.iter().map(feature).collect::<Vec<f64>>()
    };
    let matrix: Vec<f64> = rows.iter().flat_map(input).collect();
    let lightgbm = Booster::from_string(&booster(version).unwrap()).unwrap();
    lightgbm.raw_scores(&matrix, i32::try_from(places.len()).unwrap(), true).unwrap()
}

#[test]
fn the_same_bytes_give_the_same_bytes() {
    for algorithm in [Algorithm::Auto, Algorithm::GradientBoosting] {
        let learn = || learn(issued_before("2010"), &request_of(algorithm));
        let (one, other) = (learn(), learn());
        assert_eq!(one.files, other.files);
        assert_eq!(serde_json::to_string(&one.manifest).unwrap(), serde_json::to_string(&other.manifest).unwrap());
    }
}

#[test]
fn figures_of_the_manifest_are_those_of_the_served_model() {
    for algorithm in [Algorithm::Scorecard, Algorithm::GradientBoosting] {
        let request = request_of(algorithm);
        let version = learn(issued_before("2010"), &request);
        let model = load(&version);
        let loans = finished(&issued_before("2010"), &request.learning.data);
        let test = loans.len() - usize::try_from(version.manifest.blocks.test.rows).unwrap()..loans.len();
        let scored: Vec<_> = values(&model, &loans)[test.clone()].iter().map(|row| model.score(row).unwrap()).collect();
        let column = |of: fn(&underwriter_model::Scored) -> f64| scored.iter().map(of).collect::<Vec<f64>>();
        let threshold = model.manifest().threshold.score;
        let (scores, probabilities) = (column(|scored| scored.score), column(|scored| scored.probability));
        let figures = underwriter_model::metrics::all(&scores, &probabilities, &loans.bad[test], threshold);
        assert_eq!(figures, version.manifest.metrics);
    }
}

#[test]
fn the_artifact_says_where_everything_comes_from() {
    let version = learn(issued_before("2010"), &request());
    let manifest = version.manifest;
    assert_eq!((manifest.data.rows, manifest.data.from.unwrap().to_string().as_str()), (6529, "2007-06-01"));
    assert_eq!(manifest.config_digest, request().learning.digest());
    let blocks = [&manifest.blocks.fit, &manifest.blocks.calibrate, &manifest.blocks.test];
    assert_eq!(blocks.map(|block| block.rows).iter().sum::<u64>(), 6529);
    assert!(blocks[0].to < blocks[1].from && blocks[1].to < blocks[2].from);
    assert!(manifest.threshold.recall_low >= 0.75 && manifest.calibration.slope > 0.0);
    let profile: underwriter_contract::profile::Profile =
        serde_json::from_slice(&version.files["profile.json"]).unwrap();
    assert_eq!(profile.rows, 6529 * 2 / 5);
    let is_profiled = |name: &str| profile.columns.iter().any(|column| column.name == name);
    // up to 2009 all loans run for 36 months: not learnt from, but a longer one is drift
    assert!(is_profiled("annual_inc") && is_profiled("term") && !is_profiled("grade") && !is_profiled("recoveries"));
    let report: serde_json::Value = serde_json::from_slice(&version.files["report.json"]).unwrap();
    assert_eq!(report["folds"].as_array().unwrap().len(), 3);
    assert!(report["recallCosts"].as_array().unwrap().len() >= 9);
}
