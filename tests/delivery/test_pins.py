#!/usr/bin/env python3
"""Whether nothing unpinned gets past scripts/pin/pins.py: on copies of the repository's own files, with GitHub and the
registries played by a function.
"""

import contextlib
import importlib.util
import io
import json
import re
import shutil
import sys
import tempfile
import unittest
from email.message import Message
from pathlib import Path
from types import ModuleType
from unittest import mock

ROOT = Path(__file__).parents[2]
COMMIT, SUM, MOVED = "0123456789" * 4, "ab" * 32, "9876543210" * 4
WORKFLOW = """\
jobs:
  one:
    container:
      image: example:1{image}
    steps:
      - uses: owner/action{ref}
      - uses: ./.github/workflows/other.yml
"""


def loaded(root: Path) -> ModuleType:
    """The script, with another folder as its repository."""
    spec = importlib.util.spec_from_file_location("pins", ROOT / "scripts/pin/pins.py")
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict("os.environ", {"PINS_ROOT": str(root)}):
        spec.loader.exec_module(module)
    return module


def network(url: str, **_: str) -> tuple[bytes, Message]:
    """As GitHub, Docker Hub and the makers of k3s and helm answer."""
    headers = Message()
    headers["Docker-Content-Digest"] = f"sha256:{SUM}"
    answers = {
        r"api\.github\.com/repos/[^/]+/[^/]+/commits/v": COMMIT,
        r"api\.github\.com/repos/k3s-io/k3s/releases/latest": '{"tag_name": "v1.40.0+k3s1"}',
        r"api\.github\.com/repos/helm/helm/releases": '[{"tag_name": "v3.9.1"}, {"tag_name": "v3.22.0"}, {"tag_name": "v4.0.0"}]',
        r"auth\.docker\.io": '{"token": "t"}',
        r"registry-1\.docker\.io": "",
        r"download/v1\.40\.0%2Bk3s1/sha256sum-amd64": f"{SUM}  k3s\n{'0' * 64}  k3s-images.tar\n",
        r"download/v1\.40\.0%2Bk3s1/sha256sum-arm64": f"{SUM}  k3s-arm64\n",
        r"get\.helm\.sh/helm-v3\.22\.0-linux-(amd64|arm64)\.tar\.gz\.sha256sum$": f"{SUM}  helm.tar.gz\n",
    }
    found = [body for pattern, body in answers.items() if re.search(pattern, url)]
    assert len(found) == 1, f"asked for {url}"
    return found[0].encode(), headers


CONTAINERFILE = """\
FROM scratch AS base
{mark}FROM example:1{digest} AS build
RUN true
FROM build
"""


class Pins(unittest.TestCase):
    """Each in a repository of its own."""

    def setUp(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copytree(ROOT / ".github", self.root / ".github")
        for name in ["terraform/pins.json", "terraform/mlflow/Containerfile", "cluster/Containerfile"]:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        self.pins = loaded(self.root)
        self.pins.get = network

    def workflow(self, ref: str = f"@{COMMIT} # v1.2.3", image: str = f"@sha256:{SUM}") -> None:
        (self.root / ".github/workflows/example.yml").write_text(WORKFLOW.format(ref=ref, image=image))

    def containerfile(self, mark: str = "", digest: str = f"@sha256:{SUM}") -> Path:
        file = self.root / "example/Containerfile"
        file.parent.mkdir(exist_ok=True)
        file.write_text(CONTAINERFILE.format(mark=mark, digest=digest))
        return file

    def faults(self, strict: bool = False) -> str:
        return "\n".join(self.pins.check(strict))

    def fill(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            self.pins.fill()

    def test_what_is_committed_is_pinned_or_says_that_it_is_not(self) -> None:
        self.assertEqual(self.faults(), "")

    def test_a_pinned_workflow_passes(self) -> None:
        self.workflow()
        self.assertNotIn("example.yml", self.faults(strict=True))

    def test_a_tag_a_branch_and_a_digest_without_version_are_refused(self) -> None:
        for ref in ["@v1.2.3", "@main", f"@{COMMIT}", f"@{COMMIT[:7]} # v1.2.3"]:
            with self.subTest(ref):
                self.workflow(ref=ref)
                self.assertIn("owner/action is not pinned", self.faults())

    def test_a_line_that_cannot_be_read_is_refused(self) -> None:
        for ref in ["", "@ # v1.2.3", " @v1"]:
            with self.subTest(ref), self.assertRaises(SystemExit):
                self.workflow(ref=ref)
                self.faults()

    def test_an_image_by_its_tag_is_refused(self) -> None:
        self.workflow(image="")
        self.assertIn("example:1 is not pinned", self.faults())

    def test_a_mark_is_enough_for_a_check_and_never_for_a_release(self) -> None:
        self.workflow(ref=f"@v1.2.3 {self.pins.UNPINNED}", image=f" {self.pins.UNPINNED}")
        self.assertEqual(self.faults(), "")
        self.assertIn("owner/action is not pinned", self.faults(strict=True))
        self.assertIn("example:1 is not pinned", self.faults(strict=True))

    def test_what_an_image_is_built_upon_is_pinned_too(self) -> None:
        self.containerfile()
        self.assertNotIn("example/", self.faults(strict=True))
        for digest in ["", "@sha256:0123"]:
            self.containerfile(digest=digest)
            self.assertIn("example/Containerfile:2: example:1 is not pinned", self.faults())
        self.containerfile(mark=f"{self.pins.UNPINNED}\n", digest="")
        self.assertEqual(self.faults(), "")
        self.assertIn("example:1 is not pinned", self.faults(strict=True))

    def test_a_base_that_cannot_be_read_is_refused(self) -> None:
        for line in ["from example:1", "FROM --platform=linux/arm64 example:1", "FROM $BASE as one", "FROM example:1 # unpinned"]:
            file = self.containerfile()
            file.write_text(f"{line}\n")
            with self.subTest(line), self.assertRaisesRegex(SystemExit, "example/Containerfile:1: cannot be read"):
                self.faults()

    def test_an_empty_checksum_is_refused_by_a_release(self) -> None:
        self.fill()
        self.assertEqual(self.faults(strict=True), "")
        file = self.root / "terraform/pins.json"
        for program in ["k3s", "helm"]:
            pins = json.loads(file.read_text())
            pins[program]["checksums"]["arm64"] = ""
            (self.root / "terraform/pins.json").write_text(json.dumps(pins))
            self.assertIn(f"{program} is not pinned", self.faults(strict=True))

    def test_a_provider_without_its_lock_file_is_refused_by_a_release(self) -> None:
        folder = self.root / "terraform/environments/example"
        folder.mkdir(parents=True)
        (folder / "versions.tf").touch()
        self.assertEqual(self.faults(), "")
        self.assertIn("example/.terraform.lock.hcl: Terraform's provider is not pinned", self.faults(strict=True))
        lock = folder / ".terraform.lock.hcl"
        lock.write_text('provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.0.0"\n  hashes = []\n}\n')
        self.assertIn("example/.terraform.lock.hcl", self.faults(strict=True))
        lock.write_text(f'provider "p" {{\n  hashes = [\n    "zh:{SUM}",\n  ]\n}}\n')
        self.assertNotIn("example/.terraform.lock.hcl", self.faults(strict=True))

    def test_what_is_missing_is_looked_up_and_the_rest_left_alone(self) -> None:
        self.workflow(ref=f"@v1.2.3 {self.pins.UNPINNED}", image=f" {self.pins.UNPINNED}")
        base = self.containerfile(mark=f"{self.pins.UNPINNED}\n", digest="")
        before = (self.root / ".github/workflows/release.yml").read_text()
        self.fill()
        self.assertEqual(base.read_text(), CONTAINERFILE.format(mark="", digest=f"@sha256:{SUM}"))
        after = (self.root / ".github/workflows/example.yml").read_text()
        self.assertEqual(after, WORKFLOW.format(ref=f"@{COMMIT} # v1.2.3", image=f"@sha256:{SUM}"))
        self.assertEqual((self.root / ".github/workflows/release.yml").read_text(), before)
        pins = json.loads((self.root / "terraform/pins.json").read_text())
        self.assertEqual(pins["k3s"], {"version": "v1.40.0+k3s1", "checksums": {"arm64": SUM, "x86_64": SUM}})
        self.assertEqual(pins["helm"]["version"], "v3.22.0")
        self.assertRegex(pins["postgres_image"], r"^docker\.io/library/postgres@sha256:[0-9a-f]{64}$")

    def test_an_answer_that_is_no_digest_is_refused(self) -> None:
        self.workflow(ref=f"@v1.2.3 {self.pins.UNPINNED}")
        limited = (b"rate limit exceeded", Message())
        self.pins.get = lambda url, **_: limited if "/commits/" in url else network(url)
        with self.assertRaisesRegex(SystemExit, "owner/action: not a digest"):
            self.fill()

    def test_a_tag_that_moved_is_found(self) -> None:
        self.workflow(ref=f"@{MOVED} # v1.2.3")
        self.assertIn(f"owner/action v1.2.3 is {COMMIT} now, not {MOVED}", "\n".join(self.pins.verify()))


class Counted(unittest.TextTestResult):
    """Says in a line, as every runner here does, how many passed."""

    def stopTestRun(self) -> None:
        failed = len(self.failures) + len(self.errors)
        print(f"\n{self.testsRun - failed} passed, {failed} failed")


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout, resultclass=Counted))
