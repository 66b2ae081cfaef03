#!/usr/bin/env python3
"""What the workflows and the servers take from others, each pinned by digest or checksum.

    pins.py check             every pin is filled, or its place says `unpinned`: offline, part of `make workflows`
    pins.py check --strict    every pin is filled: what a release asks for before anything else
    pins.py fill              looks up what is missing, and writes it: by a person, with network; commit what it changed
    pins.py verify            looks up everything again, and fails where a tag has come to mean something else

Actions and the images of containers stand in the workflows themselves (`uses: owner/name@<digest> # v1.2.3`), what an image is
built upon in its Containerfile, releases of programs and images for servers in terraform/pins.json, Terraform's provider in its
own lock files (for which `terraform` must be there; TERRAFORM is the program). A digest is never written by hand: GITHUB_TOKEN,
if there is one, is only for GitHub's limit of requests.
"""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(os.environ.get("PINS_ROOT", Path(__file__).parents[2]))
USES = re.compile(r"^(?P<head>\s*(?:- )?uses: )(?P<name>[^\s@./][^\s@]*)@(?P<ref>\S+?)(?P<note>\s+#.*)?$")
IMAGE = re.compile(r"^(?P<head>\s*(?:image|container): )(?P<name>[^\s@#]+)(?:@(?P<ref>\S+))?(?P<note>\s+#.*)?$")
FROM = re.compile(r"^FROM (?P<name>[^\s@]+)(?:@(?P<ref>\S+))?(?P<stage> AS (?P<alias>\S+))?$")
COMMIT, DIGEST, CHECKSUM = re.compile(r"[0-9a-f]{40}"), re.compile(r"sha256:[0-9a-f]{64}"), re.compile(r"[0-9a-f]{64}")
VERSION = re.compile(r"v\d+\.\d+\.\d+")
GO_NAMES = {"x86_64": "amd64", "arm64": "arm64"}
UNPINNED = "# unpinned: scripts/pin/pins.py fill"


class Pin(NamedTuple):
    """One thing that is taken from others."""

    place: str
    what: str
    version: str
    value: str
    marked: bool
    look_up: Callable[[], str]
    write: Callable[[str], None]

    @property
    def filled(self) -> bool:
        return bool(self.value)


def get(url: str, **headers: str) -> tuple[bytes, Any]:
    """Body and headers of an answer."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return answer.read(), answer.headers


def github(path: str, accept: str = "application/vnd.github+json") -> bytes:
    token = os.environ.get("GITHUB_TOKEN")
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return get(f"https://api.github.com/{path}", Accept=accept, **authorization)[0]


def commit_of(action: str, tag: str) -> str:
    """The commit that a tag of an action's repository names now."""
    owner, name, *_ = action.split("/")
    found = github(f"repos/{owner}/{name}/commits/{tag}", "application/vnd.github.sha").decode()
    return expect(COMMIT, found, action)


def digest_of(image: str) -> str:
    """The digest that a tag of a public image on Docker Hub names now, of all architectures together."""
    repository, tag = image.removeprefix("docker.io/").rsplit(":", 1)
    repository = repository if "/" in repository else f"library/{repository}"
    scope = f"https://auth.docker.io/token?service=registry.docker.io&scope=repository:{repository}:pull"
    token = json.loads(get(scope)[0])["token"]
    kinds = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
    url = f"https://registry-1.docker.io/v2/{repository}/manifests/{tag}"
    headers = get(url, Accept=kinds, Authorization=f"Bearer {token}")[1]
    return expect(DIGEST, headers["Docker-Content-Digest"], image)


def k3s_checksum(version: str, architecture: str) -> str:
    """As the release's own list has it."""
    tag, architecture = version.replace("+", "%2B"), GO_NAMES[architecture]
    sums = get(f"https://github.com/k3s-io/k3s/releases/download/{tag}/sha256sum-{architecture}.txt")[0].decode()
    wanted = "k3s" if architecture == "amd64" else f"k3s-{architecture}"
    found = [line.split()[0] for line in sums.splitlines() if line.split()[1:] == [wanted]]
    return expect(CHECKSUM, found[0] if found else "", f"k3s {version}")


def helm_checksum(version: str, architecture: str) -> str:
    body = get(f"https://get.helm.sh/helm-{version}-linux-{GO_NAMES[architecture]}.tar.gz.sha256sum")[0].decode()
    return expect(CHECKSUM, body.split()[0], f"helm {version}")


def newest_k3s() -> str:
    """The newest release that its makers call stable."""
    return json.loads(github("repos/k3s-io/k3s/releases/latest"))["tag_name"]


def newest_helm() -> str:
    """The newest of the third series, which the chart is tested with."""
    tags = [each["tag_name"] for each in json.loads(github("repos/helm/helm/releases?per_page=100"))]
    third = [tag for tag in tags if re.fullmatch(r"v3\.\d+\.\d+", tag)]
    return max(third, key=lambda tag: [int(part) for part in tag[1:].split(".")])


def expect(form: re.Pattern[str], found: str, what: str) -> str:
    if not form.fullmatch(found or ""):
        sys.exit(f"{what}: not a digest: {found!r}")
    return found


def workflows() -> list[Path]:
    folder = ROOT / ".github"
    return sorted(path for path in folder.rglob("*.y*ml"))


def in_workflows() -> Iterator[Pin]:
    """Actions and containers, line by line: comments, which hold the version, are lost to a YAML reader."""
    for path in workflows():
        for number, line in enumerate(path.read_text().splitlines()):
            place = f"{path.relative_to(ROOT)}:{number + 1}"
            if (found := USES.match(line)) and not found["name"].startswith("docker:"):
                yield action(path, number, place, found)
            elif found := IMAGE.match(line):
                yield container(path, number, place, found)
            elif re.match(r"\s*(- )?uses: *[^. \n]", line):
                sys.exit(f"{place}: cannot be read: {line.strip()}")


def action(path: Path, number: int, place: str, found: re.Match[str]) -> Pin:
    note, ref = found["note"] or "", found["ref"]
    version = next(iter(VERSION.findall(note) or VERSION.findall(ref)), "")
    value = ref if COMMIT.fullmatch(ref) and version else ""

    def write(digest: str) -> None:
        replace(path, number, f"{found['head']}{found['name']}@{digest} # {version}")

    return Pin(place, found["name"], version, value, UNPINNED in note, lambda: commit_of(found["name"], version), write)


def container(path: Path, number: int, place: str, found: re.Match[str]) -> Pin:
    note, ref, name = found["note"] or "", found["ref"] or "", found["name"]

    def write(digest: str) -> None:
        replace(path, number, f"{found['head']}{name}@{digest}")

    value = ref if DIGEST.fullmatch(ref) else ""
    return Pin(place, name, name.rpartition(":")[2], value, UNPINNED in note, lambda: digest_of(name), write)


def in_containerfiles() -> Iterator[Pin]:
    """What images are built upon. A comment ends no line there, so the mark is the line before."""
    for path in sorted([*ROOT.glob("*/Containerfile"), *ROOT.glob("*/*/Containerfile")]):
        before, stages = "", {"scratch"}
        for number, line in enumerate(path.read_text().splitlines()):
            if re.match(r"\s*FROM\b", line, re.IGNORECASE):
                place = f"{path.relative_to(ROOT)}:{number + 1}"
                if not (found := FROM.match(line)):
                    sys.exit(f"{place}: cannot be read: {line}")
                if found["name"] not in stages:
                    yield base(path, place, before, found)
                stages.add(found["alias"])
            before = line


def base(path: Path, place: str, before: str, found: re.Match[str]) -> Pin:
    ref, name, marked = found["ref"] or "", found["name"], before == UNPINNED

    def write(digest: str) -> None:
        old = f"{UNPINNED}\n{found[0]}" if marked else found[0]
        path.write_text(path.read_text().replace(old, f"FROM {name}@{digest}{found['stage'] or ''}"))

    value = ref if DIGEST.fullmatch(ref) else ""
    return Pin(place, name, name.rpartition(":")[2], value, marked, lambda: digest_of(name), write)


def replace(path: Path, number: int, text: str) -> None:
    lines = path.read_text().splitlines()
    lines[number] = text
    path.write_text("\n".join(lines) + "\n")


SERVERS = ROOT / "terraform/pins.json"
CHECKSUMS = {"k3s": k3s_checksum, "helm": helm_checksum}
VERSIONS = {"k3s": newest_k3s, "helm": newest_helm}
IMAGES = {"postgres_image": "docker.io/library/postgres:17-bookworm"}


def in_servers() -> Iterator[Pin]:
    """Programs and images of servers; an empty value is its own mark, for Terraform refuses it as well."""
    entries = json.loads(SERVERS.read_text())
    for name, version in VERSIONS.items():
        yield of_server([name, "version"], entries[name]["version"], version)
        for architecture, value in entries[name]["checksums"].items():
            look_up = partial(lambda n, a: CHECKSUMS[n](version_of(n), a), name, architecture)
            yield of_server([name, "checksums", architecture], value, look_up)
    for name in entries.keys() - VERSIONS.keys():
        image = IMAGES[name]
        yield of_server([name], entries[name], lambda image=image: f"{image.rpartition(':')[0]}@{digest_of(image)}")


def version_of(name: str) -> str:
    """Read again: the version itself may just have been looked up."""
    return json.loads(SERVERS.read_text())[name]["version"]


def of_server(keys: list[str], value: str, look_up: Callable[[], str]) -> Pin:
    def write(found: str) -> None:
        entries = inner = json.loads(SERVERS.read_text())
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = found
        SERVERS.write_text(json.dumps(entries, indent=2) + "\n")

    return Pin(f"{SERVERS.relative_to(ROOT)}: {'.'.join(keys)}", keys[0], "", value, True, look_up, write)


def in_locks() -> Iterator[Pin]:
    """Terraform's own pins of its provider, which it writes itself: a folder that is applied has its lock file."""
    for versions in sorted([*ROOT.glob("terraform/bootstrap/versions.tf"), *ROOT.glob("terraform/environments/*/versions.tf")]):
        lock = versions.parent / ".terraform.lock.hcl"
        hashes = re.findall(r'"zh:[0-9a-f]{64}"', lock.read_text()) if lock.exists() else []
        value = " ".join(sorted(hashes))
        locked = partial(locks, versions.parent)
        yield Pin(str(lock.relative_to(ROOT)), "Terraform's provider", "", value, True, locked, lambda _: None)


def locks(folder: Path) -> str:
    """Has Terraform look its provider up again; the checksums, which are signed by whoever made it."""
    platforms = [f"-platform={each}" for each in ["linux_amd64", "linux_arm64", "darwin_arm64"]]
    program = [os.environ.get("TERRAFORM", "terraform"), f"-chdir={folder}"]
    subprocess.run([*program, "providers", "lock", *platforms], check=True, stdout=subprocess.DEVNULL)
    return " ".join(sorted(re.findall(r'"zh:[0-9a-f]{64}"', (folder / ".terraform.lock.hcl").read_text())))


def pins() -> list[Pin]:
    return [*in_workflows(), *in_containerfiles(), *in_servers(), *in_locks()]


def check(strict: bool) -> list[str]:
    """What is not pinned, or not even said to be."""
    empty = [pin for pin in pins() if not pin.filled]
    wrong = [pin for pin in empty if strict or not pin.marked]
    return [f"{pin.place}: {pin.what} is not pinned by digest" for pin in wrong]


def fill() -> list[str]:
    for pin in pins():
        if not pin.filled:
            pin.write(pin.look_up())
            print(f"{pin.place}: {pin.what} filled")
    return []


def verify() -> list[str]:
    """A version that is not the newest any more is no fault; a tag that moved is."""
    # Terraform holds itself to its lock file at every init.
    settled = [pin for pin in [*in_workflows(), *in_containerfiles(), *in_servers()] if pin.filled and not pin.place.endswith(".version")]
    moved = [(pin, now) for pin in settled if (now := pin.look_up()) != pin.value]
    return [f"{pin.place}: {pin.what} {pin.version} is {now} now, not {pin.value}" for pin, now in moved]


def main(arguments: list[str]) -> int:
    commands = {"check": lambda: check("--strict" in arguments), "fill": fill, "verify": verify}
    if not arguments or arguments[0] not in commands or set(arguments[1:]) - {"--strict"}:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        faults = commands[arguments[0]]()
    except urllib.error.URLError as error:
        faults = [f"cannot look up: {error}"]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
