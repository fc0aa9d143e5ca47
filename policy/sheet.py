"""The sheet of an edition: the lines that a verdict shows, in order, and what fills each of them.

Words, clauses and thresholds are the same for every firm and stand here once. What differs from
firm to firm is a status a line, the points of the score, and figures by name, which editions share:
a metric's value (where it is a range, its upper end beside it) and the gap of a test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any as Anything
from typing import Literal, Self

from policy.gaps import gap
from policy.logic import MET, NAMES, NOT_APPLICABLE, UNMET

__all__ = ["JSON", "Entry", "Line", "Reading", "Sheet"]

JSON = dict[str, Anything]
Kind = Literal["number", "code", "truth", "score", "finding"]


@dataclass(frozen=True, slots=True)
class Line:
    """One test: its words, its place among the statuses, and the figures that fill it.

    ``points`` is the number of a score's range. Without a name of a gap none is shown. A finding
    has nothing but its status.
    """

    words: JSON
    place: int
    kind: Kind
    low: str = ""
    high: str = ""
    gap: str = ""
    codes: tuple[str, ...] = ()
    points: int = 0

    def filled(self, read: Reading) -> JSON:
        status = read.lines[self.place]
        shown = {**self.words, "status": NAMES[status]}
        if self.kind == "finding":
            return shown
        if self.kind == "score":
            low, high = read.points[self.points]
            missing = gap(low, "at_least", _unknown(self.words["threshold"]), 1.0)
            return {**shown, "value": low if low == high else None, "range": [low, high],
                    "gap": missing}  # fmt: skip
        low = read.figure(self.low)
        if self.kind == "truth":
            return {**shown, "value": None if math.isnan(low) else bool(low), "gap": None}
        high = read.figure(self.high) if self.high else low
        shown["value"] = self._told(low) if low == high else None
        if self.high and low != high:
            shown["range"] = [self._told(low), self._told(high)]
        missing = read.figure(self.gap) if self.gap else math.nan
        if self.kind == "number" and status == MET:
            missing = 0.0
        return {**shown, "gap": None if math.isnan(missing) else missing}

    def _told(self, value: float) -> float | str | None:
        """A value as people write it: codes by name, unknown as none."""
        if math.isnan(value) or math.isinf(value):
            return None
        if self.codes:
            return self.codes[int(value)] if 0 <= int(value) < len(self.codes) else None
        return value


@dataclass(frozen=True, slots=True)
class Entry:
    """A criterion with the tests below it; a single test is shown in the criterion's own line."""

    words: JSON
    place: int
    parts: tuple[Line, ...]

    def filled(self, read: Reading) -> JSON:
        status = read.lines[self.place]
        parts = [part.filled(read) for part in self.parts]
        alone = parts[0] if len(parts) == 1 else {}
        missing = alone.get("gap") if status == UNMET else (0.0 if status == MET else None)
        return {
            **self.words,
            "status": NAMES[status],
            "value": alone.get("value"),
            "operator": alone.get("operator", ""),
            "threshold": alone.get("threshold"),
            "gap": missing,
            "unit": alone.get("unit", ""),
            "parts": parts if len(parts) > 1 and status != NOT_APPLICABLE else [],
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """What one firm's row holds: the tier's status, one a line, ranges of points, and figures."""

    status: int
    lines: Sequence[int]
    points: Sequence[tuple[float, float]]
    figure: Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Sheet:
    """``head`` says by which edition, document and batch; ``score`` are the lines of its score."""

    head: JSON
    entries: tuple[Entry, ...]
    score: tuple[JSON, ...]
    figures: tuple[str, ...] = field(default=("audited",))
    """The names of all figures that the lines read."""

    def filled(self, read: Reading) -> JSON:
        """Return the verdict of one firm as JSON: status, criteria with their parts, score."""
        audited = read.figure("audited")
        return {
            **self.head,
            "audited": None if math.isnan(audited) else bool(audited),
            "status": NAMES[read.status],
            "criteria": [entry.filled(read) for entry in self.entries],
            "score": [
                {**words, "points": list(read.points[i])} for i, words in enumerate(self.score)
            ],
        }

    def as_json(self) -> JSON:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Anything]) -> Self:
        def line(part: Mapping[str, Anything]) -> Line:
            return Line(**{**part, "codes": tuple(part["codes"])})

        entries = tuple(
            Entry(entry["words"], entry["place"], tuple(map(line, entry["parts"])))
            for entry in raw["entries"]
        )
        return cls(raw["head"], entries, tuple(raw["score"]), tuple(raw["figures"]))


def _unknown(value: float | None) -> float:
    return math.nan if value is None else value
