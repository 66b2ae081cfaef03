#!/usr/bin/env python3
"""ROC AUC of scikit-learn's logistic regression on the example loans: the yardstick for the `train` task.

    ./sklearn_logistic.py                     the fit rows are what a run of the demo would be given, by our rules
    ./sklearn_logistic.py MANIFEST.json ...   the fit rows and columns of these versions, from their manifests

A version's fit rows are whole months, so the manifest's `blocks.fit` names them exactly. The pipeline is the ordinary
one: medians and an indicator for what is missing, standardised numbers, one-hot categories, C by log loss on inner
folds in the order of time. It is tested on later loans; quality.py compares.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import loans

PENALTIES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
TESTS = {"2011": ("2011-01", "2011-12"), "2nd half of 2011": ("2011-07", "2011-12"), "4th quarter": ("2011-10", "2011-12")}
# Bad loans in each of the blocks that calibrate and test, where they are no more than a fifth of the rows.
BLOCK_BAD, BLOCK_SHARE = 300, 0.2


@dataclass
class Fit:
    """What is fitted: a name to print, the rows, and the columns learnt from."""

    name: str
    rows: pd.DataFrame
    numbers: list[str]
    categories: list[str]


def demo(every: pd.DataFrame) -> list[Fit]:
    """The two versions of the demo, on our fit rows and on all rows, without and with the lender's price and grade."""
    without = "without price", loans.NUMBERS, loans.CATEGORIES
    with_price = "with price", loans.NUMBERS + loans.PRICE_NUMBERS, loans.CATEGORIES + loans.PRICE_CATEGORIES
    fits = []
    for until in ("2009-12", "2011-09"):
        ours, all_rows = fit_rows(every, until), between(every, "2007-01", until)
        for price, numbers, categories in (without, with_price):
            fits.append(Fit(f"{until}, {price}, our fit rows", ours, numbers, categories))
            fits.append(Fit(f"{until}, {price}, all rows", all_rows, numbers, categories))
    return fits


def between(every: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    """The loans issued from the first of one month to the end of another."""
    return every[(every["issue_d"] >= first) & (every["issue_d"] < pd.Timestamp(last[:7]) + pd.offsets.MonthBegin(1))]


def fit_rows(every: pd.DataFrame, until: str) -> pd.DataFrame:
    """The loans up to a month without the newest months that test, and those before them that calibrate."""
    rows = between(every, "2007-01", until)
    most = BLOCK_SHARE * len(rows)
    for _ in ("test", "calibrate"):
        rows = rows[rows["issue_d"] < block_start(rows, most)]
    return rows


def block_start(rows: pd.DataFrame, most: float) -> pd.Timestamp:
    """The month in which a block of the newest rows begins: enough bad loans, or as many rows as it may have."""
    months = rows.groupby("issue_d")["bad"].agg(["size", "sum"])[::-1].cumsum()
    enough = months.index[months["sum"] >= BLOCK_BAD]
    within = months.index[months["size"] <= most]
    return max(enough.max(), within.min()) if len(enough) else within.min()


def from_manifest(every: pd.DataFrame, path: Path) -> Fit:
    """The fit rows and learnt columns of a version."""
    manifest = json.loads(path.read_text())
    block = manifest["blocks"]["fit"]
    rows = between(every, block["from"], block["to"])
    if len(rows) != block["rows"]:
        sys.exit(f"{path}: blocks.fit has {block['rows']} rows, the example data has {len(rows)} in these months")
    learnt = {column["name"]: column["kind"] for column in manifest["columns"] if "learnt" in column}
    numbers = [name for name, kind in learnt.items() if kind != "Category"]
    categories = [name for name, kind in learnt.items() if kind == "Category"]
    return Fit(f"version {manifest['version']}", rows, numbers, categories)


def fitted(fit: Fit) -> Pipeline:
    """Logistic regression fitted on the rows, with the best C of the inner folds."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    columns = make_column_transformer((numbers, fit.numbers), (categories, fit.categories))
    pipeline = make_pipeline(columns, LogisticRegression(max_iter=5000))
    search = GridSearchCV(pipeline, {"logisticregression__C": PENALTIES}, scoring="neg_log_loss", cv=TimeSeriesSplit(4))
    return search.fit(fit.rows, fit.rows["bad"])


def report(every: pd.DataFrame, fit: Fit) -> None:
    """Prints the ROC AUC on each test that begins after the fit rows end."""
    last = fit.rows["issue_d"].max()
    model = fitted(fit)
    penalty = model.best_params_["logisticregression__C"]
    print(f"{fit.name}: {len(fit.rows)} rows up to {last:%Y-%m}, {fit.rows['bad'].sum()} bad, C = {penalty}")
    for name, (first, end) in TESTS.items():
        if pd.Timestamp(first) > last:
            rows = between(every, first, end)
            print(f"  {name:17} {roc_auc_score(rows['bad'], model.predict_proba(rows)[:, 1]):.4f}", flush=True)


def main() -> None:
    every = loans.read()
    for fit in [from_manifest(every, Path(path)) for path in sys.argv[1:]] or demo(every):
        report(every, fit)


if __name__ == "__main__":
    main()
