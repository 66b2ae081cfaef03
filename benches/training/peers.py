"""What is measured beside our task, each in a process of its own: prints the seconds of the bare fits.

    python -m benches.training.peers lightgbm|logistic|pipeline FILE
    python -m benches.training.peers auto FILE ARTIFACT     the fits that `Auto` made for a version
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benches.training import loans

# What both sides fit; theirs and our names for it.
ROUNDS = 200
TREES = {"leaves": 8, "learningRate": 0.05, "minLeaf": 50, "columnShare": 0.8, "rowShare": 1.0, "l2": 0.0}
NAMES = {
    "leaves": "num_leaves", "learningRate": "learning_rate", "minLeaf": "min_data_in_leaf",
    "columnShare": "feature_fraction", "rowShare": "bagging_fraction", "l2": "lambda_l2",
}  # fmt: skip
# As `boosting.rs` has them, and `folds.rs`.
FIXED = {"objective": "binary", "max_depth": 5, "force_row_wise": True, "verbosity": -1}
MOST_ROUNDS = 300
FOLDS = [0.4, 0.6, 0.8]
# As there: OpenMP's threads spin while they wait for each other, and for few rows one is faster.
WORTH_TWO_THREADS = 200_000


def timed(fit: Callable[[], object]) -> object:
    """Prints the seconds, of the wall and of the processors."""
    begun, busy = time.perf_counter(), time.process_time()
    fitted = fit()
    print(f"fit {time.perf_counter() - begun:.3f} {time.process_time() - busy:.3f}", flush=True)
    return fitted


def boosted(values: np.ndarray, bad: np.ndarray, trees: dict, rounds: int = ROUNDS) -> lightgbm.Booster:
    """From a matrix in memory to a booster."""
    parameters = FIXED | {theirs: trees[ours] for ours, theirs in NAMES.items()}
    parameters |= {"bagging_freq": int(trees["rowShare"] < 1)}
    parameters |= {"num_threads": 1 if len(bad) < WORTH_TWO_THREADS else 2}
    return lightgbm.train(parameters, lightgbm.Dataset(values, bad, params=parameters), rounds)


def columns(values: pd.DataFrame) -> object:
    """Medians, scaled numbers, one-hot categories."""
    numbers = [name for name in values if name not in loans.CATEGORIES]
    imputed = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return make_column_transformer((imputed, numbers), (OneHotEncoder(sparse_output=False), loans.CATEGORIES))


def logistic(values: np.ndarray, bad: np.ndarray) -> LogisticRegression:
    """The quickest of scikit-learn's solvers on many rows of few columns."""
    return LogisticRegression(solver="newton-cholesky").fit(values, bad)


def codes(values: pd.DataFrame) -> np.ndarray:
    """Categories as their numbers."""
    return values.assign(**{name: pd.factorize(values[name])[0] for name in loans.CATEGORIES}).to_numpy(float)


def auto(matrix: np.ndarray, encoded: np.ndarray, bad: np.ndarray, report: dict) -> None:
    """Every point that was tried and both regressions on each inner fold, then one of each on all fit rows."""
    fit = report["blocks"]["fit"]["rows"]
    for rows in (round(share * fit) for share in FOLDS):
        for trial in report["trials"]:
            boosted(matrix[:rows], bad[:rows], trial, MOST_ROUNDS)
        for _ in range(2):
            logistic(encoded[:rows], bad[:rows])
    best = min(report["trials"], key=lambda trial: trial["loss"])
    boosted(matrix[:fit], bad[:fit], best, best["rounds"])
    logistic(encoded[:fit], bad[:fit])


def pipeline(file: Path) -> None:
    """Reads, fits both, and measures on the newest fifth; no guard, no calibration, no threshold, no artifact."""
    values, bad = loans.read(file)
    cut = round(0.8 * len(bad))
    regression = make_pipeline(columns(values), LogisticRegression(solver="newton-cholesky"))
    regression.fit(values.iloc[:cut], bad[:cut])
    matrix = codes(values)
    booster = boosted(matrix[:cut], bad[:cut], TREES)
    for said in (regression.predict_proba(values.iloc[cut:])[:, 1], booster.predict(matrix[cut:])):
        roc_auc_score(bad[cut:], said)


def main() -> None:
    what, file = sys.argv[1], Path(sys.argv[2])
    if what == "pipeline":
        timed(lambda: pipeline(file))
        return
    values, bad = loans.read(file)
    matrix = codes(values) if what != "logistic" else np.empty(0)
    encoded = columns(values).fit_transform(values) if what != "lightgbm" else np.empty(0)
    fits = {
        "lightgbm": lambda: boosted(matrix, bad, TREES),
        "logistic": lambda: logistic(encoded, bad),
        "auto": lambda: auto(matrix, encoded, bad, json.loads((Path(sys.argv[3]) / "report.json").read_text())),
    }
    timed(fits[what])


if __name__ == "__main__":
    main()
