"""The changes a firm may make on its way to the next tier, as types.

``policy/data/changes.toml`` says which columns may move, which way, by how much a year, how soon it
shows and what moves with them; :mod:`policy.path.changes_reading` reads it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from features.schema import Column

__all__ = ["Changes", "Field", "Forbidden", "Identity", "Step", "Text"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words in both languages."""

    zh: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Step:
    """What a year can bring: ``amount``, or a ``share`` of the column ``of``, from ``floor`` up."""

    amount: float = 0.0
    share: float = 0.0
    of: str = ""
    floor: float = 0.0

    def size(self, values: Mapping[str, float]) -> float:
        """The attainable change a year; where the column it depends on is unknown, the floor."""
        if not self.of:
            return self.amount
        size = self.share * values.get(self.of, math.nan)
        return self.floor if math.isnan(size) else max(self.floor, size)


@dataclass(frozen=True, slots=True)
class Field:
    """A column that a firm may change; ``moves`` is what changes with it, per 1, itself included.

    ``id`` is the column's name, but where a column has a second way to change.

    ``most`` is the end that a firm's own doing reaches. The field is available only where the
    column ``instead_of`` is unknown and the column ``needs`` is known; a ``special`` one only where
    the edition reads its own column, so that nobody raises funds of one kind for a general aim.
    """

    id: str
    column: Column
    kind: str
    direction: int
    per_year: Step
    resolution: float
    lead_months: int
    moves: Mapping[str, float]
    how: Text
    most: float | None = None
    instead_of: str = ""
    needs: str = ""
    special: bool = False
    confidence: str = "L"
    source: str = ""

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def integer(self) -> bool:
        return self.column.dtype != "float" or self.resolution == 1

    def offered(self, values: Mapping[str, float]) -> bool:
        """Whether what is known of a firm lets it change this field at all."""

        def known(name: str) -> bool:
            return not math.isnan(values.get(name, math.nan))

        taken = bool(self.instead_of) and known(self.instead_of)
        lacks = bool(self.needs) and not known(self.needs)
        return known(self.name) and not taken and not lacks


@dataclass(frozen=True, slots=True)
class Identity:
    """A weighted sum of columns that no change alters."""

    id: str
    text: Text
    sum: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A move that no answer makes, with the columns that show it."""

    id: str
    text: Text
    never_lower: tuple[str, ...] = ()
    never_change: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that ``changes.toml`` says."""

    horizon_years: int
    warning: Text
    assumptions: Mapping[str, Text]
    forbidden: tuple[Forbidden, ...]
    identities: tuple[Identity, ...]
    parts: Mapping[str, str]
    drift: Mapping[str, float]
    windows: Mapping[str, int]
    unknown: frozenset[str]
    words: Mapping[str, Text]
    fields: tuple[Field, ...]

    def field(self, identity: str) -> Field:
        return next(field for field in self.fields if field.id == identity)
