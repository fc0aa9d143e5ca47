"""What if the city set its rules otherwise: who enters and who leaves, by district, size, industry.

A scenario changes parameters, thresholds of the city's own editions, or the edition itself. Metrics
are those of the firms and do not change, so that a scenario costs a verdict and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from policy.conditions import All, Any, Bound, Condition, Leaf, Not, ScoreTest
from policy.law import Law
from policy.logic import MET, MET_PENDING
from policy.rules import Edition, Purpose
from policy.values import Inputs, Values
from policy.verdict import Verdict, judge
from tidu.errors import UsageError

__all__ = ["Effect", "Scenario", "changed", "effects", "passing", "simulate"]

OWN = "city/"
"""Editions whose thresholds the city may set begin so; others are the law of the land."""


@dataclass(frozen=True)
class Scenario:
    """``thresholds`` by ``<criterion>:<metric or group>``; ``edition`` instead of that of today."""

    name: str
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    edition: str = ""


@dataclass(frozen=True)
class Effect:
    """What a scenario does: who passes that did not, and who no longer does."""

    scenario: Scenario
    verdict: Verdict
    enters: NDArray[np.bool_]
    leaves: NDArray[np.bool_]


def passing(verdict: Verdict) -> NDArray[np.bool_]:
    """Firms whose decidable criteria are all met."""
    return np.asarray((verdict.status == MET) | (verdict.status == MET_PENDING))


def simulate(
    law: Law, inputs: Inputs, base: tuple[Edition, Purpose], scenarios: Sequence[Scenario]
) -> list[Effect]:
    """Judge all firms under each scenario and compare with the edition and parameters of today."""
    edition, purpose = base
    values = Values(law, inputs)
    before = passing(judge(edition, values, purpose))
    found = []
    for scenario in scenarios:
        rule = law.edition(scenario.edition) if scenario.edition else edition
        rule = changed(rule, scenario.thresholds)
        verdict = judge(rule, values.under(law.having(scenario.parameters)), purpose)
        after = passing(verdict)
        found.append(Effect(scenario, verdict, after & ~before, before & ~after))
    return found


def changed(edition: Edition, thresholds: Mapping[str, float]) -> Edition:
    """The edition with other thresholds; only an edition of the city may be changed."""
    if not thresholds:
        return edition
    if not edition.id.startswith(OWN):
        raise UsageError(
            f"Only an edition of the city may be changed, found {edition.id}.",
            "Compare it with another edition instead.",
        )
    used: set[str] = set()
    criteria = tuple(
        replace(c, test=_changed(c.test, c.id, thresholds, used)) for c in edition.criteria
    )
    if unknown := sorted(set(thresholds) - used):
        raise UsageError(
            f"A threshold must be one of {edition.id}, found {unknown}.",
            "Write <criterion>:<metric>, as niche_years:niche_years.",
        )
    return replace(edition, criteria=criteria)


def _changed(
    node: Condition, criterion: str, thresholds: Mapping[str, float], used: set[str]
) -> Condition:
    if isinstance(node, Leaf | ScoreTest):
        key = f"{criterion}:{node.metric if isinstance(node, Leaf) else node.group}"
        if key not in thresholds:
            return node
        used.add(key)
        return replace(node, bound=Bound(thresholds[key]))
    if isinstance(node, All | Any):
        parts = tuple(_changed(part, criterion, thresholds, used) for part in node.parts)
        return replace(node, parts=parts)
    if isinstance(node, Not):
        return replace(node, part=_changed(node.part, criterion, thresholds, used))
    return node


def effects(effect: Effect, by: Mapping[str, NDArray[np.object_]]) -> pd.DataFrame:
    """Count who enters and leaves, in all and by each grouping (district, size, industry)."""
    rows = [_row("", "", effect.enters, effect.leaves)]
    for name, labels in by.items():
        shown = pd.Series(labels, dtype="object").fillna("").to_numpy(dtype=object)
        for label in sorted(set(shown)):
            inside = shown == label
            rows.append(_row(name, label, effect.enters & inside, effect.leaves & inside))
    return pd.DataFrame(rows)


def _row(
    by: str, label: str, enters: NDArray[np.bool_], leaves: NDArray[np.bool_]
) -> dict[str, object]:
    return {
        "by": by,
        "label": label,
        "enters": int(enters.sum()),
        "leaves": int(leaves.sum()),
        "net": int(enters.sum()) - int(leaves.sum()),
    }
