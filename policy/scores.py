"""Score tables as ranges: what is missing may bring nothing or everything it could.

Low takes every missing indicator at its worst, high at its best; a bound is met if low passes,
unmet if high fails, unknown between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policy.conditions import Condition
from policy.logic import MET, UNMET, Status
from policy.rules import Bands, Best, Each, Indicator, Options, Points, Rule, Score
from policy.values import Values

__all__ = ["Range", "indicator", "ranges", "tested"]

Floats = NDArray[np.float64]
Holds = Callable[[Condition], Status]


@dataclass(frozen=True)
class Range:
    """Points between ``low`` and ``high``, per firm."""

    low: Floats
    high: Floats

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def capped(self, most: float) -> Range:
        return Range(np.minimum(self.low, most), np.minimum(self.high, most))


def ranges(score: Score, values: Values, holds: Holds) -> dict[str, Range]:
    """Return the range of every group and of ``total``."""
    found: dict[str, Range] = {}
    for group in score.groups:
        parts = [indicator(line, values, holds) for line in group.indicators]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole + part
        found[group.id] = whole.capped(group.most)
    total = Range(np.zeros(len(values)), np.zeros(len(values)))
    for part in found.values():
        total = total + part
    return {**found, "total": total}


def indicator(line: Indicator, values: Values, holds: Holds) -> Range:
    """Return the points of one line."""
    return _points(line.rule, line.most, values, holds).capped(line.most)


def tested(scored: Range, bound: float) -> Status:
    """Judge a range of points against a bound."""
    met, unmet = scored.low >= bound, scored.high < bound
    return np.where(met, MET, np.where(unmet, UNMET, 1)).astype(np.int8)


def _points(rule: Rule, most: float, values: Values, holds: Holds) -> Range:
    if isinstance(rule, Bands):
        return _banded(rule, values)
    if isinstance(rule, Best):
        parts = [_banded(bands, values) for bands in rule.of]
        low = np.maximum.reduce([part.low for part in parts])
        return Range(low, np.maximum.reduce([part.high for part in parts]))
    if isinstance(rule, Options):
        return _best_option(rule, values, holds)
    if isinstance(rule, Each):
        statuses = np.array([holds(part) for part in rule.of])
        sure = (statuses == MET).sum(axis=0)
        open_ = ((statuses != MET) & (statuses != UNMET)).sum(axis=0)
        return Range(rule.points * sure, rule.points * (sure + open_))
    assert isinstance(rule, Points)
    given = values.number(rule.metric)
    known = ~np.isnan(given)
    return Range(np.where(known, given, 0.0), np.where(known, given, most))


def _banded(rule: Bands, values: Values) -> Range:
    metric = values.law.metrics[rule.metric]
    pair = (metric.low, values.low(rule.metric)), (metric.high, values.high(rule.metric))
    low, high = np.zeros(len(values)), np.zeros(len(values))
    for bound, points in sorted(rule.steps, key=lambda step: step[1]):
        status = values.compared(*pair, rule.op, values.bound(bound))
        low = np.where(status == MET, points, low)
        high = np.where(status != UNMET, points, high)
    return Range(low, high)


def _best_option(rule: Options, values: Values, holds: Holds) -> Range:
    low = np.full(len(values), rule.otherwise)
    high = low.copy()
    for option in sorted(rule.options, key=lambda option: option.points):
        status = holds(option.when)
        low = np.where(status == MET, np.maximum(low, option.points), low)
        high = np.where(status != UNMET, np.maximum(high, option.points), high)
    return Range(low, high)
