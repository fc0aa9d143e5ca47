"""Titles as stock and flow: 有效存量, 累计认定, 本年新增, 到期, 撤销, 迁出, with the firms.

All figures are distinct firms over a set of tiers. They add up: stock at the start of the period
+ new + other entries − expired − revoked − moved out − gone = stock at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import covered
from features.panel import Panel
from policy.plan.presence import Stays, districts, ended_on, stays

__all__ = ["FIGURES", "Ledger", "Titles", "known_tiers", "record_ends"]

FIGURES = (
    "stock", "cumulative", "new", "other_in", "expired", "revoked", "moved_out", "gone",
)  # fmt: skip

Mask = NDArray[np.bool_]
Days = NDArray[np.datetime64]
Ids = NDArray[np.object_]

_NEVER = np.datetime64("9999-12-31", "s")
_ALWAYS = np.datetime64("0001-01-01", "s")
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Titles:
    """Which titles count (``tiers``) and which events end a firm (``gone_kinds``)."""

    tiers: tuple[str, ...]
    gone_kinds: tuple[str, ...] = ()


def known_tiers(panel: Panel, tiers: Sequence[str]) -> tuple[str, ...]:
    """The tiers of which anything is known: a title of any firm, or a declared coverage."""
    seen = set(panel.tables["titles"]["tier"].unique())
    return tuple(t for t in tiers if t in seen or covered(panel, f"title:{t}"))


def record_ends(panel: Panel, tiers: Sequence[str]) -> date | None:
    """The day on which the declared records of these tiers end, if that is before the panel's."""
    ends = [c.end for c in panel.coverage for t in tiers if c.kind == f"title:{t}"]
    return min(ends) if ends and min(ends) < panel.as_of else None


@dataclass(frozen=True)
class Ledger:
    """All titles of a set up to the panel's day, as arrays, and the firms that held them.

    ``firm`` is the place of each title's firm in ``ids``; a title is valid from ``issued`` up to,
    not including, ``end``; ``closed`` is the day on which the firm ended (NaT: it did not).
    """

    ids: Ids
    district: Ids
    firm: NDArray[np.int64]
    issued: Days
    end: Days
    revoked: Mask
    new: Mask
    stays: Stays
    closed: Days
    declared: date | None

    @classmethod
    def of(cls, panel: Panel, titles: Titles) -> Ledger:
        """Read the titles of a set; sorted by firm and day of issue."""
        table = panel.tables["titles"]
        own = table[table["tier"].isin(titles.tiers).to_numpy()]
        rows = own.sort_values(["firm_id", "issued_on"], ignore_index=True)
        firm, ids = pd.factorize(rows["firm_id"].to_numpy(dtype=object))
        expires, stop = (rows[c].to_numpy(dtype="M8[s]") for c in ("expires_on", "revoked_on"))
        expires = np.where(np.isnat(expires), _NEVER, expires + _DAY)
        stop = np.where(np.isnat(stop), _NEVER, stop)
        starts = [c.start for c in panel.coverage for t in titles.tiers if c.kind == f"title:{t}"]
        return cls(
            ids,
            districts(panel, ids),
            firm,
            rows["issued_on"].to_numpy(dtype="M8[s]"),
            np.minimum(expires, stop),
            stop < expires,
            _is_new(rows["purpose"], firm),
            stays(panel, ids),
            ended_on(panel, ids, titles.gone_kinds),
            max(starts, default=None),
        )

    def _any(self, rows: Mask) -> Mask:
        """Per firm whether one of the rows is its own."""
        return np.bincount(self.firm[rows], minlength=len(self.ids)) > 0

    def alive(self, days: date | Days) -> Mask:
        """Per firm whether it was in the city and not ended, on a day or each on its own."""
        moment = np.datetime64(days, "s") if isinstance(days, date) else days
        return self.stays.at(days) & ~(self.closed <= moment)

    def holds(self, day: date) -> Mask:
        """Per firm whether it holds a valid title in the city on a day: the stock."""
        moment = np.datetime64(day, "s")
        return self._any((self.issued <= moment) & (self.end > moment)) & self.alive(day)

    @cached_property
    def fresh(self) -> Mask:
        """Titles that are new recognitions of firms in the city."""
        return self.new & self.stays.of(self.firm).at(self.issued)

    def last_day(self, day: date) -> Days:
        """Per firm the last day of the titles valid on a day; NaT: no end, or none valid."""
        moment = np.datetime64(day, "s")
        valid = (self.issued <= moment) & (self.end > moment)
        ends = np.full(len(self.ids), _ALWAYS)
        np.maximum.at(ends, self.firm[valid], self.end[valid])
        return np.where(
            (ends >= _NEVER) | (ends == _ALWAYS), np.datetime64("NaT", "s"), ends - _DAY
        )

    @property
    def since(self) -> date | None:
        """From when on recognitions say something: the year of the first, as far as declared."""
        if not len(self.issued):
            return None
        first = date(self.issued.min().astype(date).year, 1, 1)
        return first if self.declared is None else max(first, self.declared)

    def entries(self) -> tuple[Days, NDArray[np.int64]]:
        """The days on which firms came into the set by a new recognition, and which firms."""
        ends = pd.Series(self.end).groupby(self.firm)
        before = ends.cummax().groupby(self.firm).shift().to_numpy(dtype="M8[s]")
        came = self.fresh & ~(before > self.issued)
        return self.issued[came], self.firm[came]

    def firsts(self) -> tuple[Days, NDArray[np.int64]]:
        """The days of each firm's first new recognition, and the firms: 累计认定 adds them up."""
        fresh = np.flatnonzero(self.fresh)
        firms, first = np.unique(self.firm[fresh], return_index=True)
        return self.issued[fresh[first]], firms

    def renewals(self, year: int, grace: int) -> tuple[int, int]:
        """Of the firms whose titles were to expire in a year, how many held one ``grace`` days on.

        Both numbers are of firms that were still there then.
        """
        start, last = date(year - 1, 12, 31), np.datetime64(date(year, 12, 31), "s")
        until = self.last_day(start)
        asked = until + np.timedelta64(grace, "D")
        due = self.holds(start) & (until < last) & self.alive(asked)
        renewed = self._any(
            (self.issued <= asked[self.firm]) & (self.end > until[self.firm] + _DAY)
        )
        return int((due & renewed).sum()), int(due.sum())

    def people(self, start: date, day: date) -> pd.DataFrame:
        """One row per firm that ever held a title by ``day``: id, district, a flag per figure.

        The period runs from the end of ``start`` to the end of ``day``.
        """
        first, moment = np.datetime64(start, "s"), np.datetime64(day, "s")
        before, after = self.holds(start), self.holds(day)
        fresh = self.fresh & (self.issued <= moment)
        new = self._any(fresh & (self.issued > first)) & ~before
        figures = {
            "stock": after,
            "cumulative": self._any(fresh),
            "new": new,
            "other_in": after & ~before & ~new,
            **self._causes((before | new) & ~after, day),
        }
        ever = self._any(self.issued <= moment)
        names = {"firm_id": self.ids, "district": self.district}
        return pd.DataFrame({name: column[ever] for name, column in (names | figures).items()})

    def _causes(self, out: Mask, day: date) -> dict[str, Mask]:
        """Why firms that are out are out: what came first of the end of title, firm and stay."""
        moment = np.datetime64(day, "s")
        issued = np.flatnonzero(self.issued <= moment)
        order = issued[np.lexsort((self.end[issued], self.firm[issued]))]
        last = order[np.append(np.diff(self.firm[order]) != 0, True)] if len(order) else order
        ends, revoked = np.full(len(self.ids), _NEVER), np.zeros(len(self.ids), dtype=bool)
        ends[self.firm[last]] = np.where(self.end[last] <= moment, self.end[last], _NEVER)
        revoked[self.firm[last]] = self.revoked[last]
        closed = np.where(self.closed <= moment, self.closed, _NEVER)
        # Away without a date is a firm registered elsewhere: it was never of the city.
        left = np.where(np.isnat(self.stays.left), _ALWAYS, self.stays.left)
        dates = np.stack([ends, closed, np.where(self.stays.at(day), _NEVER, left)])
        cause = np.argmin(dates.astype("int64"), axis=0)
        return {
            "expired": out & (cause == 0) & ~revoked,
            "revoked": out & (cause == 0) & revoked,
            "moved_out": out & (cause == 2),
            "gone": out & (cause == 1),
        }


def _is_new(purpose: pd.Series, firm: NDArray[np.int64]) -> Mask:
    """A new recognition; where the purpose is not recorded, a firm's first title is one (推定)."""
    first = np.append(True, np.diff(firm) != 0)[: len(firm)]
    unsaid = purpose.isna().to_numpy(dtype=bool)
    return np.asarray((purpose == "new").to_numpy(dtype=bool) | (unsaid & first))
