"""The metrics of all firms in one batch, each computed when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from policy.calendar import Moment
from policy.conditions import Bound, Leaf
from policy.formula import Formula, evaluate, exact
from policy.law import Law
from policy.logic import MET, UNKNOWN, UNMET, Status, statuses

__all__ = ["Inputs", "Values"]

Floats = NDArray[np.float64]

NEAR = 1e-9
"""Closer than this, in parts of the bound, a computed figure is asked for again in decimals."""
SAME = Decimal("1e-40")


@dataclass(frozen=True)
class Inputs:
    """What is known of each firm for a batch: numbers by canonical name, NaN where unknown.

    ``findings`` hold attested findings by criterion address or id, as statuses. ``foreign`` marks
    firms whose accounts are not in CNY: no amount of the law applies to them.
    """

    firm_ids: NDArray[np.object_]
    day: date
    data_year: int
    columns: Mapping[str, Floats]
    findings: Mapping[str, Status] = field(default_factory=dict)

    def take(self, rows: NDArray[np.int64] | list[int]) -> Inputs:
        """The same of some firms."""
        return replace(
            self,
            firm_ids=self.firm_ids[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
            findings={name: finding[rows] for name, finding in self.findings.items()},
        )

    def replaced(self, columns: Mapping[str, Floats]) -> Inputs:
        """The same with some inputs otherwise: what if."""
        return replace(self, columns={**self.columns, **columns})


class Values:
    """Metrics by name as ranges: ``low`` ≤ truth ≤ ``high``, equal for most, NaN for unknown."""

    def __init__(self, law: Law, inputs: Inputs) -> None:
        self.law = law
        self.inputs = inputs
        self._made: dict[Formula, Floats] = {}

    def under(self, law: Law) -> Values:
        """The same figures under other parameters: metrics never read a parameter."""
        other = Values(law, self.inputs)
        other._made = self._made
        return other

    def attested(self, findings: Mapping[str, Status]) -> Values:
        """The same figures with other findings: metrics never read a finding."""
        other = Values(self.law, replace(self.inputs, findings=findings))
        other._made = self._made
        return other

    def __len__(self) -> int:
        return len(self.inputs.firm_ids)

    @cached_property
    def moment(self) -> Moment:
        return Moment(self.inputs.day, self.inputs.data_year)

    @cached_property
    def _unknown(self) -> Floats:
        return np.full(len(self), np.nan)

    def low(self, metric: str) -> Floats:
        return self._of(self.law.metrics[metric].low)

    def high(self, metric: str) -> Floats:
        return self._of(self.law.metrics[metric].high)

    def number(self, metric: str) -> Floats:
        """The value where it is one; NaN where it is unknown or only known as a range."""
        low, high = self.low(metric), self.high(metric)
        return low if low is high else np.where(low == high, low, np.nan)

    def _column(self, name: str) -> Floats:
        return self.inputs.columns.get(name, self._unknown)

    def _of(self, formula: Formula) -> Floats:
        if formula not in self._made:
            made = evaluate(formula, self._column, self.moment)
            self._made[formula] = np.broadcast_to(made, (len(self),))
        return self._made[formula]

    def bound(self, bound: Bound) -> float:
        """The number of a threshold; NaN while the city has not decided a parameter."""
        if not bound.param:
            return float(bound.number or 0.0)
        value = self.law.number(bound.param)
        return np.nan if value is None else value

    def tested(self, leaf: Leaf) -> Status:
        """Judge a leaf: met where the whole range passes, unmet where none of it does."""
        metric = self.law.metrics[leaf.metric]
        low, high = self._of(metric.low), self._of(metric.high)
        if leaf.op == "one_of":
            hit = np.isin(low, leaf.codes)
            known = ~np.isnan(low)
            return np.where(known, np.where(hit, MET, UNMET), UNKNOWN).astype(np.int8)
        bound = self.bound(leaf.bound)
        if np.isnan(bound):
            return statuses(len(self), UNKNOWN)
        return self.compared((metric.low, low), (metric.high, high), leaf.op, bound)

    def compared(
        self, low: tuple[Formula, Floats], high: tuple[Formula, Floats], op: str, bound: float
    ) -> Status:
        """Judge a range against a number, exactly at the bound."""
        worst, best = (low, high) if op in ("at_least", "above") else (high, low)
        sure = self._passes(*worst, op, bound)
        possible = sure if worst is best or worst[1] is best[1] else self._passes(*best, op, bound)
        open_ = possible | np.isnan(best[1])
        return np.where(sure, MET, np.where(open_, UNKNOWN, UNMET)).astype(np.int8)

    def _passes(self, formula: Formula, values: Floats, op: str, bound: float) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            passes = _FLOAT[op](values, bound)
            if formula.plain:
                return passes
            near = np.flatnonzero(np.abs(values - bound) <= NEAR * max(1.0, abs(bound)))
        if len(near):
            passes = passes.copy()
            passes[near] = [self._passes_exactly(formula, int(row), op, bound) for row in near]
        return passes

    def _passes_exactly(self, formula: Formula, row: int, op: str, bound: float) -> bool:
        def cell(name: str) -> float:
            return float(self._column(name)[row])

        value = exact(formula, cell, self.moment)
        limit = Decimal(repr(bound))
        if value.is_nan():
            return False
        if abs(value - limit) <= SAME * max(Decimal(1), abs(limit)):
            return op in ("at_least", "at_most")
        return value > limit if op in ("at_least", "above") else value < limit


_FLOAT: Mapping[str, Callable[[Floats, float], NDArray[np.bool_]]] = {
    "at_least": lambda values, bound: values >= bound,
    "at_most": lambda values, bound: values <= bound,
    "above": lambda values, bound: values > bound,
    "below": lambda values, bound: values < bound,
}
