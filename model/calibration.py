"""From scores to probabilities, with an interval for the mean outcome of firms with that score.

A logistic line through out-of-fold scores (Platt 1999) is corrected, where there are enough
positives, by monotone steps at score quantiles, shrunk by how much the data support them. The 90 %
interval adds three variances on the logit scale: of the line (cluster-robust by firm), of the
shape the line misses, and of the years the cohorts come from. A common shock of the coming year is
thus part of the range; the luck of a single firm is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.expr import Array
from tidu.errors import Refused

__all__ = ["Calibration", "calibrate"]

Z90 = 1.6448536269514722
POSITIVES_A_STEP = 20
MOST_STEPS = 20
KNOTS = 64
STEEPEST = 50.0
# How far, in logits, shape and years are expected to move a probability before data speak.
SHAPE_PRIOR = 0.25
YEAR_PRIOR = 0.15
GRID = 81


@dataclass(frozen=True)
class Calibration:
    """Piecewise linear in the logit over ``scores``; constant beyond the last knots.

    All four have equal length; ``logit`` never falls, ``low`` ≤ ``logit`` ≤ ``high``.
    """

    scores: tuple[float, ...]
    logit: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        s, p = np.asarray(self.scores), np.asarray(self.logit)
        low, high = np.asarray(self.low), np.asarray(self.high)
        same = len(s) == len(p) == len(low) == len(high) > 0
        if not same or not np.isfinite([*s, *p, *low, *high]).all():
            raise Refused("A calibration must hold equally many finite knots.", "Train again.")
        if (np.diff(s) <= 0).any() or (np.diff(p) < 0).any() or (low > p).any() or (p > high).any():
            raise Refused(
                "A calibration must rise with the score and lie inside its interval.",
                "Train again.",
            )

    def probability(self, score: Array) -> Array:
        """Estimated probability of each score; non-decreasing."""
        return _expit(np.interp(score, self.scores, self.logit))

    def interval(self, score: Array) -> tuple[Array, Array]:
        """90 % interval of the mean outcome of firms with that score."""
        low = np.interp(score, self.scores, self.low)
        high = np.interp(score, self.scores, self.high)
        return _expit(low), _expit(high)

    def slope(self, score: float) -> float:
        """Derivative of the probability by the score."""
        step = 1e-4 * max(1.0, abs(score))
        ends = self.probability(np.array([score - step, score + step]))
        return float(ends[1] - ends[0]) / (2 * step)

    def as_json(self) -> dict[str, list[float]]:
        return {
            "scores": list(self.scores),
            "logit": list(self.logit),
            "low": list(self.low),
            "high": list(self.high),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, list[float]]) -> Calibration:
        try:
            return cls(*(tuple(data[name]) for name in ("scores", "logit", "low", "high")))
        except (KeyError, TypeError) as error:
            raise Refused(f"A calibration must hold its four lists: {error}.") from None


def calibrate(score: Array, label: Array, groups: Array, dates: Array) -> Calibration:
    """Fit on out-of-fold scores.

    ``score``, ``label`` (0/1), ``groups`` (firm) and ``dates`` (cohort) have one entry an example;
    both classes must occur.
    """
    line = _Line.fit(score, label, groups)
    knots = _knots(score)
    steps, shape = _steps(line, score, label, knots)
    logit = np.maximum.accumulate(line.at(knots) + steps)
    years = _between(line.at(score), label, dates)
    half = Z90 * np.sqrt(line.variance(knots) + shape + years)
    return Calibration(
        tuple(map(float, knots)),
        tuple(map(float, logit)),
        tuple(map(float, logit - half)),
        tuple(map(float, logit + half)),
    )


@dataclass(frozen=True)
class _Line:
    """logit p = a + b·(s − center), with the covariance of (a, b)."""

    a: float
    b: float
    center: float
    covariance: Array

    def at(self, score: Array) -> Array:
        return np.asarray(self.a + self.b * (score - self.center))

    def variance(self, score: Array) -> Array:
        x = np.column_stack([np.ones(len(score)), score - self.center])
        return np.asarray(np.einsum("ij,jk,ik->i", x, self.covariance, x))

    @classmethod
    def fit(cls, score: Array, label: Array, groups: Array) -> _Line:
        center = float(score.mean())
        x = np.column_stack([np.ones(len(score)), score - center])
        # Half a success and half a failure keep the line finite where the classes separate.
        beta = np.array([np.log((label.sum() + 0.5) / (len(label) - label.sum() + 0.5)), 0.0])
        ridge = np.diag([0.0, 1e-3 * len(label) * max(score.var(), 1e-12)]) / max(len(label), 1)
        for _ in range(100):
            p = _expit(x @ beta)
            hessian = (x * (p * (1 - p))[:, None]).T @ x + ridge + 1e-10 * np.eye(2)
            step = np.linalg.solve(hessian, x.T @ (label - p) - ridge @ beta)
            beta = beta + np.clip(step, -2.0, 2.0)
            if np.abs(step).max() < 1e-10:
                break
        if beta[1] <= 0:
            # Out of fold the score did not order the outcomes: say the base rate, not the reverse.
            base = (label.sum() + 0.5) / (len(label) + 1.0)
            beta = np.array([np.log(base / (1 - base)), 0.0])
        beta[1] = min(beta[1], STEEPEST)
        p = _expit(x @ beta)
        inverse = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x + ridge + 1e-10 * np.eye(2))
        _, firm = np.unique(groups.astype(str), return_inverse=True)
        residual = x * (label - p)[:, None]
        sums = np.column_stack([np.bincount(firm, weights=residual[:, j]) for j in range(2)])
        return cls(float(beta[0]), float(beta[1]), center, inverse @ (sums.T @ sums) @ inverse)


def _knots(score: Array) -> Array:
    levels = np.linspace(0.0, 1.0, KNOTS)
    # Half of the knots by quantile, half by distance: long tails get knots of their own.
    by_count = np.quantile(score, levels)
    by_distance = np.linspace(score.min(), score.max(), KNOTS // 2)
    knots = np.unique(np.concatenate([by_count, by_distance]))
    return knots if len(knots) > 1 else np.array([knots[0], knots[0] + 1.0])


def _steps(line: _Line, score: Array, label: Array, knots: Array) -> tuple[Array, Array]:
    """Correction of the line at the knots, and the variance of what it leaves out (logit²)."""
    bins = min(MOST_STEPS, int(min(label.sum(), len(label) - label.sum()) // POSITIVES_A_STEP))
    if bins < 3:
        return np.zeros(len(knots)), np.full(len(knots), SHAPE_PRIOR**2)
    parts = np.array_split(np.argsort(score, kind="stable"), bins)
    center = np.array([score[p].mean() for p in parts])
    expected = np.array([_expit(line.at(score[p])).sum() for p in parts])
    weight = np.array([(q := _expit(line.at(score[p]))) @ (1 - q) for p in parts])
    found = np.array([label[p].sum() for p in parts])
    gap = (found - expected) / np.maximum(weight, 1e-9)
    mean, variance = _shrunk(gap, 1.0 / np.maximum(weight, 1e-9), SHAPE_PRIOR)
    return np.interp(knots, center, mean), np.interp(knots, center, variance)


def _between(logit: Array, label: Array, dates: Array) -> float:
    """Variance between cohort dates of the offset of the logit, beyond chance."""
    days = np.unique(dates)
    p = _expit(logit)
    weight = np.array([(p * (1 - p))[dates == d].sum() for d in days])
    gap = np.array([(label - p)[dates == d].sum() for d in days]) / np.maximum(weight, 1e-9)
    spread, chance = _posterior(gap, 1.0 / np.maximum(weight, 1e-9), YEAR_PRIOR)
    return float(chance @ spread**2)


def _shrunk(effect: Array, variance: Array, prior: float) -> tuple[Array, Array]:
    """Posterior mean and variance of each effect, drawn towards 0 (Gelman et al., BDA3 §5.4)."""
    spread, chance = _posterior(effect, variance, prior)
    keep = spread[:, None] ** 2 / (spread[:, None] ** 2 + variance)
    mean = keep * effect
    center = chance @ mean
    return center, chance @ (keep * variance + (mean - center) ** 2)


def _posterior(effect: Array, variance: Array, prior: float) -> tuple[Array, Array]:
    """Weights over a grid of standard deviations of effects around 0, half-normal prior."""
    spread = np.linspace(0.0, 4.0 * prior, GRID)
    total = spread[:, None] ** 2 + variance
    log = -0.5 * (np.log(total) + effect**2 / total).sum(axis=1) - 0.5 * (spread / prior) ** 2
    chance = np.exp(log - log.max())
    return spread, chance / chance.sum()


def _expit(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -700, 700))))
