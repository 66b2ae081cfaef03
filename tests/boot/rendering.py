"""User data, rendered by OpenTofu from the very module that the cluster's launch template uses."""

import json
import os
import subprocess
from pathlib import Path

MODULE = Path(__file__).parents[2] / "terraform/modules/cluster/user-data"
TOFU = os.environ.get("TOFU", str(Path.home() / ".cache/underwriter/bin/tofu"))
NO_SUM = "0" * 64

# The least that has to be said, of an environment with nothing special.
LEAST = {
    "name": "test",
    "role": "server",
    "region": "us-east-1",
    "k3s": {"version": "v1.35.0+k3s1", "checksum": NO_SUM},
    "helm": {"version": "v3.22.0", "checksum": NO_SUM},
    "token_secret": "test/k3s-token",
    "workload_role": "arn:aws:iam::123456789012:role/test-workload",
    "snapshots_bucket": "test-snapshots",
    "registry_host": "123456789012.dkr.ecr.us-east-1.amazonaws.com",
    "release_parameter": "/test/release",
    "namespace": "boot-test",
    "prediction_service": "loan-api",
    "database": {"host": "10.42.0.1", "port": 5432, "master_secret_arn": "test/master"},
    "postgres_image": "postgres",
}


class Refused(Exception):
    """OpenTofu would not plan this."""


def tofu(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "TF_DATA_DIR": str(folder / "data"), "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    command = [TOFU, f"-chdir={MODULE}", *arguments]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


def rendered(folder: Path, **variables) -> dict:
    """The outputs of the module, `text` and `packed`, for the least of its variables and these."""
    asked = json.dumps({**LEAST, **variables}, sort_keys=True)
    if asked not in _rendered:
        folder.mkdir(parents=True, exist_ok=True)
        _rendered[asked] = render(folder, asked)
    return _rendered[asked]


_rendered: dict[str, dict] = {}


def render(folder: Path, asked: str) -> dict:
    given = folder / "variables.json"
    given.write_text(asked)
    state = f"-state={folder}/state"
    tofu(folder, "init", "-backend=false", "-input=false", "-no-color")
    tofu(folder, "apply", "-auto-approve", "-input=false", "-no-color", "-lock=false", state, f"-var-file={given}")
    outputs = json.loads(tofu(folder, "output", "-json", state))
    return {name: output["value"] for name, output in outputs.items()}
