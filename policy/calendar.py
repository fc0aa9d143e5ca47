"""Days and years as the law counts them: whole anniversaries, then days of the year that runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tidu.clock import add_months

__all__ = ["Moment", "day_number", "day_numbers", "months_between", "years_between"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a verdict is given: the day, and the fiscal year that the batch fixes."""

    day: date
    data_year: int

    def until(self, what: str) -> date:
        """The day up to which years are counted.

        A fiscal year is complete when the next begins: a firm founded on 1 January has all of it.
        """
        if what == "years_since":
            return self.day
        return (
            date(self.data_year + 1, 1, 1)
            if what == "fiscal_years"
            else date(self.data_year, 12, 31)
        )


def day_number(day: date) -> float:
    """Days since 1970-01-01, the form in which inputs hold dates."""
    return float((day - date(1970, 1, 1)).days)


def day_numbers(days: NDArray[np.datetime64]) -> Floats:
    """The same of an array; a missing date is NaN."""
    missing = np.isnat(days)
    numbers = days.astype("datetime64[D]").astype("int64").astype("float64")
    return np.where(missing, np.nan, numbers)


def years_between(start: Floats, end: date) -> Floats:
    """Exact years from day numbers to a day: 2.0 on the second anniversary, not a day before.

    Someone who began on 29 February has an anniversary on 28 February where there is no other.

    >>> years_between(np.array([day_number(date(2022, 12, 31))]), date(2024, 12, 31))
    array([2.])
    """
    known = ~np.isnan(start)
    days = np.where(known, start, 0.0).astype("int64").astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    day_of_month = (days - months.astype("datetime64[D]")).astype("int64")
    last = np.datetime64(end, "D")
    years = (np.datetime64(end, "Y") - days.astype("datetime64[Y]")).astype("int64")
    whole = years - (_anniversary(months, day_of_month, years) > last)
    before = _anniversary(months, day_of_month, whole)
    after = _anniversary(months, day_of_month, whole + 1)
    part = (last - before).astype("int64") / (after - before).astype("int64")
    return np.where(known, whole + part, np.nan)


def _anniversary(
    months: NDArray[np.datetime64], day: NDArray[np.int64], years: NDArray[np.int64]
) -> NDArray[np.datetime64]:
    month = months + 12 * years
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype("int64")
    return np.asarray(month.astype("datetime64[D]") + np.minimum(day, length - 1))


def months_between(start: Floats, end: date) -> Floats:
    """Whole months from day numbers to a day; NaN where the start is unknown.

    >>> months_between(np.array([day_number(date(2025, 6, 30))]), date(2026, 6, 29))
    array([11.])
    """
    found = np.full(len(start), np.nan)
    for number in np.unique(start[~np.isnan(start)]):
        begin = (np.datetime64(0, "D") + int(number)).astype(object)
        months = (end.year - begin.year) * 12 + end.month - begin.month
        months -= add_months(begin, months) > end
        found[start == number] = months
    return found
