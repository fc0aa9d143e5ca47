"""Verdicts: every criterion of an edition, for all firms at once.

A tier is met if every criterion is met or does not apply, unmet if one is unmet, ``met_pending``
(可判定条件均符合,待核实) if nothing is unmet, something is met and the rest is unknown or manual;
with nothing decided at all it is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policy.conditions import All, Any, Condition, Finding, Leaf, Not, ScoreTest
from policy.logic import (
    MANUAL,
    MET,
    MET_PENDING,
    NOT_APPLICABLE,
    UNKNOWN,
    UNMET,
    Status,
    every,
    negated,
    some,
    statuses,
)
from policy.rules import Criterion, Edition, Purpose
from policy.scores import Range, ranges, tested
from policy.values import Values

__all__ = ["Judge", "Verdict", "holds", "judge"]


@dataclass(frozen=True)
class Verdict:
    """``status`` per firm; ``criteria`` (firms, criteria) as the edition orders them."""

    edition: Edition
    purpose: Purpose
    status: Status
    criteria: NDArray[np.int8]
    scores: dict[str, Range]


class Judge:
    """Judges conditions for one edition's values; scores are worked out once."""

    def __init__(self, values: Values, edition: Edition | None = None) -> None:
        self.values = values
        self.edition = edition
        self._made: dict[Condition, Status] = {}
        self._scores: dict[str, Range] | None = None

    @property
    def scores(self) -> dict[str, Range]:
        if self._scores is None:
            score = self.edition.score if self.edition is not None else None
            self._scores = ranges(score, self.values, self.holds) if score is not None else {}
        return self._scores

    def holds(self, condition: Condition) -> Status:
        """Judge a condition for all firms."""
        if condition not in self._made:
            self._made[condition] = self._judged(condition)
        return self._made[condition]

    def _judged(self, condition: Condition) -> Status:
        if isinstance(condition, Leaf):
            return self.values.tested(condition)
        if isinstance(condition, All):
            return every([self.holds(part) for part in condition.parts])
        if isinstance(condition, Any):
            return some([self.holds(part) for part in condition.parts])
        if isinstance(condition, Not):
            return negated(self.holds(condition.part))
        if isinstance(condition, ScoreTest):
            return self._scored(condition)
        return self._found(condition)

    def _scored(self, test: ScoreTest) -> Status:
        bound = self.values.bound(test.bound)
        if np.isnan(bound):
            return statuses(len(self.values), UNKNOWN)
        return tested(self.scores[test.group], bound)

    def _found(self, finding: Finding) -> Status:
        known = self.values.inputs.findings
        own = f"{self.edition.id}:{finding.id}" if self.edition is not None else ""
        for name in (own, finding.id):
            if name in known:
                return known[name]
        return statuses(len(self.values), MANUAL)

    def criterion(self, criterion: Criterion, purpose: Purpose) -> Status:
        """Judge a criterion: its test, unless it does not apply or is not examined."""
        if purpose not in criterion.purposes:
            return statuses(len(self.values), NOT_APPLICABLE)
        found = self.holds(criterion.test)
        if criterion.exempt is not None:
            found = _unless(found, self.holds(criterion.exempt))
        if criterion.applies is not None:
            found = _unless(found, negated(self.holds(criterion.applies)))
        return found

    def verdict(self, purpose: Purpose = "new") -> Verdict:
        """Judge all firms by the edition."""
        edition = self.edition
        assert edition is not None, "a verdict is by an edition"
        columns = [self.criterion(criterion, purpose) for criterion in edition.criteria]
        criteria = np.stack(columns, axis=1)
        foreign = self.values.inputs.columns.get("foreign")
        if foreign is not None:
            criteria[foreign == 1] = NOT_APPLICABLE
        return Verdict(edition, purpose, _tier(criteria), criteria, self.scores)


def _unless(test: Status, exempt: Status) -> Status:
    """A test that an exemption sets aside; an open exemption leaves only a met test decided.

    What is open then is open for the better reason: left to an official, before not on record.
    """
    open_ = (exempt == UNKNOWN) | (exempt == MANUAL)
    kept = np.where(open_ & (test != MET), some([test, exempt]), test)
    return np.where(exempt == MET, NOT_APPLICABLE, kept).astype(np.int8)


def judge(edition: Edition, values: Values, purpose: Purpose = "new") -> Verdict:
    """Judge all firms by an edition."""
    return Judge(values, edition).verdict(purpose)


def _tier(criteria: NDArray[np.int8]) -> Status:
    unmet = (criteria == UNMET).any(axis=1)
    met = (criteria == MET).any(axis=1)
    open_ = ((criteria == UNKNOWN) | (criteria == MANUAL)).any(axis=1)
    nothing = (criteria == NOT_APPLICABLE).all(axis=1)
    pending = np.where(met, MET_PENDING, UNKNOWN)
    status = np.where(unmet, UNMET, np.where(open_, pending, MET))
    return np.where(nothing, NOT_APPLICABLE, status).astype(np.int8)


def holds(condition: Condition, values: Values) -> Status:
    """Judge a condition that belongs to no edition."""
    return Judge(values).holds(condition)
