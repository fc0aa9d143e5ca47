"""Calendar dates: parsing, steps of months, and the end of a day as a point of knowledge."""

from __future__ import annotations

import calendar
from datetime import date, datetime

from tidu.errors import UsageError

__all__ = ["add_months", "parse_date", "today"]


def parse_date(text: str) -> date:
    """Parse an ISO date; anything else is a :class:`UsageError`.

    >>> parse_date("2021-06-30")
    datetime.date(2021, 6, 30)
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"A date must be written YYYY-MM-DD, found {text!r}.", "Write it like 2021-06-30."
        ) from None


def today() -> date:
    """The day where this machine stands; only the edges ask, everything else is told."""
    return datetime.now().astimezone().date()


def add_months(day: date, months: int) -> date:
    """Step by calendar months; the last day of a month stays the last day.

    >>> add_months(date(2020, 2, 29), 12), add_months(date(2021, 6, 30), -24)
    (datetime.date(2021, 2, 28), datetime.date(2019, 6, 30))
    >>> add_months(date(2021, 2, 28), -12)
    datetime.date(2020, 2, 29)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    last = calendar.monthrange(year, month)[1]
    at_end = day.day == calendar.monthrange(day.year, day.month)[1]
    # June 30 is a month's end, and 30 June a year earlier is too: keep the day where it exists.
    keep = day.day if day.day <= last and not (at_end and month == 2) else last
    return date(year, month, keep)
