"""Editions of the law in what is learned: of each outcome, of the day, and what a list must say.

An edition is named by its year, as titles and notices write it (2022版, 工信部企业〔2022〕63号,
``63-2022/annex3`` are one). "" is an outcome from before any edition was in force.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import numpy as np

from features.expr import Array
from features.panel import Panel
from features.spec import FeatureSpec
from model.tasks import Task
from policy.law import Law
from policy.loading import standing
from policy.rules import Purpose
from tidu.errors import NotFound

__all__ = [
    "NONE",
    "Route",
    "Statement",
    "blanked",
    "counted",
    "enough",
    "in_force",
    "routes",
    "routes_off",
    "statements",
    "year_of",
]

NONE = "none"
"""How reports name outcomes from before any edition was in force."""

YEAR = re.compile(r"(?:19|20)\d\d")
PURPOSES: Mapping[str, Purpose] = {"lapse": "review"}


@dataclass(frozen=True, slots=True)
class Route:
    """A way to a title that one edition knew, and the columns that nothing else reads."""

    tier: str
    edition: str
    zh: str
    en: str
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """What every row of a list must say of the chance on it."""

    code: str
    zh: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "zh": self.zh, "en": self.en}


INTENT = Statement(
    "includes_intent",
    "估计概率含申报意愿",
    "The chance includes whether the firm will apply",
)
EARLIER = Statement(
    "edition_none",
    "模型基于现行标准施行前样本",
    "The model rests on outcomes from before the edition in force",
)


@cache
def _data() -> Mapping[str, object]:
    text = (resources.files("model") / "editions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def enough() -> int:
    """How many outcomes under the edition in force make the statement unnecessary."""
    return int(str(_data()["enough"]))


@cache
def routes() -> tuple[Route, ...]:
    """The abolished routes, as declared."""
    rows = _data()["route"]
    assert isinstance(rows, list)
    return tuple(Route(**{**row, "columns": frozenset(row["columns"])}) for row in rows)


def year_of(text: str) -> str:
    """The name of an edition: the last year that its text holds; without one the text itself.

    >>> year_of("工信部企业〔2022〕63号"), year_of("105-2016/enterprise-2018"), year_of("2026版")
    ('2022', '2018', '2026')
    """
    years = YEAR.findall(text)
    return years[-1] if years else text


def in_force(task: Task, day: date, law: Law | None = None) -> str:
    """The edition that judges the task's tier on a day; "" where none is in force."""
    law = law or standing()
    try:
        edition = law.select(task.tier, day, PURPOSES.get(task.rule, "new"))
    except NotFound:
        return ""
    name = year_of(edition.id)
    return name if YEAR.fullmatch(name) else year_of(edition.document)


def counted(editions: Array, label: Array) -> dict[str, int]:
    """Outcomes per edition, by name; those of no edition last, as ``none``."""
    found = Counter(str(e) or NONE for e in editions[label == 1])
    return dict(sorted(found.items(), key=lambda item: (item[0] == NONE, item[0])))


def statements(
    task: Task, report: Mapping[str, object], panel: Panel, law: Law | None = None
) -> tuple[Statement, ...]:
    """What a list of ``task`` must say at the panel's day, given what its model learned from."""
    if not task.tier:
        return ()
    found = []
    counts = report.get("editions", {})
    assert isinstance(counts, Mapping)
    if (said := superseded(counts, in_force(task, panel.as_of, law))) is not None:
        found.append(said)
    covered = any(c.kind == f"application:{task.tier}" for c in panel.coverage)
    if task.rule == "title" and not covered:
        found.append(INTENT)
    return tuple(found)


def superseded(counts: Mapping[str, int], current: str) -> Statement | None:
    """What to say where most outcomes are of editions other than the one in force, if anything."""
    own = counts.get(current or NONE, 0)
    others = {name: n for name, n in counts.items() if name != (current or NONE)}
    if not current or own >= enough() or sum(others.values()) <= own:
        return None
    named = {name: n for name, n in others.items() if name != NONE}
    if not named:
        return EARLIER
    name = max(named, key=lambda edition: (named[edition], edition))
    return Statement(
        f"edition_{name}",
        f"模型基于{name}版标准样本",
        f"The model rests on outcomes under the standards of {name}",
    )


def routes_off(
    task: Task, specs: Sequence[FeatureSpec], day: date, law: Law | None = None
) -> Array:
    """Which features are off at a day, because their route belongs to another edition: bool."""
    law = law or standing()
    columns: set[str] = set()
    for route in routes():
        if route.tier == task.tier and in_force(task, day, law):
            current = law.select(task.tier, day, PURPOSES.get(task.rule, "new"))
            if current.id != route.edition:
                columns |= route.columns
    return np.array([bool(spec.expr.sources & columns) for spec in specs], dtype=bool)


def blanked(
    task: Task, specs: Sequence[FeatureSpec], values: Array, day: date, law: Law | None = None
) -> Array:
    """Profiles in which a feature whose route is abolished on ``day`` is unknown of everybody."""
    off = routes_off(task, specs, day, law)
    return np.where(off, np.nan, values) if off.any() else values
