"""Versions as the `train` task makes them, and what they say of other loans."""

import hashlib
import json
import struct
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
from artifact import Artifact

from benches.quality import reading
from benches.quality.datasets import Row

RECALL = 0.75
# With fewer columns different applications may agree.
MANY_COLUMNS = 8


def request(folder: Path, data: dict, training: dict, recall: float) -> dict:
    """What the operator would ask of the training Job."""
    learning = {"data": data | {"uri": f"file://{folder}/loans.csv"}, "decision": {"recall": {"atLeast": recall}}}
    return {
        "format": 1,
        "model": "default/bench",
        "version": 1,
        "run": "bench",
        "trigger": {"type": "Initial"},
        "learning": learning | ({"training": training} if training else {}),
        "artifact": f"file://{folder}/artifact/",
    }


def train(tasks: str, folder: Path, row: Row, training: dict | None = None, recall: float = RECALL) -> "Version":
    """Runs the task on the rows to learn from."""
    row.train.to_csv(folder / "loans.csv", index=False)
    file = folder / "request.json"
    file.write_text(json.dumps(request(folder, row.data, training or {}, recall)))
    done = subprocess.run([tasks, "train", "--request", file], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{row.name}: {tasks} train: exit {done.returncode}\n{done.stdout}{done.stderr[-2000:]}")
    return Version(folder / "artifact", row)


class Version:
    """An artifact, with the loans that it was made from and is judged on."""

    def __init__(self, folder: Path, row: Row):
        self.artifact = Artifact(folder)
        self.manifest = self.artifact.manifest
        self.row = row
        self.kinds = {name: column["kind"] for name, column in self.artifact.learnt.items()}

    def values(self, loans: pd.DataFrame) -> pd.DataFrame:
        """The learnt columns of some loans."""
        time = self.row.data.get("time", {}).get("column")
        return reading.values(loans, self.kinds, time)

    def ordered(self) -> pd.DataFrame:
        """The loans that it was made from, in the order in which they may be divided: the oldest first, or the task's own
        order at random. Of rows that agree in all of many columns it has taken one."""
        loans, data = self.row.train, self.row.data
        loans = loans if "id" in data or len(loans.columns) < MANY_COLUMNS else loans.drop_duplicates()
        return loans if "time" in data else loans.iloc[shuffled(len(loans))]

    def fit_rows(self) -> pd.DataFrame:
        """Those that it was fitted on."""
        block, loans = self.manifest["blocks"]["fit"], self.ordered()
        fit = loans.iloc[: block["rows"]]
        found = len(loans), len(fit), int(self.row.bad(fit).sum())
        if found != (self.manifest["data"]["rows"], block["rows"], block["bad"]):
            raise SystemExit(f"{self.row.name}: fit rows are told apart otherwise than the task does: {found}, {block}")
        return fit


def shuffled(rows: int, seed: int = 0) -> np.ndarray:
    """`Ordered::at_random`: by the SHA-256 of seed and row."""
    digests = [hashlib.sha256(struct.pack("<IQ", seed, row)).digest() for row in range(rows)]
    return np.array(sorted(range(rows), key=digests.__getitem__))
