"""History and panel: rows with three clocks, and the one door through which they are seen.

Every row has the time it speaks of (its key), the time it became known (``known_on``) and the
import that brought it (``seq``). :meth:`History.as_of` shows what was known by the end of a day;
nothing downstream reads rows in any other way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property

import numpy as np
import pandas as pd

from features.mapping import Coverage, TaskDefaults
from features.schema import Column, register
from tidu.errors import NotFound

__all__ = ["History", "Panel", "Rows"]

CLOCKS = ("known_on", "known_inferred", "seq")
# Tables whose key date is the moment something happens: a row about a later day has not happened.
HAPPENS_ON = {
    "events": "on",
    "titles": "issued_on",
    "materials": "issued_on",
    "awards": "paid_on",
    "activities": "on",
}
# What a row says only because of a date in it: before that date the columns held this instead.
# A firm that will be reformed looks as all firms that are not, never as one that is unknown.
REVEALED_BY: dict[str, dict[str, dict[str, str | None]]] = {
    "firms": {"shareholding_reform_on": {"legal_form": "limited"}},
    "titles": {
        "revoked_on": {"cancelled_reason": None, "ban_until": None},
        "material_change_on": {"material_change_kind": None},
    },
    "applications": {
        "decided_on": dict.fromkeys(
            ("district_result", "city_result", "province_result", "final_result", "failed_clause")
        )
    },
}


@dataclass(frozen=True)
class Rows:
    """All versions of a table's rows, sorted by key, then known_on, then import.

    ``frame`` holds the columns and the clocks, ``key_id`` numbers equal keys (non-decreasing).
    """

    frame: pd.DataFrame
    key_id: np.ndarray
    known: np.ndarray

    @classmethod
    def build(cls, frame: pd.DataFrame, key: tuple[str, ...]) -> Rows:
        ordered = frame.sort_values([*key, "known_on", "seq"], kind="stable", ignore_index=True)
        changed = np.zeros(len(ordered), dtype=bool)
        for column in key:
            values = pd.factorize(ordered[column])[0]
            changed[1:] |= values[1:] != values[:-1]
        known = ordered["known_on"].to_numpy(dtype="datetime64[D]")
        return cls(ordered, np.cumsum(changed), known)

    def as_of(self, day: date) -> pd.DataFrame:
        """Return, per key, the newest row known by the end of ``day``; withdrawn rows are gone."""
        index = np.flatnonzero(self.known <= np.datetime64(day))
        if len(index):
            keys = self.key_id[index]
            index = index[np.append(keys[1:] != keys[:-1], True)]
        rows = self.frame.iloc[index]
        if "withdrawn" in rows:
            rows = rows[rows["withdrawn"].fillna(0).to_numpy() != 1]
        return rows.reset_index(drop=True)


@dataclass(frozen=True)
class Panel:
    """What was known by the end of ``as_of``: per table one row a key.

    ``tables`` holds every table of the register, empty where nothing was known.
    """

    as_of: date
    tables: Mapping[str, pd.DataFrame]
    extras: tuple[Column, ...]
    coverage: tuple[Coverage, ...]
    defaults: tuple[TaskDefaults, ...]
    outcome_task: str | None

    @cached_property
    def firm_ids(self) -> np.ndarray:
        """Sorted ids of all firms with accounts or a firm record, as an object array."""
        ids = pd.concat([self.tables["firms"]["firm_id"], self.tables["annual"]["firm_id"]])
        return np.sort(ids.unique().astype(object))

    @cached_property
    def firms(self) -> pd.DataFrame:
        """Firm records, one row for each of :attr:`firm_ids`, in that order."""
        return self.tables["firms"].set_index("firm_id").reindex(self.firm_ids)

    def of(self, firm_ids: Sequence[str]) -> Panel:
        """The same of some firms: what is known of each is what is known of it among all."""
        tables = dict(self.tables)
        for name, places in self._places.items():
            frame = self.tables[name]
            rows = [places[firm] for firm in firm_ids if firm in places]
            chosen = np.sort(np.concatenate(rows)) if rows else np.empty(0, dtype=int)
            tables[name] = frame.iloc[chosen].reset_index(drop=True)
        return replace(self, tables=tables)

    @cached_property
    def _places(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """Per table the rows of each firm; what a district or the city does is no firm's."""
        tables = {name: frame for name, frame in self.tables.items() if "firm_id" in frame}
        return {
            name: {
                str(firm): np.asarray(rows)
                for firm, rows in frame.groupby("firm_id").indices.items()
            }
            for name, frame in tables.items()
        }

    def split_groups(self, firm_ids: np.ndarray) -> np.ndarray:
        """Return per firm the group that never stands on both sides of a split."""
        if "split_group" not in self.firms:
            return firm_ids.astype(object)
        group = self.firms["split_group"].reindex(firm_ids)
        own = pd.Series(firm_ids, index=group.index, dtype="str")
        return group.where(group.notna() & (group != ""), own).to_numpy(dtype=object)

    def registered(self, name: str) -> bool:
        """Whether an annual column is of the register."""
        return name in register().tables["annual"].columns

    def column(self, name: str) -> Column:
        """Find an annual column: of the register, or a further one of a mapping."""
        for extra in self.extras:
            if extra.name == name:
                return extra
        return register().column("annual", name)


@dataclass(frozen=True)
class History:
    """Everything the imports up to one vault head brought, with its clocks."""

    head: str
    rows: Mapping[str, Rows]
    extras: tuple[Column, ...]
    coverage: tuple[Coverage, ...]
    defaults: tuple[TaskDefaults, ...]
    outcome_task: str | None

    def as_of(self, day: date) -> Panel:
        """Show what was known by the end of ``day``, outcomes included."""
        tables = {name: _shown(name, self.rows, day) for name in register().tables}
        return Panel(day, tables, self.extras, self.coverage, self.defaults, self.outcome_task)

    @cached_property
    def last_known(self) -> date:
        """The newest day on which anything became known."""
        days = [rows.known.max() for rows in self.rows.values() if len(rows.known)]
        if not days:
            raise NotFound("The vault is empty.", "Import a file first: tidu import FILE ...")
        newest: date = max(days).astype(object)
        return newest


def _shown(name: str, rows: Mapping[str, Rows], day: date) -> pd.DataFrame:
    table = register().tables[name]
    if name not in rows:
        return _nothing(name).copy()
    shown = rows[name].as_of(day)
    moment = pd.Timestamp(day)
    happens = HAPPENS_ON.get(name)
    if happens in shown:
        shown = shown[(shown[happens] <= moment).to_numpy()].reset_index(drop=True)
    _conceal(name, shown, moment)
    absent = []
    blank: dict[str, pd.Series] = {}
    for column, spec in table.columns.items():
        if column not in shown:
            # Columns that the data lacks share one of their kind; copy-on-write keeps them apart.
            empty = _empty(spec)
            if str(empty.dtype) not in blank:
                blank[str(empty.dtype)] = empty.reindex(shown.index)
            absent.append(blank[str(empty.dtype)].rename(column))
        elif spec.dtype == "date" and not spec.future:
            # A row written later may carry what happened later; who stands at ``day`` cannot know.
            shown[column] = shown[column].where(shown[column] <= moment)
    return pd.concat([shown, *absent], axis=1) if absent else shown


@cache
def _nothing(name: str) -> pd.DataFrame:
    columns = register().tables[name].columns
    clocks = {"known_on": "datetime64[s]", "known_inferred": "bool", "seq": "int64"}
    frame = pd.DataFrame({column: _empty(spec) for column, spec in columns.items()})
    return frame.assign(**{c: pd.Series([], dtype=kind) for c, kind in clocks.items()})


def _conceal(name: str, shown: pd.DataFrame, moment: pd.Timestamp) -> None:
    """Put back what columns held before a date that still lies ahead."""
    for day, columns in REVEALED_BY.get(name, {}).items():
        if day not in shown:
            continue
        ahead = shown[day] > moment
        for column, before in columns.items():
            if column in shown and ahead.any():
                shown[column] = shown[column].mask(ahead & shown[column].notna(), before)


def _empty(spec: Column) -> pd.Series:
    if spec.dtype == "date":
        return pd.Series([], dtype="datetime64[s]")
    if spec.name == "year":
        return pd.Series([], dtype="int64")
    return pd.Series([], dtype="float64" if spec.dtype in ("int", "float", "bool") else "str")
