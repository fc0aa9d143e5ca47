"""Will the number be reached? Stock − exits + entries, simulated with a shared year effect.

Entries come from chances per firm or from the history of yearly counts. Whichever: what makes a
year good or bad for one firm does so for all, so that years, not firms, set the width of the
interval. What is estimated (mean, shock, rates of exit) is drawn, too, as uncertain as it is.
Randomness is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, inf, isinf, log1p, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, ndtri

__all__ = [
    "DRAWS",
    "Flow",
    "Forecast",
    "Period",
    "Rate",
    "Shock",
    "drift",
    "expected",
    "shock_of",
    "simulate",
    "summary",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 4_000
COVERS = 0.9
_BINS = 200
_SCORES = np.polynomial.hermite_e.hermegauss(24)


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


@dataclass(frozen=True, slots=True)
class Shock:
    """Relative sd of a year's entries beyond chance; ``weight``: years behind it, inf: certain."""

    sd: float
    weight: float = inf

    def draw(self, rng: np.random.Generator, draws: int) -> Floats:
        if isinf(self.weight) or self.sd == 0.0:
            return np.full(draws, self.sd)
        return np.asarray(self.sd * np.sqrt(self.weight / rng.chisquare(self.weight, draws)))


def shock_of(history: Sequence[float], prior: Shock, least: int) -> Shock:
    """The shock in a history of yearly counts, with the prior; below ``least`` years the prior."""
    n = len(history)
    mean = float(np.mean(history)) if n else 0.0
    if n < least or mean <= 0.0 or isinf(prior.weight):
        return prior
    excess = max(0.0, float(np.var(history, ddof=1)) - mean) / mean**2
    weight = prior.weight + n - 1
    return Shock(sqrt((prior.weight * prior.sd**2 + (n - 1) * log1p(excess)) / weight), weight)


@dataclass(frozen=True)
class Period:
    """A part of a calendar year: its length in years, the titles that expire in it, the counts of
    entries in the same part of past years, and the share of a year's entries that falls into it."""

    length: float
    expiring: int = 0
    history: tuple[float, ...] = ()
    share: float = 1.0


@dataclass(frozen=True)
class Flow:
    """All that a forecast rests on; ``stock`` includes what expires in the periods.

    ``chances`` are of entry within a year per firm that is not in stock (NaN unknown; ``default``
    stands for those, NaN leaves them out); None: entries come from the periods' histories.
    ``validity`` is how many periods later what entered or was renewed expires; None: never.
    """

    stock: int
    periods: tuple[Period, ...]
    renewal: Rate = field(default_factory=lambda: Rate(1.0))
    loss: Rate = field(default_factory=lambda: Rate(0.0))
    shock: Shock = field(default_factory=lambda: Shock(0.0))
    chances: Floats | None = None
    default: float = float("nan")
    validity: int | None = None


@dataclass(frozen=True)
class Forecast:
    """Mean, 90 % interval and the chance of reaching the goal; ``unknown``: firms left out."""

    mean: float
    low: float
    high: float
    chance: float | None
    samples: Floats
    unknown: int = 0


def summary(
    samples: Floats, goal: float | None, at_most: bool = False, unknown: int = 0
) -> Forecast:
    """Mean, interval and chance of samples."""
    low, high = np.quantile(samples, [(1 - COVERS) / 2, (1 + COVERS) / 2])
    reached = None if goal is None else (samples <= goal if at_most else samples >= goal)
    chance = None if reached is None else float(np.mean(reached))
    return Forecast(float(samples.mean()), float(low), float(high), chance, samples, unknown)


def simulate(
    flow: Flow, goal: float | None, rng: np.random.Generator, draws: int = DRAWS
) -> Forecast:
    """Draw the stock at the end of the last period."""
    entries = _Chances.of(flow, rng, draws) if flow.chances is not None else None
    history = _history_levels(flow, rng, draws) if entries is None else []
    renewal, loss = flow.renewal.draw(rng, draws), flow.loss.draw(rng, draws)
    sd = flow.shock.draw(rng, draws)
    groups = _groups(flow, draws)
    for j, period in enumerate(flow.periods):
        stays = (1.0 - loss) ** period.length
        groups = [rng.binomial(group, stays) for group in groups]
        renewed = rng.binomial(groups[j], renewal)
        z = rng.standard_normal(draws)
        if entries is not None:
            new = entries.draw(period.share, sd, z)
        else:
            new = rng.poisson(history[j] * np.exp(sd * z - sd**2 / 2.0))
        groups[j] = np.zeros(draws, dtype="int64")
        last = len(groups) - 1
        target = last if flow.validity is None else min(j + flow.validity, last)
        groups[target] = groups[target] + renewed + new
    unknown = entries.unknown if entries is not None else 0
    return summary(np.sum(groups, axis=0).astype("float64"), goal, unknown=unknown)


def _groups(flow: Flow, draws: int) -> list[Ints]:
    """Holders by the period in which their titles expire; the last group outlives all periods."""
    expiring = [period.expiring for period in flow.periods]
    return [np.full(draws, n, dtype="int64") for n in (*expiring, flow.stock - sum(expiring))]


def expected(flow: Flow) -> float:
    """The mean of the simulation in closed form, every rate taken at its mean."""
    groups = [float(p.expiring) for p in flow.periods]
    groups.append(flow.stock - sum(groups))
    left = _known(flow)[0] if flow.chances is not None else np.zeros(0)
    outside = np.ones(len(left))
    for j, period in enumerate(flow.periods):
        groups = [g * (1.0 - flow.loss.mean) ** period.length for g in groups]
        if flow.chances is None:
            new = float(np.mean(period.history)) if period.history else 0.0
        else:
            chance = 1.0 - (1.0 - left) ** period.share
            new = float((outside * chance).sum())
            outside = outside * (1.0 - chance)
        new += groups[j] * flow.renewal.mean
        groups[j] = 0.0
        last = len(groups) - 1
        groups[last if flow.validity is None else min(j + flow.validity, last)] += new
    return sum(groups)


def _history_levels(flow: Flow, rng: np.random.Generator, draws: int) -> list[Floats]:
    """The mean number of entries per period, drawn: a few years leave it uncertain."""
    spread = exp(flow.shock.sd**2) - 1.0
    common = rng.random(draws)
    levels = []
    for period in flow.periods:
        n, total = len(period.history), float(sum(period.history))
        if not n:
            levels.append(np.zeros(draws))
        elif total == 0.0:
            # Never yet is not never: half an entry in all those years.
            levels.append(np.asarray(gammaincinv(0.5, common) / n))
        else:
            mean = total / n
            variance = (1.0 / mean + spread) / n
            levels.append(np.asarray(mean * variance * gammaincinv(1.0 / variance, common)))
    return levels


def _known(flow: Flow) -> tuple[Floats, int]:
    """The chances with the default for unknown ones, and how many stay unknown."""
    assert flow.chances is not None
    filled = np.where(np.isnan(flow.chances), flow.default, flow.chances)
    missing = np.isnan(filled)
    return filled[~missing], int(missing.sum())


class _Chances:
    """Entries of firms with chances of their own, in groups of nearly equal chance.

    The shock moves all normal scores of the chances together (one common factor), which keeps
    every firm's mean chance: 0 and 1 stay certain. The factor's weight is chosen so that the
    relative sd of the expected count is the shock's.
    """

    def __init__(
        self, chance: Floats, firms: Ints, unknown: int, rng: np.random.Generator, draws: int
    ) -> None:
        self.chance, self.unknown, self.rng = chance, unknown, rng
        self.outside = np.repeat(firms[:, None], draws, axis=1)

    @classmethod
    def of(cls, flow: Flow, rng: np.random.Generator, draws: int) -> _Chances:
        known, unknown = _known(flow)
        values, firms = np.unique(known, return_counts=True)
        if len(values) > _BINS:
            order = np.sort(known)
            parts = np.array_split(order, _BINS)
            values = np.array([part.mean() for part in parts])
            firms = np.array([len(part) for part in parts])
        return cls(values, firms.astype("int64"), unknown, rng, draws)

    def draw(self, share: float, sd: Floats, z: Floats) -> Ints:
        """Who enters in a period, per draw; they stand outside no more."""
        if not len(self.chance):
            return np.zeros(len(z), dtype="int64")
        chance = 1.0 - (1.0 - self.chance) ** share
        # The mapping from a shock to the factor's weight is smooth: a grid is enough.
        grid, left = self._grid(sd), self.outside.mean(axis=1)
        factor = np.interp(sd, grid, [_factor(chance, left, float(s)) for s in grid])
        moved = _moved(chance[:, None], factor[None, :], z[None, :])
        entered = self.rng.binomial(self.outside, moved)
        self.outside = self.outside - entered
        return np.asarray(entered.sum(axis=0))

    @staticmethod
    def _grid(sd: Floats) -> Floats:
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


def drift(
    history: Sequence[float], years: float, rng: np.random.Generator, draws: int = DRAWS
) -> Floats:
    """Values ``years`` after the last of a yearly history: its mean change goes on, as unevenly.

    Needs at least three values; what two changes say about the spread is little, and is drawn so.
    """
    changes = np.diff(np.asarray(history, dtype="float64"))
    n = len(changes)
    sd = float(np.std(changes, ddof=1)) * np.sqrt((n - 1) / rng.chisquare(n - 1, draws))
    mean = changes.mean() + sd / sqrt(n) * rng.standard_normal(draws)
    return np.asarray(history[-1] + years * mean + sqrt(years) * sd * rng.standard_normal(draws))
