"""What came in by the city's own records, and the calendar that forecasts look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from policy.plan.forecast import Period, Rate, Shock
from policy.plan.settings import Settings

__all__ = ["PARAMETERS", "History", "Terms", "Window", "windows", "years_of"]

Days = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Places = NDArray[np.object_]

PARAMETERS = (
    "forecast_year_shock_pct", "forecast_year_shock_weight", "forecast_trend_prior_pct",
    "forecast_least_years", "forecast_most_years", "renewal_prior_pct", "renewal_prior_weight",
    "renewal_grace_months", "loss_prior_pct", "loss_prior_weight", "title_validity_years",
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

    def inside(self, days: Days) -> NDArray[np.bool_]:
        """Which days fall into it."""
        start, end = np.array([self.start, self.end], dtype="datetime64[s]")
        return np.asarray((days > start) & (days <= end))


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


class Terms(NamedTuple):
    """What forecasts take from the settings."""

    shock: Shock
    trend: float
    least: int
    most: int
    renewal: Rate
    grace: int
    loss: Rate
    validity: int

    @classmethod
    def of(cls, settings: Settings) -> Terms:
        numbers = [settings.number({"param": name}) for name in PARAMETERS]
        shock, weight, trend, least, most, renewal, trials, grace, loss, years, validity = (
            0.0 if number is None else number for number in numbers
        )
        return cls(
            Shock(shock / 100.0, weight),
            trend / 100.0,
            int(least),
            int(most),
            Rate(renewal / 100.0, trials),
            round(grace * DAYS_IN_MONTH),
            Rate(loss / 100.0, years),
            int(validity),
        )


@dataclass(frozen=True)
class History:
    """What came in: a day, a place and an amount each; ``years`` are whole years on record."""

    days: Days
    place: Places
    amount: Floats
    years: range

    def total(self, window: Window) -> float:
        return float(self.amount[window.inside(self.days)].sum())

    @property
    def yearly(self) -> tuple[float, ...]:
        return tuple(self.total(Window(date(y - 1, 12, 31), date(y, 12, 31))) for y in self.years)

    def by_place(self, parts: Sequence[Window] = ()) -> Mapping[str, float]:
        """What came in those years by place, or in the same parts of them alone."""
        whole = [Window(date(y - 1, 12, 31), date(y, 12, 31)) for y in self.years]
        spans = [part.in_year(y) for part in parts for y in self.years] if parts else whole
        rows = np.zeros(len(self.days), dtype=bool)
        for span in spans:
            rows |= span.inside(self.days)
        found = pd.Series(self.amount[rows]).groupby(self.place[rows]).sum()
        return {str(name): float(value) for name, value in found.items()}

    def periods(self, parts: Sequence[Window]) -> tuple[Period, ...]:
        """The periods with the counts of the same parts of the past years."""
        whole, found = sum(self.yearly), []
        middle = (self.years[0] + self.years[-1]) / 2.0 if self.years else 0.0
        for part in parts:
            history = tuple(self.total(part.in_year(y)) for y in self.years)
            share = sum(history) / whole if whole else part.length
            ahead = part.end.year - middle if self.years else 0.0
            found.append(Period(part.length, 0, history, min(share, 1.0), ahead))
        return tuple(found)


def years_of(begun: date | None, day: date, terms: Terms) -> range:
    """Whole years on record; one in whose middle the records begin says nothing of a year."""
    first = day.year if begun is None else begun.year + (begun > date(begun.year, 1, 1))
    return range(max(first, day.year - terms.most), day.year)
