"""Counts what passed and failed, and says so at the end as every test of this repository does."""

import sys
from contextlib import contextmanager
from dataclasses import dataclass


class Failed(Exception):
    """What a test found."""


@dataclass
class Results:
    passed: int = 0
    failed: int = 0

    @contextmanager
    def test(self, name: str):
        """One test: it fails by an exception."""
        try:
            yield
        except Failed as found:
            self.failed += 1
            print(f"FAILED {name}\n{found}\n", flush=True)
        else:
            self.passed += 1
            print(f"ok     {name}", flush=True)

    def end(self) -> None:
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def expect(condition: bool, found: str) -> None:
    if not condition:
        raise Failed(found)
