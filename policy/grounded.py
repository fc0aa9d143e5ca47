"""The plan's ground made from the law: settings, conditions and verdicts of one panel."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from features.panel import Panel
from policy.conditions import Condition, Finding, Leaf
from policy.footing import Footing
from policy.ground import Gaps, Ground
from policy.law import Law
from policy.logic import Status
from policy.parsing import Reader
from policy.plan import Plan
from policy.presence import looking_back
from policy.problems import Problems
from policy.rules import Criterion
from policy.settings import Settings
from policy.values import Values
from policy.verdict import Judge, Verdict

__all__ = ["footing", "grounded", "settings_of"]

ValuesAt = Callable[[Panel, int], Values]
VerdictOf = Callable[[str], Verdict | None]


def settings_of(law: Law) -> Settings:
    """What the city has decided; dates come back as dates."""
    found: dict[str, object] = {}
    for name, parameter in law.parameters.items():
        value = parameter.value
        dated = parameter.unit == "date" and isinstance(value, str)
        found[name] = date.fromisoformat(str(value)) if dated else value
    return Settings(found, frozenset(law.city.reviews), law.city.budgets)


def grounded(law: Law, panel: Panel, values: Values, verdict: VerdictOf) -> Ground:
    """A ground over a panel's values; ``verdict`` judges a tier, None where no edition does."""
    judge = Judge(values)
    read: dict[str, Condition] = {}

    def holds(raw: Mapping[str, Any]) -> Status:
        key = json.dumps(raw, sort_keys=True, ensure_ascii=False)
        if key not in read:
            problems = Problems("plan")
            reader = Reader(law.metrics, frozenset(law.parameters), problems)
            read[key] = reader.condition(raw, key)
            problems.refuse("A condition of the plan")
        return judge.holds(read[key])

    def gaps(tier: str) -> Gaps | None:
        found = verdict(tier)
        if found is None:
            return None
        criteria = found.edition.criteria
        names, tags = tuple(c.id for c in criteria), tuple(_tags(c) for c in criteria)
        return Gaps(found.criteria, names, tags)

    def status(tier: str) -> Status | None:
        found = verdict(tier)
        return None if found is None else found.status

    return Ground(panel, settings_of(law), holds, values.number, gaps, status)


def _tags(criterion: Criterion) -> frozenset[str]:
    """What a measure may name to say that it helps: metrics, findings, the criterion itself."""
    nodes = list(criterion.conditions())
    metrics = {node.metric for node in nodes if isinstance(node, Leaf)}
    findings = {node.id for node in nodes if isinstance(node, Finding)}
    return frozenset(metrics | findings | {criterion.id})


def footing(law: Law, plan: Plan, ground: Ground, year: int, values_at: ValuesAt) -> Footing:
    """A plan on a ground whose accounts are of ``year``; ``values_at`` reads an earlier panel.

    Earlier days have no verdicts: they are asked for values only.
    """
    made: dict[date, Ground] = {}

    def earlier(day: date) -> Ground:
        if day not in made:
            panel = looking_back(ground.panel, day)
            values = values_at(panel, min(day.year, year))
            made[day] = grounded(law, panel, values, lambda _: None)
        return made[day]

    return Footing(plan, ground, year, earlier, law.city.tasks)
