"""How far a firm's place in a ranking moves when the outcomes it was learned from are drawn anew.

At training, outcomes are drawn from the calibrated out-of-fold chances and the model is fitted to
each draw (a parametric bootstrap, Efron and Tibshirani 1993, ch. 6.5). Two such fits are two
independent draws of the same city, so the law of a firm's place in one given its place in another
is what a reader of one ranking does not know: regression to the mean is part of it. Where outcomes
are few, out-of-fold chances are flatter than the true ones and such fits agree too little. How far
two rankings really agree is seen in fits to disjoint halves of the firms, brought to full length as
Spearman (1910) and Brown (1910) do, and the law is brought to that agreement. Places are
normal positions Φ⁻¹(1 - (rank - ½)/n), so a law serves cohorts of any size. Serving draws nothing:
intervals and chances follow from a few stored knots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from features.expr import Array
from tidu.errors import Refused, UsageError

__all__ = ["RankLaw", "positions", "rank_law"]

KNOTS = 25
WIDTH = 0.15
"""Of the kernel over normal positions; at the very top the nearest firms are few."""
REACH = 0.8
"""Of the wider kernel that compares how far fits lie apart: there are few pairs of halves."""
FALLS = 0.7
"""The noise of a score falls with rows^-0.7 (docs/decisions/0013): slower than by Spearman and
Brown, for with more rows trees take up more detail."""
Z90 = 1.6448536269514722
LEAST = 0.005
"""Spread below which nothing is resolved: about a fifth of a place in a hundred firms."""
STEP = 0.01
LEAST_AGREED, MOST_AGREED = 0.02, 0.9999
FIELDS = ("position", "middle", "below", "above")


@dataclass(frozen=True)
class RankLaw:
    """Law of a firm's position after a new draw of outcomes, by its position now; high is good.

    At each knot of ``position`` the new position has the median ``middle`` and the normal spreads
    ``below`` and ``above`` it; linear between the knots, and beyond them the ends go on as they
    are (their shift and spreads). Four lists of equal length.
    """

    position: tuple[float, ...]
    middle: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]

    def __post_init__(self) -> None:
        lists = [np.asarray(getattr(self, name), dtype="float64") for name in FIELDS]
        same = len({len(values) for values in lists}) == 1 and len(lists[0]) > 0
        if not same or not all(np.isfinite(values).all() for values in lists):
            raise Refused("A rank law must hold equally many finite knots.", "Train again.")
        at, _, below, above = lists
        if (np.diff(at) <= 0).any() or min(below.min(), above.min()) < 0:
            raise Refused(
                "A rank law must have rising positions and spreads that are not negative.",
                "Train again.",
            )

    def interval(self, rank: Array, of: int) -> tuple[Array, Array]:
        """90 % interval of each member's place in a list, first and last place (int, 1 = best).

        ``rank`` are the ranks of the list's members among the ``of`` firms of the whole cohort,
        each once, in any order: all of them, or those of a district. Its own place is inside.
        """
        moved = self._moved(rank, of)
        own = np.argsort(np.argsort(rank)) + 1
        if max(*self.below, *self.above) <= LEAST:
            return own, own.copy()
        ends = []
        for side, ahead in ((Z90, 0.05), (-Z90, 0.95)):
            spread = moved.above if side > 0 else moved.below
            ends.append(1.0 + moved.count(moved.middle + side * spread) - ahead)
        centre = 0.5 + moved.count(moved.middle)
        luck = Z90 * np.sqrt(moved.luck(moved.middle))
        low = centre - np.hypot(centre - ends[0], luck)
        high = centre + np.hypot(ends[1] - centre, luck)
        first = np.minimum(np.rint(low).clip(1, len(rank)), own)
        last = np.maximum(np.rint(high).clip(1, len(rank)), own)
        return first.astype(np.int64), last.astype(np.int64)

    def top(self, k: int, rank: Array, of: int) -> Array:
        """Chance of each member to stand among the first ``k`` of the list; they sum to ``k``.

        ``rank`` and ``of`` as in :meth:`interval`; a list no longer than ``k`` holds all.
        """
        if k < 0:
            raise UsageError(f"The length of a list must not be negative; found {k}.")
        moved = self._moved(rank, of)
        if k == 0 or k >= len(rank):
            return np.full(len(rank), float(k > 0))
        return moved.beyond(moved.threshold(float(k)))

    def as_json(self) -> dict[str, list[float]]:
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Sequence[float]]) -> RankLaw:
        try:
            return cls(*(tuple(float(v) for v in data[name]) for name in FIELDS))
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"A rank law must hold its four lists: {error!r}.") from None

    def _moved(self, rank: Array, of: int) -> _Moved:
        rank = np.asarray(rank)
        sound = len(np.unique(rank)) == len(rank) <= of
        if not len(rank) or not sound or rank.min() < 1 or rank.max() > of:
            raise UsageError(
                f"A list must hold firms, each once, with ranks from 1 to {of}; found"
                f" {len(rank)} of them."
            )
        at = ndtri(1.0 - (rank - 0.5) / of)
        shift = np.asarray(self.middle) - np.asarray(self.position)
        return _Moved(
            at + np.interp(at, self.position, shift),
            np.interp(at, self.position, self.below).clip(LEAST),
            np.interp(at, self.position, self.above).clip(LEAST),
            1.0 - len(rank) / of,
        )


@dataclass(frozen=True)
class _Moved:
    """Where the members of a list may stand; ``apart`` is the share of the cohort left out."""

    middle: Array
    below: Array
    above: Array
    apart: float

    def beyond(self, line: float) -> Array:
        """Chance of each member to stand above ``line``."""
        off = line - self.middle
        return np.asarray(ndtr(-off / np.where(off < 0, self.below, self.above)))

    def count(self, line: Array) -> Array:
        """Expected number of members above each line."""
        grid, expected, _ = self._grid
        return np.asarray(np.interp(line, grid, expected))

    def luck(self, line: Array) -> Array:
        """Variance of that number which the law of the whole cohort does not hold already.

        Places in a whole cohort are what was measured. A part of it is a sample of the firms that
        pass each other, so its own counts vary besides, the more the smaller the part.
        """
        grid, _, variance = self._grid
        return np.asarray(np.interp(line, grid, variance) * self.apart)

    def threshold(self, wanted: float) -> float:
        """The line above which ``wanted`` members are expected (bisection)."""
        low = float(self.middle.min() - 9 * self.above.max())
        high = float(self.middle.max() + 9 * self.above.max())
        low = min(low, float(self.middle.min() - 9 * self.below.max()))
        for _ in range(80):
            line = (low + high) / 2
            enough = self.beyond(line).sum() > wanted
            low, high = (line, high) if enough else (low, line)
        return (low + high) / 2

    @cached_property
    def _grid(self) -> tuple[Array, Array, Array]:
        """Lines, the expected number above each and its variance, members pooled by position."""
        reach = 4 * max(self.below.max(), self.above.max(), STEP)
        first, last = self.middle.min() - reach, self.middle.max() + reach
        lines = np.arange(first, last + STEP, STEP)
        expected, variance = np.zeros(len(lines)), np.zeros(len(lines))
        cell = np.floor((self.middle - first) / LEAST)
        order = np.argsort(cell, kind="stable")
        _, start, size = np.unique(cell[order], return_index=True, return_counts=True)
        for at, many in zip(start, size, strict=True):
            member = order[at]
            off = lines - self.middle[member]
            scale = np.where(off < 0, self.below[member], self.above[member])
            chance = ndtr(-off / scale)
            expected += many * chance
            variance += many * chance * (1.0 - chance)
        return lines, expected, variance


def positions(score: Array) -> Array:
    """Normal position of each score, the best highest; equal scores keep their order."""
    order = np.argsort(-score, kind="stable")
    place = np.empty(len(score))
    place[order] = np.arange(len(score)) + 0.5
    return np.asarray(ndtri(1.0 - place / len(score)))


def rank_law(scores: Sequence[Array], halves: Sequence[tuple[Array, Array]] = ()) -> RankLaw:
    """The law seen in fits to independent draws of outcomes: ``scores`` of one cohort by each.

    ``halves`` are scores of the same cohort by models of disjoint halves of the firms with their
    real outcomes. Every ordered pair of fits is a place now and a place after a new draw. At each
    knot a line is fitted to the pairs near it, and quantiles of what is left give the middle and
    both spreads.
    """
    if len(scores) < 2 or len(scores[0]) < 2:
        raise UsageError("A rank law needs two fits and two firms at least.")
    at = [positions(score) for score in scores]
    pairs = [(one, other) for i, one in enumerate(at) for other in at[:i]]
    now = np.concatenate([side for pair in pairs for side in pair])
    after = np.concatenate([side for pair in pairs for side in reversed(pair)])
    knots = np.linspace(now.min(), now.max(), KNOTS)
    middle, low, high = np.array([_near(knot, now, after) for knot in knots]).T
    spreads = np.array([middle - low, high - middle]) / Z90
    if halves:
        seen = [(positions(one), positions(other)) for one, other in halves]
        drawn = _agreed(1 - _apart(pairs, knots) / 2)
        agreed = _agreed(1 - _apart(seen, knots) * _shrinks(seen) / 2)
        middle = knots + (middle - knots) * (1 - agreed) / (1 - drawn)
        spreads *= np.sqrt((1 - agreed**2) / (1 - drawn**2))
    parts = (knots, middle, *spreads)
    return RankLaw(*(tuple(map(float, part)) for part in parts))


def _apart(pairs: Sequence[tuple[Array, Array]], knots: Array) -> Array:
    """Mean squared difference of positions among firms that stand, on the mean, near each knot."""
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    weight = np.exp(-0.5 * (((one + other) / 2 - knots[:, None]) / REACH) ** 2)
    return np.asarray(weight @ (one - other) ** 2 / weight.sum(axis=1))


def _shrinks(halves: Sequence[tuple[Array, Array]]) -> float:
    """By what the squared difference of positions falls from models of halves to those of all."""
    half = float(_agreed(np.mean([np.corrcoef(pair)[0, 1] for pair in halves])))
    whole = 1 / (1 + (1 - half) / half * 2**-FALLS)
    return (1 - whole) / (1 - half)


def _agreed(correlation: Array) -> Array:
    """A correlation of positions that leaves something to know and something to err."""
    return np.asarray(np.clip(correlation, LEAST_AGREED, MOST_AGREED))


def _near(knot: float, now: Array, after: Array) -> tuple[float, float, float]:
    """Median, 5 % and 95 % of ``after`` at a knot, by a kernel around a local line."""
    weight = np.exp(-0.5 * ((now - knot) / WIDTH) ** 2)
    off = now - knot
    mean_off, mean = np.average(off, weights=weight), np.average(after, weights=weight)
    spread = np.average((off - mean_off) ** 2, weights=weight)
    slope = np.average((off - mean_off) * (after - mean), weights=weight) / max(spread, 1e-12)
    line = mean + slope * (off - mean_off)
    level = float(mean - slope * mean_off)
    left = after - line
    order = np.argsort(left, kind="stable")
    share = np.cumsum(weight[order]) - weight[order] / 2
    low, middle, high = np.interp((0.05, 0.5, 0.95), share / weight.sum(), left[order])
    return level + float(middle), level + float(low), level + float(high)
