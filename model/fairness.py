"""Fairness at a fixed length: whom a list of K takes, by group, and what the evidence can say.

Three questions per group, each a count against what parity would give:

- ``selection``: firms on the list, against the share of the list that the group's size would give;
- ``recall``: promoted firms that the list held, against the list's recall over all firms;
- ``outcome``: promotions, against the sum of chances of a model that does not know the group.

Lists of several dates are strata: nothing is compared across years. Within a stratum the list's
length is fixed, so the count of a group is hypergeometric (Mantel and Haenszel 1959); outcomes are
independent given their chances. Ratios are to the other groups together (1.5: half as often again
as the others) with score intervals (95 %); tests are two-sided, corrected over the groups of a
dimension after Holm (1979). Where a ratio that matters would not have been
found, the state is ``insufficient`` and says which ratio would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from features.expr import Array
from tidu.errors import UsageError

__all__ = [
    "MATTERS",
    "Compared",
    "Listing",
    "State",
    "compared",
    "detectable",
    "outcome",
    "recall",
    "selection",
    "wilson",
]

State = Literal["disparity", "none_found", "insufficient"]

LEVEL = 0.05
POWER = 0.9
MATTERS = 1.25
"""The ratio that must be found before "none found" may be said: the inverse of four fifths
(EEOC Uniform Guidelines 1978, §4 D)."""
WIDEST = 1e3


@dataclass(frozen=True)
class Listing:
    """One list: of each firm its group, whether it was selected, its outcome (1, 0 or NaN) and the
    chance that a model without the group gives it; all of the length of the cohort."""

    group: Array
    selected: Array
    label: Array
    chance: Array

    def __post_init__(self) -> None:
        lengths = {len(self.group), len(self.selected), len(self.label), len(self.chance)}
        if len(lengths) != 1:
            raise UsageError(
                f"A listing must hold one group, choice, outcome and chance a firm; found lengths"
                f" {sorted(lengths)}."
            )


@dataclass(frozen=True, slots=True)
class Compared:
    """One group in one question: ``count`` of ``n`` against ``expected`` at parity, ``spread`` the
    standard error there. ``rate`` (``count / n``, Wilson interval) and ``ratio`` to the others are
    value, low, high; ``p`` is after Holm; ``detectable`` is found with a power of 0.9."""

    group: str
    n: int
    count: int
    expected: float
    spread: float
    rate: tuple[float, float, float]
    ratio: tuple[float, float, float]
    p: float
    detectable: float
    state: State

    def as_json(self) -> dict[str, object]:
        return {
            "group": self.group,
            "n": self.n,
            "count": self.count,
            "expected": self.expected,
            "rate": _triple(self.rate),
            "ratio": _triple(self.ratio),
            "p": self.p,
            "detectable_ratio": self.detectable if self.detectable < WIDEST else None,
            "state": self.state,
        }


def _triple(values: tuple[float, float, float]) -> dict[str, float | None]:
    names = ("value", "low", "high")
    return {
        name: None if np.isnan(value) or np.isinf(value) else value
        for name, value in zip(names, values, strict=True)
    }


def selection(listings: Sequence[Listing]) -> list[Compared]:
    """Compare who is on the lists with who could be."""
    return compared(_hypergeometric(listings, lambda listing: np.ones(len(listing.group), bool)))


def recall(listings: Sequence[Listing]) -> list[Compared]:
    """Compare, among the promoted firms, whom the lists held."""
    return compared(_hypergeometric(listings, lambda listing: listing.label == 1))


def outcome(listings: Sequence[Listing]) -> list[Compared]:
    """Compare promotions with chances, each year's chances scaled to that year's promotions.

    A group that is granted more than its accounts would bring has a ratio above 1.
    """
    found: dict[str, list[tuple[int, int, float, float]]] = {}
    for listing in listings:
        known = ~np.isnan(listing.label) & ~np.isnan(listing.chance)
        label, chance = listing.label[known], _scaled(listing.chance[known], listing.label[known])
        group, noise = listing.group[known], chance * (1 - chance)
        whole, total = float(noise.sum()), float(chance.sum())
        for name in np.unique(group.astype(str)):
            here = group == name
            # Scaled to the year's total, the sum over all groups is fixed: what the group shares
            # in it is no noise.
            share = float(chance[here].sum()) / total if total else 0.0
            own = float(noise[here].sum())
            variance = own * (1 - share) ** 2 + share**2 * (whole - own)
            found.setdefault(str(name), []).append(
                (int(here.sum()), int(label[here].sum()), float(chance[here].sum()), variance)
            )
    return compared(found)


def _scaled(chance: Array, label: Array) -> Array:
    """The chances moved by one step of log-odds so that they sum to the outcomes."""
    wanted = float(label.sum())
    if not 0 < wanted < len(label):
        return np.full(len(label), wanted / max(len(label), 1))
    odds = np.log(np.clip(chance, 1e-9, 1 - 1e-9)) - np.log1p(-np.clip(chance, 1e-9, 1 - 1e-9))
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        if float((1 / (1 + np.exp(-(odds + middle)))).sum()) < wanted:
            low = middle
        else:
            high = middle
    return np.asarray(1 / (1 + np.exp(-(odds + (low + high) / 2))))


def _hypergeometric(
    listings: Sequence[Listing], among: Callable[[Listing], Array]
) -> dict[str, list[tuple[int, int, float, float]]]:
    """Per group and stratum: firms, chosen ones, their expectation and variance at parity."""
    found: dict[str, list[tuple[int, int, float, float]]] = {}
    for listing in listings:
        inside = among(listing)
        group, chosen = listing.group[inside].astype(str), listing.selected[inside].astype(bool)
        total, taken = len(group), int(chosen.sum())
        for name in np.unique(group):
            here = group == name
            n = int(here.sum())
            share = n / total
            left = (total - taken) / (total - 1) if total > 1 else 0.0
            variance = taken * share * (1 - share) * left
            found.setdefault(str(name), []).append(
                (n, int(chosen[here].sum()), taken * share, variance)
            )
    return found


def compared(strata: dict[str, list[tuple[int, int, float, float]]]) -> list[Compared]:
    """Sum (n, count, expected, variance) over strata per group, test and word what was found."""
    names = sorted(strata)
    sums = {name: np.sum(np.array(strata[name], dtype=float), axis=0) for name in names}
    whole = float(sum(expected for _, _, expected, _ in sums.values()))
    tests = [_p(count - expected, sqrt(variance)) for _, count, expected, variance in sums.values()]
    strictest = LEVEL / max(len(names), 1)
    rows = []
    for name, p in zip(names, _holm(tests), strict=True):
        n, count, expected, variance = (float(v) for v in sums[name])
        spread, share = sqrt(variance), expected / whole if whole else 0.0
        value, low, high = (_to_others(r, share) for r in _ratio(count, expected, spread))
        least = _to_others(detectable(expected, spread, strictest), share)
        rows.append(
            Compared(
                group=name,
                n=int(n),
                count=int(count),
                expected=expected,
                spread=spread,
                rate=wilson(int(count), int(n)),
                ratio=(value, low, high),
                p=p,
                detectable=least,
                state=_state(p, least),
            )
        )
    return rows


def _p(away: float, spread: float) -> float:
    return 2 * float(ndtr(-abs(away) / spread)) if spread > 0 else 1.0


def _to_others(ratio: float, share: float) -> float:
    """Turn observed over expected into the ratio to the others; the group is ``share`` of all."""
    if np.isnan(ratio):
        return ratio
    left = 1 - ratio * share
    return ratio * (1 - share) / left if left > 1e-9 else float("inf")


def _state(p: float, least: float) -> State:
    if p < LEVEL:
        return "disparity"
    return "none_found" if least <= MATTERS else "insufficient"


def _holm(p: Iterable[float]) -> list[float]:
    """Adjusted p-values (Holm 1979)."""
    values = np.array([*p], dtype=float)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(v) for v in adjusted]


def _ratio(count: float, expected: float, spread: float) -> tuple[float, float, float]:
    """Observed over expected with its 95 % score interval: (count − r·E)² = z²·r·spread²."""
    if expected <= 0:
        return float("nan"), 0.0, float("inf")
    z = float(ndtri(1 - LEVEL / 2)) * spread
    a, b, c = expected**2, -(2 * count * expected + z**2), count**2
    root = sqrt(max(b * b - 4 * a * c, 0.0))
    return count / expected, (-b - root) / (2 * a), (-b + root) / (2 * a)


def detectable(expected: float, spread: float, level: float = LEVEL) -> float:
    """The least ratio above 1 that a two-sided test at ``level`` finds with a power of 0.9.

    Infinite evidence gives 1; none gives no ratio at all (:data:`WIDEST`).
    """
    if expected <= 0 or spread <= 0:
        return WIDEST
    critical, power = float(ndtri(1 - level / 2)), float(ndtri(POWER))
    # (r − 1)·E = critical·s + power·s·√r, a quadratic in √r.
    ratio = spread / expected
    b = power * ratio
    root = (b + sqrt(b * b + 4 * (1 + critical * ratio))) / 2
    return min(root * root, WIDEST)


def wilson(count: int, n: int) -> tuple[float, float, float]:
    """A share with its 95 % Wilson (1927) interval; unknown without cases.

    >>> [round(v, 3) for v in wilson(10, 100)]
    [0.1, 0.055, 0.174]
    """
    if n == 0:
        return float("nan"), 0.0, 1.0
    z = float(ndtri(1 - LEVEL / 2))
    rate, more = count / n, z * z / n
    middle = (rate + more / 2) / (1 + more)
    half = z * sqrt(rate * (1 - rate) / n + more / (4 * n)) / (1 + more)
    return rate, max(0.0, middle - half), min(1.0, middle + half)
