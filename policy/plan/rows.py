"""The city's plan as data: its rows under the ids of its sentences, and what is wrong with them.

A plan is a folder of TOML files; ``plan.toml`` says what it is, the others hold its rows. A
successor plan is another folder. What running a row gives is :mod:`policy.plan.consequences`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from policy.plan.forms import missing
from policy.plan.scopes import SCOPES
from policy.plan.settings import Settings, named
from tidu.clock import parse_date
from tidu.errors import DataError, Issue, NotFound

__all__ = ["KINDS", "Plan", "Programme", "Row", "choose", "parse", "unknown_parameters"]

KINDS = (
    "target", "reward", "measure", "product", "pool", "criterion", "register", "report",
)  # fmt: skip
"""What a sentence of the plan can be; a row carries a table of the name of its kind."""

ROW_SCOPES = frozenset({*SCOPES, "inst", "sme", "city"})
_TEXTS = ("id", "zh", "en", "quote", "scope", "kind")
_MORE = {"programme", "numbers", "source", "confidence", "note"}
_PLAN_TEXTS = ("id", "zh", "en", "document")


@dataclass(frozen=True)
class Row:
    """One sentence of the plan; ``details`` holds its tables by name (``target``, ``reward`` …)."""

    id: str
    zh: str
    en: str
    quote: str
    scope: str
    programme: str
    kind: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    file: str = ""

    @property
    def detail(self) -> Mapping[str, Any]:
        """The table of the row's own kind."""
        return self.details[self.kind]

    @property
    def form(self) -> str:
        """How the row is computed."""
        return str(self.detail.get("form", ""))


@dataclass(frozen=True, slots=True)
class Programme:
    """One of the plan's programmes (专项)."""

    id: str
    zh: str
    en: str


@dataclass(frozen=True)
class Plan:
    """A plan with its rows; ``starts_on`` may be a parameter, as the plan need not say it."""

    id: str
    zh: str
    en: str
    document: str
    horizon: date
    starts_on: object
    programmes: tuple[Programme, ...]
    gone_kinds: tuple[str, ...]
    basis: object
    rows: tuple[Row, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Row]:
        return {row.id: row for row in self.rows}

    def row(self, name: str) -> Row:
        found = self.by_id.get(name)
        if found is None:
            raise NotFound(
                f"The plan {self.id} has no row {name!r}.", f"Its rows are {', '.join(self.by_id)}."
            )
        return found

    def since(self, settings: Settings) -> date:
        """The plan's first day."""
        raw = self.starts_on
        found = settings.parameters.get(str(raw["param"])) if isinstance(raw, Mapping) else raw
        # The law keeps dates of parameters as text.
        found = parse_date(found) if isinstance(found, str) else found
        if not isinstance(found, date):
            raise DataError(
                f"The plan {self.id} must have a first day, found {found!r}.",
                cure="Set its parameter starts_on as a date.",
            )
        return found


def choose(plans: Mapping[str, Plan], settings: Settings, day: date, name: str = "") -> Plan:
    """The plan of that name, else the newest that has begun by the day, else the first of all."""
    if name:
        if name not in plans:
            raise NotFound(f"There is no plan {name!r}.", f"Known: {', '.join(sorted(plans))}.")
        return plans[name]
    if not plans:
        raise NotFound("There is no plan.", "Add a folder with a plan.toml to policy/plan.")
    order = sorted(plans.values(), key=lambda plan: (plan.since(settings), plan.id))
    begun = [plan for plan in order if plan.since(settings) <= day]
    return begun[-1] if begun else order[0]


def parse(texts: Mapping[str, str], where: str) -> Plan:
    """Read a plan from its files' texts; all problems come at once, each with file and key."""
    issues: list[Issue] = []
    tables = {name: _table(f"{where}/{name}", text, issues) for name, text in texts.items()}
    head = tables.pop("plan.toml", None)
    if head is None:
        issues.append(_issue(f"{where}/plan.toml", "", "A plan must have a plan.toml", "missing"))
        head = {}
    plan = _plan(head, f"{where}/plan.toml", issues)
    programmes = {"", *(p.id for p in plan.programmes)}
    rows: list[Row] = []
    for name in sorted(tables):
        rows += _rows(tables[name], f"{where}/{name}", programmes, issues)
    issues += _twice(rows)
    if issues:
        raise DataError(
            f"The plan {where} cannot be used: {len(issues)} problem(s).",
            issues,
            "Correct them; all are listed.",
        )
    return Plan(**{**vars(plan), "rows": tuple(rows)})


def unknown_parameters(plan: Plan, known: Iterable[str]) -> list[Issue]:
    """Parameters that rows name and nobody declares."""
    names = set(known)
    return [
        _issue(row.file, row.id, "A parameter must be declared", name)
        for row in plan.rows
        for name in sorted({*named(row.numbers), *named(row.details)} - names)
    ]


def _issue(file: str, key: str, must: str, found: object) -> Issue:
    return Issue(
        "error",
        "plan",
        f"{must}.",
        "Correct the file; CONTRIBUTING.md and the other rows show the form.",
        file=file,
        column=key,
        value=str(found),
        zh="方案数据有误",
    )


def _table(file: str, text: str, issues: list[Issue]) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        issues.append(_issue(file, "", "The file must be TOML", error))
        return {}


def _plan(raw: Mapping[str, Any], file: str, issues: list[Issue]) -> Plan:
    texts = {}
    for name in _PLAN_TEXTS if raw else ():
        texts[name] = raw.get(name)
        if not isinstance(texts[name], str) or not texts[name]:
            issues.append(_issue(file, name, f"A plan must have a {name}", texts[name]))
    horizon = raw.get("horizon")
    if raw and not isinstance(horizon, date):
        issues.append(_issue(file, "horizon", "A plan must have a horizon, a date", horizon))
    starts = raw.get("starts_on")
    if raw and not isinstance(starts, date) and not _is_parameter(starts):
        issues.append(_issue(file, "starts_on", "A plan must start on a date", starts))
    programmes = tuple(
        Programme(str(p.get("id")), str(p.get("zh")), str(p.get("en")))
        for p in raw.get("programmes", ())
    )
    identity, zh, en, document = (str(texts.get(name)) for name in _PLAN_TEXTS)
    return Plan(
        identity,
        zh,
        en,
        document,
        horizon=horizon if isinstance(horizon, date) else date.max,
        starts_on=starts,
        programmes=programmes,
        gone_kinds=tuple(raw.get("gone", ())),
        basis=raw.get("basis", "stock"),
        rows=(),
    )


def _rows(
    raw: Mapping[str, Any], file: str, programmes: set[str], issues: list[Issue]
) -> Iterator[Row]:
    strange = sorted(set(raw) - {"rows"})
    if strange:
        issues.append(_issue(file, strange[0], "A file of rows must hold [[rows]] only", strange))
    for i, entry in enumerate(raw.get("rows", ()), 1):
        key = str(entry.get("id", f"rows[{i}]"))
        found = _problems(entry, programmes)
        issues += [_issue(file, f"{key}.{name}", must, value) for name, must, value in found]
        if not found:
            details = {k: v for k, v in entry.items() if k not in {*_TEXTS, *_MORE}}
            yield Row(
                **{name: entry[name] for name in _TEXTS},
                programme=entry.get("programme", ""),
                numbers=entry.get("numbers", {}),
                details=details,
                file=file,
            )


def _problems(raw: Mapping[str, Any], programmes: set[str]) -> list[tuple[str, str, object]]:
    """What is wrong with one row: key, what must hold, what was found."""
    found: list[tuple[str, str, object]] = [
        (name, f"A row must have the text {name}", raw.get(name))
        for name in _TEXTS
        if not isinstance(raw.get(name), str) or not raw[name].strip()
    ]
    kind, scope, programme = raw.get("kind"), raw.get("scope"), raw.get("programme", "")
    if isinstance(kind, str) and kind not in KINDS:
        found.append(("kind", f"A kind must be one of {', '.join(KINDS)}", kind))
    elif isinstance(kind, str) and not isinstance(raw.get(kind), Mapping):
        found.append((kind, f"A row of kind {kind} must have the table [rows.{kind}]", "none"))
    if isinstance(scope, str) and scope not in ROW_SCOPES:
        found.append(("scope", f"A scope must be one of {', '.join(sorted(ROW_SCOPES))}", scope))
    if programme not in programmes:
        found.append(("programme", "A programme must be one of plan.toml", programme))
    numbers = raw.get("numbers", {})
    if not isinstance(numbers, Mapping):
        found.append(("numbers", "Numbers must be a table of names", numbers))
    else:
        found += [
            (f"numbers.{name}", "A number must be a number or a parameter", value)
            for name, value in numbers.items()
            if isinstance(value, bool)
            or not (isinstance(value, int | float) or _is_parameter(value))
        ]
    found += missing(raw)
    strange = sorted(set(raw) - {*_TEXTS, *_MORE, *KINDS})
    found += [
        (name, f"A key must be one of the tables {', '.join(KINDS)}", name) for name in strange
    ]
    return found


def _is_parameter(value: object) -> bool:
    return (
        isinstance(value, Mapping) and set(value) == {"param"} and isinstance(value["param"], str)
    )


def _twice(rows: Sequence[Row]) -> list[Issue]:
    first: dict[str, Row] = {}
    issues = []
    for row in rows:
        other = first.setdefault(row.id, row)
        if other is not row:
            issues.append(
                _issue(row.file, row.id, "An id must stand once", f"also in {other.file}")
            )
    return issues
