"""Will the number be reached? Stock − exits + entries, simulated with a shared year effect.

Entries come from chances per firm or from the history of yearly counts. Whichever: what makes a
year good or bad for one firm does so for all, so that years, not firms, set the width of the
interval. What is estimated (mean, trend, shock, rates of exit) is drawn, too, as uncertain as it
is. Districts are parts of one simulation: in every draw they add up to the city. Randomness is an
argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from policy.plan.forecast_chances import Chances
from policy.plan.forecast_evidence import Rate, Shock, Trend

__all__ = [
    "DRAWS",
    "Flow",
    "Forecast",
    "Part",
    "Period",
    "Rate",
    "Shock",
    "Trend",
    "drift",
    "expected",
    "reaching",
    "shares",
    "simulate",
    "summary",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 4_000
COVERS = 0.9


@dataclass(frozen=True)
class Period:
    """A part of a calendar year: its length in years, the titles that expire in it, the counts of
    entries in the same part of past years, and the share of a year's entries that falls into it.
    ``ahead``: years from the middle of that history."""

    length: float
    expiring: int = 0
    history: tuple[float, ...] = ()
    share: float = 1.0
    ahead: float = 0.0


@dataclass(frozen=True)
class Part:
    """A district within a flow: its stock, what expires by period, its entries of past years."""

    stock: int
    expiring: tuple[int, ...] = ()
    entries: float = 0.0


@dataclass(frozen=True)
class Flow:
    """All that a forecast rests on; ``stock`` includes what expires in the periods.

    ``chances`` are of entry within a year per firm that is not in stock (NaN unknown; ``default``
    stands for those, NaN leaves them out); None: entries come from the periods' histories.
    ``validity`` is how many periods later what entered or was renewed expires; None: never.
    ``parts`` are the districts, which add up to the flow; ``part`` is each firm's place in them.
    """

    stock: int
    periods: tuple[Period, ...]
    renewal: Rate = field(default_factory=lambda: Rate(1.0))
    loss: Rate = field(default_factory=lambda: Rate(0.0))
    shock: Shock = field(default_factory=lambda: Shock(0.0))
    chances: Floats | None = None
    default: float = float("nan")
    validity: int | None = None
    trend: Trend = field(default_factory=Trend)
    parts: Mapping[str, Part] = field(default_factory=dict)
    part: NDArray[np.intp] | None = None

    @property
    def split(self) -> Mapping[str, Part]:
        """The parts; a flow without any is one."""
        due = tuple(period.expiring for period in self.periods)
        return self.parts or {"": Part(self.stock, due)}


@dataclass(frozen=True)
class Forecast:
    """Mean, 90 % interval and the chance of reaching the goal; ``unknown``: firms left out.

    ``parts`` are the samples of the districts, which add up to ``samples`` draw by draw.
    """

    mean: float
    low: float
    high: float
    chance: float | None
    samples: Floats
    unknown: int = 0
    parts: Mapping[str, Floats] = field(default_factory=dict)


def summary(
    samples: Floats,
    goal: float | None,
    at_most: bool = False,
    unknown: int = 0,
    parts: Mapping[str, Floats] | None = None,
) -> Forecast:
    """Mean, interval and chance of samples."""
    low, high = np.quantile(samples, [(1 - COVERS) / 2, (1 + COVERS) / 2])
    reached = None if goal is None else (samples <= goal if at_most else samples >= goal)
    chance = None if reached is None else float(np.mean(reached))
    mean = float(samples.mean())
    return Forecast(mean, float(low), float(high), chance, samples, unknown, parts or {})


def simulate(
    flow: Flow, goal: float | None, rng: np.random.Generator, draws: int = DRAWS
) -> Forecast:
    """Draw the stock at the end of the last period, of the city and of each part."""
    renewal, loss = flow.renewal.draw(rng, draws), flow.loss.draw(rng, draws)
    entries = _Entries(flow, rng, draws)
    groups = _groups(flow, draws)
    for j, period in enumerate(flow.periods):
        stays = (1.0 - loss) ** period.length
        groups = [rng.binomial(group, stays) for group in groups]
        renewed = rng.binomial(groups[j], renewal)
        new = entries.draw(j)
        groups[j] = np.zeros_like(groups[j])
        last = len(groups) - 1
        target = last if flow.validity is None else min(j + flow.validity, last)
        groups[target] = groups[target] + renewed + new
    found = np.sum(groups, axis=0).astype("float64")
    parts = dict(zip(flow.parts, found, strict=False))
    return summary(found.sum(axis=0), goal, unknown=entries.unknown, parts=parts)


def reaching(flow: Flow, each: float, rng: np.random.Generator, draws: int = DRAWS) -> Forecast:
    """How many parts of a flow end at ``each`` or more; a part's samples are 1 or 0."""
    parts = simulate(flow, None, rng, draws).parts
    reached = {name: (samples >= each).astype("float64") for name, samples in parts.items()}
    whole = np.sum(list(reached.values()), axis=0) if reached else np.zeros(draws)
    return summary(whole, float(len(parts)), parts=reached)


def _groups(flow: Flow, draws: int) -> list[Ints]:
    """Holders by the period in which their titles expire, per part and draw; the last group
    outlives all periods."""
    columns = []
    for part in flow.split.values():
        due = (*part.expiring, *(0,) * len(flow.periods))[: len(flow.periods)]
        columns.append([*due, part.stock - sum(due)])
    counts = np.array(columns, dtype="int64").T
    return [np.repeat(row[:, None], draws, axis=1) for row in counts]


class _Entries:
    """Entries per part and draw, period by period, by chances or by history."""

    def __init__(self, flow: Flow, rng: np.random.Generator, draws: int) -> None:
        self.flow, self.rng, self.draws = flow, rng, draws
        self.sd = flow.shock.draw(rng, draws)
        self.unknown, self.chances = 0, None
        if flow.chances is not None:
            known, missing = _known(flow)
            part = np.zeros(len(known), dtype=np.intp) if flow.part is None else flow.part[~missing]
            self.unknown = int(missing.sum())
            self.chances = Chances(known, part, len(flow.split), rng)
        else:
            self.levels = _levels(flow, self.sd, rng)
            self.shares = shares(
                [p.entries for p in flow.split.values()], _stocks(flow), rng, draws
            )

    def draw(self, j: int) -> Ints:
        z = self.rng.standard_normal(self.draws)
        if self.chances is not None:
            return self.chances.draw(self.flow.periods[j].share, self.sd, z)
        new = self.rng.poisson(self.levels[j] * np.exp(self.sd * z - self.sd**2 / 2.0))
        if len(self.flow.split) == 1:
            return np.asarray(new[None, :])
        return np.asarray(self.rng.multinomial(new, self.shares).T)


def _stocks(flow: Flow) -> list[float]:
    return [float(part.stock) for part in flow.split.values()]


def shares(
    seen: Sequence[float], stock: Sequence[float], rng: np.random.Generator, draws: int
) -> Floats:
    """Each part's share (draws, parts), as uncertain as what was seen of it.

    Before anything is seen, one entry in all is spread by stock (one more each, as none has no
    chance at all).
    """
    size = np.array(stock) + 1.0
    return rng.dirichlet(np.array(seen) + size / size.sum(), draws)


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
            new *= flow.trend.expected(period.ahead)
        else:
            chance = 1.0 - (1.0 - left) ** period.share
            new = float((outside * chance).sum())
            outside = outside * (1.0 - chance)
        new += groups[j] * flow.renewal.mean
        groups[j] = 0.0
        last = len(groups) - 1
        groups[last if flow.validity is None else min(j + flow.validity, last)] += new
    return sum(groups)


def _levels(flow: Flow, sd: Floats, rng: np.random.Generator) -> list[Floats]:
    """The mean number of entries per period, drawn: a few years leave it and its trend uncertain.

    Parts of the same years err together.
    """
    common, z = rng.random(len(sd)), rng.standard_normal(len(sd))
    spread = np.expm1(sd**2)
    levels = []
    for period in flow.periods:
        n, total = len(period.history), float(sum(period.history))
        if not n:
            level = np.zeros(len(sd))
        elif total == 0.0:
            # Never yet is not never: half an entry in all those years.
            level = np.asarray(gammaincinv(0.5, common) / n)
        else:
            mean = total / n
            variance = (1.0 / mean + spread) / n
            level = np.asarray(mean * variance * gammaincinv(1.0 / variance, common))
        levels.append(level * flow.trend.factor(period.ahead, z))
    return levels


def _known(flow: Flow) -> tuple[Floats, NDArray[np.bool_]]:
    """The chances with the default for unknown ones, and which stay unknown."""
    assert flow.chances is not None
    filled = np.where(np.isnan(flow.chances), flow.default, flow.chances)
    missing = np.isnan(filled)
    return filled[~missing], missing


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
