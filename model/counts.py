"""How many outcomes there will be among given firms, with a 90 % interval of the realised number.

Three things are not known: the luck of each firm, the level of the coming year, and the curve from
score to chance. The last two are shared by all firms of the set and do not average out
(:meth:`model.calibration.Calibration.shared`). Given what is shared the number is
Poisson-binomial; its distribution is the normal one corrected for skewness (Hong 2013, eq. 14),
averaged over the shared part by Gauss-Hermite quadrature. Nothing is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr

from features.expr import Array
from model.calibration import Calibration

__all__ = ["Count", "count", "number"]

NODES = 21
TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Count:
    """An expected number of outcomes among ``of`` firms and the range of the realised one."""

    of: int
    expected: float
    low: int
    high: int


def count(calibration: Calibration, score: Array) -> Count:
    """The number of outcomes among firms with these scores; none are expected of no firm.

    Raises :class:`NotAvailable` where the bundle does not hold what is shared.
    """
    if not len(score):
        return Count(0, 0.0, 0, 0)
    return number(calibration.probability(score), calibration.shared(score))


def number(chance: Array, shared: float) -> Count:
    """The number of outcomes with these chances, whose logits shift together by N(0, shared²).

    ``expected`` is that of a middling year: the sum of the chances.
    """
    wanted = float(chance.sum())
    inner = logit(chance.clip(1e-12, 1 - 1e-12))
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    weight = weight / weight.sum()
    each = expit(inner + shared * node[:, None])
    mean = each.sum(axis=1)
    variance = (each * (1 - each)).sum(axis=1)
    skewed = (each * (1 - each) * (1 - 2 * each)).sum(axis=1) / variance**1.5
    most = len(chance)
    k = np.arange(most + 1)
    below = weight @ _below(k, mean, variance, skewed)
    at = np.diff(below, prepend=0.0)
    # Mid-distribution: half of the number itself counts as below it, so that small counts are
    # neither over- nor under-covered on the whole (Lancaster 1961).
    half = below - at / 2
    low = int(np.searchsorted(half, TAIL))
    high = int(np.searchsorted(half, 1 - TAIL, side="right")) - 1
    return Count(most, wanted, min(low, most), max(high, min(low, most)))


def _below(k: Array, mean: Array, variance: Array, skewed: Array) -> Array:
    """P(number ≤ k) for each node: (nodes, len(k))."""
    x = (k + 0.5 - mean[:, None]) / np.sqrt(variance)[:, None]
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    found = ndtr(x) + skewed[:, None] * (1 - x**2) * density / 6
    found = np.maximum.accumulate(found.clip(0, 1), axis=1)
    found[:, -1] = 1.0
    return np.asarray(found)
