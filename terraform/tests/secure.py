#!/usr/bin/env python3
"""What checkov says of terraform/: nothing but exceptions that give their reason beside the resource."""

import json
import os
import subprocess
import sys
from pathlib import Path

from results import Failed, Results, expect

HERE = Path(__file__).parent
QUIET = {"LOG_LEVEL": "CRITICAL", "BC_SKIP_MAPPING": "TRUE"}


def reported(folder: Path, *options: str) -> dict:
    """checkov's report. It is asked to fetch nothing."""
    command = [Path(sys.executable).parent / "checkov", "--directory", folder, "--framework", "terraform", "--output", "json"]
    done = subprocess.run(
        [*command, "--skip-download", "--soft-fail", *options],
        env=os.environ | QUIET,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return json.loads(done.stdout)["results"]


def line(check: dict) -> str:
    return f"{check['check_id']} {check['resource']} ({check['file_path']}): {check['check_name']}"


def reason(check: dict) -> str:
    """Why a check is skipped; checkov puts a text of its own where nobody says so."""
    comment = (check["check_result"].get("suppress_comment") or "").strip()
    return "" if comment == "No comment provided" else comment


def check_report(report: dict) -> None:
    expect(not report["parsing_errors"], f"not read: {report['parsing_errors']}")
    failed = sorted({line(check) for check in report["failed_checks"]})
    expect(not failed, "\n".join(failed))
    silent = sorted({line(check) for check in report["skipped_checks"] if len(reason(check)) < 20})
    expect(not silent, "skipped without a reason:\n" + "\n".join(silent))
    expect(len(report["passed_checks"]) > 50, f"only {len(report['passed_checks'])} checks were made")


def check_noticed() -> None:
    """An open door and an exception without a reason are found."""
    report = reported(HERE / "insecure")
    expect("CKV_AWS_24" in {check["check_id"] for check in report["failed_checks"]}, "the open door was not noticed")
    expect(not any(reason(check) for check in report["skipped_checks"]), "a reason was found where there is none")
    try:
        check_report(report)
    except Failed:
        return
    raise Failed("an insecure configuration passed")


def main() -> None:
    results = Results()
    with results.test("checkov"):
        check_report(reported(HERE.parent, "--skip-path", "/tests/"))
    with results.test("what is insecure is noticed"):
        check_noticed()
    results.end()


if __name__ == "__main__":
    main()
