#!/usr/bin/env python3
"""Whether a version answers as its files say: by our server, and by a second reading of them.

    ./served.py TASKS PREDICTOR      the programs underwriter-tasks and underwriter-predictor

Trains one version of each family on the example loans, serves it, asks for later loans as an application would (texts as
they stand in the file), and computes the same probabilities from manifest.json, with LightGBM itself for booster.txt.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.append(str(Path(__file__).parents[2]))
from benches.quality import datasets, ours  # noqa: E402
from benches.quality.ours import Version  # noqa: E402

CLOSE = 1e-12
# Where each family is to be had: a blend pays once there are enough loans.
FAMILIES = {"Auto": "2011-04", "Scorecard": "2010-01", "LogisticRegression": "2010-01", "GradientBoosting": "2010-01"}
ASKED = 1000


def row(until: str) -> datasets.Row:
    """The example loans up to a month, and later ones."""
    loans = datasets.read(datasets.EXAMPLE)
    excluded = datasets.PRICE + datasets.FUNDED + ["addr_state", "zip_code"]
    more = {"time": {"column": "issue_d"}, "id": {"application": "id"}}
    data = datasets.spec(loans, "loan_status", ["Charged Off"], ["Fully Paid"], excluded, **more)
    found = datasets.later(f"up to {until}", "A", loans, data, until)
    found.test = found.test.head(ASKED)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def asked(port: int, version: Version) -> np.ndarray:
    """The probabilities that a server answers."""
    names = [column["name"] for column in version.manifest["columns"]]
    applications = version.row.test[["id", "issue_d", *names]].to_dict("records")
    body = json.dumps({"applications": applications}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, {"content-type": "application/json"})
    answers = json.load(urllib.request.urlopen(request))["predictions"]
    return np.array([answer["probability"] for answer in answers])


def served(predictor: str, folder: Path, version: Version) -> np.ndarray:
    """Starts a server, asks it, ends it."""
    port, admin = free_port(), free_port()
    listen = ["--listen", f"127.0.0.1:{port}", "--admin-listen", f"127.0.0.1:{admin}", "--drain", "0s"]
    command = [predictor, "--model", folder, "--spool", folder.parent / "spool", *listen]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_ready(admin)
        return asked(port, version)
    finally:
        server.terminate()
        server.wait()


def until_ready(port: int) -> None:
    """A server that is not ready within ten seconds never will be."""
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz")
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("the server did not become ready within ten seconds")


def agrees(tasks: str, predictor: str, algorithm: str, until: str) -> bool:
    """Prints how far both readings lie apart."""
    with tempfile.TemporaryDirectory() as name:
        version = ours.train(tasks, Path(name), row(until), {"algorithm": algorithm})
        answered = served(predictor, Path(name) / "artifact", version)
    computed = version.artifact.probabilities(version.values(version.row.test))
    apart = float(np.abs(answered - computed).max())
    made = version.manifest["algorithm"]
    print(f"{algorithm} ({made}): {len(computed)} answers, at most {apart:.1e} from a second reading of the files", flush=True)
    return apart <= CLOSE


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    results = [agrees(sys.argv[1], sys.argv[2], *family) for family in FAMILIES.items()]
    print(f"{sum(results)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
