"""From scores to probabilities, with an interval for the mean outcome of firms with that score.

The logit is a smooth curve over the score (:mod:`model.curve`) drawn to be non-decreasing
(Ayer et al. 1955). Examples of one firm are worth less than as many firms. The 90 % interval adds
two variances on the logit scale: of the curve, and of the level of the coming year, which is
followed from cohort to cohort (:mod:`model.drift`). A common shock is thus part of the range; the
luck of a single firm is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.expr import Array
from model.curve import cells, posterior
from model.drift import next_level
from tidu.errors import Refused

__all__ = ["Calibration", "calibrate"]

Z90 = 1.6448536269514722
TINY = 1e-9


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


def calibrate(
    score: Array, label: Array, groups: Array, dates: Array, ahead: float = 1.0
) -> Calibration:
    """Fit on out-of-fold scores, for a cohort ``ahead`` years after the newest one.

    ``score``, ``label`` (0/1), ``groups`` (firm) and ``dates`` (cohort) have one entry an example.
    """
    pooled = cells(score, label)
    middle, variance = posterior(pooled, 1.0)
    fitted = np.interp(score, pooled.score, middle)
    worth = _worth(label - _expit(fitted), groups)
    if worth < 1.0:
        middle, variance = posterior(pooled, worth)
    level, drift = _level(fitted, label, dates, ahead)
    half = Z90 * np.sqrt(variance + drift)
    middle = middle + level
    curves = [_rising(curve, pooled.count) for curve in (middle, middle - half, middle + half)]
    return Calibration(*_spelled(pooled.score, *curves))


def _worth(residual: Array, groups: Array) -> float:
    """What an example counts for, 1 where firms do not repeat: the inverse design effect."""
    _, firm = np.unique(groups.astype(str), return_inverse=True)
    single = float((residual**2).sum())
    together = float((np.bincount(firm, weights=residual) ** 2).sum())
    return min(1.0, single / together) if together > 0 else 1.0


def _rising(logit: Array, weight: Array) -> Array:
    """The non-decreasing curve nearest in probability; it keeps the order of curves."""
    blocks: list[list[float]] = []
    for p, w in zip(_expit(logit), weight, strict=True):
        blocks.append([float(p), float(w), 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            last, before = blocks.pop(), blocks[-1]
            total = before[1] + last[1]
            before[0] = (before[0] * before[1] + last[0] * last[1]) / total
            before[1], before[2] = total, before[2] + last[2]
    level = np.repeat([b[0] for b in blocks], [int(b[2]) for b in blocks])
    level = level.clip(TINY, 1 - TINY)
    return np.asarray(np.log(level / (1 - level)))


def _spelled(score: Array, middle: Array, low: Array, high: Array) -> list[tuple[float, ...]]:
    """As knots, of which there are at least two, free of what rounding did to their order."""
    kept = np.append(True, np.diff(score) > 0)
    middle = np.maximum.accumulate(middle[kept])
    low, high = np.minimum(low[kept], middle), np.maximum(high[kept], middle)
    return [tuple(map(float, curve)) for curve in (score[kept], middle, low, high)]


def _level(logit: Array, label: Array, dates: Array, ahead: float) -> tuple[float, float]:
    """Where the cohorts' level is expected ``ahead`` years on: mean and variance, in logits."""
    days = np.unique(dates)
    p = _expit(logit)
    weight = np.array([(p * (1 - p))[dates == d].sum() for d in days])
    weight = np.maximum(weight, TINY)
    offset = np.array([(label - p)[dates == d].sum() for d in days]) / weight
    years = days.astype("datetime64[D]").astype("float64") / 365.25
    return next_level(offset, 1.0 / weight, years, ahead)


def _expit(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -700, 700))))
