"""A firm as a later batch would see it, and the changes that can show by then.

The fiscal year of a later batch is not closed. Its figures stay as in the last closed year, but for
what time does by itself; a field's change adds to them, half of it in the year between. Closed
years stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.schema import register
from policy.path.affine import Affine, Unknown
from policy.path.changes import Changes, Field
from policy.path.tree import Every, Linear, Node
from tidu.clock import add_months

__all__ = ["Choice", "Outlook", "carried", "look_out"]

Floats = NDArray[np.float64]


def _split(name: str) -> tuple[str, int]:
    """``revenue[-1]`` is ``revenue``, one year back."""
    base, _, lag = name.partition("[-")
    return base, int(lag[:-1]) if lag else 0


def _named(base: str, lag: int) -> str:
    return f"{base}[-{lag}]" if lag else base


def carried(columns: Mapping[str, Floats], changes: Changes, years: int) -> dict[str, Floats]:
    """Shift yearly inputs by so many open years; everything else stays.

    >>> from policy.path.changes_reading import released
    >>> now = {"revenue": np.array([9.0]), "revenue[-1]": np.array([8.0])}
    >>> {name: float(v[0]) for name, v in carried(now, released(), 1).items()}
    {'revenue': 9.0, 'revenue[-1]': 9.0}
    """
    yearly = {name.partition("[")[0] for name in columns if "[-" in name}
    yearly |= set(register().tables["annual"].columns)
    found: dict[str, Floats] = {}
    for name, values in columns.items():
        base, lag = _split(name)
        year = years - lag  # the open year it speaks of; 0 and below are closed
        if base not in yearly:
            found[name] = values
        elif year > 0:
            found[name] = _open(changes, base, columns[base], year)
        else:
            found[name] = columns.get(_named(base, -year), np.full_like(values, np.nan))
    return found


def _open(changes: Changes, base: str, last: Floats, year: int) -> Floats:
    """What the ``year``-th open year holds if nothing is changed."""
    if base in changes.unknown:
        return np.full_like(last, np.nan)
    if base in changes.windows:
        left = year >= changes.windows[base]
        return np.zeros_like(last) if left else np.where(last == 0.0, 0.0, np.nan)
    return last + changes.drift.get(base, 0.0) * year


@dataclass(frozen=True, slots=True)
class Choice:
    """A field that this firm may change: where it starts, how far it may go, at which rate.

    ``room`` is how far the column itself lets it go, ``shown`` the part of the change that each
    open year shows.
    """

    field: Field
    start: float
    unit: float
    high: float
    room: float
    shown: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """One firm at a batch ``years`` open years ahead: inputs without change, and its choices.

    The coordinates of a change are the choices in order, then one for each choice of ``halves``:
    the whole part of what an integer field shows in the year between.
    """

    columns: Mapping[str, float]
    years: int
    choices: tuple[Choice, ...]
    halves: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.choices) + len(self.halves)

    def cell(self, name: str) -> Affine | Unknown:
        """An input as a function of the change."""
        level = self.columns.get(name, math.nan)
        if math.isnan(level):
            return Unknown()
        slope = np.zeros(self.size)
        base, lag = _split(name)
        year = self.years - lag
        for i, choice in enumerate(self.choices):
            move = choice.field.direction * choice.field.moves.get(base, 0.0)
            part = choice.shown[year - 1] if year > 0 else 0.0
            if move and part in (0.0, 1.0):
                slope[i] = move * part
            elif move and i in self.halves:
                slope[len(self.choices) + self.halves.index(i)] = move
            elif move:
                slope[i] = move * part
        return Affine(level, slope)

    def changed(self, point: Floats) -> dict[str, float]:
        """All inputs after a change; what no field moves stays to the last digit."""
        moved = {name for choice in self.choices for name in choice.field.moves}
        found = dict(self.columns)
        for name in self.columns:
            if name.partition("[")[0] in moved:
                part = self.cell(name)
                if isinstance(part, Affine) and not part.fixed:
                    found[name] = part.level + float(part.slope @ point)
        return found

    def keeps(self, changes: Changes) -> Node:
        """Parts at most their wholes and values inside their bounds, in every open year.

        What the figures break already without a change is not asked for.
        """
        tests: list[Node] = []
        columns = register().tables["annual"].columns
        for lag in range(self.years):
            for part, whole in changes.parts.items():
                a, b = self.cell(_named(part, lag)), self.cell(_named(whole, lag))
                if isinstance(a, Affine) and isinstance(b, Affine):
                    tests += _still(b - a)
            for base in {name for choice in self.choices for name in choice.field.moves}:
                value, column = self.cell(_named(base, lag)), columns[base]
                if not isinstance(value, Affine):
                    continue
                if column.low is not None:
                    tests += _still(Affine(value.level - column.low, value.slope))
                if column.high is not None:
                    tests += _still(Affine(column.high - value.level, -value.slope))
        return Every(tuple(tests))


def _still(rest: Affine) -> list[Node]:
    """Ask that what is not negative now stays so, unless nothing can move it."""
    return [] if rest.fixed or rest.level < 0.0 else [Linear(rest.slope, rest.level)]


def look_out(
    columns: Mapping[str, float],
    changes: Changes,
    years: int,
    start: date,
    read: frozenset[str],
) -> Outlook:
    """Set out what a firm may change from the day ``start``; ``columns`` are carried already.

    The first open fiscal year is that of ``start``; ``read`` are the columns the edition reads.
    """
    offered = [field for field in changes.fields if not field.special or field.name in read]
    found = [_choice(columns, field, start, years) for field in offered]
    chosen = tuple(choice for choice in found if choice is not None)
    halves = tuple(
        i
        for i, choice in enumerate(chosen)
        if choice.field.integer and any(0.0 < part < 1.0 for part in choice.shown)
    )
    return Outlook(columns, years, chosen, halves)


def _choice(columns: Mapping[str, float], field: Field, start: date, years: int) -> Choice | None:
    if not field.offered(columns):
        return None
    level, unit = columns[field.name], field.per_year.size(columns)
    ready = add_months(start, field.lead_months)
    shows = [date(start.year + i, 12, 31) >= ready for i in range(years)]
    if field.integer:
        unit = max(1.0, math.floor(unit))
    end = _end(field) if field.most is None else field.most
    room = math.inf if end is None else (end - level) * field.direction
    high = min(unit * sum(shows), room)
    if field.integer:
        high = math.floor(high + 1e-9)
    if unit <= 0.0 or high <= 0.0:
        return None
    shown = tuple(sum(shows[: i + 1]) / sum(shows) for i in range(years))
    return Choice(field, level, unit, high, room, shown)


def _end(field: Field) -> float | None:
    """The end of the column's range on the side to which the field moves."""
    if field.column.dtype == "bool":
        return 1.0
    if field.column.ordinal:
        return len(field.column.codes) - 1.0
    return field.column.high if field.direction > 0 else field.column.low
