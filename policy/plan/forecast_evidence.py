"""What a forecast knows of rates, of the shared year effect and of a trend, and how uncertainly.

Each is drawn once a simulated future. A history speaks for itself as far as it reaches: what a year
does to all firms at once is told from the chance of single firms by the counts' own likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isinf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

__all__ = ["Rate", "Shock", "Trend"]

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(11)
_GRID = np.exp(np.linspace(np.log(0.01), np.log(2.0), 81))


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its evidence: ``weight`` is the number of trials behind it, inf if certain."""

    mean: float
    weight: float = inf

    def draw(self, rng: np.random.Generator, draws: int) -> Floats:
        if isinf(self.weight) or self.mean in (0.0, 1.0):
            return np.full(draws, self.mean)
        return rng.beta(self.mean * self.weight, (1.0 - self.mean) * self.weight, draws)

    def after(self, events: float, trials: float) -> Rate:
        """The rate once events were seen: shrunken towards this one.

        >>> Rate(0.8, 10).after(20, 30)
        Rate(mean=0.7, weight=40.0)
        """
        weight = self.weight + trials
        return Rate((self.mean * self.weight + events) / weight, float(weight))


@dataclass(frozen=True)
class Shock:
    """Relative sd of a year's entries beyond chance: ``sd`` before any history, and what was seen.

    ``weight`` is the number of years that the prior stands for (its log has an sd of
    1 / √(2·weight)); inf: certain. ``seen`` are counts of whole years.
    """

    sd: float
    weight: float = inf
    seen: tuple[float, ...] = ()

    @property
    def certain(self) -> bool:
        return isinf(self.weight) or self.sd == 0.0

    def after(self, history: Sequence[float]) -> Shock:
        """The shock once yearly counts were seen."""
        return Shock(self.sd, self.weight, tuple(history))

    def draw(self, rng: np.random.Generator, draws: int) -> Floats:
        if self.certain:
            return np.full(draws, self.sd)
        below = np.cumsum(self.chances) - self.chances / 2.0
        return np.exp(np.interp(rng.random(draws), below, np.log(_GRID)))

    @cached_property
    def typical(self) -> float:
        """The root of the mean square: what the spread of a year is expected to be."""
        return self.sd if self.certain else sqrt(float((self.chances * _GRID**2).sum()))

    @cached_property
    def chances(self) -> Floats:
        """How likely each sd of the grid is: the prior, times the likelihood of what was seen."""
        spread = 1.0 / sqrt(2.0 * self.weight)
        chance = -((np.log(_GRID / self.sd) / spread) ** 2) / 2.0
        if len(self.seen) > 1 and sum(self.seen) > 0:
            chance = chance + _likelihood(np.array(self.seen, dtype="float64"), _GRID)
        return np.asarray(np.exp(chance - logsumexp(chance)))


def _likelihood(counts: Floats, sd: Floats) -> Floats:
    """Log-likelihood of yearly counts per sd, the unknown level of the years integrated out.

    A Poisson count whose mean varies by a relative sd is taken as negative binomial.
    """
    mean, n = float(counts.mean()), len(counts)
    size = 1.0 / np.expm1(sd**2)
    width = np.sqrt((1.0 / mean + 1.0 / size) / n)
    level = mean * np.exp(width[:, None] * _NODES)
    k, m, y = size[:, None, None], level[:, :, None], counts
    terms = gammaln(y + k) - gammaln(k) + k * np.log(k / (k + m)) + y * np.log(m / (k + m))
    inside = terms.sum(axis=-1) + _NODES**2 / 2.0 + np.log(_WEIGHTS) + np.log(width)[:, None]
    return np.asarray(logsumexp(inside, axis=1))


@dataclass(frozen=True, slots=True)
class Trend:
    """Yearly growth of entries (of their logarithm): its mean and how uncertain it is."""

    mean: float = 0.0
    sd: float = 0.0

    @classmethod
    def of(cls, history: Sequence[float], shock: Shock, prior_sd: float) -> Trend:
        """The trend in yearly counts, shrunken towards none; a few years say little of it."""
        n, counts = len(history), np.array(history, dtype="float64")
        mean = float(counts.mean()) if n else 0.0
        if prior_sd <= 0.0 or n < 2 or mean <= 0.0:
            return cls(0.0, prior_sd)
        time = np.arange(n) - (n - 1) / 2.0
        noise = 1.0 / mean + shock.typical**2
        evidence = float((time**2).sum()) / noise
        slope = float((time * np.log((counts + 0.5) / (mean + 0.5))).sum() / (time**2).sum())
        weight = evidence + prior_sd**-2
        return cls(slope * evidence / weight, weight**-0.5)

    def factor(self, ahead: float, z: Floats) -> Floats:
        """By how much a year ``ahead`` of the history's middle exceeds it; its mean is exact."""
        drawn = (self.mean + self.sd * z) * ahead
        return np.asarray(np.exp(drawn - (self.sd * ahead) ** 2 / 2.0))

    def expected(self, ahead: float) -> float:
        return float(np.exp(self.mean * ahead))
