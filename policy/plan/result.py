"""What running a row of the plan gives: a table, totals, what has to be said, what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import pandas as pd

__all__ = ["Note", "PlanRow", "Result"]


class PlanRow(Protocol):
    """What running a row needs of it; :mod:`policy.plan.rows` makes rows."""

    @property
    def id(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def zh(self) -> str: ...

    @property
    def en(self) -> str: ...

    @property
    def scope(self) -> str: ...

    @property
    def programme(self) -> str: ...

    @property
    def numbers(self) -> Mapping[str, Any]: ...

    @property
    def details(self) -> Mapping[str, Mapping[str, Any]]:
        """The tables of the row by name: ``reward``, ``measure``, ``product`` …"""


class Note(NamedTuple):
    """One sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Result:
    """The consequence of one row at a day.

    ``table`` names what each figure of ``totals`` is made of. A total that is None is not decided
    (待定), never zero. ``parameters`` are the city's settings that the result rests on, with the
    values used; None means that the city has set none.
    """

    row: str
    kind: str
    table: pd.DataFrame
    totals: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
