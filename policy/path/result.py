"""What a path says: the changes, what stays to be proved, what cannot be changed, its warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from policy.path.changes import Changes, Field, Text

__all__ = ["Change", "Open", "Path", "PathStatus", "worded"]

PathStatus = Literal["met", "reachable", "not_within_two_years", "blocked", "unknown"]
"""``unknown``: no criterion can be decided, for want of data or because the law does not apply."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field's change; ``values`` holds what each open year must show, the last year last."""

    field: str
    unit: str
    from_value: float
    values: tuple[tuple[int, float], ...]
    per_year: float
    lead_months: int
    kind: str
    confidence: str
    text: Text
    how: Text

    @property
    def year(self) -> int:
        """The fiscal year that must show the whole change."""
        return self.values[-1][0]

    @property
    def to_value(self) -> float:
        return self.values[-1][1]

    @property
    def steps(self) -> float:
        """Its size in units of one year's attainable change."""
        return abs(self.to_value - self.from_value) / self.per_year

    def as_json(self) -> dict[str, object]:
        return {
            "field": self.field,
            "unit": self.unit,
            "from": self.from_value,
            "to": self.to_value,
            "year": self.year,
            "values": [{"year": year, "value": value} for year, value in self.values],
            "per_year": self.per_year,
            "steps": round(self.steps, 6),
            "lead_months": self.lead_months,
            "kind": self.kind,
            "confidence": self.confidence,
            "text": self.text.as_json(),
            "how": self.how.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Open:
    """A criterion that a path leaves open: to be proved, out of reach, or not the firm's to change.

    ``until`` is the day from which it holds by itself, where that is known.
    """

    criterion: str
    clause: str
    status: str
    text: Text
    until: date | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "criterion": self.criterion,
            "clause": self.clause,
            "status": self.status,
            "text": self.text.as_json(),
            "until": self.until.isoformat() if self.until else None,
        }


@dataclass(frozen=True, slots=True)
class Path:
    """How one firm gets to one tier; ``batch_year`` is the year of application that it holds in.

    ``ties`` are other sets of as few fields and as little change; ``figures`` is what each open
    year shows in every column that moves, by identity or by hand. ``pending`` is left to proof
    (待核实), ``by_time`` comes by itself, ``short`` is what a year's attainable change does not
    reach in time, ``blocked`` what no change of the firm's own reaches. ``other`` is the best
    answer of the other batch within the horizon: sooner with more, or later. ``scores`` is the
    model's answer before and after.
    """

    firm_id: str
    tier: str
    edition: str
    status: PathStatus
    batch_year: int | None
    warning: Text
    changes: tuple[Change, ...] = ()
    ties: tuple[tuple[Change, ...], ...] = ()
    figures: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    pending: tuple[Open, ...] = ()
    by_time: tuple[Open, ...] = ()
    short: tuple[Open, ...] = ()
    blocked: tuple[Open, ...] = ()
    other: Path | None = None
    assumptions: Mapping[str, Text] = field(default_factory=dict)
    scores: tuple[float, float] | None = None

    @property
    def total(self) -> float:
        """All change in units of one year's attainable change."""
        return sum(change.steps for change in self.changes)

    def as_json(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "firm_id": self.firm_id,
            "tier": self.tier,
            "edition": self.edition,
            "status": self.status,
            "batch_year": self.batch_year,
            "changes": [change.as_json() for change in self.changes],
            "total": round(self.total, 6),
            "ties": [[change.as_json() for change in tie] for tie in self.ties],
            "figures": {str(year): dict(values) for year, values in self.figures.items()},
            "pending": [entry.as_json() for entry in self.pending],
            "by_time": [entry.as_json() for entry in self.by_time],
            "short": [entry.as_json() for entry in self.short],
            "blocked": [entry.as_json() for entry in self.blocked],
            "other": self.other.as_json() if self.other else None,
            "assumptions": {name: text.as_json() for name, text in self.assumptions.items()},
            "warning": self.warning.as_json(),
            "scores": list(self.scores) if self.scores else None,
        }


def worded(field: Field, changes: Changes, values: tuple[float, float]) -> Text:
    """Say a change from one value to another in both languages."""
    column = field.column
    if column.dtype == "bool":
        form, first, last = changes.words["obtain"], ("", ""), ("", "")
    else:
        better = "rank" if field.kind == "rank" else "lower"  # the first place is the highest
        form = changes.words["raise" if field.direction > 0 else better]
        first, last = (_valued(field, value) for value in values)
    return Text(
        form.zh.format(**{"label": column.zh, "from": first[0], "to": last[0]}),
        form.en.format(**{"label": column.en, "from": first[1], "to": last[1]}),
    )


def _valued(field: Field, value: float) -> tuple[str, str]:
    column = field.column
    if column.codes:
        code = list(column.codes)[round(value)]
        return (column.codes[code] or (code,))[0], code
    number = f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{number}{column.unit}", f"{number} {_UNITS.get(column.unit, column.unit)}".strip()


_UNITS = {
    "万元": "×10k CNY",
    "人": "people",
    "项": "items",
    "名": "(place)",
    "分": "points",
    "级": "(level)",
}
