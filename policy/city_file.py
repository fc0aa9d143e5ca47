"""What the city sets, from its own file: parameters, task numbers, reviews, budgets and batches.

The file is TOML; everything that is wrong with it is said at once, each with its key.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, TypeGuard, get_args

from policy.law import Batch, CitySettings, Review
from policy.problems import Problems
from policy.rules import Parameter, Purpose

__all__ = ["check_city", "form_of", "read_city"]

SECTIONS = ("parameters", "tasks", "reviews", "budgets", "changes", "batches")
BATCH = ("tier", "year", "purpose", "opens_on", "closes_on", "district_deadline", "data_year",
         "quota")  # fmt: skip
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def read_city(content: bytes | None, problems: Problems) -> tuple[CitySettings, list[Batch]]:
    """Read the file's settings and batches; without a file the city has set nothing."""
    if content is None:
        return CitySettings(), []
    try:
        raw = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.add("", f"The city's file must be TOML in UTF-8, found: {error}.", "Correct it.")
        return CitySettings(), []
    problems.closed(raw, SECTIONS, "")
    changes = problems.table(raw, "changes")
    settings = CitySettings(
        _parameters(problems.table(raw, "parameters"), problems),
        {name: _numbers(by, f"tasks.{name}", problems)
         for name, by in problems.table(raw, "tasks").items()},
        _reviews(problems.table(raw, "reviews"), problems),
        _budgets(problems.table(raw, "budgets"), problems),
        {name: problems.table(changes, name, "changes.") for name in changes},
    )  # fmt: skip
    return settings, _batches(raw.get("batches", []), problems)


def check_city(
    settings: CitySettings,
    batches: Collection[Batch],
    known: tuple[Mapping[str, Parameter], Collection[str]],
    problems: Problems,
) -> None:
    """Check names and values against the law's own: ``known`` are its parameters and its tiers."""
    parameters, tiers = known
    for name, value in settings.parameters.items():
        key = f"parameters.{name}"
        if name not in parameters:
            problems.add(key, f"{name} is no parameter.", "tidu policy parameters lists them.")
        elif (form := form_of(parameters[name], value)) is not None:
            problems.add(key, f"{name} must be {form}, found {value!r}.", "Write it so.")
    for batch in batches:
        if batch.tier and batch.tier not in tiers:
            problems.add(
                f"batches.{batch.id}.tier",
                f"{batch.tier!r} is no tier that an edition judges.",
                f"Tiers: {', '.join(sorted(tiers))}.",
            )


def form_of(parameter: Parameter, value: float | str) -> str | None:
    """What a value of the parameter must be, where the given one is not; None where it is."""
    if parameter.options:
        return None if value in parameter.options else f"one of {', '.join(parameter.options)}"
    if parameter.unit == "bool":
        return None if isinstance(value, bool) else "true or false"
    if parameter.unit == "date":
        return None if isinstance(value, str) and _is_day(value) else "a date"
    return None if _is_number(value) else "a finite number"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _parameters(raw: Mapping[str, Any], problems: Problems) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for name, value in raw.items():
        if isinstance(value, date):
            found[name] = value.isoformat()
        elif isinstance(value, bool | int | float | str) and value == value:
            found[name] = value
        else:
            problems.add(
                f"parameters.{name}", f"{name} must be one value, found {value!r}.", "Write it so."
            )
    return found


def _numbers(raw: object, key: str, problems: Problems) -> dict[str, float]:
    """Numbers by district, none below zero."""
    if not isinstance(raw, Mapping):
        problems.add(key, f"Numbers by district must be a table, found {raw!r}.", f"Write [{key}].")
        return {}
    found = {}
    for name, value in raw.items():
        if _is_number(value) and value >= 0:
            found[name] = float(value)
        else:
            problems.add(
                f"{key}.{name}", f"{name} must be a number from 0 up, found {value!r}.", "Write it."
            )
    return found


def _reviews(raw: Mapping[str, Any], problems: Problems) -> dict[str, Review]:
    found = {}
    for name in raw:
        one, key = problems.table(raw, name, "reviews."), f"reviews.{name}"
        day = _day(one, "on", key, problems)
        if day is None and "on" not in one:
            problems.add(f"{key}.on", "A review must have a day.", "Write on = 2025-01-31.")
        problems.closed(one, ("document", "on", "by"), key)
        document, by = problems.text(one, "document", key), problems.text(one, "by", key)
        found[name] = Review(document, day or date.min, by)
    return found


def _budgets(raw: Mapping[str, Any], problems: Problems) -> dict[int, dict[str, float]]:
    found = {}
    for year, by in raw.items():
        if year.isdigit() and len(year) == 4:
            found[int(year)] = _numbers(by, f"budgets.{year}", problems)
        else:
            problems.add(
                f"budgets.{year}", f"A budget must be of a year, found {year!r}.", "Write its year."
            )
    return found


def _batches(raw: object, problems: Problems) -> list[Batch]:
    if not isinstance(raw, list) or not all(isinstance(one, Mapping) for one in raw):
        problems.add("batches", f"batches must be tables, found {raw!r}.", "Write [[batches]].")
        return []
    found: dict[tuple[str, int, str], Batch] = {}
    for place, one in enumerate(raw):
        key = f"batches[{place}]"
        batch = _batch(one, key, problems)
        name = (batch.tier, batch.year, batch.purpose)
        if name in found:
            problems.add(key, f"The batch {name} must be given once.", "Leave one out.")
        found[name] = batch
    return list(found.values())


def _batch(raw: Mapping[str, Any], key: str, problems: Problems) -> Batch:
    problems.closed(raw, BATCH, key)
    tier, year = problems.text(raw, "tier", key), _whole(raw, "year", key, problems, 0)
    purpose = raw.get("purpose", "new")
    if purpose not in PURPOSES:
        problems.add(
            f"{key}.purpose",
            f"purpose must be {' or '.join(PURPOSES)}, found {purpose!r}.",
            "Write one.",
        )
        purpose = "new"
    if not 1900 <= year <= 2200:
        problems.add(f"{key}.year", f"year must be a calendar year, found {year}.", "Write it.")
        year = 1900
    opens = _day(raw, "opens_on", key, problems) or date(year, 1, 1)
    closes = _day(raw, "closes_on", key, problems)
    deadline = _day(raw, "district_deadline", key, problems)
    for name, day in (("closes_on", closes), ("district_deadline", deadline)):
        if day is not None and day < opens:
            problems.add(
                f"{key}.{name}", f"{name} must not lie before {opens}, found {day}.", "Correct it."
            )
    data_year = _whole(raw, "data_year", key, problems, year - 1)
    if data_year >= year:
        problems.add(
            f"{key}.data_year", f"data_year must lie before {year}, found {data_year}.",
            "A batch judges a complete fiscal year.",
        )  # fmt: skip
    quota = _whole(raw, "quota", key, problems, 0) if "quota" in raw else None
    if quota is not None and quota < 0:
        problems.add(f"{key}.quota", f"quota must be 0 or more, found {quota}.", "Correct it.")
    return Batch(tier, year, purpose, opens, data_year, "", opens, closes, deadline, quota)


def _whole(raw: Mapping[str, Any], name: str, key: str, problems: Problems, default: int) -> int:
    value = raw.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    problems.add(f"{key}.{name}", f"{name} must be a whole number, found {value!r}.", "Write it.")
    return default


def _day(raw: Mapping[str, Any], name: str, key: str, problems: Problems) -> date | None:
    value = raw.get(name)
    if value is None or type(value) is date:
        return value
    problems.add(f"{key}.{name}", f"{name} must be a date, found {value!r}.", "Write 2026-04-25.")
    return None
