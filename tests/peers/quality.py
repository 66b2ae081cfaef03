#!/usr/bin/env python3
"""Whether the `train` task ranks later loans as well as scikit-learn's logistic regression does.

    ./quality.py TASKS      where TASKS is the program underwriter-tasks

Trains the two versions of the demo, each without and with the lender's price and grade, and fits scikit-learn on the
same fit rows and the same learnt columns. Both then rank loans that neither has seen. The 95 % interval of the paired
difference in ROC AUC must not lie below -.003, and an area above .75 counts as a leak that nobody has found.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

import loans
from artifact import Artifact
from sklearn_logistic import between, fitted, from_manifest

MODEL = Path(__file__).parents[2] / "examples" / "consumer-loans" / "loan-model.yaml"
# The last month that a version is trained on, and the spans of later months that it is tested on.
VERSIONS = {"2009-12": [("2011-01", "2011-12"), ("2011-07", "2011-12")], "2011-09": [("2011-10", "2011-12")]}
MOST_WORSE = 0.003
SUSPICIOUS = 0.75
PRICE = set(loans.PRICE_NUMBERS + loans.PRICE_CATEGORIES)


def write_loans(folder: Path, until: str) -> None:
    """The example file, as far as a version may see it."""
    text = pd.read_csv(loans.DATA, dtype=str, keep_default_na=False)
    with gzip.open(folder / "loans.csv.gz", "wt", compresslevel=1, newline="") as file:
        text[text["issue_d"] <= f"{until}-01"].to_csv(file, index=False)


def request(folder: Path, with_price: bool) -> dict:
    """What the operator would ask of the training Job for the example's LoanModel."""
    spec = yaml.safe_load(MODEL.read_text())["spec"]
    rules = [rule for rule in spec["data"]["columns"] if not (with_price and rule["name"] in PRICE)]
    data = spec["data"] | {"uri": f"file://{folder}/loans.csv.gz", "columns": rules}
    return {
        "format": 1,
        "model": "default/consumer-loans",
        "version": 1,
        "run": "quality",
        "trigger": {"type": "Initial"},
        "learning": {"data": data, "decision": spec["decision"]},
        "artifact": f"file://{folder}/artifact/",
    }


def train(tasks: str, folder: Path, with_price: bool) -> Path:
    """Runs the task; the folder of its artifact."""
    file = folder / "request.json"
    file.write_text(json.dumps(request(folder, with_price)))
    done = subprocess.run([tasks, "train", "--request", file], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{tasks} train: exit {done.returncode}\n{done.stdout}{done.stderr[-2000:]}")
    return folder / "artifact"


def compare(tasks: str, every: pd.DataFrame, until: str, with_price: bool) -> list[bool]:
    """Trains and fits a version, prints both areas on each test; whether ours is good enough and not too good."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_loans(folder, until)
        ours = Artifact(train(tasks, folder, with_price))
        fit = from_manifest(every, folder / "artifact" / "manifest.json")
    theirs = fitted(fit)
    price = "with price" if with_price else "without price"
    algorithm, block = ours.manifest["algorithm"], ours.manifest["blocks"]["fit"]
    print(f"up to {until}, {price}: {algorithm}, {len(ours.learnt)} columns, fit rows {block['from']} to {block['to']}")
    return [judge(between(every, *test), test, ours, theirs) for test in VERSIONS[until]]


def judge(rows: pd.DataFrame, test: tuple[str, str], ours: Artifact, theirs: Pipeline) -> bool:
    """Prints both areas on some rows."""
    our_scores, their_scores = ours.scores(rows), theirs.predict_proba(rows)[:, 1]
    our_area, their_area = (roc_auc_score(rows["bad"], scores) for scores in (our_scores, their_scores))
    low, high = interval(rows["bad"].to_numpy(bool), our_scores, their_scores)
    good = bool(high >= -MOST_WORSE and our_area <= SUSPICIOUS)
    verdict = "ok" if good else "FAILED"
    figures = f"ours {our_area:.4f}, scikit-learn {their_area:.4f}, difference {low:+.4f} to {high:+.4f}"
    print(f"  {test[0]} to {test[1]}: {figures}: {verdict}", flush=True)
    return good


def interval(bad: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the difference of two areas on the same rows (DeLong et al. 1988)."""
    (our_bad, our_good), (their_bad, their_good) = placements(bad, ours), placements(bad, theirs)
    of_bad, of_good = our_bad - their_bad, our_good - their_good
    error = np.sqrt(of_bad.var(ddof=1) / len(of_bad) + of_good.var(ddof=1) / len(of_good))
    return of_bad.mean() - 1.96 * error, of_bad.mean() + 1.96 * error


def placements(bad: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each bad loan the share of good ones below it, of each good loan the share of bad ones above it; ties count half."""
    upper, lower = np.sort(scores[bad]), np.sort(scores[~bad])
    below = (np.searchsorted(lower, scores[bad]) + np.searchsorted(lower, scores[bad], side="right")) / 2
    above = len(upper) - (np.searchsorted(upper, scores[~bad]) + np.searchsorted(upper, scores[~bad], side="right")) / 2
    return below / len(lower), above / len(upper)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    every = loans.read()
    runs = [(until, with_price) for until in VERSIONS for with_price in (False, True)]
    results = [good for run in runs for good in compare(sys.argv[1], every, *run)]
    print(f"{sum(results)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
