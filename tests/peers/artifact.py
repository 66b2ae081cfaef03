"""Scores loans with a version's artifact, from nothing but its files: a second reading of the format.

Scores are in log-odds; a probability is Platt's curve of them.
"""

import json
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd


class Artifact:
    """The folder of a version."""

    def __init__(self, folder: Path):
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.learnt = {column["name"]: column for column in self.manifest["columns"] if "learnt" in column}
        trees = self.manifest["scorer"].get("trees")
        self.booster = lightgbm.Booster(model_file=folder / "booster.txt") if trees else None

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """z = weight · linear + (1 − weight) · trees of each row."""
        weight = self.manifest["scorer"]["weight"]
        linear = self.linear(rows) if weight > 0 else 0.0
        trees = self.trees(rows) if weight < 1 else 0.0
        return weight * linear + (1 - weight) * trees

    def probabilities(self, rows: pd.DataFrame) -> np.ndarray:
        """1 / (1 + exp(−(slope · z + intercept)))."""
        curve = self.manifest["calibration"]
        return 1 / (1 + np.exp(-(curve["slope"] * self.scores(rows) + curve["intercept"])))

    def linear(self, rows: pd.DataFrame) -> np.ndarray:
        """The intercept, and of each term its weight times evidence."""
        linear = self.manifest["scorer"]["linear"]
        terms = [term["weight"] * self.evidence(rows, term["column"]) for term in linear["terms"]]
        return linear["intercept"] + np.sum(terms, axis=0)

    def trees(self, rows: pd.DataFrame) -> np.ndarray:
        """The booster's margin: numbers as they are, categories by their evidence."""
        names = self.manifest["scorer"]["trees"]["columns"]
        category = {name for name in names if self.learnt[name]["kind"] == "Category"}
        columns = [self.evidence(rows, name) if name in category else self.number(rows, name) for name in names]
        return self.booster.predict(np.column_stack(columns), raw_score=True)

    def number(self, rows: pd.DataFrame, name: str) -> np.ndarray:
        """A column's numbers; no value is not-a-number, or what stands for it."""
        instead = self.learnt[name]["learnt"]["evidence"]["bins"].get("instead", np.nan)
        return rows[name].fillna(instead).to_numpy(float)

    def evidence(self, rows: pd.DataFrame, name: str) -> np.ndarray:
        """The weight of evidence of a column's values."""
        evidence = self.learnt[name]["learnt"]["evidence"]
        of = of_numbers if "bins" in evidence else of_levels
        (table,) = evidence.values()
        return np.where(pd.isna(rows[name]), table["missing"], of(table, rows[name]))


def of_numbers(bins: dict, values: pd.Series) -> np.ndarray:
    """Bin i holds edges[i − 1] <= value < edges[i]."""
    return np.array(bins["evidence"])[np.searchsorted(bins["edges"], values.to_numpy(float), side="right")]


def of_levels(levels: dict, values: pd.Series) -> np.ndarray:
    return values.map(levels["evidence"]).fillna(levels["other"]).to_numpy(float)
