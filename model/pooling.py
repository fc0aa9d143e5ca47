"""A tier's rows and their kin as one sample, and the line that both are fitted to.

The line has one slope a feature for all tiers; slopes are drawn towards one common slope in the
direction that is good for the label, as far as the outcomes do not say otherwise. Where titles are
few, knowing which measures the law asks about, and which way, is most of what can be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.expr import Array
from model.boosters import LinearTerm, Sample
from model.forest import Floats, Ints
from model.kin import Kin
from model.linear import Ridge, newton, rounded, unit_term

__all__ = ["Pool", "pooled"]

COMMON = 4.0
"""The common slope's scale: the penalty on it is a sixteenth of that on one feature's own."""


@dataclass(frozen=True, eq=False)
class Pool:
    """The ``rows`` of the tier ``own``, then those of its kin whose tier has both outcomes.

    ``weight`` of a row falls with its tier's distance; ``start`` is the log-odds of its tier, from
    which both trees and line begin, so that neither need learn how rare a title is.
    """

    sample: Sample
    rows: int
    own: int
    place: Ints
    start: Floats
    cited: Array

    @property
    def base(self) -> float:
        """Log-odds of the served tier."""
        return float(self.start[0])

    @property
    def positives(self) -> float:
        """How many the served tier has."""
        return float(self.sample.target[: self.rows].sum())

    def ridge(self, l2: float, directions: Sequence[int]) -> Ridge:
        """Fit the line on the cited features; ``l2`` as for :func:`model.linear.ridge`."""
        names, values = self.sample.names, self.sample.values
        kept: list[tuple[int, LinearTerm, float]] = []
        for j in np.flatnonzero(self.cited):
            term, spread = unit_term(names[j], values[: self.rows, j])
            if spread > 0:
                kept.append((int(j), term, spread))
        if not kept:
            return Ridge(self.base, ())
        z = np.column_stack([term.effect(values[:, j]) / spread for j, term, spread in kept])
        means = {tier: z[self.place == tier].mean(axis=0) for tier in np.unique(self.place)}
        for tier, mean in means.items():
            z[self.place == tier] -= mean
        good = np.array([directions[j] for j, _, _ in kept], dtype=np.float64)
        common = COMMON * good / np.sqrt(max(1.0, np.abs(good).sum()))
        x = np.column_stack([z, z @ common]) if good.any() else z
        weight = np.ones(len(z)) if self.sample.weight is None else self.sample.weight
        base, slopes = newton(x, self.sample.target, weight, l2, self.start)
        if good.any():
            slopes = slopes[:-1] + slopes[-1] * common
        terms = tuple(
            replace(term, weight=rounded(slope / spread))
            for (_, term, spread), slope in zip(kept, slopes, strict=True)
        )
        found = tuple(term for term in terms if term.weight)
        return Ridge(rounded(self.base + base - float(means[self.own] @ slopes)), found)


def pooled(sample: Sample, kin: Kin, reach: float) -> Pool:
    """Join rows and kin, a row one tier away with weight ``reach``, two away with its square."""
    known = np.where(np.isfinite(kin.values), kin.values, np.nan)
    own = np.ones(len(sample.target)) if sample.weight is None else sample.weight
    place = np.concatenate([np.full(len(own), kin.own), kin.place])
    target = np.concatenate([sample.target, kin.label.astype(np.float64)])
    stands_for = np.concatenate([own, kin.weight])
    start = _log_odds(target, stands_for, place)
    mixed = np.isfinite(start)  # a tier whose rows here hold one outcome only teaches nothing
    together = Sample(
        np.concatenate([sample.values, known])[mixed],
        target[mixed],
        sample.names,
        (stands_for * reach ** np.abs(place - kin.own))[mixed],
    )
    return Pool(together, len(own), kin.own, place[mixed], start[mixed], kin.cited)


def _log_odds(target: Floats, weight: Floats, place: Ints) -> Floats:
    """Of each row's tier; infinite where the tier has one outcome only."""
    positive = np.bincount(place, weights=weight * target)[place]
    negative = np.bincount(place, weights=weight * (1.0 - target))[place]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(positive) - np.log(negative))
