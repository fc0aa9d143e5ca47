"""The batches ahead: what each will see of all firms if nothing but time passes.

Accounts of open years are carried forward; states and titles stay as they are; an event of three
years, a bar on applying or an award leaves its window on its own day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel
from policy.law import Batch, Law
from policy.lookups import Asked, lookup
from policy.path.changes import Changes
from policy.path.outlook import carried
from policy.rules import Edition, Purpose
from policy.values import Inputs
from tidu.clock import add_months
from tidu.errors import NotFound

__all__ = ["Ahead", "Clock", "ahead", "ends_on", "inputs_of", "needed", "watch"]

Floats = NDArray[np.float64]
Clock = Callable[[str, date, int], Floats]
"""A look-up by its name as it will stand on a day, for a fiscal year, if nothing new happens."""

LAPSING = ("recent(", "since_new_year(", "banned(", "award(")
GROWING = ("months_on(", "months_since(")


@dataclass(frozen=True)
class Ahead:
    """A batch ``years`` fiscal years ahead of the last closed one; 0 is the coming one itself."""

    batch: Batch
    edition: Edition
    years: int
    inputs: Inputs


@dataclass(frozen=True)
class _Later(Asked):
    """The same records, asked on a later day."""

    at: date = date.max

    @property
    def day(self) -> date:
        return self.at


def watch(panel: Panel) -> Clock:
    """Look-ups of a panel on later days."""
    return lambda name, day, year: lookup(_Later(panel, year, day), name)


def needed(changes: Changes) -> frozenset[str]:
    """The columns that a path reads beyond those of the law."""
    found = set(changes.parts) | set(changes.parts.values())
    for field in changes.fields:
        found |= {*field.moves, field.per_year.of, field.instead_of, field.needs}
    for identity in changes.identities:
        found |= set(identity.sum)
    return frozenset(found - {""})


def ahead(
    law: Law, changes: Changes, tier: tuple[str, Purpose], now: Inputs, clock: Clock | None = None
) -> tuple[Ahead, ...]:
    """Set out the coming batch of a tier and those within the horizon, for all firms.

    A coming batch that has closed is left out, and so is one for which no edition is in force.
    """
    found = []
    for years in range(changes.horizon_years + 1):
        day = add_months(now.day, 12 * years)
        try:
            batch = law.batch(tier[0], day, tier[1])
        except NotFound:
            continue
        if years == 0 and batch.closes_on is not None and batch.closes_on < now.day:
            continue
        if years > 0 and batch.opens_on is not None:
            batch = replace(batch, day=batch.opens_on)
            batch = replace(batch, edition=law.select(tier[0], batch.day, tier[1]).id)
        passed = batch.data_year - now.data_year
        if passed != years:
            continue
        inputs = inputs_of(now, changes, batch, clock) if years else now
        found.append(Ahead(batch, law.edition(batch.edition), years, inputs))
    return tuple(found)


def inputs_of(now: Inputs, changes: Changes, batch: Batch, clock: Clock | None) -> Inputs:
    """What a later batch will see if nothing but time passes."""
    years = batch.data_year - now.data_year
    columns = carried(now.columns, changes, years)
    for name, values in now.columns.items():
        if name.startswith(GROWING):
            columns[name] = np.where(values > 0.0, values + 12.0 * years, values)
        elif name.startswith(LAPSING) and clock is not None:
            then = clock(name, batch.day, batch.data_year)
            columns[name] = np.where((values == 1.0) & (then != 1.0), 0.0, values)
    return replace(now, day=batch.day, data_year=batch.data_year, columns=columns)


def ends_on(panel: Panel, name: str, firm_id: str) -> date | None:
    """The first day on which what stands against a firm has ended by itself, if it does.

    An event within months ends when its date comes round, a bar after its last day. A state (open)
    ends with removal or repair, whose day nobody knows.
    """
    what, _, rest = name.partition("(")
    days: list[date] = []
    if what == "banned":
        titles = panel.tables["titles"]
        mine = titles.loc[(titles["firm_id"] == firm_id).to_numpy(dtype=bool), "ban_until"]
        days = [day.date() for day in mine.dropna()]
    elif what in ("recent", "since_new_year"):
        kind, length = rest.rstrip(")").split(", ")[:2]
        events = panel.tables["events"]
        chosen = (events["firm_id"] == firm_id) & (events["kind"] == kind)
        mine = events.loc[chosen.to_numpy(dtype=bool), "on"]
        days = [
            add_months(on.date(), int(length))
            if what == "recent"
            else date(on.year + int(length) + 1, 1, 1)
            for on in mine.dropna()
        ]
    row, clock = int(np.searchsorted(panel.firm_ids, firm_id)), watch(panel)
    near = sorted({day + timedelta(days=n) for day in days for n in (-1, 0, 1)})
    # The look-up itself says which of these days is the first: months differ in length.
    return next((day for day in near if clock(name, day, panel.as_of.year)[row] != 1.0), None)
