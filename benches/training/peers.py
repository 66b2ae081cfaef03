"""What is measured beside our task, each in a process of its own: prints the seconds of the bare fit.

    python -m benches.training.peers lightgbm|logistic|pipeline FILE ROUNDS
"""

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

# As `boosting.rs` has them.
PARAMETERS = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 8, "max_depth": 5, "min_data_in_leaf": 50,
    "feature_fraction": 0.8, "force_row_wise": True, "verbosity": -1,
}  # fmt: skip
# As there: OpenMP's threads spin while they wait for each other, and for few rows one is faster.
WORTH_TWO_THREADS = 200_000


def timed(fit: Callable[[], object]) -> object:
    """Prints the seconds, of the wall and of the processors."""
    begun, busy = time.perf_counter(), time.process_time()
    fitted = fit()
    print(f"fit {time.perf_counter() - begun:.3f} {time.process_time() - busy:.3f}", flush=True)
    return fitted


def boosted(values: np.ndarray, bad: np.ndarray, rounds: int) -> lightgbm.Booster:
    """From a matrix in memory to a booster."""
    parameters = PARAMETERS | {"num_threads": 1 if len(bad) < WORTH_TWO_THREADS else 2}
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


def pipeline(file: Path, rounds: int) -> None:
    """Reads, fits both, and measures on the newest fifth; no guard, no calibration, no threshold, no artifact."""
    values, bad = loans.read(file)
    cut = round(0.8 * len(bad))
    regression = make_pipeline(columns(values), LogisticRegression(solver="newton-cholesky"))
    regression.fit(values.iloc[:cut], bad[:cut])
    matrix = codes(values)
    booster = boosted(matrix[:cut], bad[:cut], rounds)
    for said in (regression.predict_proba(values.iloc[cut:])[:, 1], booster.predict(matrix[cut:])):
        roc_auc_score(bad[cut:], said)


def main() -> None:
    what, file, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if what == "pipeline":
        timed(lambda: pipeline(file, rounds))
        return
    values, bad = loans.read(file)
    if what == "lightgbm":
        matrix = codes(values)
        timed(lambda: boosted(matrix, bad, rounds))
    else:
        matrix = columns(values).fit_transform(values)
        timed(lambda: logistic(matrix, bad))


if __name__ == "__main__":
    main()
