"""Writes reference.json: figures by the reference implementations, for the Rust code to be compared with.

    pip install numpy scipy scikit-learn lightgbm==4.6.0
    python workloads/model/tests/reference.py
"""

import json
import re
from pathlib import Path

import lightgbm
import numpy
import scipy
import sklearn
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

random = numpy.random.default_rng(20110901)


def ranking(rows=400):
    bad = random.random(rows) < 0.2
    scores = numpy.round(random.normal(-1.5 + 0.8 * bad, 1.0), 2)  # rounded: there are ties
    champion = numpy.round(0.5 * scores + random.normal(0, 0.8, rows), 1)
    probabilities = 1 / (1 + numpy.exp(-scores))
    return {
        "bad": bad.tolist(),
        "scores": scores.tolist(),
        "champion": champion.tolist(),
        "probabilities": probabilities.tolist(),
        "rocAuc": metrics.roc_auc_score(bad, scores),
        "rocAucError": delong_error(placements(scores, bad)),
        "rocAucDifference": metrics.roc_auc_score(bad, scores) - metrics.roc_auc_score(bad, champion),
        "rocAucDifferenceError": delong_error(
            tuple(a - b for a, b in zip(placements(scores, bad), placements(champion, bad)))
        ),
        "averagePrecision": metrics.average_precision_score(bad, scores),
        "ks": stats.ks_2samp(scores[bad], scores[~bad]).statistic,
        "brier": metrics.brier_score_loss(bad, probabilities),
        "brierInterval": interval_of_mean((probabilities - bad) ** 2),
        "logLoss": metrics.log_loss(bad, probabilities),
        "logLossInterval": interval_of_mean(-numpy.log(numpy.where(bad, probabilities, 1 - probabilities))),
        "calibration": calibration(bad, probabilities),
        "calibrationError": calibration_error(bad, probabilities),
        "roc": roc(bad, scores),
        "platt": platt(scores, bad),
    }


def interval_of_mean(losses):
    return stats.norm.interval(0.95, losses.mean(), stats.sem(losses))


def calibration(bad, probabilities):
    """scikit-learn's curve: mean probability and share of the bad of each bin of equal count."""
    rates, means = calibration_curve(bad, probabilities, n_bins=10, strategy="quantile")
    return [[mean, rate] for mean, rate in zip(means, rates)]


def calibration_error(bad, probabilities):
    """The curve's distances, weighted by the rows that numpy counts between the same quantiles."""
    edges = numpy.quantile(probabilities, numpy.linspace(0, 1, 11))
    bins = numpy.searchsorted(edges[1:-1], probabilities)
    rates, means = calibration_curve(bad, probabilities, n_bins=10, strategy="quantile")
    return float(numpy.abs(rates - means) @ numpy.unique(bins, return_counts=True)[1] / len(bad))


def roc(bad, scores):
    """Shares of good and bad rows at or above each distinct score."""
    good, found, _ = metrics.roc_curve(bad, scores, drop_intermediate=False)
    return [[x, y] for x, y in zip(good, found)]


def placements(scores, bad):
    """DeLong's structural components by their definition: every bad row against every good one."""
    above = numpy.sign(scores[bad][:, None] - scores[~bad][None, :]) / 2 + 0.5
    return above.mean(axis=1), above.mean(axis=0)


def delong_error(components):
    return sum(part.var(ddof=1) / len(part) for part in components) ** 0.5


def platt(scores, bad):
    """Platt's smoothed targets as weights of both classes in an unpenalised logistic regression."""
    count = bad.sum()
    targets = numpy.where(bad, (count + 1) / (count + 2), 1 / (len(bad) - count + 2))
    twice = numpy.concatenate([scores, scores])[:, None]
    classes = numpy.repeat([1, 0], len(bad))
    curve = LogisticRegression(C=numpy.inf, solver="newton-cholesky", tol=1e-14, max_iter=1000)
    curve.fit(twice, classes, sample_weight=numpy.concatenate([targets, 1 - targets]))
    return {"slope": curve.coef_[0, 0], "intercept": curve.intercept_[0]}


def intervals():
    cases = [(k, n) for n in (1, 2, 7, 50, 300, 2291, 40000) for k in {0, 1, n // 20, n // 2, 4 * n // 5, n - 1, n}]
    return [
        {
            "successes": k,
            "trials": n,
            "confidence": confidence,
            "lower": 0.0 if k == 0 else stats.beta.ppf(1 - confidence, k, n - k + 1),
            "upper": 1.0 if k == n else stats.beta.ppf(confidence, k + 1, n - k),
        }
        for k, n in sorted(cases)
        for confidence in (0.5, 0.9, 0.95, 0.975, 0.999)
    ]


def booster(name, missing, **parameters):
    """A small booster, with rows that lie on thresholds, near zero and at what is missing."""
    rows, features = 3000, 6
    x = numpy.round(random.normal(0, 1, (rows, features)), 2)
    x[:, 1] = numpy.where(random.random(rows) < 0.3, 0.0, x[:, 1])
    x[:, 2] = random.integers(0, 3, rows)
    z = -1.2 + x[:, 0] + 0.7 * x[:, 1] * (x[:, 2] == 1) - 0.5 * numpy.abs(x[:, 3])
    y = random.random(rows) < 1 / (1 + numpy.exp(-z))
    if missing:
        x[random.random(x.shape) < 0.1] = numpy.nan
    settings = {"objective": "binary", "num_leaves": 8, "min_data_in_leaf": 20, "learning_rate": 0.2, "verbose": -1}
    settings |= {"deterministic": True, "num_threads": 1, "seed": 7} | parameters
    model = lightgbm.train(settings, lightgbm.Dataset(x, y), num_boost_round=12)
    text = model.model_to_string()
    text = text[: text.index("end of trees")] + "end of trees\n"
    inputs = x[:60].copy()
    thresholds = [float(t) for line in re.findall(r"^threshold=(.*)$", text, re.M) for t in line.split()]
    splits = [int(f) for line in re.findall(r"^split_feature=(.*)$", text, re.M) for f in line.split()]
    for row, (feature, threshold) in enumerate(zip(splits[:30], thresholds)):
        inputs[row, feature] = threshold
    for row, special in enumerate([0.0, -0.0, 1e-36, -1e-35, 1.0000000180025095e-35, numpy.nan, 1e300, -1e300]):
        inputs[40 + row, :3] = special
    return {
        "name": name,
        "text": text,
        "inputs": [[None if numpy.isnan(value) else value for value in row] for row in inputs.tolist()],
        "margins": model.predict(inputs, raw_score=True).tolist(),
        "contributions": model.predict(inputs, pred_contrib=True).tolist(),
    }


reference = {
    "versions": {package.__name__: package.__version__ for package in (numpy, scipy, sklearn, lightgbm)},
    "ranking": ranking(),
    "intervals": intervals(),
    "boosters": [
        booster("missing values", missing=True),
        booster("nothing missing", missing=False),
        booster("zero as missing", missing=True, zero_as_missing=True),
        booster("deep and monotone", missing=True, num_leaves=31, monotone_constraints=[1, 0, 0, -1, 0, 0]),
    ],
}
target = Path(__file__).with_suffix(".json")
target.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
