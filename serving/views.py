"""The parts of a snapshot as they are read: columns over mapped memory, nothing copied in bulk.

One class per kind and layout version, registered in :data:`READERS`.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from model.rank_law import RankLaw
    from policy.sheet import Sheet

__all__ = [
    "READERS",
    "Category",
    "Figures",
    "Firms",
    "Fits",
    "Matrix",
    "PlanPages",
    "Reasons",
    "Rungs",
    "Scores",
    "Standing",
    "Verdicts",
]

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Category:
    """A text column of few values: a code a row (−1 = unknown) into ``values``."""

    values: tuple[str, ...]
    codes: Numbers

    def at(self, number: int) -> str | None:
        code = self.codes.item(number)
        return self.values[code] if code >= 0 else None


class Firms:
    """All firms by rising firm_id: the number of a firm is its place here."""

    def __init__(self, table: pa.Table) -> None:
        self.ids: list[str] = table["firm_id"].to_pylist()
        self.names: list[str | None] = table["name"].to_pylist()
        self.categories = {c: _category(table, c) for c in ("district", "industry", "tier")}
        self._districts, self._industries, self._tiers = self.categories.values()
        self._table = table
        self._columns = tuple(table.column_names)
        self._haystack, self._starts = _haystack(self.ids, self.names)

    def __len__(self) -> int:
        return len(self.ids)

    def number(self, firm_id: str) -> int | None:
        """Return the number of a firm, or None."""
        place = bisect_left(self.ids, firm_id)
        return place if place < len(self.ids) and self.ids[place] == firm_id else None

    def row(self, number: int) -> dict[str, Any]:
        """Return all that is known of one firm."""
        return {name: self._table[name][number].as_py() for name in self._columns}

    def brief(self, number: int) -> dict[str, Any]:
        """Return what a list shows of one firm."""
        return {
            "firm_id": self.ids[number],
            "name": self.names[number],
            "district": self._districts.at(number),
            "industry": self._industries.at(number),
            "tier": self._tiers.at(number),
        }

    def containing(self, text: str) -> Numbers:
        """Return the numbers of the firms whose id or name holds ``text``, whatever its case."""
        needle, starts, found, at = text.casefold(), self._starts, [], 0
        number = -1
        while (hit := self._haystack.find(needle, at)) >= 0:
            number = bisect_right(starts, hit, number + 1) - 1
            found.append(number)
            # On to the next firm: one hit a firm is enough.
            at = starts[number + 1]
        return np.array(found, dtype=np.int32)

    def near(self, firm_id: str, most: int = 3) -> list[str]:
        """Return ids that stand next to an unknown one and begin alike, or the id of that name."""
        place = bisect_left(self.ids, firm_id)
        around = self.ids[max(0, place - most) : place + most]
        alike = [(len(_common(i, firm_id)), i) for i in around]
        best = [i for n, i in sorted(alike, reverse=True) if n * 2 >= len(firm_id)][:most]
        return best or [self.ids[n] for n in self.containing(firm_id)[:most].tolist()]


class Scores:
    """One task in rank order: row i is rank i + 1."""

    def __init__(self, table: pa.Table) -> None:
        self.firm = _numpy(table, "firm")
        self.score = _numpy(table, "score")
        self.probability = _numpy(table, "probability")
        self.p_low = _numpy(table, "p_low")
        self.p_high = _numpy(table, "p_high")
        self.stale = _numpy(table, "stale")
        self._law = (table.schema.metadata or {}).get(b"rank_law")

    @cached_property
    def rank_law(self) -> RankLaw | None:
        """How far ranks move with outcomes drawn anew; None where nothing is known of it."""
        from model.rank_law import RankLaw

        return RankLaw.from_json(json.loads(self._law)) if self._law else None

    def __len__(self) -> int:
        return len(self.firm)

    def rows_of_firms(self, firms: int) -> Numbers:
        """Return the row of every firm, −1 where it is not in the cohort."""
        rows = np.full(firms, -1, dtype=np.int32)
        rows[self.firm] = np.arange(len(self.firm), dtype=np.int32)
        return rows


class Matrix:
    """Values and peer positions, one row a firm (the growth profile)."""

    def __init__(self, table: pa.Table) -> None:
        self.values = _matrix(table, "values")
        self.peers = None if _absent(table, "peers") else _matrix(table, "peers")


class Reasons(Matrix):
    """Contributions with the base last; values and peers; rows as in the scores of the task."""

    def __init__(self, table: pa.Table) -> None:
        super().__init__(table)
        self.contributions = _matrix(table, "contributions")


class Figures:
    """Metrics and gaps of one fiscal year by name, rows as the firms."""

    def __init__(self, table: pa.Table) -> None:
        self.columns = {name: _numpy(table, name) for name in table.column_names}


class Verdicts:
    """One tier and purpose, rows as the firms: status, a status a line, ranges of points."""

    def __init__(self, table: pa.Table) -> None:
        self.status = _numpy(table, "status")
        self.lines = _matrix(table, "lines")
        self.points = None if _absent(table, "points") else _matrix(table, "points")
        self._sheet = table.schema.metadata[b"sheet"]

    @cached_property
    def sheet(self) -> Sheet:
        """What each line is; read when first asked for."""
        from policy.sheet import Sheet

        return Sheet.from_json(json.loads(self._sheet))

    def row(self, number: int, figures: Figures) -> dict[str, Any]:
        """Return what the sheet says of one firm."""
        from policy.sheet import Reading

        flat = [] if self.points is None else self.points[number].tolist()
        read = Reading(
            self.status.item(number),
            self.lines[number].tolist(),
            list(zip(flat[::2], flat[1::2], strict=True)),
            lambda name: figures.columns[name].item(number),
        )
        return self.sheet.filled(read)


class LawText(dict[str, bytes]):
    """The files of the law that judged, by name."""

    def __init__(self, table: pa.Table) -> None:
        pairs = zip(table["file"].to_pylist(), table["content"].to_pylist(), strict=True)
        super().__init__(pairs)


class PlanPages:
    """Pages of the plan and the law, each read when first asked for."""

    def __init__(self, table: pa.Table) -> None:
        self._content = dict(zip(table["page"].to_pylist(), table["content"], strict=True))
        self._read: dict[str, Any] = {}

    def page(self, name: str) -> dict[str, Any]:
        if name not in self._read:
            self._read[name] = json.loads(self._content[name].as_py())
        found: dict[str, Any] = self._read[name]
        return found


class Fits:
    """Who each support fits, rows as the firms; ``deadlines`` are days since 1970-01-01."""

    def __init__(self, table: pa.Table) -> None:
        self.status = _matrix(table, "status")
        self.rung = _numpy(table, "rung")
        own = [name for name in table.column_names if name.startswith("deadline ")]
        self.deadlines = {int(name.split()[1]): _numpy(table, name) for name in own}


class Standing:
    """Size class, control group and niche, rows as the firms."""

    def __init__(self, table: pa.Table) -> None:
        self.size, self.group, self.niche = (
            _category(table, name) for name in ("size", "group", "niche")
        )


class Rungs:
    """A tier's places on the ladder, rows as the firms; ``about`` says batch and line."""

    def __init__(self, table: pa.Table) -> None:
        self.outside, self.applied, self.stage, self.open = (
            _numpy(table, name) for name in ("outside", "applied", "stage", "open")
        )
        self.about: dict[str, Any] = json.loads(table.schema.metadata[b"about"])


READERS: dict[tuple[str, int], Callable[[pa.Table], Any]] = {
    ("firms", 1): Firms,
    ("profile", 1): Matrix,
    ("scores", 1): Scores,
    ("reasons", 1): Reasons,
    ("law", 1): LawText,
    ("verdicts", 1): Verdicts,
    ("figures", 1): Figures,
    ("plan", 1): PlanPages,
    ("fits", 1): Fits,
    ("standing", 1): Standing,
    ("rungs", 1): Rungs,
}


def _one(table: pa.Table, name: str) -> pa.Array:
    column = table[name]
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _numpy(table: pa.Table, name: str) -> Numbers:
    column: Numbers = _one(table, name).to_numpy(zero_copy_only=True)
    return column


def _absent(table: pa.Table, name: str) -> bool:
    return bool(pa.types.is_null(table[name].type))


def _matrix(table: pa.Table, name: str) -> Numbers:
    lists = _one(table, name)
    flat: Numbers = lists.flatten().to_numpy(zero_copy_only=True)
    return flat.reshape(len(lists), lists.type.list_size)


def _category(table: pa.Table, name: str) -> Category:
    column = _one(table, name)
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Category(tuple(column.dictionary.to_pylist()), codes)


def _haystack(ids: list[str], names: list[str | None]) -> tuple[str, list[int]]:
    """Join all ids and names to one text, so that a search is one pass in C."""
    entries = [f"{i}\t{n or ''}\n".casefold() for i, n in zip(ids, names, strict=True)]
    return "".join(entries), [0, *accumulate(len(e) for e in entries)]


def _common(a: str, b: str) -> str:
    length = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    return a[:length] if length is not None else a[: min(len(a), len(b))]
