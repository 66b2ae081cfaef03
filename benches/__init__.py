"""Underwriter beside the libraries that people would use instead: quality, promises, time and memory."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The readers of artifacts and the yardsticks that the tests use as well.
sys.path.append(str(ROOT / "tests" / "peers"))
