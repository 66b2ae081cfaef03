//! Holds this crate against LightGBM, scikit-learn and scipy: `tests/reference.py` wrote their figures.

use serde::Deserialize;
use underwriter_contract::manifest::Platt;

use crate::{Booster, calibration, interval, metrics};

#[derive(Deserialize)]
struct Reference {
    ranking: Ranking,
    intervals: Vec<Interval>,
    boosters: Vec<Boosted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ranking {
    bad: Vec<bool>,
    scores: Vec<f64>,
    champion: Vec<f64>,
    probabilities: Vec<f64>,
    roc_auc: f64,
    roc_auc_error: f64,
    roc_auc_difference: f64,
    roc_auc_difference_error: f64,
    average_precision: f64,
    ks: f64,
    brier: f64,
    brier_interval: (f64, f64),
    log_loss: f64,
    log_loss_interval: (f64, f64),
    calibration: Vec<(f64, f64)>,
    calibration_error: f64,
    roc: Vec<(f64, f64)>,
    platt: Platt,
}

#[derive(Deserialize)]
struct Interval {
    successes: u64,
    trials: u64,
    confidence: f64,
    lower: f64,
    upper: f64,
}

#[derive(Deserialize)]
struct Boosted {
    name: String,
    text: String,
    inputs: Vec<Vec<Option<f64>>>,
    margins: Vec<f64>,
    contributions: Vec<Vec<f64>>,
}

impl Boosted {
    fn rows(&self) -> impl Iterator<Item = Vec<f64>> {
        self.inputs.iter().map(|row| row.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    }
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../tests/reference.json")).unwrap()
}

#[track_caller]
fn assert_near(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9, "{ours} is not {theirs}");
}

#[test]
fn margins_equal_lightgbm_to_the_bit() {
    for boosted in reference().boosters {
        let booster = Booster::parse(&boosted.text).unwrap();
        for (row, (input, margin)) in boosted.rows().zip(&boosted.margins).enumerate() {
            assert_eq!(booster.margin(&input).to_bits(), margin.to_bits(), "{}, row {row}", boosted.name);
        }
    }
}

#[test]
fn contributions_equal_lightgbm() {
    for boosted in reference().boosters {
        let booster = Booster::parse(&boosted.text).unwrap();
        for (input, expected) in boosted.rows().zip(&boosted.contributions) {
            let mut ours = vec![0.0; booster.features()];
            booster.contributions(&input, &mut ours);
            ours.push(booster.base());
            ours.iter().zip(expected).for_each(|(ours, theirs)| assert_near(*ours, *theirs));
            assert_near(ours.iter().sum(), booster.margin(&input));
        }
    }
}

#[test]
fn rankings_equal_scikit_learn_and_scipy() {
    let Ranking { bad, scores, champion, .. } = &reference().ranking;
    let expected = reference().ranking;
    let area = metrics::roc_auc(scores, bad).unwrap();
    assert_near(area.value, expected.roc_auc);
    assert_near(area.error, expected.roc_auc_error);
    let difference = metrics::roc_auc_difference(scores, champion, bad).unwrap();
    assert_near(difference.value, expected.roc_auc_difference);
    assert_near(difference.error, expected.roc_auc_difference_error);
    assert_near(metrics::average_precision(scores, bad).unwrap(), expected.average_precision);
    assert_near(metrics::kolmogorov_smirnov(scores, bad).unwrap(), expected.ks);
}

#[test]
fn losses_equal_scikit_learn() {
    let Ranking { bad, probabilities, brier, brier_interval, log_loss, log_loss_interval, .. } = reference().ranking;
    for (ours, value, interval) in [
        (metrics::brier_estimate(&probabilities, &bad), brier, brier_interval),
        (metrics::log_loss_estimate(&probabilities, &bad), log_loss, log_loss_interval),
    ] {
        let ours = ours.unwrap();
        assert_near(ours.value, value);
        assert_near(ours.interval().0, interval.0);
        assert_near(ours.interval().1, interval.1);
    }
}

#[test]
fn curves_equal_scikit_learn() {
    let Ranking { bad, scores, probabilities, calibration, calibration_error, roc, .. } = reference().ranking;
    let bins = metrics::reliability(&probabilities, &bad, 10);
    assert_eq!(bins.len(), calibration.len());
    for (bin, (probability, rate)) in bins.iter().zip(calibration) {
        assert_near(bin.probability, probability);
        assert_near(bin.rate, rate);
    }
    assert_near(metrics::calibration_error(&probabilities, &bad).unwrap(), calibration_error);
    let points = metrics::roc_curve(&scores, &bad);
    assert_eq!(points.len(), roc.len());
    for (point, (refused_good, found)) in points.iter().zip(roc) {
        assert_near(point.refused_good, refused_good);
        assert_near(point.found, found);
    }
}

#[test]
fn intervals_equal_scipy() {
    for Interval { successes, trials, confidence, lower, upper } in reference().intervals {
        assert_near(interval::lower(successes, trials, confidence), lower);
        assert_near(interval::upper(successes, trials, confidence), upper);
    }
}

#[test]
fn the_calibration_equals_scikit_learn() {
    let Ranking { bad, scores, platt, .. } = reference().ranking;
    let fitted = calibration::fit(&scores, &bad);
    assert_near(fitted.slope, platt.slope);
    assert_near(fitted.intercept, platt.intercept);
}
