"""How well `Auto` ranks loans that it has not seen, beside scikit-learn and LightGBM on the same rows and columns.

    python -m benches.quality TASKS               every row of the table, into docs/measurements.md
    python -m benches.quality TASKS --smallest    one row on the example loans, printed

TASKS is the program underwriter-tasks; no request has hyperparameters. The peers are fitted on our fit rows, and in a
second column on all rows that we were given: we ship what was tested, which costs the newest rows. The verdict is of the
paired interval of (ours − best of theirs, by what the test rows say, on our fit rows): it must not lie below −.003.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from benches import page
from benches.quality import datasets, ours, paired
from benches.quality.datasets import Row
from benches.quality.ours import Version
from benches.quality.theirs import PEERS, Rows

BELOW = -0.003
HEAD = ["rows", "columns", "who", "ROC AUC", "AP", "Brier", "all rows: ROC AUC", "ours − best", "verdict"]


@dataclass
class Judged:
    """What one of the models says of the test rows: probabilities; of the peers also fitted on all rows."""

    who: str
    said: np.ndarray
    of_all: np.ndarray | None = None


def figures(judged: Judged, bad: np.ndarray) -> list[str]:
    """Area, average precision and Brier score, and the area of the fit on all rows."""
    said = judged.said
    kinds = [roc_auc_score(bad, said), average_precision_score(bad, said), brier_score_loss(bad, said)]
    of_all = "" if judged.of_all is None else f"{roc_auc_score(bad, judged.of_all):.4f}"
    return [f"{figure:.4f}" for figure in kinds] + [of_all]


def fit(version: Version, row: Row) -> list[Judged]:
    """Ours, and the peers on our fit rows and on all."""
    categories = [name for name, kind in version.kinds.items() if kind == "Category"]
    test = version.values(row.test)
    judged = [Judged(f"ours: {version.manifest['algorithm']}", version.artifact.probabilities(test))]

    def rows(loans: object) -> Rows:
        return Rows(version.values(loans), row.bad(loans), categories)

    some, every = rows(version.fit_rows()), rows(version.ordered())
    for who, peer in PEERS.items():
        judged.append(Judged(who, peer(some)(test), peer(every)(test)))
    return judged


def compare(tasks: str, row: Row) -> tuple[list[list[str]], bool]:
    """The lines of one row of the table, and whether ours is good enough."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        version = ours.train(tasks, Path(folder), row)
        took = time.monotonic() - begun
        judged, bad = fit(version, row), row.bad(row.test)
    best = max(judged[1:], key=lambda peer: roc_auc_score(bad, peer.said))
    gained = paired.difference(judged[0].said, best.said, bad)
    low, high = gained.interval()
    good = bool(high >= BELOW)
    block, verdict = version.manifest["blocks"]["fit"], "reached" if good else "not reached"
    size = f"{row.name} ({len(row.train)} / {block['rows']} fit, {len(row.test)} test)"
    lines = [[size, row.columns, judged[0].who, *figures(judged[0], bad), f"{gained.value:+.4f} ({low:+.4f} to {high:+.4f})", verdict]]
    lines += [["", "", peer.who + (" (best)" if peer is best else ""), *figures(peer, bad), "", ""] for peer in judged[1:]]
    for line in lines:
        print("  ".join(cell for cell in line if cell), flush=True)
    print(f"  ours took {took:.0f} s, all {time.monotonic() - begun:.0f} s", flush=True)
    return lines, good


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    paired.check()
    small = "--smallest" in sys.argv
    results = [compare(sys.argv[1], row) for rows in ([datasets.smallest] if small else datasets.rows()) for row in rows()]
    good = [one for _, one in results]
    if not small:
        text = page.table(HEAD, [line for lines, _ in results for line in lines])
        page.write("quality", f"{page.measured_on()} {sum(good)} of {len(good)} rows reach the target.\n\n{text}")
    print(f"{sum(good)} passed, {good.count(False)} failed")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
