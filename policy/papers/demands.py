"""Which papers each firm is asked for: what its own way of meeting a criterion needs, no more.

A paper is required where every way that is still open to the firm needs it, optional where only
some do. A way is open unless it is unmet for sure; where one is met, the others do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from policy.conditions import Any, Condition, Leaf, ScoreTest, walk
from policy.logic import MET, NOT_APPLICABLE, UNMET
from policy.papers.catalogue import Paper
from policy.papers.materials import OPTIONAL, REQUIRED
from policy.papers.needs import Mention, indicators, scored_by
from policy.rules import Criterion, Edition, Indicator, Purpose
from policy.scores import indicator
from policy.verdict import Judge

__all__ = ["demanded"]

Demand = NDArray[np.int8]


def demanded(
    judged: Judge, edition: Edition, purpose: Purpose, paper: Paper, found: Sequence[Mention]
) -> Demand:
    """How far each firm is asked for a paper at the given places that name it."""
    whole = np.zeros(len(judged.values), dtype=np.int8)
    for number in dict.fromkeys(mention.place.criterion for mention in found):
        own = [mention for mention in found if mention.place.criterion == number]
        criterion = edition.criteria[number]
        whole = np.maximum(whole, _Ways(judged, edition, paper, own).criterion(criterion, purpose))
    foreign = judged.values.inputs.columns.get("foreign")
    return whole if foreign is None else np.where(foreign == 1, 0, whole).astype(np.int8)


class _Ways:
    """The ways through one criterion, and which of them the places lie on."""

    def __init__(
        self, judged: Judge, edition: Edition, paper: Paper, found: Sequence[Mention]
    ) -> None:
        self.judged = judged
        self.edition = edition
        self.paper = paper
        self.nodes = [mention.node for mention in found if mention.node is not None]
        self.lines = [mention.line for mention in found if mention.line is not None]
        self.whole = any(mention.node is None and mention.line is None for mention in found)

    def criterion(self, criterion: Criterion, purpose: Purpose) -> Demand:
        status = self.judged.criterion(criterion, purpose)
        roots = [r for r in (criterion.test, criterion.exempt) if r is not None]
        if not any(self._lies(node) for root in roots for node in walk(root)):
            needed = self._full()  # it bears out the criterion as a whole
        elif criterion.exempt is None:
            needed = self._needed(criterion.test)
        else:
            needed = self._exempted(criterion.test, criterion.exempt)
            status = np.where(self.judged.holds(criterion.exempt) == MET, MET, status)
        if criterion.applies is not None:
            status = np.where(self.judged.holds(criterion.applies) == UNMET, NOT_APPLICABLE, status)
        return np.where(status == NOT_APPLICABLE, 0, needed).astype(np.int8)

    def _exempted(self, test: Condition, exempt: Condition) -> Demand:
        """An exemption that holds is proved instead of the test; one that may hold can be."""
        own, other = self._needed(test), self._needed(exempt)
        free, held = self.judged.holds(exempt), self.judged.holds(test)
        either = np.maximum(own, np.minimum(other, OPTIONAL))
        open_ = np.where((free == UNMET) | (free == NOT_APPLICABLE) | (held == MET), own, either)
        return np.where(free == MET, other, open_).astype(np.int8)

    def _lies(self, node: Condition) -> bool:
        """Whether one of the places lies on this very node."""
        if node in self.nodes:
            return True
        if isinstance(node, ScoreTest):
            return any(map(self._counts, indicators(self.edition, node.group)))
        return self.whole and isinstance(node, Leaf) and self._borne([node.metric])

    def _counts(self, line: Indicator) -> bool:
        return line in self.lines or (self.whole and self._borne(scored_by(line.rule)))

    def _borne(self, metrics: Iterable[str]) -> bool:
        law = self.judged.values.law
        return any(self.paper.bears_out(name) for m in metrics for name in law.metrics[m].inputs)

    def _needed(self, node: Condition) -> Demand:
        if isinstance(node, ScoreTest) and node not in self.nodes:
            lines = filter(self._counts, indicators(self.edition, node.group))
            return self._most([self._points(line) for line in lines])
        if self._lies(node):
            return self._full()
        if isinstance(node, Any):
            return self._either(node.parts)
        return self._most([self._needed(part) for part in node.parts])

    def _either(self, parts: Sequence[Condition]) -> Demand:
        status = np.stack([self.judged.holds(part) for part in parts])
        open_ = np.where((status == MET).any(axis=0), status == MET, status != UNMET)
        open_ |= ~open_.any(axis=0)  # all unmet: each of them is still a way
        wanted = np.stack([self._needed(part) for part in parts])
        everywhere = ((wanted == REQUIRED) | ~open_).all(axis=0)
        somewhere = ((wanted > 0) & open_).any(axis=0)
        found = np.where(everywhere, REQUIRED, np.where(somewhere, OPTIONAL, 0))
        return found.astype(np.int8)

    def _points(self, line: Indicator) -> Demand:
        """An indicator that brings no points for sure needs no proof."""
        high = indicator(line, self.judged.values, self.judged.holds).high
        return np.where(high > 0, REQUIRED, 0).astype(np.int8)

    def _most(self, parts: Sequence[Demand]) -> Demand:
        return np.asarray(np.maximum.reduce([self._none(), *parts]))

    def _full(self) -> Demand:
        return np.full(len(self.judged.values), REQUIRED, dtype=np.int8)

    def _none(self) -> Demand:
        return np.zeros(len(self.judged.values), dtype=np.int8)
