"""What an edition asks a firm to prove with, and what of it is held, expired or missing at a day.

A paper of a fiscal year is asked for once for each year that its criteria reach back to, as far as
:class:`~policy.papers.catalogue.Paper` says: each is a slot, and a paper is as good as its worst
slot. Of several rows of one paper the best counts. A paper is out of date when the last day printed
on it is past, when the months for which it counts have run since its issue, or when it is of
another year than the batch's data year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policy.papers.catalogue import Paper
from policy.papers.filed import Days, Filed
from tidu.clock import add_months

__all__ = [
    "EXPIRED",
    "HELD",
    "MISSING",
    "OPTIONAL",
    "REQUIRED",
    "STATES",
    "Materials",
    "Need",
    "Place",
    "Slot",
    "Terms",
    "assess",
]

States = NDArray[np.int8]

MISSING, EXPIRED, HELD = range(3)
STATES = ("missing", "expired", "held")
"""The order is a worth: the best row decides a slot, the worst slot decides a paper."""

OPTIONAL, REQUIRED = 1, 2
"""How far a firm is asked for a paper; 0: not at all."""

NEVER = np.datetime64("9999-12-31", "D")


@dataclass(frozen=True)
class Place:
    """Where an edition names a paper.

    ``criterion`` is the criterion's number in the edition; ``indicator``: a line of its score.
    """

    address: str
    clause: str
    zh: str
    en: str
    criterion: int
    indicator: bool = False


@dataclass(frozen=True)
class Need:
    """A paper with the places it proves; ``lags`` are the fiscal years back from the data year.

    A paper that is not made for a year has no lags.
    """

    paper: Paper
    places: tuple[Place, ...]
    lags: tuple[int, ...] = ()


@dataclass(frozen=True)
class Slot:
    """One copy of a paper: of one of these fiscal years, newest first; or, without, just the paper.

    ``newest`` marks the copy for which a paper of another year is out of date.
    """

    need: int
    years: tuple[int, ...]
    newest: bool

    @property
    def year(self) -> int | None:
        return self.years[0] if self.years else None


@dataclass(frozen=True)
class Terms:
    """The day and fiscal year that the batch fixes, and the city's parameters by name."""

    day: date
    data_year: int
    parameters: Mapping[str, object]


@dataclass(frozen=True)
class Materials:
    """Firms by papers: ``states`` (n, papers) and, year by year, ``slot_states`` (n, slots)."""

    firm_ids: NDArray[np.object_]
    needs: tuple[Need, ...]
    terms: Terms
    slots: tuple[Slot, ...]
    slot_states: States
    filed: Filed

    @cached_property
    def states(self) -> States:
        """Per firm and paper the state of its worst slot."""
        if not self.needs:
            return np.zeros((len(self.firm_ids), 0), dtype=np.int8)
        starts = [next(s for s, slot in enumerate(self.slots) if slot.need == i)
                  for i in range(len(self.needs))]  # fmt: skip
        return np.minimum.reduceat(self.slot_states, starts, axis=1)

    @cached_property
    def expires(self) -> Days:
        """The last valid day of each row on file, or NEVER."""
        return _last_days(self.filed, self.needs, self.terms.parameters)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many firms hold, have out of date and lack each paper."""
        return {
            need.paper.id: {
                name: int((self.states[:, i] == state).sum()) for state, name in enumerate(STATES)
            }
            for i, need in enumerate(self.needs)
        }

    def detail(self, firm: int) -> list[dict[str, Any]]:
        """All papers of one firm: what each proves, its state, and the row seen for each year."""
        rows = self.filed.of_firm(firm)
        found = []
        for i, need in enumerate(self.needs):
            own = rows[self.filed.paper[rows] == i]
            copies = [
                self._copy(firm, s, own) for s, slot in enumerate(self.slots) if slot.need == i
            ]
            found.append(
                _described(need, self.terms)
                | {"state": STATES[self.states[firm, i]], "copies": copies}
            )
        return found

    def _copy(self, firm: int, slot: int, rows: NDArray[np.int64]) -> dict[str, Any]:
        state = int(self.slot_states[firm, slot])
        copy: dict[str, Any] = {"year": self.slots[slot].year, "state": STATES[state]}
        if state == MISSING:
            return copy
        worth = _row_states(self.filed, rows, self.slots[slot], self.expires, self.terms.day)
        best = max(
            rows[worth == state],
            key=lambda r: (_newest(float(self.filed.year[r])), self.expires[r], -r),
        )
        return copy | self._seen(int(best), self.slots[slot])

    def _seen(self, row: int, slot: Slot) -> dict[str, Any]:
        filed = self.filed
        until, year = self.expires[row], filed.year[row]
        another = bool(slot.years) and year not in slot.years
        past = until < np.datetime64(self.terms.day)
        return {
            "seen_in": filed.source[row],
            "document": filed.document[row],
            "issued_on": _iso(filed.issued[row]),
            "valid_until": None if until == NEVER else _iso(until),
            "held_year": None if np.isnan(year) else int(year),
            "reason": "year" if another else "validity" if past else None,
        }


def assess(
    firm_ids: NDArray[np.object_], needs: Sequence[Need], filed: Filed, terms: Terms
) -> Materials:
    """Say of all firms which papers are held; ``filed`` numbers papers as ``needs`` does."""
    slots = tuple(_slots(needs, terms.data_year))
    states = np.zeros((len(firm_ids), len(slots)), dtype=np.int8)
    last = _last_days(filed, needs, terms.parameters)
    for number, slot in enumerate(slots):
        rows = np.flatnonzero(filed.paper == slot.need)
        worth = _row_states(filed, rows, slot, last, terms.day)
        np.maximum.at(states[:, number], filed.firm[rows], worth)
    return Materials(firm_ids, tuple(needs), terms, slots, states, filed)


def _slots(needs: Sequence[Need], data_year: int) -> list[Slot]:
    slots = []
    for number, need in enumerate(needs):
        years = tuple(data_year - lag for lag in sorted(need.lags))
        if need.paper.fiscal_year == "each":
            slots += [Slot(number, (year,), year == years[0]) for year in years]
        else:
            chosen = years[:1] if need.paper.fiscal_year == "newest" else years
            slots.append(Slot(number, chosen, newest=True))
    return slots


def _row_states(filed: Filed, rows: NDArray[np.int64], slot: Slot, last: Days, day: date) -> States:
    """What each row is worth for a slot. A paper issued later is not there yet.

    A year that is not stated proves no year.
    """
    moment = np.datetime64(day, "D")
    valid = np.where(last[rows] < moment, EXPIRED, HELD)
    if slot.years:
        year = filed.year[rows]
        another = np.where(np.isnan(year), MISSING, EXPIRED if slot.newest else MISSING)
        valid = np.where(np.isin(year, slot.years), valid, another)
    later = ~np.isnat(filed.issued[rows]) & (filed.issued[rows] > moment)
    return np.where(later, MISSING, valid).astype(np.int8)


def _last_days(filed: Filed, needs: Sequence[Need], parameters: Mapping[str, object]) -> Days:
    """The last valid day of each row: the printed one or the end of its months, the earlier one."""
    last = np.where(np.isnat(filed.until), NEVER, filed.until)
    for number, need in enumerate(needs):
        months = need.paper.months(parameters)
        if months is not None:
            rows = np.flatnonzero((filed.paper == number) & ~np.isnat(filed.issued))
            last[rows] = np.minimum(last[rows], _stepped(filed.issued[rows], months))
    return last


def _stepped(days: Days, months: int) -> Days:
    """The day before so many months have run: on the anniversary itself a paper is out of date."""
    unique, place = np.unique(days, return_inverse=True)
    ends = [add_months(day, months) - timedelta(days=1) for day in unique.astype(object)]
    return np.array(ends, dtype="datetime64[D]")[place]


def _described(need: Need, terms: Terms) -> dict[str, Any]:
    paper = need.paper
    return {
        "paper": paper.id,
        "zh": paper.zh,
        "en": paper.en,
        "issuer_zh": paper.issuer_zh,
        "issuer_en": paper.issuer_en,
        "valid_months": paper.months(terms.parameters),
        "months_parameter": paper.months_parameter,
        "years": [terms.data_year - lag for lag in need.lags],
        "confidence": paper.confidence,
        "source": paper.source,
        "proves": [
            {"id": p.address, "clause": p.clause, "zh": p.zh, "en": p.en, "score": p.indicator}
            for p in need.places
        ],
    }


def _newest(year: float) -> float:
    return -np.inf if np.isnan(year) else year


def _iso(day: np.datetime64) -> str | None:
    return None if np.isnat(day) else str(day)
