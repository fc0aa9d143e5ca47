"""Criteria of an edition as conditions on the changes of one firm.

Every test has two readings: that it is met for sure, and that it may be met (what is unknown or
left to an official counts as if it were). A path asks of every criterion that it may be met, and of
those met without any change that they stay met: what is open stays open, to be proved (待核实).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from policy.calendar import Moment
from policy.conditions import All, Any, Bound, Condition, Finding, Leaf, Not, ScoreTest
from policy.formula import Formula
from policy.law import Law
from policy.logic import MANUAL, MET, UNMET
from policy.path.affine import Affine, Quantity, Unknown, quantity
from policy.path.leaf import Sign, compared
from policy.path.outlook import Outlook
from policy.path.size import SIZES, sized
from policy.path.tree import NO, YES, Every, Linear, Node, Points, Some, Truth, held
from policy.rules import Bands, Best, Criterion, Each, Edition, Indicator, Options, Rule

__all__ = ["Reading"]

Floats = NDArray[np.float64]
Gain = tuple[float, Node]

_SIGNS: Mapping[str, Sign] = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<"}


class Reading:
    """Reads conditions for one firm at one batch; ``fixed`` names metrics it could not let move.

    ``findings`` are attested findings by address or id, as statuses.
    """

    def __init__(
        self,
        law: Law,
        edition: Edition,
        outlook: Outlook,
        moment: Moment,
        findings: Mapping[str, int],
    ) -> None:
        self.law = law
        self.edition = edition
        self.outlook = outlook
        self.moment = moment
        self.findings = findings
        self.fixed: set[str] = set()
        self._box = np.concatenate(
            [
                [choice.high for choice in outlook.choices],
                [math.floor(outlook.choices[i].high / 2.0 + 1e-9) for i in outlook.halves],
            ]
        )
        self._quantities: dict[Formula, Quantity] = {}
        self._cell = cache(outlook.cell)

    def criterion(self, criterion: Criterion, sure: bool) -> Node:
        """Return the condition that a criterion is met, or set aside."""
        ways = [self.condition(criterion.test, sure)]
        if criterion.exempt is not None:
            ways.append(self.condition(criterion.exempt, sure))
        if criterion.applies is not None:
            ways.append(_opposite(self.condition(criterion.applies, not sure)))
        return ways[0] if len(ways) == 1 else Some(tuple(ways))

    def condition(self, condition: Condition, sure: bool) -> Node:
        """Return the condition that a test is met for sure, or may be met."""
        if isinstance(condition, Leaf):
            return self._leaf(condition, sure)
        if isinstance(condition, All):
            return Every(tuple(self.condition(part, sure) for part in condition.parts))
        if isinstance(condition, Any):
            return Some(tuple(self.condition(part, sure) for part in condition.parts))
        if isinstance(condition, Not):
            return _opposite(self.condition(condition.part, not sure))
        if isinstance(condition, ScoreTest):
            return self._score(condition, sure)
        return self._finding(condition, sure)

    def _finding(self, finding: Finding, sure: bool) -> Node:
        own = f"{self.edition.id}:{finding.id}"
        status = self.findings.get(own, self.findings.get(finding.id, MANUAL))
        return Truth(status == MET if sure else status != UNMET)

    def _bound(self, bound: Bound) -> float:
        if not bound.param:
            return float(bound.number or 0.0)
        value = self.law.number(bound.param)
        return math.nan if value is None else value

    def _quantity(self, formula: Formula) -> Quantity:
        if formula not in self._quantities:
            size = self.outlook.size
            self._quantities[formula] = quantity(formula, self._cell, self.moment, size)
        return self._quantities[formula]

    def _leaf(self, leaf: Leaf, sure: bool) -> Node:
        if leaf.op != "one_of":
            return self._passes(leaf.metric, leaf.op, self._bound(leaf.bound), sure)
        formula = self.law.metrics[leaf.metric].low
        part = self._quantity(formula)
        if isinstance(part, Unknown):
            return Truth(not sure)
        codes = (
            Every(
                (
                    self._tested(part, leaf.metric, ">=", code),
                    self._tested(part, leaf.metric, "<=", code),
                )
            )
            for code in leaf.codes
        )
        return Some(tuple(codes))

    def _passes(self, name: str, op: str, bound: float, sure: bool) -> Node:
        """A metric against a bound: for sure with its worse end, perhaps with its better one."""
        metric = self.law.metrics[name]
        if math.isnan(bound):
            return Truth(not sure)
        worse_is_low = op in ("at_least", "above")
        formula = metric.low if worse_is_low == sure else metric.high
        if formula.plain and formula.name in SIZES:
            size = sized(self.law, self._cell, formula.name == SIZES[0])
            if size is not None:
                return size.compared(_SIGNS[op], bound)
        part = self._quantity(formula)
        return (
            Truth(not sure)
            if isinstance(part, Unknown)
            else self._tested(part, name, _SIGNS[op], bound)
        )

    def _tested(self, part: Quantity, metric: str, sign: Sign, bound: float) -> Node:
        node = compared(part, sign, bound, self._box)
        if node is None:
            # No exact condition is known: nothing is promised of it beyond what holds unchanged.
            self.fixed.add(metric)
            still = compared(part, sign, bound, np.zeros_like(self._box))
            return Truth(still is not None and held(still, np.zeros_like(self._box)))
        return node

    # ------------------------------------------------------------------------- scores

    def _score(self, test: ScoreTest, sure: bool) -> Node:
        bound, score = self._bound(test.bound), self.edition.score
        if math.isnan(bound) or score is None:
            return Truth(not sure)
        goal, slope = bound, np.zeros(self.outlook.size)
        lines: list[tuple[Gain, ...]] = []
        for group in score.groups:
            if test.group not in (group.id, "total"):
                continue
            for line in group.indicators:
                start, options = self._indicator(line, sure)
                goal -= start.level
                slope = slope + start.slope
                lines.append(options)
        return Points(goal, tuple(lines), slope if slope.any() else None)

    def _indicator(self, line: Indicator, sure: bool) -> tuple[Affine, tuple[Gain, ...]]:
        """What an indicator brings in any case, and the options beyond that."""
        nothing = Affine(0.0, np.zeros(self.outlook.size))
        rule = line.rule
        if isinstance(rule, Bands | Best | Options | Each):
            options = self._options(rule, sure)
            return nothing, tuple((min(gain, line.most), node) for gain, node in options)
        part = self._quantity(self.law.metrics[rule.metric].low)
        if isinstance(part, Affine):
            return part, ()
        return Affine(0.0 if sure else line.most, nothing.slope), ()

    def _options(self, rule: Rule, sure: bool) -> Sequence[Gain]:
        if isinstance(rule, Bands):
            return [
                (points, self._passes(rule.metric, rule.op, self._bound(bound), sure))
                for bound, points in rule.steps
            ]
        if isinstance(rule, Best):
            return [option for bands in rule.of for option in self._options(bands, sure)]
        if isinstance(rule, Options):
            chosen = [(o.points, self.condition(o.when, sure)) for o in rule.options]
            return [(rule.otherwise, YES), *chosen]
        assert isinstance(rule, Each)
        parts = tuple(((1.0, self.condition(part, sure)),) for part in rule.of)
        return [(rule.points * n, Points(float(n), parts)) for n in range(1, len(parts) + 1)]


def _opposite(node: Node) -> Node:
    """The condition that a tree does not hold."""
    if isinstance(node, Truth):
        return Truth(not node.value)
    if isinstance(node, Linear):
        return Linear(-node.slope, -node.level, not node.strict)
    if isinstance(node, Every):
        return Some(tuple(_opposite(part) for part in node.parts))
    if isinstance(node, Some):
        return Every(tuple(_opposite(part) for part in node.parts))
    # No edition asks that a score be missed; a tree that never holds promises nothing.
    return NO
