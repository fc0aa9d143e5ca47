"""Tasks: what can be learned, and how a task is addressed.

A task is written ``name[:variant]@months`` everywhere: pointer, bundle, snapshot part, route, list.

>>> str(TaskName.parse("distress:bankruptcy@24"))
'distress:bankruptcy@24'
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from features.mapping import TaskDefaults
from tidu.errors import UsageError

__all__ = ["Task", "TaskName", "find", "rules"]

COVERED = {
    "title": ("title",),
    "application": ("application",),
    "recognition": ("application", "title"),
    "lapse": ("title",),
}
"""Of which records of its tier a rule needs coverage; the names are those of ``[coverage]``."""

FORM = re.compile(r"^([a-z_]+)(?::([a-z0-9_]+))?(?:@([1-9]\d*))?$")


@dataclass(frozen=True, slots=True, order=True)
class TaskName:
    """The full name of a task; ``months`` is 0 where the caller left it open."""

    name: str
    variant: str = ""
    months: int = 0

    @classmethod
    def parse(cls, text: str) -> TaskName:
        match = FORM.match(text.strip())
        if not match:
            raise UsageError(
                f"A task must be written name[:variant]@months, found {text!r}.",
                "Write it like growth@36 or distress:bankruptcy@24.",
            )
        name, variant, months = match.groups()
        return cls(name, variant or "", int(months or 0))

    def __str__(self) -> str:
        return self.name + (f":{self.variant}" if self.variant else "") + f"@{self.months}"


@dataclass(frozen=True)
class Task:
    """A task, ready to be learned: its rule with the parameters of its name.

    ``events`` are the event kinds that make the label, ``gone`` those after which a firm is no
    longer in the cohort; ``floor`` is on the base value of ``column``, in 万元 of the data.
    ``tier`` is the title that the task is about, ``below`` the step of the ladder under it.
    ``sense`` is −1 where the outcome is bad, so that a feature's direction turns round.
    """

    name: TaskName
    family: str
    rule: str
    zh: str
    en: str
    events: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    column: str = ""
    minimum_pct: float = 0.0
    floor: float | None = None
    tier: str = ""
    below: str = ""
    sense: int = 1

    @property
    def months(self) -> int:
        return self.name.months

    @property
    def coverage(self) -> tuple[str, ...]:
        """What the label needs to be covered: of events any kind, of a title every one."""
        return self.events or tuple(f"{what}:{self.tier}" for what in COVERED.get(self.rule, ()))


@cache
def rules() -> Mapping[str, Mapping[str, object]]:
    """The task definitions that ship with the package; one may be like another but for its own."""
    text = (resources.files("model") / "tasks.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    return {name: {**raw.get(own.get("like", ""), {}), **own} for name, own in raw.items()}


def find(
    text: str,
    defaults: tuple[TaskDefaults, ...],
    months: int | None = None,
    outcome_task: str | None = None,
) -> Task:
    """Look a task up; the horizon comes from the name, ``months``, the mapping, or its first.

    Row labels (``outcome_task``) have the horizon of their source, which only names the task.
    Raises :class:`UsageError` for an unknown task, variant or horizon.
    """
    asked = TaskName.parse(text)
    raw = _rule(asked)
    default = next((d for d in defaults if d.task in (asked.name, text.partition("@")[0])), None)
    allowed = raw["months"]
    assert isinstance(allowed, list)
    if asked.months and months and asked.months != months:
        raise UsageError(
            f"The horizon must be one number, found {asked.months} in {text!r} and {months}.",
            "Give it once: in the name or as --horizon.",
        )
    usual = default.months if default else None
    if asked.name == outcome_task:
        # The window of row labels is that of their source: no other one can be asked for.
        allowed = [usual or asked.months or months or allowed[0]]
    chosen = asked.months or months or usual or allowed[0]
    if chosen not in allowed:
        raise UsageError(
            f"The horizon of {asked.name} must be one of {allowed} months, found {chosen}.",
            f"Write for example {asked.name}@{allowed[0]}.",
        )
    name = TaskName(asked.name, asked.variant, int(chosen))
    return _task(name, raw, default.floor if default else None)


def _rule(asked: TaskName) -> Mapping[str, object]:
    known = rules()
    if asked.name not in known:
        near = difflib.get_close_matches(asked.name, known, n=1)
        raise UsageError(
            f"No task {asked.name!r}; tasks are {', '.join(known)}.",
            f"Did you mean {near[0]}?" if near else "Choose one of them.",
        )
    raw = known[asked.name]
    variants = raw.get("events", raw.get("from", {"": None}))
    assert isinstance(variants, Mapping)
    if asked.variant not in variants:
        names = ", ".join(v or "(none)" for v in variants)
        raise UsageError(
            f"Task {asked.name} has no variant {asked.variant or '(none)'!r}; it has {names}.",
            f"Write for example {asked.name}:{[*variants][-1]}.",
        )
    return raw


def _task(name: TaskName, raw: Mapping[str, object], floor: float | None) -> Task:
    def listed(key: str) -> tuple[str, ...]:
        value = raw.get(key, [])
        assert isinstance(value, list)
        return tuple(value)

    events = raw.get("events", {})
    lower = raw.get("from", {})
    assert isinstance(events, Mapping)
    assert isinstance(lower, Mapping)
    return Task(
        name=name,
        family=str(raw["family"]),
        rule=str(raw["rule"]),
        zh=str(raw["zh"]),
        en=str(raw["en"]),
        events=tuple(events.get(name.variant, ())),
        boards=listed("boards"),
        gone=listed("gone"),
        column=str(raw.get("column", "")),
        minimum_pct=float(str(raw.get("minimum_pct", 0.0))),
        floor=floor,
        tier=name.variant if lower else "",
        below=str(lower.get(name.variant, "")),
        sense=int(str(raw.get("sense", 1))),
    )
