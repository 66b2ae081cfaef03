"""Wall time, processor time and memory of the whole `train` task, beside bare fits and a pipeline in Python.

    python -m benches.training TASKS [ROWS ...]     default 10000 100000 1000000, into docs/measurements.md

TASKS is the program underwriter-tasks: it reads the CSV file, judges the columns, splits, encodes, fits, calibrates,
measures and writes the artifact. With fixed hyperparameters it is held against the sum of LightGBM's bare fit (matrix in
memory, the same trees) and scikit-learn's (matrix encoded, newton-cholesky); `Auto` against the bare fits that it makes
itself. The pipeline reads the file with pandas and fits both. Up to 100,000 rows all is done three times (`Auto` once), at
a million once; ratios are of medians.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benches import ROOT, page
from benches.training import loans, peers

REPEATED = 3
ONCE_FROM = 1_000_000
# Of one family each.
ALGORITHMS = ["LogisticRegression", "Scorecard", "GradientBoosting"]
HEAD = ["rows", "what", "seconds (spread)", "processor seconds", "memory", "of the bare fits"]


@dataclass
class Run:
    """One process, or the fit within it: seconds, seconds of processors, bytes at the peak."""

    wall: float
    busy: float
    memory: float


def run(command: list[str], said: Path) -> Run:
    """Runs a program to its end."""
    measured = [sys.executable, str(Path(__file__).with_name("measured.py")), str(said), *command]
    done = subprocess.run(measured, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{said.read_text()[-2000:]}")
    return Run(*(float(figure) for figure in done.stdout.split()))


def ours(tasks: str, folder: Path, algorithm: str) -> Run:
    """The whole task."""
    artifact = folder / algorithm
    shutil.rmtree(artifact, ignore_errors=True)
    trees = {"hyperparameters": peers.TREES | {"rounds": peers.ROUNDS}} if algorithm == "GradientBoosting" else {}
    learning = {
        "data": {"uri": f"file://{folder}/loans.csv", "label": loans.LABEL, "time": {"column": "issue_d"}},
        "decision": {"recall": {"atLeast": 0.75}},
        "training": {"algorithm": algorithm} | trees,
    }
    request = {"format": 1, "model": "default/bench", "version": 1, "run": "bench", "trigger": {"type": "Initial"}}
    file = folder / "request.json"
    file.write_text(json.dumps(request | {"learning": learning, "artifact": f"file://{artifact}/"}))
    return run([tasks, "train", "--request", str(file)], folder / "said")


def peer(what: str, folder: Path) -> Run:
    """A peer's fits alone; of the pipeline all of its process."""
    command = [sys.executable, "-m", "benches.training.peers", what, str(folder / "loans.csv"), str(folder / "Auto")]
    whole = run(command, folder / "said")
    wall, busy = (float(text) for text in (folder / "said").read_text().split()[-2:])
    return whole if what == "pipeline" else Run(wall, busy, whole.memory)


def middle(runs: list[Run], figure: str) -> float:
    values = sorted(getattr(run, figure) for run in runs)
    return values[len(values) // 2]


def line(rows: int, what: str, runs: list[Run], bare: list[list[Run]]) -> list[str]:
    """One line of the table; the ratios are of seconds and of processor seconds, to the sum of some fits."""
    taken = [run.wall for run in runs]
    spread = f" ({min(taken):.1f} to {max(taken):.1f})" if len(runs) > 1 else " (once)"
    wall, busy = middle(runs, "wall"), middle(runs, "busy")
    walls, busies = (sum(middle(fit, figure) for fit in bare) for figure in ("wall", "busy"))
    ratio = f"{wall / walls:.1f}x, processors {busy / busies:.1f}x"
    cells = [f"{rows:,}", what, f"{wall:.1f}{spread}", f"{busy:.1f}", f"{middle(runs, 'memory') / 2**20:.0f} MiB", ratio]
    print("  ".join(cells), flush=True)
    return cells


def compare(tasks: str, rows: int, folder: Path) -> list[list[str]]:
    """All lines of one size."""
    loans.write(rows, folder / "loans.csv")
    times = 1 if rows >= ONCE_FROM else REPEATED
    named = {f"ours, whole task: {name}": [ours(tasks, folder, name) for _ in range(times)] for name in ALGORITHMS}
    auto = [ours(tasks, folder, "Auto")]
    fits = {what: [peer(what, folder) for _ in range(times)] for what in ("lightgbm", "logistic", "pipeline")}
    both, of_auto = [fits["lightgbm"], fits["logistic"]], [peer("auto", folder)]
    named |= {
        f"LightGBM, bare fit of {peers.ROUNDS} trees": fits["lightgbm"],
        "scikit-learn logistic, bare fit": fits["logistic"],
        "Python pipeline: pandas, both fits": fits["pipeline"],
    }
    lines = [line(rows, what, runs, both) for what, runs in named.items()]
    lines.append(line(rows, "the fits that Auto makes, bare", of_auto, [of_auto]))
    return [*lines, line(rows, "ours, whole task: Auto", auto, [of_auto])]


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.chdir(ROOT)
    sizes = [int(size) for size in sys.argv[2:]]
    lines = []
    for rows in sizes or [10_000, 100_000, 1_000_000]:
        with tempfile.TemporaryDirectory() as folder:
            lines += compare(sys.argv[1], rows, Path(folder))
    if not sizes:
        page.write("training", f"{page.measured_on()}\n\n{page.table(HEAD, lines)}")


if __name__ == "__main__":
    main()
