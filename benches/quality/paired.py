"""The area under the ROC curve and the paired difference of two, each with DeLong's interval (DeLong et al. 1988)."""

import json
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata

from benches import ROOT

REFERENCE = ROOT / "workloads" / "model" / "tests" / "reference.json"


@dataclass
class Estimate:
    """A figure and its standard error."""

    value: float
    error: float

    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        reach = norm.ppf(0.975) * self.error
        return self.value - reach, self.value + reach


def components(scores: np.ndarray, bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each bad row the share of good rows below it, of each good row the share of bad rows above it."""
    ranks, bads = rankdata(scores), bad.astype(bool)
    below = (ranks[bads] - rankdata(scores[bads])) / (~bads).sum()
    above = 1 - (ranks[~bads] - rankdata(scores[~bads])) / bads.sum()
    return below, above


def estimate(below: np.ndarray, above: np.ndarray) -> Estimate:
    """The mean of components, with the error of both samples."""
    variance = below.var(ddof=1) / len(below) + above.var(ddof=1) / len(above)
    return Estimate(float(below.mean()), float(np.sqrt(variance)))


def area(scores: np.ndarray, bad: np.ndarray) -> Estimate:
    """The chance that a bad row scores above a good one."""
    return estimate(*components(scores, bad))


def difference(ours: np.ndarray, theirs: np.ndarray, bad: np.ndarray) -> Estimate:
    """The area of ours less that of theirs, on the same rows."""
    pairs = zip(components(ours, bad), components(theirs, bad), strict=True)
    return estimate(*(one - other for one, other in pairs))


def check() -> None:
    """Holds these figures against the reference that the Rust code is held against."""
    known = json.loads(REFERENCE.read_text())["ranking"]
    bad, scores, champion = (np.array(known[name]) for name in ("bad", "scores", "champion"))
    one, two = area(scores, bad), difference(scores, champion, bad)
    found = [one.value, one.error, two.value, two.error]
    names = ["rocAuc", "rocAucError", "rocAucDifference", "rocAucDifferenceError"]
    np.testing.assert_allclose(found, [known[name] for name in names], rtol=0, atol=1e-12)
