"""Writes tables into docs/measurements.md, each between marks of its own."""

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from benches import ROOT

PAGE = ROOT / "docs" / "measurements.md"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def measured_on() -> str:
    """Of which commit, when and on what."""
    commit = git("describe", "--always")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{PAGE.relative_to(ROOT)}")
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    named = processor[1] if processor else "an unnamed processor"
    today = datetime.now(UTC).date()
    return f"Commit {commit}{'-dirty' if changed else ''} on {today}, {os.cpu_count()} cores of {named}, {memory:.0f} GiB."


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def write(mark: str, text: str) -> None:
    """Puts text where the page has `<!-- mark -->`, in place of what stood there up to `<!-- end -->`."""
    page = PAGE.read_text()
    place = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not place.search(page):
        raise SystemExit(f"{PAGE} has no place <!-- {mark} --> … <!-- end -->")
    PAGE.write_text(place.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page))
