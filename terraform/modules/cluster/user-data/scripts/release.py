#!/usr/bin/env python3
"""Installs the chart as the release parameter says: which chart, which version, which values. Whoever deploys changes
the parameter and starts this again; a release that does not come up is taken back to the one before.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from aws import aws

SYSTEM, RELEASE = "underwriter-system", "underwriter"
VALUES = Path("/etc/underwriter/values.json")
TIMEOUT = os.environ.get("RELEASE_TIMEOUT", "5m")


def helm(*arguments: str) -> None:
    done = subprocess.run(["helm", *arguments, "--namespace", SYSTEM], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"helm {arguments[0]} failed")


def clear() -> None:
    """Takes back what an interrupted helm has left half done, which would lock the release for ever."""
    status = subprocess.run(
        ["helm", "status", RELEASE, "--namespace", SYSTEM, "--output=json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    if status.returncode != 0:
        return
    release = json.loads(status.stdout)
    if not release["info"]["status"].startswith("pending"):
        return
    helm("rollback", RELEASE, "--wait") if release["version"] > 1 else helm("uninstall", RELEASE, "--wait")


def main() -> None:
    parameter = aws("ssm", "get-parameter", "--name", os.environ["RELEASE_PARAMETER"])["Parameter"]
    wanted = json.loads(parameter["Value"])
    VALUES.write_text(json.dumps(wanted["values"], indent=2))
    clear()
    version = ["--version", wanted["version"]] if wanted.get("version") else []
    install = ["upgrade", "--install", RELEASE, wanted["chart"], *version, f"--values={VALUES}"]
    helm(*install, "--take-ownership", "--atomic", "--wait", f"--timeout={TIMEOUT}")
    print(f"{wanted['chart']} {wanted.get('version', '')}: installed, parameter version {parameter['Version']}")


if __name__ == "__main__":
    main()
