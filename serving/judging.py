"""What a snapshot stores of the law: the law itself, and every firm's verdicts by it.

One part a tier and purpose for which an edition is in force at the day; figures that editions share
stand once a fiscal year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tidu.errors import NotFound, Refused

if TYPE_CHECKING:
    from policy.detail import Marks
    from policy.rules import Edition
    from policy.sheet import Sheet
    from policy.situation import Situation
    from policy.verdict import Judge

__all__ = ["PURPOSES", "Judged", "VerdictPart", "judged", "verdict_name"]

PURPOSES = ("new", "review")

Floats = NDArray[np.float64]


def verdict_name(tier: str, purpose: str) -> str:
    """The name under which a snapshot keeps a tier's verdicts.

    >>> verdict_name("little_giant", "review")
    'little_giant:review'
    """
    return f"{tier}:{purpose}"


@dataclass(frozen=True)
class VerdictPart:
    """One tier and purpose: the sheet, and what fills it for each firm in turn."""

    sheet: Sheet
    marks: Marks

    @property
    def name(self) -> str:
        return verdict_name(self.sheet.head["tier"], self.sheet.head["purpose"])


@dataclass(frozen=True)
class Judged:
    """``digest`` names the law, ``content`` holds its files; ``figures`` are by year and name."""

    digest: str
    content: Mapping[str, bytes]
    parts: Mapping[str, VerdictPart]
    figures: Mapping[int, Mapping[str, Floats]]

    def refuse_unless_of(self, firms: int) -> None:
        """Refuse what does not hold one row for each of so many firms."""
        problems = []
        for name, part in self.parts.items():
            rows = {len(part.marks.status), len(part.marks.lines), len(part.marks.points)}
            if rows != {firms}:
                problems.append(f"{name} must have {firms} rows, found {sorted(rows)}")
            shown = self.figures.get(part.sheet.head["data_year"], {})
            if missing := [f for f in part.sheet.figures if f not in shown]:
                problems.append(f"{name} must have the figures {missing[:3]}")
        for year, figures in self.figures.items():
            if wrong := [n for n, values in figures.items() if len(values) != firms]:
                problems.append(f"figures of {year} must have {firms} rows, found {wrong[:3]}")
        if problems:
            raise Refused(
                f"The verdicts cannot be published: {'; '.join(problems)}.",
                "Judge the same panel that is published.",
            )

    @property
    def editions(self) -> dict[str, dict[str, Any]]:
        """By which edition and batch each tier and purpose was judged."""
        shown = ("edition", "document", "batch", "data_year")
        return {
            name: {key: part.sheet.head[key] for key in shown} for name, part in self.parts.items()
        }


def judged(
    situation: Situation, progress: Callable[[str, int, int], None] = lambda *_: None
) -> Judged:
    """Judge all firms by every edition in force at the situation's day."""
    from policy.detail import figures, marks
    from policy.layout import sheet
    from policy.verdict import Judge

    law = situation.law
    asked = [(tier, purpose) for tier in law.tiers for purpose in PURPOSES]
    judges: dict[tuple[str, int], Judge] = {}
    parts: dict[str, VerdictPart] = {}
    read: dict[int, dict[str, Edition]] = {}
    for done, (tier, purpose) in enumerate(asked):
        progress("verdicts", done, len(asked))
        try:
            batch = situation.batch(tier, purpose)  # type: ignore[arg-type]
        except NotFound:  # no edition in force: nothing applies
            continue
        edition, values = law.edition(batch.edition), situation.of_batch(batch)
        key = (edition.id, id(values))
        if key not in judges:
            judges[key] = Judge(values, edition)
        part = VerdictPart(sheet(law, edition, batch), marks(judges[key], batch.purpose))
        parts[part.name] = part
        read.setdefault(batch.data_year, {})[edition.id] = edition
    progress("verdicts", len(asked), len(asked))
    shown = {year: figures(situation.values(year), read[year].values()) for year in sorted(read)}
    return Judged(law.digest, law.content, parts, shown)
