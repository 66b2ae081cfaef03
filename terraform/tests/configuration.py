#!/usr/bin/env python3
"""Whether terraform/ is written as its tools want it: format, every resource and argument, and the modules' own logic.

    ./configuration.py [PROGRAM]      PROGRAM is OpenTofu's unless another is named, Terraform's for instance

`validate` runs against the AWS provider's published schema, so that a misspelt argument, an unknown resource, a missing
argument, or a variable or output that a module does not have, fails. broken/ has one of each, which must fail. `test`
runs each folder's own *.tftest.hcl with mocks.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from results import Results, expect
from tofu import CACHE, Tofu

HERE = Path(__file__).parent
SOURCE = HERE.parent
EXPECTED = re.compile(r"^# expected: (.+)$", re.MULTILINE)
RUNS = re.compile(r"(\d+) passed, (\d+) failed")


def folders(source: Path) -> list[str]:
    """Every folder with configuration, from the root module to the smallest."""
    found = {path.parent.relative_to(source) for path in source.rglob("*.tf") if "tests" not in path.relative_to(source).parts}
    return sorted(str(folder) for folder in found)


def check_format(results: Results, program: str) -> None:
    with results.test("format"):
        command = [program, "fmt", "-check", "-recursive", "-diff", SOURCE]
        done = subprocess.run(command, env=os.environ | {"TF_CLI_CONFIG_FILE": os.devnull}, text=True, capture_output=True)
        expect(done.returncode == 0, done.stdout + done.stderr)


def check_folder(results: Results, tofu: Tofu, folder: str) -> None:
    """Validation, and the folder's own tests where it has any."""
    with results.test(f"validate {folder}"):
        done = tofu.validated(folder)
        expect(done.returncode == 0, done.stdout + done.stderr)
    if not list((tofu.folder / folder).glob("*.tftest.hcl")):
        return
    done = tofu(folder, "test", "-no-color")
    counted = RUNS.search(done.stdout)
    passed, failed = (int(counted.group(1)), int(counted.group(2))) if counted else (0, 1)
    results.passed += passed
    results.failed += failed or int(done.returncode != 0)
    print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} test {folder}: {passed} passed, {failed} failed", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr)


def check_broken(results: Results, case: Path, work: Path, program: str) -> None:
    """A small configuration with one mistake: validation must fail, and name it."""
    with results.test(f"broken/{case.name} is refused"):
        done = Tofu(case, work, program).validated(".")
        wanted = EXPECTED.search((case / "main.tf").read_text()).group(1)
        said = " ".join((done.stdout + done.stderr).replace("│", " ").split())
        expect(done.returncode != 0 and wanted in said, f"expected: {wanted}\n{done.stdout}{done.stderr}")


def main() -> None:
    program = sys.argv[1] if len(sys.argv) > 1 else str(CACHE / "bin/tofu")
    results = Results()
    check_format(results, program)
    with tempfile.TemporaryDirectory() as work:
        tofu = Tofu(SOURCE, Path(work), program)
        for folder in folders(SOURCE):
            check_folder(results, tofu, folder)
    for case in sorted((HERE / "broken").iterdir()):
        with tempfile.TemporaryDirectory() as work:
            check_broken(results, case, Path(work), program)
    results.end()


if __name__ == "__main__":
    main()
