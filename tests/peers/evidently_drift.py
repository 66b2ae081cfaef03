#!/usr/bin/env python3
"""What Evidently says of the drift of the example loans: the numbers that the `drift` task is held against.

    ./evidently_drift.py            writes workloads/tasks/src/drift/reference.json, which the Rust test reads
    ./evidently_drift.py --check    compares that file with a fresh computation instead

Reference: the newest 40 % of the loans issued up to 2009. Current: the last 3,000 loans up to the end of some months.

Evidently counts the rows that have a value in a column, and falls back to a test for small samples where there are at
most 1,000 of them in the reference; the `drift` task goes by the rows of the reference. So two columns that are mostly
empty are asked for by method here, and what Evidently would have picked for them stands beside (`automatic`).
"""

import json
import math
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import pandas as pd

warnings.simplefilter("ignore", FutureWarning)

from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

import loans  # noqa: E402

OUTPUT = Path(__file__).parents[2] / "workloads" / "tasks" / "src" / "drift" / "reference.json"
COLUMNS = loans.NUMBERS + loans.CATEGORIES
DEFINITION = DataDefinition(numerical_columns=loans.NUMBERS, categorical_columns=loans.CATEGORIES)
UNTIL = ["2010-06", "2010-12", "2011-03", "2011-09"]
DISTANCES = {"Wasserstein distance (normed)": "wasserstein", "Jensen-Shannon distance": "jensenshannon"}


def drift(current: pd.DataFrame, reference: pd.DataFrame, methods: dict[str, str]) -> tuple[float, dict[str, dict]]:
    """The share of drifted columns, and each column's method and value; `methods` overrides Evidently's own choice."""
    data = (Dataset.from_pandas(frame[COLUMNS], DEFINITION) for frame in (current, reference))
    metrics = Report([DataDriftPreset(per_column_method=methods or None)]).run(*data).dict()["metrics"]
    share = next(m["value"]["share"] for m in metrics if m["metric_name"].startswith("DriftedColumnsCount"))
    tested = [m for m in metrics if m["metric_name"].startswith("ValueDrift")]
    return float(share), {m["config"]["column"]: column(m) for m in tested}


def column(metric: dict) -> dict:
    """A column's method, value and whether it drifted: distances from the threshold on, p-values below it."""
    config, value = metric["config"], float(metric["value"])
    method = DISTANCES.get(config["method"], config["method"])
    far = value >= config["threshold"] if method in DISTANCES.values() else value < config["threshold"]
    return {"method": method, "value": value, "drifted": bool(far)}


def window(every: pd.DataFrame, reference: pd.DataFrame, until: str) -> dict:
    """The last 3,000 loans up to the end of a month against the reference."""
    current = every[every["issue_d"] < pd.Timestamp(until) + pd.offsets.MonthBegin(1)].tail(3000)
    automatic_share, automatic = drift(current, reference, {})
    sparse = [name for name, found in automatic.items() if found["method"] not in DISTANCES.values()]
    share, columns = drift(current, reference, dict.fromkeys(sparse, "wasserstein"))
    for name in sparse:
        columns[name]["automatic"] = automatic[name]
    return {"until": until, "share": share, "automaticShare": automatic_share, "columns": columns}


def compute() -> dict:
    every = loans.read()
    trained = every[every["issue_d"] < "2010-01-01"]
    reference = trained.tail(math.floor(0.4 * len(trained)))
    libraries = ("evidently", "scipy", "numpy", "pandas")
    return {
        "versions": {name: version(name) for name in libraries},
        "referenceRows": len(reference),
        "windows": [window(every, reference, until) for until in UNTIL],
    }


def close(left: object, right: object) -> bool:
    """Whether two results are the same but for the last digits of their numbers."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(close(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(close, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9)
    return left == right


def main() -> None:
    result = compute()
    for found in result["windows"]:
        far = ", ".join(name for name, of in found["columns"].items() if of["drifted"])
        print(f"up to {found['until']}: {found['share']:.3f} (by itself {found['automaticShare']:.3f}): {far}")
    if "--check" in sys.argv[1:]:
        sys.exit(0 if close(json.loads(OUTPUT.read_text()), result) else f"{OUTPUT} is not what Evidently says now")
    OUTPUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
