"""One firm at one batch ahead: what must come to hold, the best change, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from policy.calendar import Moment
from policy.law import Law
from policy.logic import MET, MET_PENDING, NOT_APPLICABLE, UNMET
from policy.path.changes import Changes
from policy.path.check import faults
from policy.path.conditions import Reading
from policy.path.outlook import Outlook, look_out
from policy.path.program import find
from policy.path.search import program_of, search
from policy.path.size import size_of
from policy.path.timing import Ahead
from policy.path.tree import NO, Every, Node, simplified
from policy.rules import Criterion, Purpose
from policy.values import Inputs, Values
from policy.verdict import Verdict, judge

__all__ = ["Attempt", "passes"]

Floats = NDArray[np.float64]

MOST_TIES = 3
LIFETIME = 100
"""Years of change that count as unlimited: what is out of reach even then is blocked."""


def passes(verdict: Verdict) -> bool:
    """Whether every criterion that can be decided is met."""
    return int(verdict.status[0]) in (MET, MET_PENDING)


@dataclass(frozen=True)
class Attempt:
    """``inputs`` are one firm's at the batch if nothing is changed; ``start`` is today."""

    law: Law
    changes: Changes
    ahead: Ahead
    purpose: Purpose
    inputs: Inputs
    start: date

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict of the batch if nothing is changed."""
        return self.judged(self.inputs)

    def judged(self, inputs: Inputs) -> Verdict:
        return judge(self.ahead.edition, Values(self.law, inputs), self.purpose)

    @cached_property
    def columns(self) -> dict[str, float]:
        return {name: float(values[0]) for name, values in self.inputs.columns.items()}

    @cached_property
    def outlook(self) -> Outlook:
        return self._look_out(self.changes)

    def _look_out(self, changes: Changes) -> Outlook:
        metrics = (self.law.metrics[name] for name in self.ahead.edition.metrics)
        read = frozenset(n.partition("[")[0] for metric in metrics for n in metric.inputs)
        return look_out(self.columns, changes, self.ahead.years, self.start, read)

    def best(self) -> list[Floats]:
        """Return the best change and its ties, each checked by the verdict; empty if none is."""
        outlook = self.outlook
        condition = Every((*self._asked(outlook).values(), outlook.keeps(self.changes)))
        return search(outlook, program_of(outlook, condition), self.holds, MOST_TIES)

    def _asked(self, outlook: Outlook) -> dict[int, Node]:
        """What must hold of each criterion: that it may be met; that it stays met if it is."""
        moment = Moment(self.inputs.day, self.inputs.data_year)
        findings = {name: int(status[0]) for name, status in self.inputs.findings.items()}
        reading = Reading(self.law, self.ahead.edition, outlook, moment, findings)
        asked = {
            i: reading.criterion(criterion, sure=self.verdict.criteria[0, i] == MET)
            for i, criterion in enumerate(self.ahead.edition.criteria)
            if self.purpose in criterion.purposes
        }
        self.unmoved.update(reading.fixed)
        return asked

    @cached_property
    def unmoved(self) -> set[str]:
        """Metrics that the search took as they are, for want of an exact condition."""
        return set()

    def after(self, point: Floats) -> dict[str, float]:
        """All inputs after a change, the size class with them."""
        columns = self.outlook.changed(point)
        return columns | size_of(self.law, columns)

    def changed(self, point: Floats) -> Inputs:
        columns = {name: np.array([value]) for name, value in self.after(point).items()}
        return self.inputs.replaced(columns)

    def holds(self, point: Floats) -> bool:
        """Judge the changed firm anew, and check the change by itself."""
        verdict, before = self.judged(self.changed(point)), self.verdict.criteria[0]
        kept = (before != MET) | np.isin(verdict.criteria[0], (MET, NOT_APPLICABLE))
        return (
            passes(verdict)
            and bool(kept.all())
            and not faults(
                self.changes, self.columns, self.after(point), self.ahead.years, self.start
            )
        )

    # ------------------------------------------------------------------------- why there is none

    def shortfall(self) -> tuple[list[Criterion], list[Criterion]]:
        """Return the criteria no change in time reaches, and those no change of the firm reaches.

        Where each alone could be reached but not all together, all that are unmet are named.
        """
        criteria = self.ahead.edition.criteria
        unmet = [i for i in range(len(criteria)) if self.verdict.criteria[0, i] == UNMET]
        wide = self._unlimited()
        asked, dreamt = self._asked(self.outlook), self._asked(wide)
        keeps, box = self.outlook.keeps(self.changes), program_of(wide, NO).box
        blocked = [i for i in unmet if simplified(dreamt[i], box) == NO]
        alone = (Every((asked[i], keeps)) for i in unmet)
        short = [
            i
            for i, condition in zip(unmet, alone, strict=True)
            if i not in blocked and find(program_of(self.outlook, condition)) is None
        ]
        if not short and not blocked:
            short = unmet
        return [criteria[i] for i in short], [criteria[i] for i in blocked]

    def _unlimited(self) -> Outlook:
        """The same firm with no lead times and a lifetime of change."""
        fields = tuple(replace(field, lead_months=0) for field in self.changes.fields)
        free = replace(self.changes, fields=fields)
        outlook = self._look_out(free)
        freed = (
            replace(choice, high=float(np.floor(min(LIFETIME * choice.unit, choice.room))))
            for choice in outlook.choices
        )
        return replace(outlook, choices=tuple(freed))
