"""Which papers each firm is asked for: what its own way of meeting a criterion needs, no more.

A paper is required where every way that is still open to the firm needs it, optional where only some
do. A way is open unless it is unmet for sure; where one is met already, the others do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from policy.conditions import All, Any, Condition, Leaf, Not, ScoreTest, walk
from policy.logic import MET, NOT_APPLICABLE, UNMET
from policy.materials import OPTIONAL, REQUIRED
from policy.needs import Mention, indicators
from policy.papers import Paper
from policy.rules import Criterion, Edition, Purpose
from policy.scores import indicator
from policy.verdict import Judge

__all__ = ["demanded"]

Demand = NDArray[np.int8]
Match = Callable[[Condition], Demand | None]


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
        """Whether a place lies on this very node."""
        if node in self.nodes:
            return True
        if isinstance(node, ScoreTest):
            lines = indicators(self.edition, node.group)
            return any(line in self.lines or (self.whole and self._scores(line)) for line in lines)
        return self.whole and isinstance(node, Leaf) and self._borne(node.metric)

    def _borne(self, metric: str) -> bool:
        inputs = self.judged.values.law.metrics[metric].inputs
        return any(self.paper.bears_out(name) for name in inputs)
