"""A scenario: what the city might set otherwise, as a table of TOML or JSON, checked as a whole.

Only what the city may set can be changed: parameters, thresholds of its own editions, quotas of
batches, goals and one-off rewards of its plan, and which edition judges a tier. Anything else is
refused, all problems at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from math import isfinite
from typing import Any

from policy.city_file import form_of
from policy.conditions import Leaf, ScoreTest, walk
from policy.law import Law
from policy.plan.rows import Plan
from policy.problems import Problems
from policy.rules import Edition
from tidu.errors import DataError, NotFound

__all__ = ["OWN", "SECTIONS", "Scenario", "adjustable", "parse", "read"]

OWN = "city/"
"""Editions whose thresholds the city may set begin so; others are the law of the land."""

SECTIONS = ("parameters", "thresholds", "editions", "quotas", "goals", "rewards")
"""What a scenario can change; one that changes nothing is refused."""

_TEXTS = ("name", "zh", "en")


@dataclass(frozen=True)
class Scenario:
    """What is set otherwise; an empty table leaves everything as it is.

    ``thresholds`` by tier, then by ``<criterion>:<metric or group of the score>``; ``editions``
    and ``quotas`` (firms a batch) by tier; ``goals`` and ``rewards`` (万元) by row of the plan.
    """

    name: str
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    editions: Mapping[str, str] = field(default_factory=dict)
    quotas: Mapping[str, int] = field(default_factory=dict)
    goals: Mapping[str, float] = field(default_factory=dict)
    rewards: Mapping[str, float] = field(default_factory=dict)
    zh: str = ""
    en: str = ""


def adjustable(edition: Edition) -> tuple[str, ...]:
    """The thresholds of an edition by the names that a scenario gives them; [] if not the city's.

    A metric that a criterion tests more than once moves as one.
    """
    if not edition.id.startswith(OWN):
        return ()
    found: dict[str, None] = {}
    for criterion in edition.criteria:
        for node in walk(criterion.test):
            if isinstance(node, Leaf) and node.op != "one_of":
                found[f"{criterion.id}:{node.metric}"] = None
            elif isinstance(node, ScoreTest):
                found[f"{criterion.id}:{node.group}"] = None
    return tuple(found)


def read(text: str, where: str, law: Law, plan: Plan, day: date) -> Scenario:
    """Read a scenario's file; ``where`` is how its problems name it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(
            f"The scenario {where} must be TOML, found: {error}.",
            cure="Correct it; examples/scenario.toml shows the form.",
        ) from error
    return parse(raw, where, law, plan, day)


def parse(raw: Mapping[str, Any], where: str, law: Law, plan: Plan, day: date) -> Scenario:
    """Check a table against the law, the plan and the editions in force on a day."""
    problems = Problems(where)
    problems.closed(raw, (*_TEXTS, *SECTIONS), where)
    name = problems.text(raw, "name", where)
    tables = {section: problems.table(raw, section) for section in SECTIONS}
    if not any(tables.values()):
        problems.add("", "A scenario must change something, found nothing.", _sections())
    parts = _Parts(problems, law, plan, day)
    parameters = parts.parameters(tables["parameters"])
    editions = parts.editions(tables["editions"])
    scenario = Scenario(
        name,
        parameters,
        parts.thresholds(tables["thresholds"], editions),
        editions,
        parts.quotas(tables["quotas"]),
        parts.numbers(tables["goals"], "goals", _has_goal),
        parts.numbers(tables["rewards"], "rewards", _has_amount),
        *(problems.text(raw, text, where, "") for text in ("zh", "en")),
    )
    if problems.found:
        raise DataError(
            f"The scenario {where} must change only what the city may set, found"
            f" {len(problems.found)} problem(s).",
            problems.found,
            "Correct each at its key; all are listed.",
        )
    return scenario


def _sections() -> str:
    return f"Write one of the tables {', '.join(SECTIONS)}."


def _has_goal(plan: Plan, name: str) -> bool:
    return plan.by_id[name].kind == "target" and "goal" in plan.by_id[name].numbers


def _has_amount(plan: Plan, name: str) -> bool:
    return plan.by_id[name].kind == "reward" and plan.by_id[name].form == "title"


@dataclass(frozen=True)
class _Parts:
    """Readers of the tables; what is wrong is noted, what is right comes back."""

    problems: Problems
    law: Law
    plan: Plan
    day: date

    def parameters(self, raw: Mapping[str, Any]) -> dict[str, float | str]:
        found: dict[str, float | str] = {}
        for name, value in raw.items():
            key = f"parameters.{name}"
            known = self.law.parameters.get(name)
            if known is None:
                self._unknown(key, "A parameter", name, self.law.parameters)
                continue
            # The law keeps dates of parameters as text.
            plain = value.isoformat() if isinstance(value, date) else value
            form = form_of(known, plain)
            if form is not None:
                self.problems.add(key, f"{name} must be {form}, found {value!r}.", "Write it so.")
            else:
                found[name] = plain
        return found

    def editions(self, raw: Mapping[str, Any]) -> dict[str, str]:
        found = {}
        for tier, name in raw.items():
            key = f"editions.{tier}"
            if self._in_force(tier, key) is None:
                continue
            if not isinstance(name, str) or name not in self.law.editions:
                self._unknown(key, "An edition", str(name), self.law.editions)
            elif self.law.editions[name].tier != tier:
                other = self.law.editions[name].tier
                self.problems.add(
                    key, f"An edition of {tier} must be named, found one of {other}.", "Correct it."
                )
            else:
                found[tier] = name
        return found

    def thresholds(
        self, raw: Mapping[str, Any], editions: Mapping[str, str]
    ) -> dict[str, Mapping[str, float]]:
        found: dict[str, Mapping[str, float]] = {}
        for tier, table in raw.items():
            key = f"thresholds.{tier}"
            edition = self._in_force(tier, key)
            if edition is None:
                continue
            edition = self.law.editions[editions[tier]] if tier in editions else edition
            if not isinstance(table, Mapping):
                self.problems.add(key, f"{key} must be a table, found {table!r}.", f"Write [{key}]")
                continue
            known = adjustable(edition)
            if not known:
                self.problems.add(
                    key,
                    f"Only thresholds of the city's own editions may change, found {edition.id}.",
                    "Compare it with another edition instead (table editions).",
                )
                continue
            for name in sorted(set(table) - set(known)):
                self._unknown(f"{key}.{name}", f"A threshold of {edition.id}", name, known)
            good = {name: value for name, value in table.items() if name in known}
            found[tier] = self._numbers(good, key)
        return found

    def quotas(self, raw: Mapping[str, Any]) -> dict[str, int]:
        found = {}
        for tier, value in raw.items():
            key = f"quotas.{tier}"
            known = self._in_force(tier, key) is not None
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                self.problems.add(
                    key, f"A quota must be a whole number of firms, found {value!r}.", "Write 200."
                )
            elif known:
                found[tier] = value
        return found

    def numbers(
        self, raw: Mapping[str, Any], section: str, fits: Callable[[Plan, str], bool]
    ) -> dict[str, float]:
        known = [row.id for row in self.plan.rows if fits(self.plan, row.id)]
        what = {"goals": "A target with a goal", "rewards": "A one-off reward"}[section]
        for name in sorted(set(raw) - set(known)):
            self._unknown(f"{section}.{name}", what, name, known)
        found = self._numbers({k: v for k, v in raw.items() if k in known}, section)
        for name, value in found.items():
            if value < 0:
                self.problems.add(
                    f"{section}.{name}", f"{name} must not be below 0, found {value:g}.", "Correct."
                )
        return found

    def _numbers(self, raw: Mapping[str, Any], key: str) -> dict[str, float]:
        found = {name: self.problems.number(raw, name, key) for name in raw}
        for name, value in found.items():
            if not isfinite(value):
                self.problems.add(f"{key}.{name}", f"{name} must be finite.", "Write a number.")
        return found

    def _in_force(self, tier: str, key: str) -> Edition | None:
        try:
            return self.law.select(tier, self.day)
        except NotFound as error:
            self.problems.add(key, error.message, error.cure, "not_found")
            return None

    def _unknown(self, key: str, what: str, name: str, known: Any) -> None:
        near = get_close_matches(name, list(known), 3, 0.4) or list(known)[:6]
        self.problems.add(
            key, f"{what} must be one in data, found {name!r}.", f"Known: {', '.join(near)}."
        )
