#!/usr/bin/env python3
"""Installs the chart as the release parameter says: which chart, which version, which values. A release that does not
come up is taken back to the one before.

With --unless-installed, as at boot, one that is there already stays: whoever deployed last is right, and a server that is
replaced must not turn that back.
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


def run(*arguments: str, errors=None) -> subprocess.CompletedProcess:
    command = ["helm", *arguments, "--namespace", SYSTEM]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, check=False)


def helm(*arguments: str) -> None:
    if run(*arguments).returncode != 0:
        sys.exit(f"helm {arguments[0]} failed")


def standing() -> dict:
    """The release that is there; nothing where there is none."""
    status = run("status", RELEASE, "--output=json", errors=subprocess.DEVNULL)
    return json.loads(status.stdout) if status.returncode == 0 else {}


def clear(release: dict) -> None:
    """Takes back what an interrupted helm has left half done, which would lock the release for ever."""
    if release["version"] > 1:
        helm("rollback", RELEASE, "--wait", f"--timeout={TIMEOUT}")
    else:
        helm("uninstall", RELEASE, "--wait")


def install() -> None:
    parameter = aws("ssm", "get-parameter", "--name", os.environ["RELEASE_PARAMETER"])["Parameter"]
    wanted = json.loads(parameter["Value"])
    VALUES.write_text(json.dumps(wanted["values"], indent=2))
    version = ["--version", wanted["version"]] if wanted.get("version") else []
    chart = ["upgrade", "--install", RELEASE, wanted["chart"], *version, f"--values={VALUES}"]
    helm(*chart, "--take-ownership", "--atomic", "--wait", f"--timeout={TIMEOUT}")
    print(f"installed: {wanted['chart']} {wanted.get('version', '')}, by version {parameter['Version']} of the parameter")


def main() -> None:
    release = standing()
    state = release.get("info", {}).get("status", "")
    if state == "deployed" and "--unless-installed" in sys.argv:
        print("a release is installed; it stays")
        return
    if state.startswith("pending"):
        clear(release)
    install()


if __name__ == "__main__":
    main()
