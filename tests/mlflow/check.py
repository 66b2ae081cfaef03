#!/usr/bin/env python3
"""Whether MLflow shows a model as the cluster has it, seen by MLflow's own client.

    ./check.py EXPECTED      where EXPECTED is a JSON file: MLflow's address, and of each model the mirror's request

Each version is one run and one registered version, with the parameters, figures and files of its artifact; the aliases
stand where they should; and MLflow's LightGBM flavour opens the trees, which say what LightGBM says from the file.
"""

import json
import sys
from pathlib import Path

import lightgbm
import mlflow
import mlflow.lightgbm
import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient


def equal(what: str, found, expected) -> None:
    """Fails unless both are the same."""
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def figures(manifest: dict) -> dict:
    """The figures that a run should have, by MLflow's names."""
    expected = {"threshold": manifest["threshold"]["probability"]}
    for metric in manifest["metrics"]:
        ends = {f"{metric['name']}_{end}": metric[end] for end in ("low", "high") if end in metric}
        expected |= {metric["name"]: metric["value"]} | ends
    return expected


def parameters(manifest: dict) -> dict:
    """Some of the parameters that a run should have."""
    training = manifest["learning"]["training"]
    return {
        "algorithm": manifest["algorithm"],
        "training.algorithm": training["algorithm"],
        "training.seed": str(training["seed"]),
        "data.digest": manifest["data"]["digest"],
        "data.rows": str(manifest["data"]["rows"]),
        "config.digest": manifest["configDigest"],
        "decision.recall.atLeast": str(manifest["learning"]["decision"]["recall"]["atLeast"]),
        "blocks.test.bad": str(manifest["blocks"]["test"]["bad"]),
    }


def only_run(client: MlflowClient, experiment: str, run: str):
    """The one run of a version."""
    runs = client.search_runs([experiment], f"tags.`underwriter.run` = '{run}'")
    equal(f"runs of {run}", len(runs), 1)
    return runs[0]


def check_files(client: MlflowClient, run_id: str, folder: Path) -> None:
    """Every file of the artifact, byte for byte."""
    copy = Path(client.download_artifacts(run_id, ""))
    for file in folder.iterdir():
        equal(f"{file.name} of {run_id}", (copy / file.name).read_bytes() == file.read_bytes(), True)


def check_trees(name: str, number: str, folder: Path) -> None:
    """What MLflow opens says what LightGBM says."""
    theirs = lightgbm.Booster(model_file=folder / "booster.txt")
    opened = mlflow.lightgbm.load_model(f"models:/{name}/{number}")
    rows = np.random.default_rng(1).uniform(0, 100, (500, theirs.num_feature()))
    equal("predictions", bool(np.array_equal(opened.predict(rows), theirs.predict(rows))), True)
    signature = mlflow.models.get_model_info(f"models:/{name}/{number}").signature
    columns = json.loads((folder / "manifest.json").read_text())["scorer"]["trees"]["columns"]
    equal("columns", signature.inputs.input_names(), columns)


def check_version(client: MlflowClient, name: str, experiment: str, version: dict, standing) -> None:
    """One version: its run, its files, its place in the registry."""
    artifact = version["artifact"]
    folder = Path(artifact["uri"])
    manifest = json.loads((folder / "manifest.json").read_text())
    run = only_run(client, experiment, artifact["run"])
    equal("status", run.info.status, "FINISHED")
    equal("run", standing.run_id, run.info.run_id)
    equal("figures", {key: run.data.metrics.get(key) for key in figures(manifest)}, figures(manifest))
    equal("parameters", {key: run.data.params.get(key) for key in parameters(manifest)}, parameters(manifest))
    equal("state", standing.tags["underwriter.state"], version["state"])
    equal("digest", standing.tags["underwriter.digest"], artifact["digest"])
    equal("decision", standing.tags.get("underwriter.decision"), version.get("decision"))
    check_files(client, run.info.run_id, folder)
    if (folder / "booster.txt").exists():
        check_trees(name, standing.version, folder)


def alias(client: MlflowClient, name: str, which: str) -> int | None:
    """The number here of the version that an alias stands for."""
    try:
        return int(client.get_model_version_by_alias(name, which).tags["underwriter.version"])
    except MlflowException:
        return None


def check_model(client: MlflowClient, name: str, request: dict) -> None:
    """All of one model."""
    experiment = client.get_experiment_by_name(request["experiment"]).experiment_id
    standing = {int(version.tags["underwriter.version"]): version for version in client.search_model_versions(f"name='{name}'")}
    registered = len(client.search_model_versions(f"name='{name}'"))
    equal(f"versions of {name}", (registered, sorted(standing)), (len(standing), [v["artifact"]["version"] for v in request["versions"]]))
    for version in request["versions"]:
        check_version(client, name, experiment, version, standing[version["artifact"]["version"]])
    for which in ("champion", "challenger"):
        equal(which, alias(client, name, which), request.get(which))
    champion = next((v for v in request["versions"] if v["artifact"]["version"] == request.get("champion")), None)
    if champion and (Path(champion["artifact"]["uri"]) / "booster.txt").exists():
        equal("trees", mlflow.lightgbm.load_model(f"models:/{name}@champion").num_trees() > 0, True)


def main() -> None:
    expected = json.loads(Path(sys.argv[1]).read_text())
    mlflow.set_tracking_uri(expected["tracking"])
    client = MlflowClient()
    for model in expected["models"]:
        check_model(client, model["registered"], model["request"])


if __name__ == "__main__":
    main()
