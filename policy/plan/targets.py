"""Targets against the plan: value, completion, what is missing, and what is to be expected.

Past its deadline a target has a final value (期末完成值) and a completion, and no forecast. Every
figure opens the records that it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from policy.plan.counted_firms import titles_of
from policy.plan.counted_records import city_districts
from policy.plan.counting import ADDS_UP, measure
from policy.plan.footing import Footing
from policy.plan.forecast import Forecast, summary
from policy.plan.labels import WORDS, tier_list
from policy.plan.measured import Measured, chosen
from policy.plan.outlook import PARAMETERS, outlook
from policy.plan.result import Note, Result
from policy.plan.rows import Row

__all__ = ["Target", "completion", "deadline_of", "names", "target", "yearly"]


ON_ACCOUNTS = frozenset({"condition", "ratio", "growth"})
"""Forms that rest on firms' accounts of one fiscal year, which is printed."""


@dataclass(frozen=True)
class Target(Result):
    """A target at a day. ``table`` has a row for the city, then one per district.

    ``day`` is the day of which the value speaks, ``past`` whether the deadline is over.
    """

    zh: str = ""
    en: str = ""
    unit: tuple[str, str] = ("", "")
    goal: float | None = None
    at_most: bool = False
    day: date = date.max
    deadline: date = date.max
    past: bool = False
    measured: Measured | None = None
    forecast: Forecast | None = field(default=None, compare=False)

    @property
    def value(self) -> float | None:
        return self.totals["value"]

    @property
    def completion_pct(self) -> float | None:
        return self.totals["completion_pct"]

    @property
    def remaining(self) -> float | None:
        return self.totals["remaining"]


def names(found: Target, figure: str, district: str | None = None) -> tuple[str, ...]:
    """The firms behind a figure of the city or of a district (for activities: the districts)."""
    assert found.measured is not None
    rows = found.measured.named(figure, district)
    column = "firm_id" if "firm_id" in rows else "district"
    return tuple(str(name) for name in rows[column])


def completion(value: float | None, goal: float | None, at_most: bool = False) -> float | None:
    """完成率 in percent; for a goal that is to fall to, what the goal is of the value, at most 100.

    >>> completion(45.0, 50.0), completion(1.25, 1.0, at_most=True), completion(0.9, 1.0, True)
    (90.0, 80.0, 100.0)
    """
    if value is None or not goal:
        return None
    if at_most:
        return 100.0 if value <= goal else 100.0 * goal / value
    return 100.0 * value / goal


def deadline_of(row: Row, footing: Footing) -> date:
    """The plan's horizon; what is due every year, the end of the year that runs until then."""
    horizon = footing.plan.horizon
    yearly = "period" in row.detail and chosen(row.detail["period"], footing.settings) == "year"
    return min(date(footing.day.year, 12, 31), horizon) if yearly else horizon


def target(row: Row, footing: Footing) -> Target:
    """Measure a target at the footing's day, or at its deadline where that is over."""
    deadline = deadline_of(row, footing)
    past = footing.day > deadline
    ground = footing.earlier(deadline) if past else footing.ground
    found = measure(row, ground, footing.plan)
    tasks = footing.tasks.get(row.id, {})
    goal = _goal(row, footing, tasks)
    at_most = row.detail.get("sense") == "at_most"
    forecast = None if past else outlook(row, footing, found, deadline, goal)
    table = _table(row, found, goal, footing, tuple(forecast.parts) if forecast else ())
    table = _with_forecasts(table, forecast, at_most)
    totals = _totals(found, goal, at_most, tasks) | _expected(forecast)
    return Target(
        row.id,
        row.kind,
        table,
        totals,
        _notes(row, footing, found, past, tasks),
        _used(row, footing, forecast),
        zh=row.zh,
        en=row.en,
        unit=(row.detail["unit_zh"], row.detail["unit_en"]),
        goal=goal,
        at_most=at_most,
        day=min(footing.day, deadline),
        deadline=deadline,
        past=past,
        measured=found,
        forecast=forecast,
    )


def yearly(row: Row, footing: Footing) -> pd.DataFrame:
    """The value at the end of each of the plan's years so far (the last one: up to the day)."""
    last = min(footing.day, footing.plan.horizon)
    lines = []
    for year in range(footing.plan.since(footing.settings).year, last.year + 1):
        day = min(date(year, 12, 31), last)
        ground = footing.ground if day == footing.day else footing.earlier(day)
        lines.append({"year": year, "value": measure(row, ground, footing.plan).value})
    return pd.DataFrame(lines, columns=["year", "value"]).astype({"value": "float64"})


def _goal(row: Row, footing: Footing, tasks: Mapping[str, float]) -> float | None:
    if row.form == "each_district":
        return float(len(city_districts(footing.ground.panel, tuple(tasks)))) or None
    return footing.settings.number(row.numbers.get("goal"))


def _totals(
    found: Measured, goal: float | None, at_most: bool, tasks: Mapping[str, float]
) -> dict[str, float | None]:
    value = found.value
    remaining = None
    if value is not None and goal is not None:
        remaining = max(0.0, value - goal if at_most else goal - value)
    return {
        "value": value,
        "goal": goal,
        "completion_pct": completion(value, goal, at_most),
        "remaining": remaining,
        "task_sum": float(sum(tasks.values())) if tasks else None,
        **{name: figure for name, figure in found.city.items() if name != "value"},
    }


_EXPECTED = ("forecast", "forecast_low", "forecast_high", "chance_of_goal")


def _expected(forecast: Forecast | None) -> dict[str, float | None]:
    if forecast is None:
        return {}
    return {
        "forecast": forecast.mean,
        "forecast_low": forecast.low,
        "forecast_high": forecast.high,
        "chance_of_goal": forecast.chance,
    }


def _table(
    row: Row, found: Measured, goal: float | None, footing: Footing, more: tuple[str, ...]
) -> pd.DataFrame:
    """One row for the city, one per district; a district without any record counts nothing."""
    tasks = footing.tasks.get(row.id, {})
    at_most = row.detail.get("sense") == "at_most"
    adds = row.form in ADDS_UP
    known_places = city_districts(footing.ground.panel, tuple(tasks))
    places = sorted({*known_places, *found.districts.index, *more})
    silent = 0.0 if adds and found.value is not None else None
    known = found.districts.to_dict("index")
    lines: list[dict[str, object]] = [{"level": "city", "district": "", "task": goal, **found.city}]
    for place in places:
        figures = known.get(place, dict.fromkeys(found.city, silent))
        task = tasks.get(place, None if adds else goal)
        lines.append({"level": "district", "district": place, "task": task, **figures})
    names = ["level", "district", "task", "value", "completion_pct"]
    shown = [name for name in found.city if name not in names]
    table = pd.DataFrame(lines, columns=["level", "district", "task", "value", *shown])
    numbers = table.columns.drop(["level", "district"])
    table = table.astype(dict.fromkeys(numbers, "float64"))
    pairs = zip(table["value"], table["task"], strict=True)
    rates = [completion(_known(value), _known(task), at_most) for value, task in pairs]
    table["completion_pct"] = pd.Series(rates, dtype="float64")
    return table[[*names, *shown]]


def _with_forecasts(table: pd.DataFrame, forecast: Forecast | None, at_most: bool) -> pd.DataFrame:
    """What is to be expected of the city and of each district, and the chance of its task."""
    if forecast is None:
        return table
    lines: list[dict[str, float | None]] = []
    for place, task in zip(table["district"], table["task"], strict=True):
        one: Forecast | None = forecast
        if place or lines:
            samples = forecast.parts.get(place)
            one = None if samples is None else summary(samples, _known(task), at_most)
        lines.append(_expected(one) or dict.fromkeys(_EXPECTED))
    expected = pd.DataFrame(lines, columns=list(_EXPECTED)).astype("float64")
    return pd.concat([table, expected], axis=1)


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _notes(
    row: Row, footing: Footing, found: Measured, past: bool, tasks: Mapping[str, float]
) -> tuple[Note, ...]:
    notes = [*found.notes]
    if "note_zh" in row.detail:
        notes.append(Note(row.detail["note_zh"], row.detail["note_en"]))
    if row.form == "titles":
        basis = found.behind["value"]
        zh, en = WORDS[basis]
        notes.append(Note(f"统计口径:{zh}", f"Counted: {en}"))
        zh, en = tier_list(titles_of(row, footing.plan, footing.settings).tiers)
        notes.append(Note(f"计入称号:{zh}", f"Titles counted: {en}"))
    if row.form in ON_ACCOUNTS:
        year = footing.accounts_of(footing.plan.horizon if past else footing.day)
        notes.append(Note(f"企业数据年度:{year}", f"Accounts of {year}"))
    if past:
        day = footing.plan.horizon
        notes.append(
            Note(
                f"期限{day}已过,列示期末完成值(按现有记录回溯)",
                f"The deadline {day} is over: the final value, by what is on record today",
            )
        )
    goal = footing.settings.number(row.numbers.get("goal"))
    total = sum(tasks.values())
    if tasks and goal is not None and row.form in ADDS_UP and total != goal:
        notes.append(
            Note(
                f"任务分解合计{total:g},全市目标{goal:g}",
                f"The districts' tasks add up to {total:g}, the city's goal is {goal:g}",
            )
        )
    return tuple(notes)


def _used(row: Row, footing: Footing, forecast: Forecast | None) -> dict[str, object]:
    parts: list[object] = [row.detail, row.numbers]
    if row.form == "titles":
        parts.append(footing.plan.basis)
    if row.detail.get("since_plan") or "period" in row.detail:
        parts.append(footing.plan.starts_on)
    used = footing.settings.used(*parts)
    if forecast is not None:
        used |= {name: footing.settings.parameters.get(name) for name in PARAMETERS}
    return used
