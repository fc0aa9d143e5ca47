"""What a forecast of a target rests on, taken from the city's own history.

Titles: who holds one until when, how often titles were renewed and lost, how many came a year.
Events and activities: how many came in the same part of past years. Ratios and conditions: how the
yearly value moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from policy.counted_firms import titles_of
from policy.counted_records import by_events, held_activities
from policy.counting import measure
from policy.footing import Footing
from policy.forecast import (
    Flow,
    Forecast,
    Period,
    Rate,
    Shock,
    drift,
    shock_of,
    simulate,
    summary,
)
from policy.measured import Measured
from policy.plan import Row
from policy.settings import Settings
from policy.stock import Ledger

__all__ = ["PARAMETERS", "Window", "flow_of_titles", "outlook", "windows"]

Days = NDArray[np.datetime64]

PARAMETERS = (
    "forecast_year_shock_pct", "forecast_year_shock_weight", "forecast_least_years",
    "forecast_most_years", "renewal_prior_pct", "renewal_prior_weight", "renewal_grace_months",
    "loss_prior_pct", "loss_prior_weight", "title_validity_years",
)  # fmt: skip
"""The settings that forecasts rest on."""

DAYS_IN_YEAR = 365.25
DAYS_IN_MONTH = DAYS_IN_YEAR / 12


class Window(NamedTuple):
    """From the end of ``start`` to the end of ``end``, within one calendar year."""

    start: date
    end: date

    @property
    def length(self) -> float:
        return (self.end - self.start).days / DAYS_IN_YEAR

    def in_year(self, year: int) -> Window:
        """The same part of another year."""
        back = self.end.year - year
        return Window(_moved(self.start, back), _moved(self.end, back))

    def count(self, days: Days) -> int:
        """How many of sorted days fall into it."""
        edges = np.array([self.start, self.end], dtype="datetime64[s]")
        first, last = np.searchsorted(days, edges, side="right")
        return int(last - first)


def _moved(day: date, years: int) -> date:
    leap = day.month == 2 and day.day == 29
    return day.replace(year=day.year - years, day=28 if leap else day.day)


def windows(day: date, deadline: date) -> tuple[Window, ...]:
    """The parts of calendar years between two days.

    >>> [w.end.isoformat() for w in windows(date(2024, 6, 30), date(2025, 12, 31))]
    ['2024-12-31', '2025-12-31']
    """
    found, start = [], day
    while start < deadline:
        # A day that ends its year begins nothing in it.
        year = start.year + (start == date(start.year, 12, 31))
        end = min(date(year, 12, 31), deadline)
        found.append(Window(start, end))
        start = end
    return tuple(found)


class _Terms(NamedTuple):
    shock: Shock
    least: int
    most: int
    renewal: Rate
    grace: int
    loss: Rate
    validity: int

    @classmethod
    def of(cls, settings: Settings) -> _Terms:
        numbers = [settings.number({"param": name}) for name in PARAMETERS]
        shock, weight, least, most, renewal, trials, grace, loss, years, validity = (
            0.0 if number is None else number for number in numbers
        )
        return cls(
            Shock(shock / 100.0, weight),
            int(least),
            int(most),
            Rate(renewal / 100.0, trials),
            round(grace * DAYS_IN_MONTH),
            Rate(loss / 100.0, years),
            int(validity),
        )


def outlook(row: Row, footing: Footing, found: Measured, deadline: date) -> Forecast | None:
    """The forecast of a target's value at its deadline; None where the history says too little."""
    rng, goal = footing.rng, footing.settings.number(row.numbers.get("goal"))
    if rng is None or found.value is None:
        return None
    if row.form == "titles" and found.behind["value"] == "stock":
        return simulate(flow_of_titles(row, footing, deadline), goal, rng)
    flow = _accrual(row, footing, found, deadline)
    if flow is not None:
        return simulate(flow, goal, rng)
    series = _series(row, footing, found)
    terms = _Terms.of(footing.settings)
    if len(series) < max(terms.least, 3):
        return None
    ahead = deadline.year - footing.year
    samples = drift(series, float(max(ahead, 0)), rng)
    samples = np.clip(samples, 0.0, None) if row.form == "condition" else samples
    return summary(samples, goal, row.detail.get("sense") == "at_most")


# -------------------------------------------------------------------------------------- titles


def flow_of_titles(row: Row, footing: Footing, deadline: date) -> Flow:
    """Stock, expiries, rates of exit and entries of a target in titles."""
    panel, terms = footing.ground.panel, _Terms.of(footing.settings)
    ledger = Ledger.of(panel, titles_of(row, footing.plan, footing.settings))
    held, until = ledger.holds(footing.day), ledger.last_day(footing.day)
    parts = windows(footing.day, deadline)
    ends = np.sort(until[held & ~np.isnat(until)])
    expiring = [
        int(np.searchsorted(ends, np.datetime64(w.end, "s")))
        - int(np.searchsorted(ends, np.datetime64(w.start, "s")))
        for w in parts
    ]
    periods, yearly = _periods(parts, ledger, footing.day, terms)
    renewal, loss = _rates(ledger, footing.day, terms)
    chances = footing.chances.get(row.id)
    base = float("nan")
    if chances is not None:
        outside = ~pd.Index(panel.firm_ids).isin(ledger.ids[held])
        chances = np.where(outside, chances, 0.0)
        if yearly and outside.any():
            base = float(np.mean(yearly)) / float(outside.sum())
    return Flow(
        int(held.sum()),
        tuple(replace(p, expiring=n) for p, n in zip(periods, expiring, strict=True)),
        renewal,
        loss,
        shock_of(yearly, terms.shock, terms.least),
        chances,
        base,
        terms.validity or None,
    )


def _periods(
    parts: Sequence[Window], ledger: Ledger, day: date, terms: _Terms
) -> tuple[list[Period], tuple[float, ...]]:
    """The periods with the counts of the same parts of past years, and the yearly counts."""
    days, begun = ledger.entries(), ledger.since
    # A year in whose middle the records begin says nothing of a year.
    first = day.year if begun is None else begun.year + (begun > date(begun.year, 1, 1))
    years = range(max(first, day.year - terms.most), day.year)
    whole = [Window(date(y - 1, 12, 31), date(y, 12, 31)) for y in years]
    yearly = tuple(float(w.count(days)) for w in whole)
    periods = []
    for part in parts:
        history = tuple(float(part.in_year(y).count(days)) for y in years)
        share = sum(history) / sum(yearly) if sum(yearly) else part.length
        periods.append(Period(part.length, 0, history, min(share, 1.0)))
    return periods, yearly


def _rates(ledger: Ledger, day: date, terms: _Terms) -> tuple[Rate, Rate]:
    """Renewal and yearly loss, the city's own history shrunken towards the priors."""
    first = day.year if ledger.since is None else ledger.since.year + 1
    renewed = due = lost = held = 0
    for year in range(max(first, day.year - terms.most), day.year):
        start, end = date(year - 1, 12, 31), date(year, 12, 31)
        flows = ledger.people(start, end)
        gone = flows["revoked"] | flows["moved_out"] | flows["gone"]
        lost += int((gone & ~flows["new"]).sum())
        held += int(ledger.holds(start).sum())
        # What expired lately may still be renewed.
        if (day - end).days >= terms.grace:
            again, asked = ledger.renewals(year, terms.grace)
            renewed, due = renewed + again, due + asked
    return terms.renewal.after(renewed, due), terms.loss.after(lost, held)


# ------------------------------------------------------------------- what adds up, what moves


def _accrual(row: Row, footing: Footing, found: Measured, deadline: date) -> Flow | None:
    """A flow without exits, of what only adds up; None for other forms."""
    if row.form == "titles":
        titles = titles_of(row, footing.plan, footing.settings)
        days = Ledger.of(footing.ground.panel, titles).firsts()
        weights = np.ones(len(days))
    elif row.form == "events":
        ever = replace(row, details={row.kind: {**row.detail, "since_plan": False}})
        days = np.sort(
            by_events(ever, footing.ground, footing.plan).records["on"].to_numpy("M8[s]")
        )
        weights = np.ones(len(days))
    elif row.form == "activities":
        held = held_activities(row, footing.ground.panel).dropna(subset="count").sort_values("on")
        days, weights = held["on"].to_numpy("M8[s]"), held["count"].to_numpy(dtype="float64")
    else:
        return None
    value = found.value
    assert value is not None
    terms = _Terms.of(footing.settings)
    if not len(days):
        return None
    begun = pd.Timestamp(days[0]).year + (1 if row.form == "activities" else 0)
    years = range(max(begun, footing.day.year - terms.most), footing.day.year)
    if not years:
        return None
    sums = np.concatenate([[0.0], np.cumsum(weights)])

    def total(window: Window) -> float:
        edges = np.array([window.start, window.end], dtype="datetime64[s]")
        first, last = np.searchsorted(days, edges, side="right")
        return float(sums[last] - sums[first])

    yearly = [total(Window(date(y - 1, 12, 31), date(y, 12, 31))) for y in years]
    periods = tuple(
        Period(w.length, 0, tuple(total(w.in_year(y)) for y in years))
        for w in windows(footing.day, deadline)
    )
    shock = shock_of(yearly, terms.shock, terms.least)
    return Flow(round(value), periods, shock=shock)


def _series(row: Row, footing: Footing, found: Measured) -> list[float]:
    """The value at the ends of the years before, oldest first, and now; gaps end it."""
    if row.form not in ("condition", "ratio", "growth", "price"):
        return []
    assert found.value is not None
    values = [found.value]
    for year in range(footing.year - 1, footing.year - 1 - _Terms.of(footing.settings).most, -1):
        past = measure(row, footing.earlier(date(year, 12, 31)), footing.plan).value
        if past is None:
            break
        values.append(past)
    return values[::-1]
