"""Who was in the city on a day, and what the city looked like then, by what is known today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import HAPPENS_ON, REVEALED_BY, Panel
from features.schema import register

__all__ = ["Stays", "districts", "ended_on", "looking_back", "present", "stays"]

Mask = NDArray[np.bool_]
Days = NDArray[np.datetime64]
Ids = NDArray[np.object_]


class Stays(NamedTuple):
    """When firms came to the city and left it (NaT: never), and who is registered elsewhere."""

    came: Days
    left: Days
    elsewhere: Mask

    def at(self, days: date | Days) -> Mask:
        """Whether firms were there: one day for all, or a day per firm.

        Who came back after leaving was away in between. A firm without dates was always there; one
        that is registered elsewhere never.
        """
        moment = np.datetime64(days, "s") if isinstance(days, date) else days
        on = np.asarray(moment, dtype="M8[s]")
        no_in, no_out = np.isnat(self.came), np.isnat(self.left)
        since, until = no_in | (self.came <= on), no_out | (on < self.left)
        back = ~no_in & ~no_out & (self.came > self.left)
        return np.asarray(np.where(back, since | until, since & until) & ~self.elsewhere)

    def of(self, rows: NDArray[np.int64]) -> Stays:
        """The same for chosen firms, by their places."""
        return Stays(self.came[rows], self.left[rows], self.elsewhere[rows])


def stays(panel: Panel, ids: Ids | pd.Series) -> Stays:
    """The stays of firms, in the order of ``ids``."""
    firms = panel.firms[["city_in_on", "city_out_on", "registered_in_city"]].reindex(ids)
    return Stays(
        firms["city_in_on"].to_numpy(dtype="M8[s]"),
        firms["city_out_on"].to_numpy(dtype="M8[s]"),
        (firms["registered_in_city"] == 0).to_numpy(dtype=bool),
    )


def present(panel: Panel, ids: Ids | pd.Series, days: date | Days) -> Mask:
    """Whether firms were in the city on a day, or each on its own day."""
    return stays(panel, ids).at(days)


def ended_on(panel: Panel, ids: Ids | pd.Series, kinds: Sequence[str]) -> Days:
    """The day of the first event of these kinds that has no end: the firm is no more. NaT: none."""
    events = panel.tables["events"]
    final = events[(events["kind"].isin(kinds) & events["ended_on"].isna()).to_numpy()]
    first = final.groupby("firm_id")["on"].min()
    return np.asarray(first.reindex(ids).to_numpy(dtype="M8[s]"))


def districts(panel: Panel, ids: Ids | pd.Series) -> Ids:
    """The district of each firm, "" where it is not recorded."""
    return panel.firms["district"].reindex(ids).fillna("").to_numpy(dtype=object)


def looking_back(panel: Panel, day: date) -> Panel:
    """What the panel knows about an earlier day: later events, dates and years are not there.

    Knowledge stays today's. Accounts of the day's own year count, although they were written later.
    """
    if day >= panel.as_of:
        return panel
    tables = {name: _back(name, frame, day) for name, frame in panel.tables.items()}
    return replace(panel, as_of=day, tables=tables)


def _back(name: str, frame: pd.DataFrame, day: date) -> pd.DataFrame:
    moment = pd.Timestamp(day)
    columns = register().tables[name].columns
    happens = HAPPENS_ON.get(name)
    if happens is not None:
        frame = _kept(frame, (frame[happens] <= moment).to_numpy())
    elif "year" in columns and columns["year"].key:
        frame = _kept(frame, (frame["year"] <= day.year).to_numpy())
    changed: dict[str, pd.Series] = {}
    for column, hidden in REVEALED_BY.get(name, {}).items():
        ahead = frame[column] > moment
        for other, before in hidden.items():
            if ahead.any():
                changed[other] = frame[other].mask(ahead & frame[other].notna(), before)
    for column, spec in columns.items():
        if spec.dtype != "date" or spec.future:
            continue
        ahead = frame[column] > moment
        if ahead.any():
            changed[column] = frame[column].mask(ahead)
    if name == "firms":
        changed["registered_in_city"] = _registered(frame, moment)
    return frame.assign(**changed) if changed else frame


def _kept(frame: pd.DataFrame, rows: Mask) -> pd.DataFrame:
    return frame if rows.all() else frame[rows].reset_index(drop=True)


def _registered(firms: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    """Who came later was elsewhere: without its date of arrival it would seem to have been here."""
    came, left = firms["city_in_on"], firms["city_out_on"]
    return firms["registered_in_city"].mask((came > moment) & ~(left < came), 0.0)
