#!/usr/bin/env python3
"""sbom.py PACKAGE TARGET: what a program is made of, as CycloneDX 1.5.

A static binary in an empty image shows a scanner nothing: the lock file and the compiler's own resolution are the only
places that know. Listed are the crates that are linked or run while building, for the target and the features in use, with
the checksums of Cargo.lock; tests' dependencies are not among them.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Crate = dict[str, Any]


def metadata(target: str) -> Crate:
    """Cargo's view of the workspace for one target."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", target]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def checksums() -> dict[tuple[str, str], str]:
    """SHA-256 of each crate's archive, by name and version; our own have none."""
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {(each["name"], each["version"]): each["checksum"] for each in packages if "checksum" in each}


def edges(node: Crate) -> list[str]:
    """What a crate is linked with, or built by."""
    return [each["pkg"] for each in node["deps"] if any(kind["kind"] != "dev" for kind in each["dep_kinds"])]


def reached(start: str, nodes: dict[str, Crate]) -> list[str]:
    """Every crate below one, itself first."""
    found, ahead = {start: None}, [start]
    while ahead:
        new = [each for each in edges(nodes[ahead.pop()]) if each not in found]
        found |= dict.fromkeys(new)
        ahead += new
    return list(found)


def reference(crate: Crate) -> str:
    return f"pkg:cargo/{crate['name']}@{crate['version']}"


def component(crate: Crate, sums: dict[tuple[str, str], str]) -> Crate:
    """One crate, as CycloneDX writes it."""
    name = reference(crate)
    entry = {"type": "library", "bom-ref": name, "name": crate["name"], "version": crate["version"], "purl": name}
    if crate["license"]:
        # Older crates write a slash for "or", which the expression's grammar does not know.
        entry["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", crate["license"])}]
    if digest := sums.get((crate["name"], crate["version"])):
        entry["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return entry


def bill(package: str, target: str) -> Crate:
    """The whole bill of materials; the same sources always give the same."""
    data, sums = metadata(target), checksums()
    crates = {each["id"]: each for each in data["packages"]}
    nodes = {each["id"]: each for each in data["resolve"]["nodes"]}
    start = next(each["id"] for each in crates.values() if each["name"] == package)
    ids = sorted(reached(start, nodes)[1:], key=lambda each: reference(crates[each]))
    program = component(crates[start], sums) | {"type": "application"}
    depends = [
        {"ref": reference(crates[each]), "dependsOn": sorted({reference(crates[below]) for below in edges(nodes[each])})}
        for each in [start, *ids]
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": program, "properties": [{"name": "target", "value": target}]},
        "components": [component(crates[each], sums) for each in ids],
        "dependencies": depends,
    }


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: sbom.py PACKAGE TARGET")
    json.dump(bill(*sys.argv[1:]), sys.stdout, indent=1)
