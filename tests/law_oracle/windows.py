"""Which text judges whom on a day, and how long records count: days, without any data.

Selector: the table of dates by tier and purpose. Windows: docs/decisions/0010-policy.md.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

IN_FORCE_63 = date(2022, 8, 1)
IN_FORCE_2 = date(2026, 4, 1)
GIANT_REVIEWS_BY_2 = date(2027, 1, 1)
"""117号: little giants are reviewed by the standard of 2022 in all of 2026."""


def edition(tier: str, purpose: str, day: date) -> str | None:
    """The edition in force; None before there was any."""
    if tier == "tech_sme":  # kept by 第三十条 as well
        return "115-2017"
    if day < IN_FORCE_63:
        return None
    if tier == "innovative_sme":  # 2号 第三十条 keeps annex 1 until a merged standard appears
        return "63-2022/annex1"
    if tier == "srdi_municipal":
        return "city/srdi_municipal"
    if tier == "srdi_provincial":
        return "63-2022/annex2" if day < IN_FORCE_2 else "2-2026/annex1"
    assert tier == "little_giant"
    new_law = IN_FORCE_2 if purpose == "new" else GIANT_REVIEWS_BY_2
    return "63-2022/annex3" if day < new_law else "2-2026/annex2"


def months_later(day: date, months: int) -> date:
    """The same date so many months on; the month's last day where it has no such date."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Record:
    """An adverse record. Repaired or exempt ones stand nowhere."""

    on: date
    ended_on: date | None = None
    repaired_on: date | None = None
    exempt: bool = False

    def stands(self, day: date) -> bool:
        repaired = self.repaired_on is not None and self.repaired_on <= day
        return self.on <= day and not repaired and not self.exempt


def recent(records: Iterable[Record], months: int, day: date, covered: bool) -> bool | None:
    """An event counts from its date to the day before the same date so many months on."""
    counting = any(r.stands(day) and day < months_later(r.on, months) for r in records)
    return counting or (False if covered else None)


def open_state(records: Iterable[Record], day: date, covered: bool) -> bool | None:
    """A state counts until the day before its removal or repair."""
    running = any(
        r.stands(day) and not (r.ended_on is not None and r.ended_on <= day) for r in records
    )
    return running or (False if covered else None)


@dataclass(frozen=True)
class Title:
    issued_on: date
    expires_on: date | None
    revoked_on: date | None = None
    ban_until: date | None = None

    def revoked(self, day: date) -> bool:
        return self.revoked_on is not None and self.revoked_on <= day


def held(titles: Iterable[Title], day: date, covered: bool) -> bool | None:
    """A title is held from its issue to its last day, unless it was revoked."""
    holding = any(
        t.issued_on <= day and (t.expires_on is None or day <= t.expires_on) and not t.revoked(day)
        for t in titles
    )
    return holding or (False if covered else None)


def barred(titles: Iterable[Title], day: date, covered: bool) -> bool | None:
    """The last day of a bar still bars; a bar begins with the revocation."""
    now = any(t.revoked(day) and t.ban_until is not None and day <= t.ban_until for t in titles)
    return now or (False if covered else None)


LEVELS = ("none", "muni", "prov", "nat")


@dataclass(frozen=True)
class Award:
    """What a firm states for a fiscal year; rank and date of the certificate may be missing."""

    level: str
    rank: int | None = None
    on: date | None = None


def award(stated: Mapping[int, Award], level: str, rank: int, fiscal_year: int) -> bool | None:
    """A science award of a level, ranked up to ``rank`` (0: any), in three fiscal years."""
    first = date(fiscal_year - 2, 1, 1)
    maybe = fiscal_year not in stated
    for year in range(fiscal_year - 2, fiscal_year + 1):
        given = stated.get(year)
        if given is None or LEVELS.index(given.level) < LEVELS.index(level):
            continue
        if given.on is not None and given.on < first:
            continue
        if rank == 0 or (given.rank is not None and given.rank <= rank):
            return True
        maybe |= given.rank is None
    return None if maybe else False
