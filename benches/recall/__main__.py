"""The recall promise: kept on simulated loans, whose truth is known, and measured on later real ones.

    python -m benches.recall TASKS            200 simulated runs and the real years, into docs/measurements.md
    python -m benches.recall TASKS --small    20 simulated runs, printed

TASKS is the program underwriter-tasks. Each simulated run draws loans, trains a version on them by the whole task, and
takes its true recall from the known odds of 100,000 fresh loans. At 95 % confidence the wanted recall must be there in
182 of 200 runs: fewer happen once in a hundred times where each keeps it with a chance of 95 %. On real loans there is no
promise: the world moves.
"""

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import beta, binom

from benches import page
from benches.quality import datasets, ours

WANTED = 0.8
CONFIDENCE = 0.95
# Fewer runs than are asked for keep the promise with at most this chance.
CHANCE = 0.01
LOANS = 4000
MONTHS = 20
FRESH = 100_000
PURPOSES = np.array(["car", "house", "medical", "other"])
LABEL = {"column": "status", "bad": ["bad"], "good": ["good"]}
HEAD = ["trained up to", "refuses the", "promised", "later window", "loans", "bad", "recall found (95 %)", "verdict"]


def draw(random: np.random.Generator, loans: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Loans, and the chance that each goes bad: 18 % on average, ranked by the truth with an area of about .72."""
    numbers = random.normal(size=(loans, 5))
    purpose = random.integers(len(PURPOSES), size=loans)
    odds = -1.75 + numbers @ [0.5, -0.4, 0.3, 0.2, 0.0] + np.array([-0.3, 0.0, 0.4, 0.1])[purpose]
    odds += 0.4 * (numbers[:, 0] > 1) * (numbers[:, 1] < 0)
    frame = pd.DataFrame(numbers, columns=[f"x{place}" for place in range(5)]).astype(str)
    return frame.assign(purpose=PURPOSES[purpose]), 1 / (1 + np.exp(-odds))


def simulated(random: np.random.Generator) -> datasets.Row:
    """A history of some months."""
    loans, chance = draw(random, LOANS)
    month = np.arange(LOANS) * MONTHS // LOANS
    loans["month"] = [f"{2010 + number // 12}-{number % 12 + 1:02}" for number in month]
    loans["status"] = np.where(random.random(LOANS) < chance, "bad", "good")
    data = {"label": LABEL, "time": {"column": "month"}}
    return datasets.Row("simulated", "all", loans, loans, data)


def kept(tasks: str, seed: int) -> float:
    """The true recall of a version."""
    random = np.random.default_rng(seed)
    row = simulated(random)
    with tempfile.TemporaryDirectory() as folder:
        version = ours.train(tasks, Path(folder), row, {"algorithm": "LogisticRegression"}, WANTED)
    fresh, chance = draw(random, FRESH)
    refused = version.artifact.scores(version.values(fresh)) >= version.manifest["threshold"]["score"]
    return float(chance[refused].sum() / chance.sum())


def promise(tasks: str, runs: int) -> tuple[str, bool]:
    """How many of the runs keep it, and whether they are enough."""
    recalls = np.array([kept(tasks, seed) for seed in range(runs)])
    reached, least = int((recalls >= WANTED).sum()), int(binom.ppf(CHANCE, runs, CONFIDENCE))
    said = (
        f"Recall {WANTED} at {CONFIDENCE:.0%} confidence, simulated: kept in {reached} of {runs} runs (at least {least} are asked for); "
        f"true recall {np.median(recalls):.3f} in the middle, {recalls.min():.3f} at worst, {recalls.max():.3f} at most."
    )
    print(said, flush=True)
    return said, reached >= least


def window(tasks: str, loans: pd.DataFrame, since: str, until: str) -> list[str]:
    """A version trained up to a quarter, and the recall that the next quarter finds."""
    excluded = datasets.PRICE + datasets.FUNDED + datasets.NEVER
    more = {"time": {"column": "issue_d"}}
    data = datasets.spec(loans, "loan_status", ["Charged Off"], ["Fully Paid"], excluded, **more)
    row = datasets.later(f"up to {since}", "A", loans[loans["issue_d"] < until], data, since)
    with tempfile.TemporaryDirectory() as folder:
        version = ours.train(tasks, Path(folder), row, None, WANTED)
    threshold = version.manifest["threshold"]
    refused = version.artifact.scores(version.values(row.test)) >= threshold["score"]
    bad = row.bad(row.test)
    found, among = int((refused & bad).sum()), int(bad.sum())
    low, high = beta.ppf(0.025, found, among - found + 1), beta.ppf(0.975, found + 1, among - found)
    verdict = "kept" if found >= WANTED * among else ("missed, within chance" if high >= WANTED else "missed")
    last = version.manifest["data"]["to"][:7]
    cells = [last, f"riskiest {refused.mean():.0%}", f"{threshold['recallLow']:.3f}", f"{since} to before {until}", str(len(row.test))]
    return [*cells, str(among), f"{found / among:.3f} ({low:.3f} to {high:.3f})", verdict]


def years(tasks: str) -> str:
    """Quarter after quarter through the example loans; before 2010 there are too few bad ones to test on."""
    loans = datasets.read(datasets.EXAMPLE)
    quarters = [f"{year}-{month:02}" for year in (2010, 2011) for month in (1, 4, 7, 10)] + ["2012-01"]
    lines = []
    for since, until in pairwise(quarters):
        lines.append(window(tasks, loans, since, until))
        print("  ".join(lines[-1]), flush=True)
    return page.table(HEAD, lines)


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    small = "--small" in sys.argv
    said, good = promise(sys.argv[1], 20 if small else 200)
    if not small:
        page.write("recall", f"{page.measured_on()} {said}\n\n{years(sys.argv[1])}")
    print(f"{int(good)} passed, {int(not good)} failed")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
