"""From scores to probabilities, with an interval for the mean outcome of firms with that score.

The logit is a smooth curve over the score (:mod:`model.curve`) drawn to be non-decreasing
(Ayer et al. 1955). Examples of one firm are worth less than as many firms. The 90 % interval adds
two variances on the logit scale: of the curve, and of the level of the coming year, which is
followed from cohort to cohort (:mod:`model.drift`). A common shock is thus part of the range; the
luck of a single firm is not. Both parts are kept besides, for what is shared by many firms does
not average out in a count of them (:mod:`model.counts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.expr import Array
from model.curve import cells, posterior
from model.drift import next_level
from tidu.errors import NotAvailable, Refused

__all__ = ["Calibration", "calibrate"]

Z90 = 1.6448536269514722
TINY = 1e-9
TOLD = 0.995
MOST_BENDS = 6
CURVES = ("scores", "logit", "low", "high")


@dataclass(frozen=True)
class Calibration:
    """Piecewise linear in the logit over ``scores``; constant beyond the last knots.

    All four have equal length; ``logit`` never falls, ``low`` ≤ ``logit`` ≤ ``high``. ``year`` is
    the standard deviation of the coming year's level, in logits; ``bends`` are independent ways,
    one value a knot, in which the curve may lie off by one standard deviation each. Both are None
    in bundles that did not keep them apart.
    """

    scores: tuple[float, ...]
    logit: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    year: float | None = None
    bends: tuple[tuple[float, ...], ...] | None = None

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
        parts = [self.year or 0.0, *(v for bend in self.bends or () for v in bend)]
        if not np.isfinite(parts).all() or any(len(b) != len(s) for b in self.bends or ()):
            raise Refused(
                "Parts of a calibration's range must be finite, a value a knot.", "Train again."
            )

    def probability(self, score: Array) -> Array:
        """Estimated probability of each score; non-decreasing."""
        return _expit(np.interp(score, self.scores, self.logit))

    def interval(self, score: Array) -> tuple[Array, Array]:
        """90 % interval of the mean outcome of firms with that score."""
        low = np.interp(score, self.scores, self.low)
        high = np.interp(score, self.scores, self.high)
        return _expit(low), _expit(high)

    def shared(self, score: Array) -> float:
        """Standard deviation, in logits, of what all of these firms share: level and curve.

        It is that of a common shift which moves their expected number as much as the ways in which
        year and curve may lie off do together (to first order).

        Raises :class:`NotAvailable` where the bundle did not keep the parts apart.
        """
        if self.year is None or self.bends is None:
            raise NotAvailable(
                "The model in use does not say what its years and its curve may be off by.",
                "Train it again with this version.",
            )
        p = self.probability(score)
        weight = p * (1 - p)
        total = float(weight.sum())
        moves = [weight @ np.interp(score, self.scores, bend) / total for bend in self.bends]
        return float(np.sqrt(self.year**2 + np.square(moves).sum()))

    def slope(self, score: float) -> float:
        """Derivative of the probability by the score."""
        step = 1e-4 * max(1.0, abs(score))
        ends = self.probability(np.array([score - step, score + step]))
        return float(ends[1] - ends[0]) / (2 * step)

    def as_json(self) -> dict[str, object]:
        curves: dict[str, object] = {name: list(getattr(self, name)) for name in CURVES}
        if self.year is not None and self.bends is not None:
            curves |= {"year": self.year, "bends": [list(bend) for bend in self.bends]}
        return curves

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        try:
            score, logit, low, high = (tuple(data[name]) for name in CURVES)
            if "year" not in data:
                return cls(score, logit, low, high)
            bends = tuple(tuple(map(float, bend)) for bend in data["bends"])
            return cls(score, logit, low, high, float(data["year"]), bends)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"A calibration must hold its four lists: {error}.") from None


def calibrate(
    score: Array, label: Array, groups: Array, dates: Array, ahead: float = 1.0
) -> Calibration:
    """Fit on out-of-fold scores, for a cohort ``ahead`` years after the newest one.

    ``score``, ``label`` (0/1), ``groups`` (firm) and ``dates`` (cohort) have one entry an example.
    """
    pooled = cells(score, label)
    middle, covariance = posterior(pooled, 1.0)
    fitted = np.interp(score, pooled.score, middle)
    worth = _worth(label - _expit(fitted), groups)
    if worth < 1.0:
        middle, covariance = posterior(pooled, worth)
    level, drift = _level(fitted, label, dates, ahead)
    half = Z90 * np.sqrt(np.diag(covariance) + drift)
    middle = middle + level
    curves = [_rising(curve, pooled.count) for curve in (middle, middle - half, middle + half)]
    kept = np.append(True, np.diff(pooled.score) > 0)
    bends = tuple(tuple(map(float, bend)) for bend in _bends(covariance)[:, kept])
    score, middle, low, high = (curve[kept] for curve in (pooled.score, *curves))
    # Free of what rounding did to their order.
    middle = np.maximum.accumulate(middle)
    spelled = (score, middle, np.minimum(low, middle), np.maximum(high, middle))
    knots, logit, below, above = (tuple(map(float, curve)) for curve in spelled)
    return Calibration(knots, logit, below, above, float(np.sqrt(drift)), bends)


def _bends(covariance: Array) -> Array:
    """The principal ways in which a curve may be off, largest first: (ways, knots)."""
    size, way = np.linalg.eigh(covariance)
    size, way = size[::-1].clip(0), way[:, ::-1]
    told = np.cumsum(size) / size.sum()
    most = min(int(np.searchsorted(told, TOLD)) + 1, MOST_BENDS)
    # The sign of a way is of no account, but must be the same on every machine.
    sign = np.where(way.sum(axis=0) < 0, -1.0, 1.0)
    return np.asarray((way * sign * np.sqrt(size)).T[:most])


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
