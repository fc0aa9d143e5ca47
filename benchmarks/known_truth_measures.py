"""Measures against known truth: hazards caught in the top K, pooled over cities; calibration (§9).

A list is judged on the *true hazards* of the firms it chose, never on their luck. Ratios are of
sums over all cities and dates, so that a city with few promotions cannot swing them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model import metrics

__all__ = ["Caught", "calibrated", "caught", "list_length", "ratio", "spread"]

FEWEST = 20  # the shortest list that is judged
RESAMPLES = 1_000
BINS = 10
PERFECT_DRAWS = 400
SHARE_OF_BASE = 0.25
SLOPES = (0.8, 1.25)
Z95 = 1.959963984540054
TINY = 1e-9


def list_length(label: np.ndarray) -> int:
    """K: that year's positives, at least 20."""
    return max(FEWEST, int(np.nansum(label)))


@dataclass(frozen=True)
class Caught:
    """What one list of ``k`` firms holds: the sum of true hazards, plain and discounted by rank."""

    precision: float
    ndcg: float


def caught(hazard: np.ndarray, score: np.ndarray, k: int) -> Caught:
    """Judge the ``k`` best by score; equal scores share their places' gains.

    ``precision`` is the sum of hazards, ``ndcg`` the sum of hazard / log2(1 + place): both are
    divided by another order's sum to become a ratio (:func:`ratio`).
    """
    gains = metrics.gains_at(hazard, score, k)
    discount = 1.0 / np.log2(np.arange(2, len(gains) + 2))
    return Caught(float(gains.sum()), float(gains @ discount))


def ratio(ours: Sequence[Caught], best: Sequence[Caught]) -> tuple[float, float]:
    """Precision@K and NDCG@K of one order as a share of another's, sums over all lists."""
    return (
        sum(c.precision for c in ours) / sum(c.precision for c in best),
        sum(c.ndcg for c in ours) / sum(c.ndcg for c in best),
    )


def spread(
    ours: Mapping[int, Sequence[Caught]], best: Mapping[int, Sequence[Caught]]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """95 % intervals of :func:`ratio` by a bootstrap over cities (keys of the mappings)."""
    seeds = sorted(ours)
    rng = np.random.default_rng(0)
    drawn = np.empty((RESAMPLES, 2))
    sums = {
        kind: np.array(
            [[sum(c.precision for c in lists[s]), sum(c.ndcg for c in lists[s])] for s in seeds]
        )
        for kind, lists in (("ours", ours), ("best", best))
    }
    for i in range(RESAMPLES):
        chosen = rng.integers(0, len(seeds), len(seeds))
        drawn[i] = sums["ours"][chosen].sum(axis=0) / sums["best"][chosen].sum(axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def calibrated(label: np.ndarray, chance: np.ndarray, seed: int = 0) -> dict[str, float | bool]:
    """The bar "calibration" of one set of tested firms: error, slope and skill, and if each holds.

    The expected calibration error (10 equal-count bins) may reach a quarter of the base rate or,
    where that is larger, the 95th percentile that a perfect model of these chances shows.
    """
    error = metrics.calibration_error(label, chance, BINS)
    rng = np.random.default_rng(seed)
    draws = (rng.random((PERFECT_DRAWS, len(chance))) < chance).astype("float64")
    perfect = [metrics.calibration_error(drawn, chance, BINS) for drawn in draws]
    bar = max(SHARE_OF_BASE * float(label.mean()), float(np.quantile(perfect, 0.95)))
    slope, half = _slope(label, chance)
    base = metrics.brier(label, np.full(len(label), label.mean()))
    skill = 1.0 - metrics.brier(label, chance) / base if base else 0.0
    low, high = SLOPES
    return {
        "error": error,
        "error bar": bar,
        "error holds": error <= bar,
        "slope": slope,
        "slope holds": slope - half <= high and slope + half >= low,
        "skill": skill,
        "skill holds": skill > 0,
    }


def _slope(label: np.ndarray, chance: np.ndarray) -> tuple[float, float]:
    """Logistic slope of outcomes on the logit of the chance, with half its 95 % interval."""
    p = np.clip(chance, TINY, 1 - TINY)
    logit = np.log(p / (1 - p))
    centre, width = float(logit.mean()), float(logit.std())
    if width < TINY:
        return 1.0, float("inf")  # one chance for all: nothing says how steep the curve is
    x = np.column_stack([np.ones(len(p)), (logit - centre) / width])
    weights, hessian = np.zeros(2), np.eye(2)
    for _ in range(100):
        fitted = 1.0 / (1.0 + np.exp(-np.clip(x @ weights, -30, 30)))
        hessian = (x * (fitted * (1 - fitted))[:, None]).T @ x + TINY * np.eye(2)
        step = np.linalg.solve(hessian, x.T @ (label - fitted))
        weights = weights + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < TINY:
            break
    half = Z95 * float(np.sqrt(np.linalg.inv(hessian)[1, 1]))
    return float(weights[1]) / width, half / width
