"""Entries of firms with chances of their own, drawn in groups of nearly equal chance."""

from __future__ import annotations

from math import exp

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

__all__ = ["Chances"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BINS = 200
_SCORES = np.polynomial.hermite_e.hermegauss(24)


class Chances:
    """Firms by chance and part of the city; nobody enters twice.

    The shock moves all normal scores of the chances together (one common factor), which keeps
    every firm's mean chance: 0 and 1 stay certain. The factor's weight is chosen so that the
    relative sd of the expected count is the shock's.
    """

    def __init__(
        self, known: Floats, part: NDArray[np.intp], parts: int, rng: np.random.Generator
    ) -> None:
        """``known`` has a chance per firm, ``part`` its place among so many ``parts``."""
        chance, firms, place = [], [], []
        for i in range(parts):
            values, counts = _grouped(known[part == i], len(known))
            chance.append(values)
            firms.append(counts)
            place.append(np.full(len(values), i))
        self.chance: Floats = np.concatenate(chance)
        self.firms: Ints = np.concatenate(firms)
        self.place = np.concatenate(place)
        self.parts, self.rng = parts, rng
        self.outside: Ints | None = None

    def draw(self, share: float, sd: Floats, z: Floats) -> Ints:
        """Who enters in a period, per part and draw; they stand outside no more."""
        if self.outside is None:
            self.outside = np.repeat(self.firms[:, None], len(z), axis=1)
        found = np.zeros((self.parts, len(z)), dtype="int64")
        if not len(self.chance):
            return found
        chance = 1.0 - (1.0 - self.chance) ** share
        # The mapping from a shock to the factor's weight is smooth: a grid is enough.
        grid, left = _spread(sd), self.outside.mean(axis=1)
        factor = np.interp(sd, grid, [_factor(chance, left, float(s)) for s in grid])
        moved = _moved(chance[:, None], factor[None, :], z[None, :])
        entered = self.rng.binomial(self.outside, moved)
        self.outside = self.outside - entered
        np.add.at(found, self.place, entered)
        return found


def _grouped(chance: Floats, whole: int) -> tuple[Floats, Ints]:
    """Chances with their numbers of firms; many are averaged in groups, a part's share of all."""
    values, firms = np.unique(chance, return_counts=True)
    bins = max(8, round(_BINS * len(chance) / max(whole, 1)))
    if len(values) > bins:
        parts = np.array_split(np.sort(chance), bins)
        values = np.array([part.mean() for part in parts])
        firms = np.array([len(part) for part in parts])
    return values, firms.astype("int64")


def _spread(sd: Floats) -> Floats:
    low, high = float(sd.min()), float(sd.max())
    return np.array([low]) if high - low < 1e-12 else np.linspace(low, high, 9)


def _moved(chance: Floats, factor: Floats, z: Floats) -> Floats:
    """Chances in a year whose common factor is ``z``; their mean over years is the chance."""
    with np.errstate(invalid="ignore"):
        score = (ndtri(chance) + np.sqrt(factor) * z) / np.sqrt(1.0 - factor)
    return np.where((chance <= 0.0) | (chance >= 1.0), chance, ndtr(score))


def _factor(chance: Floats, firms: Floats, sd: float) -> float:
    """The factor's weight at which the expected count has a relative sd of ``exp(sd²) − 1``."""
    mean = float((chance * firms).sum())
    if sd == 0.0 or mean == 0.0:
        return 0.0
    nodes, weights = _SCORES
    aim, low, high = exp(sd**2) - 1.0, 0.0, 0.99
    for _ in range(24):
        middle = (low + high) / 2.0
        count = (_moved(chance[:, None], np.array(middle), nodes[None, :]) * firms[:, None]).sum(0)
        spread = float((weights * (count - mean) ** 2).sum() / weights.sum()) / mean**2
        low, high = (middle, high) if spread < aim else (low, middle)
    return (low + high) / 2.0
