"""What if the city set its rules otherwise: who enters and who leaves, by district, size, industry.

A scenario changes parameters, thresholds of the city's own editions, quotas of batches, or the
edition itself. Metrics are those of the firms and do not change, so that a scenario costs a verdict
and no more. What that means for money and goals is :mod:`policy.plan.scenario_outcome`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from policy.conditions import All, Any, Bound, Condition, Leaf, Not, ScoreTest
from policy.law import Law
from policy.logic import MET, MET_PENDING
from policy.plan.scenario import OWN, Scenario
from policy.rules import Edition, Purpose
from policy.values import Values
from policy.verdict import Verdict, judge
from tidu.errors import NotAvailable, UsageError

__all__ = [
    "Effect",
    "Scenario",
    "Side",
    "Today",
    "changed",
    "counted",
    "effects",
    "passing",
    "simulate",
]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Today:
    """A tier as it is judged today.

    ``may`` marks firms that can still rise to it (None: all); only they take places of a
    ``quota`` (None: no limit). ``order`` ranks them where the edition has no score (higher first,
    NaN last).
    """

    edition: Edition
    values: Values
    purpose: Purpose = "new"
    may: Mask | None = None
    quota: int | None = None
    order: Floats | None = None

    @cached_property
    def side(self) -> Side:
        """Who passes today; judged once for all scenarios."""
        return _side(judge(self.edition, self.values, self.purpose), self, self.quota)


@dataclass(frozen=True)
class Side:
    """One side of the comparison: who passes, and of those who is within the quota.

    ``tied`` firms stand behind the last place with the score of the last place: which of them
    comes in is not decided by the score, and the firm id decides.
    """

    verdict: Verdict
    quota: int | None
    passes: Mask
    admitted: Mask
    tied: int = 0


@dataclass(frozen=True)
class Effect:
    """What a scenario does to a tier: who is admitted that was not, and who no longer is."""

    scenario: Scenario
    before: Side
    after: Side

    @property
    def tier(self) -> str:
        return self.before.verdict.edition.tier

    @property
    def verdict(self) -> Verdict:
        """The verdict under the scenario."""
        return self.after.verdict

    @property
    def enters(self) -> Mask:
        return np.asarray(self.after.admitted & ~self.before.admitted)

    @property
    def leaves(self) -> Mask:
        return np.asarray(self.before.admitted & ~self.after.admitted)


def passing(verdict: Verdict) -> Mask:
    """Firms whose decidable criteria are all met."""
    return np.asarray((verdict.status == MET) | (verdict.status == MET_PENDING))


def simulate(law: Law, today: Today, scenarios: Sequence[Scenario]) -> list[Effect]:
    """Judge all firms under each scenario and compare with what holds today."""
    values, tier = today.values, today.edition.tier
    found = []
    for scenario in scenarios:
        edition = law.edition(scenario.editions.get(tier, today.edition.id))
        edition = changed(edition, scenario.thresholds.get(tier, {}))
        under = values.under(law.having(scenario.parameters))
        quota = scenario.quotas.get(tier, today.quota)
        after = _side(judge(edition, under, today.purpose), today, quota)
        found.append(Effect(scenario, today.side, after))
    return found


def _side(verdict: Verdict, today: Today, quota: int | None) -> Side:
    passes = passing(verdict)
    rivals = np.flatnonzero(passes if today.may is None else passes & today.may)
    if quota is None or len(rivals) <= quota:
        return Side(verdict, quota, passes, passes)
    key = _ranked_by(verdict, today)[rivals]
    key = np.where(np.isnan(key), -np.inf, key)
    ids = today.values.inputs.firm_ids[rivals].astype(str)
    order = np.lexsort((ids, -key))
    out = order[quota:]
    admitted = passes.copy()
    admitted[rivals[out]] = False
    tied = int((key[out] == key[order[quota - 1]]).sum()) if quota else 0
    return Side(verdict, quota, passes, admitted, tied)


def _ranked_by(verdict: Verdict, today: Today) -> Floats:
    """By what firms stand in line: the points they surely have, else the order that is given."""
    if "total" in verdict.scores:
        return verdict.scores["total"].low
    if today.order is None:
        raise NotAvailable(
            f"A quota of {verdict.edition.tier} needs an order of the firms that pass, found"
            f" neither a score in {verdict.edition.id} nor a model in use.",
            "Train and use a model of its promotion, or leave the quota out.",
        )
    return today.order


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
        if key not in thresholds or (isinstance(node, Leaf) and node.op == "one_of"):
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
    return counted(effect.enters, effect.leaves, by)


def counted(enters: Mask, leaves: Mask, by: Mapping[str, NDArray[np.object_]]) -> pd.DataFrame:
    """Columns by, label ("" not on record), enters, leaves, net; the first line is all firms."""
    rows = [_row("", "", int(enters.sum()), int(leaves.sum()))]
    moved = np.flatnonzero(enters | leaves)
    for name, labels in by.items():
        shown = pd.Series(labels[moved], dtype="object").fillna("").to_numpy(dtype=object)
        for label in sorted(set(shown)):
            inside = moved[shown == label]
            rows.append(_row(name, label, int(enters[inside].sum()), int(leaves[inside].sum())))
    return pd.DataFrame(rows)


def _row(by: str, label: str, enters: int, leaves: int) -> dict[str, object]:
    return {"by": by, "label": label, "enters": enters, "leaves": leaves, "net": enters - leaves}
