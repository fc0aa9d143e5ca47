"""The mapping: what the columns of a foreign file mean, as one frozen value.

Written as TOML (docs/importing.md), read by :mod:`features.mapping_build`, carried by the vault as
JSON. The JSON document is the mapping; everything else is read from it, so equal documents share a
digest and ``rebuilt(m.as_json()) == m``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from features.schema import Column, register
from tidu import digest

__all__ = [
    "Coverage",
    "GroupPart",
    "KnownOn",
    "Mapping",
    "OutcomeRule",
    "Source",
    "TableRule",
    "TaskDefaults",
    "UnknownWhen",
]

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Who holds the data, why it may be used, and until when."""

    authority: str
    legal_basis: str
    purposes: Texts
    valid_until: date | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Within [start, end] the absence of an event of this kind means that it did not happen."""

    kind: str
    start: date
    end: date

    @property
    def table(self) -> str:
        """The table whose rows are meant.

        >>> Coverage("application:little_giant", date.min, date.max).table
        'applications'
        """
        what, _, tier = self.kind.partition(":")
        return f"{what}s" if tier else "events"


@dataclass(frozen=True, slots=True)
class TaskDefaults:
    """Defaults of a task for this population: months of horizon, size floor on base revenue."""

    task: str
    months: int | None = None
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class KnownOn:
    """When a row became known. ``inferred`` marks a date taken from a rule, not observed (推定).

    ``column``: the date in a source column. ``own``: the first filled of the row's own dates.
    ``fixed``: one day for all. ``yearly``: month and day, years after the fiscal year, plus the
    whole years in ``plus_column``. ``live``: the day of import. ``always``: 1900-01-01.
    """

    how: Literal["column", "own", "fixed", "yearly", "live", "always"]
    column: str = ""
    own: Texts = ()
    fixed: date | None = None
    month: int = 6
    day: int = 30
    years_after: int = 1
    plus_column: str = ""
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class UnknownWhen:
    """Where ``column`` holds one of ``equals``, the columns ``then`` of the row are unknown."""

    column: str
    equals: Texts
    then: Texts


@dataclass(frozen=True, slots=True)
class GroupPart:
    """One part of the group to split by: a source column, or one minus another."""

    column: str
    minus: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """The outcome column of a row-labelled set; every row is one example with its own outcome."""

    column: str
    task: str
    positive: Texts
    negative: Texts = ()
    known_on: KnownOn = KnownOn("yearly", inferred=True)
    group: tuple[GroupPart, ...] = ()


@dataclass(frozen=True, slots=True)
class TableRule:
    """How one table of the register is taken from the file; ``columns`` is canonical → header."""

    table: str
    columns: AbstractMapping[str, str] = field(default_factory=dict, hash=False)
    sheet: str = ""
    row_number: str = ""
    factor: AbstractMapping[str, float] = field(default_factory=dict, hash=False)
    constants: AbstractMapping[str, str] = field(default_factory=dict, hash=False)
    values: AbstractMapping[str, AbstractMapping[str, str]] = field(
        default_factory=dict, hash=False
    )
    drop_missing: Texts = ()
    dedupe: bool = False
    on_conflict: Literal["error", "last"] = "error"
    unknown_when: tuple[UnknownWhen, ...] = ()
    known_on: KnownOn | None = None


@dataclass(frozen=True)
class Mapping:
    """A validated mapping. Built by :mod:`features.mapping_build`."""

    name: str
    source: Source
    tables: tuple[TableRule, ...]
    extras: tuple[Column, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    tasks: tuple[TaskDefaults, ...] = ()
    outcome: OutcomeRule | None = None
    ignore: Texts = ()
    out_of_bounds: Literal["keep", "unknown", "error"] = "keep"
    template: bool = False
    live: bool = False
    document: str = field(default="{}", repr=False)

    @property
    def digest(self) -> str:
        """The sha256 of the canonical document."""
        return digest.of_bytes(self.document.encode())

    def as_json(self) -> dict[str, object]:
        """Return the document, ready for JSON."""
        document: dict[str, object] = json.loads(self.document)
        return document

    def column(self, table: str, name: str) -> Column | None:
        """Find a column of the register or a further column of this mapping."""
        found = register().tables[table].columns.get(name)
        if found is None and table == "annual":
            found = next((extra for extra in self.extras if extra.name == name), None)
        return found
