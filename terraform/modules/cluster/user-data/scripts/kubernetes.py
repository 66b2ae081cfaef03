"""Objects in the cluster, as kubectl applies them. They go in by the standard input: a command line is for all to read."""

import base64
import json
import subprocess
from typing import Dict

MANAGER = "underwriter-boot"


def kubectl(*arguments: str, given: str = "") -> str:
    """What kubectl answers. Its errors go to the standard error."""
    done = subprocess.run(["kubectl", *arguments], input=given, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"kubectl {arguments[0]} failed")
    return done.stdout


def apply(manifest: dict) -> None:
    """Makes an object what it should be, in full: what an earlier one had more is taken away."""
    arguments = ("apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}", "--filename=-")
    kubectl(*arguments, given=json.dumps(manifest))


def secret(namespace: str, name: str, data: Dict[str, bytes]) -> dict:
    """A Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": namespace, "name": name},
        "type": "Opaque",
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }
