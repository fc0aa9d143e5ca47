"""The model's answer to a path: what it says of the firm today, and with the path's figures.

The figures that the path's last open year must show are put in the place of the newest closed
year's; the day, the firm's age and everything else stay. That is what the model has seen firms like
that do (模型关联,非因果), and no promise that a change brings a title about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from features.schema import Column, register
from model.labels import cohort
from model.scoring import ScoreBook, score_rows, seen_by

if TYPE_CHECKING:
    from features.panel import Panel
    from model.bundle import Bundle
    from policy.path.result import Path

__all__ = ["Rescored", "Rescorer", "with_figures"]


@dataclass(frozen=True, slots=True)
class Rescored:
    """One firm scored: the score, the chance, and its 90 % range."""

    score: float
    probability: float
    p_low: float
    p_high: float

    @classmethod
    def of(cls, book: ScoreBook) -> Rescored:
        columns = (book.score, book.probability, book.p_low, book.p_high)
        return cls(*(float(column[0]) for column in columns))


@dataclass(frozen=True)
class Rescorer:
    """Scores firms of a panel anew with a path's figures; called, it gives the two chances."""

    bundle: Bundle
    panel: Panel

    def __call__(self, path: Path) -> tuple[float, float]:
        found = self.answers(path)
        if found is None:
            return (np.nan, np.nan)
        return (found[0].probability, found[1].probability)

    def answers(self, path: Path) -> tuple[Rescored, Rescored] | None:
        """The model's answers before and after; None for a firm outside its cohort today."""
        own = self.panel.of([path.firm_id])
        seen = seen_by(self.bundle, own)
        if not len(seen.firm_ids) or not cohort(self.bundle.task, seen)[0]:
            return None
        before = Rescored.of(score_rows(self.bundle, seen, np.array([0])))
        if not path.figures:
            return before, before
        last = path.figures[max(path.figures)]
        changed = seen_by(self.bundle, with_figures(own, last))
        return before, Rescored.of(score_rows(self.bundle, changed, np.array([0])))


def with_figures(panel: Panel, figures: Mapping[str, float]) -> Panel:
    """The panel of one firm with other figures in its newest year, or in its own record."""
    tables = dict(panel.tables)
    for name in ("annual", "firms"):
        columns, frame = register().tables[name].columns, tables[name].copy()
        if not len(frame):
            continue
        newest = int(np.argmax(frame["year"].to_numpy())) if "year" in frame else 0
        for figure, value in figures.items():
            if figure in columns:
                frame.loc[newest, figure] = _cell(columns[figure], value)
        tables[name] = frame
    return replace(panel, tables=tables)


def _cell(column: Column, value: float) -> float | str:
    """A figure as the register writes it: codes by name."""
    return list(column.codes)[round(value)] if column.dtype == "code" else value
