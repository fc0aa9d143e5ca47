"""Two editions side by side: which clauses differ, and which firms they judge differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any as Anything

import numpy as np
from numpy.typing import NDArray

from policy.conditions import Condition, Leaf, ScoreTest, walk
from policy.logic import NAMES
from policy.plan.simulation import counted, passing
from policy.rules import Criterion, Edition
from policy.verdict import Verdict

__all__ = ["clauses", "firms"]


def _tests(criterion: Criterion) -> list[str]:
    return sorted(_test(node) for node in walk(criterion.test))


def _test(node: Condition) -> str:
    if isinstance(node, Leaf):
        bound = node.bound.param or node.bound.number
        return f"{node.metric} {node.op} {list(node.codes) if node.op == 'one_of' else bound}"
    if isinstance(node, ScoreTest):
        return f"score {node.group} at_least {node.bound.param or node.bound.number}"
    return type(node).__name__.lower()


def clauses(a: Edition, b: Edition) -> list[dict[str, Anything]]:
    """Return every criterion that only one has, or whose test differs, with both clauses."""
    rows: list[dict[str, Anything]] = []
    for name in dict.fromkeys([c.id for c in a.criteria] + [c.id for c in b.criteria]):
        one, two = a.criterion(name), b.criterion(name)
        known = one or two
        assert known is not None
        change = "added" if one is None else "removed" if two is None else "changed"
        if one is not None and two is not None and _same(one, two):
            continue
        rows.append(
            {
                "criterion": name,
                "change": change,
                "zh": known.zh,
                "en": known.en,
                "a": None if one is None else {"clause": one.clause, "test": _tests(one)},
                "b": None if two is None else {"clause": two.clause, "test": _tests(two)},
            }
        )
    return rows


def _same(one: Criterion, two: Criterion) -> bool:
    rules = [(_tests(c), c.exempt, c.applies, c.purposes) for c in (one, two)]
    return rules[0] == rules[1]


def firms(
    a: Verdict,
    b: Verdict,
    firm_ids: NDArray[np.object_],
    by: Mapping[str, NDArray[np.object_]],
) -> dict[str, Anything]:
    """Return counts by status before and after, who passes only one of the two, and by groups.

    From a to b: who passes only b enters, who passes only a leaves.
    """
    passes = [passing(verdict) for verdict in (a, b)]
    leaves, enters = passes[0] & ~passes[1], passes[1] & ~passes[0]
    table = {
        f"{NAMES[x]}→{NAMES[y]}": int(((a.status == x) & (b.status == y)).sum())
        for x in range(len(NAMES))
        for y in range(len(NAMES))
    }
    return {
        "from_to": {key: count for key, count in table.items() if count},
        "only_a": [str(i) for i in firm_ids[leaves]],
        "only_b": [str(i) for i in firm_ids[enters]],
        "by": counted(enters, leaves, by).iloc[1:].to_dict("records"),
    }
