"""The plan's ground made from a situation: settings, conditions and verdicts of one panel."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from features.panel import Panel
from policy.conditions import Condition
from policy.formula import MOST_BACK
from policy.inputs import MADE, of_panel
from policy.law import Law
from policy.logic import Status
from policy.metrics import Metrics
from policy.parsing import Reader
from policy.plan.footing import Footing
from policy.plan.ground import Gaps, Ground
from policy.plan.presence import looking_back
from policy.plan.rows import KINDS, Plan, unknown_parameters
from policy.plan.settings import Settings
from policy.plan.tags import tags
from policy.problems import Problems
from policy.situation import Situation
from policy.values import Values
from policy.verdict import Judge, Verdict
from tidu.errors import NotFound

__all__ = [
    "accounts_year",
    "check",
    "footing",
    "grounded",
    "otherwise",
    "settings_of",
    "wanted",
]

OPERATORS = frozenset({"at_least", "at_most", "above", "below", "is", "one_of"})


def settings_of(law: Law) -> Settings:
    """What the city has decided; dates come back as dates."""
    found: dict[str, object] = {}
    for name, parameter in law.parameters.items():
        value = parameter.value
        dated = parameter.unit == "date" and isinstance(value, str)
        found[name] = date.fromisoformat(str(value)) if dated else value
    return Settings(found, frozenset(law.city.reviews), law.city.budgets)


def check(plan: Plan, law: Law) -> None:
    """Refuse a plan whose conditions or parameters the law does not know; all problems at once."""
    problems = Problems("")
    problems.found.extend(unknown_parameters(plan, law.parameters))
    for row in plan.rows:
        reader = Reader(law.metrics, frozenset(law.parameters), problems.at(row.file))
        for key, raw in _conditions(row.details, row.id):
            reader.condition(raw, key)
    problems.refuse(f"The plan {plan.id}")


def _conditions(part: Any, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every condition in a part of a row, with where it stands."""
    if isinstance(part, Mapping):
        test = "metric" in part and not OPERATORS.isdisjoint(part)
        if test or not {"all", "any", "not"}.isdisjoint(part):
            yield key, part
        else:
            for name, inner in part.items():
                yield from _conditions(inner, f"{key}.{name}")
    elif isinstance(part, list):
        for i, inner in enumerate(part):
            yield from _conditions(inner, f"{key}[{i}]")


def wanted(plan: Plan, law: Law, kinds: Collection[str] = KINDS) -> tuple[str, ...]:
    """The inputs that a plan's rows of some kinds read, whether in conditions or by name."""
    texts = {t for row in plan.rows if row.kind in kinds for t in _texts(row.details)}
    found = {name for t in texts if t in law.metrics for name in law.metrics[t].inputs}
    return tuple(sorted(found - MADE))


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        # What a measure closes is compared by name, never read.
        for name, inner in part.items():
            if name != "closes":
                yield from _texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _texts(inner)


def accounts_year(panel: Panel, limit: int, least_pct: float) -> int:
    """The newest fiscal year up to ``limit`` for which enough firms have reported.

    Enough is a share of the firms of the year before; without any accounts it is ``limit``.
    """
    counts = panel.tables["annual"]["year"].value_counts()
    reported = sorted((int(year) for year in counts.index if year <= limit), reverse=True)
    for year in reported:
        if 100.0 * counts[year] >= least_pct * counts.get(year - 1, 0):
            return year
    return limit


def _without_old(panel: Panel, first: int) -> Panel:
    """Leave out accounts that no formula reaches back to: copying them is most of the work."""
    annual = panel.tables["annual"]
    recent = annual[(annual["year"] >= first - 1).to_numpy()].reset_index(drop=True)
    return replace(panel, tables={**panel.tables, "annual": recent})


def grounded(panel: Panel, values: Values, verdict: Callable[[str], Verdict | None]) -> Ground:
    """A ground over a panel's values; ``verdict`` judges a tier, None where no edition does."""
    law, judge = values.law, Judge(values)
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
        names = tuple(c.id for c in criteria)
        return Gaps(found.criteria, names, tuple(tags(c, found.edition) for c in criteria))

    def status(tier: str) -> Status | None:
        found = verdict(tier)
        return None if found is None else found.status

    return Ground(panel, settings_of(law), holds, values.number, gaps, status, values)


def otherwise(ground: Ground, law: Law, panel: Panel | None = None) -> Ground:
    """The ground under other parameters, or with other titles of the same firms.

    Verdicts stay those of today: a simulation judges the tiers that it changes by itself.
    """
    assert ground.values is not None, "a ground of the law has its values"
    fresh = grounded(panel or ground.panel, ground.values.under(law), lambda _: None)
    return replace(fresh, gaps=ground.gaps, status=ground.status)


def footing(situation: Situation, plan: Plan) -> Footing:
    """A plan on a situation; earlier days have no verdicts, they are asked for values only."""
    law, panel = situation.law, situation.panel
    names, settings = wanted(plan, law), settings_of(law)
    least = settings.number({"param": "accounts_least_pct"}) or 0.0
    # What is asked of earlier days is targets (and the pool of one): nothing else is read for them.
    bare = replace(law, editions={}, metrics=Metrics({}))
    few = wanted(plan, law, ("target", "pool"))
    made: dict[date, Ground] = {}

    def verdict(tier: str) -> Verdict | None:
        try:
            return situation.verdict(tier)
        except NotFound:
            return None

    def year_at(day: date) -> int:
        limit = day.year if day < panel.as_of else day.year - 1
        return accounts_year(panel, min(limit, panel.as_of.year - 1), least)

    def earlier(day: date) -> Ground:
        if day not in made:
            back = looking_back(_without_old(panel, day.year - MOST_BACK), day)
            values = Values(law, of_panel(bare, back, year_at(day), "", few))
            made[day] = grounded(back, values, lambda _: None)
        return made[day]

    year = year_at(panel.as_of)
    values = Values(law, of_panel(law, panel, year, "", names))
    ground = grounded(panel, values, verdict)
    return Footing(plan, ground, year, earlier, law.city.tasks, year_at=year_at)
