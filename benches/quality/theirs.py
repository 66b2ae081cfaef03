"""What a careful person would fit with scikit-learn and LightGBM on the same rows and columns."""

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn_logistic import Fit, fitted
from threadpoolctl import threadpool_limits

LEAVES = [4, 8, 16, 31]
RATE = 0.05
MOST_ROUNDS = 2000
PATIENCE = 50
# The newest of the rows say when to stop; then all are fitted.
NEWEST = 0.2
# OpenMP's threads spin while they wait for each other: on shared cores one is faster than two.
THREADS = 1

threadpool_limits(THREADS)


@dataclass
class Rows:
    """Values, whether each loan went bad, and which columns are texts; oldest first or at random."""

    values: pd.DataFrame
    bad: np.ndarray
    categories: list[str]

    def cut(self) -> tuple["Rows", "Rows"]:
        """Without the newest, and the newest."""
        place = round((1 - NEWEST) * len(self.bad))
        parts = [(self.values.iloc[part], self.bad[part]) for part in (slice(place), slice(place, None))]
        older, newer = (Rows(values, bad, self.categories) for values, bad in parts)
        return older, newer


Scorer = Callable[[pd.DataFrame], np.ndarray]


def logistic(rows: Rows) -> Scorer:
    """Imputed, scaled, one-hot encoded; C by log loss on inner folds in the order of the rows."""
    numbers = [name for name in rows.values if name not in rows.categories]
    loans = rows.values.assign(bad=rows.bad.astype(int))
    model = fitted(Fit("logistic", loans, numbers, rows.categories))
    return lambda values: model.predict_proba(values)[:, 1]


def histograms(rows: Rows) -> Scorer:
    """HistGradientBoosting; leaves and rounds by the newest rows."""
    typed = Typed(rows)
    older, newer = rows.cut()

    def model(leaves: int, rounds: int, **stopping: object) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            learning_rate=RATE, max_leaf_nodes=leaves, max_iter=rounds, min_samples_leaf=50, max_features=0.8,
            categorical_features="from_dtype", random_state=1, **stopping,
        )  # fmt: skip

    def tried(leaves: int) -> tuple[float, int, int]:
        stopping = model(leaves, MOST_ROUNDS, early_stopping=True, n_iter_no_change=PATIENCE)
        stopping.fit(typed(older.values), older.bad, X_val=typed(newer.values), y_val=newer.bad)
        losses = -stopping.validation_score_
        return float(losses.min()), leaves, max(int(losses.argmin()), 1)

    _, leaves, rounds = min(tried(leaves) for leaves in LEAVES)
    best = model(leaves, rounds, early_stopping=False).fit(typed(rows.values), rows.bad)
    return lambda values: best.predict_proba(typed(values))[:, 1]


def boosted(rows: Rows) -> Scorer:
    """LightGBM; leaves and rounds by the newest rows."""
    typed = Typed(rows)
    older, newer = rows.cut()

    def model(leaves: int, rounds: int) -> lightgbm.LGBMClassifier:
        return lightgbm.LGBMClassifier(
            learning_rate=RATE, num_leaves=leaves, n_estimators=rounds, min_child_samples=50, colsample_bytree=0.8,
            random_state=1, n_jobs=THREADS, verbosity=-1,
        )  # fmt: skip

    def tried(leaves: int) -> tuple[float, int, int]:
        stopping = model(leaves, MOST_ROUNDS)
        watch = lightgbm.early_stopping(PATIENCE, verbose=False)
        stopping.fit(typed(older.values), older.bad, eval_set=[(typed(newer.values), newer.bad)], callbacks=[watch])
        loss = log_loss(newer.bad, stopping.predict_proba(typed(newer.values))[:, 1])
        return loss, leaves, max(stopping.best_iteration_, 1)

    _, leaves, rounds = min(tried(leaves) for leaves in LEAVES)
    best = model(leaves, rounds).fit(typed(rows.values), rows.bad)
    return lambda values: best.predict_proba(typed(values))[:, 1]


class Typed:
    """Texts as categories of pandas, those that were learnt from; what is new is missing."""

    def __init__(self, rows: Rows):
        known = {name: rows.values[name].value_counts().index[:254].sort_values() for name in rows.categories}
        self.types = {name: pd.CategoricalDtype(levels) for name, levels in known.items()}

    def __call__(self, values: pd.DataFrame) -> pd.DataFrame:
        return values.astype(self.types)


PEERS: dict[str, Callable[[Rows], Scorer]] = {
    "scikit-learn logistic": logistic,
    "scikit-learn HGB": histograms,
    "LightGBM": boosted,
}
