"""A table in the making: typed values with the rows of the file, and issues at their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from features.mapping import TableRule
from tidu.errors import Issue

__all__ = ["Draft", "Finding", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A sheet of a file, for issues that concern it as a whole."""

    file: str
    sheet: str = ""

    def issue(
        self, level: Literal["error", "warning"], finding: Finding, column: str = ""
    ) -> Issue:
        """One issue at the header of ``column``, or of the sheet."""
        return Issue(
            level,
            finding.rule,
            finding.message,
            finding.cure,
            file=self.file,
            sheet=self.sheet,
            row=1 if column else None,
            column=column,
            zh=finding.zh,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says, wherever it finds it: rule, message, cure, Chinese sentence."""

    rule: str
    message: str
    cure: str
    zh: str


@dataclass
class Draft:
    """Rows of one table. ``rows`` are the user's row numbers, ``labels`` the user's headers."""

    place: Place
    rule: TableRule
    frame: pd.DataFrame
    rows: np.ndarray
    labels: Mapping[str, str] = field(default_factory=dict)

    def issues(
        self,
        level: Literal["error", "warning"],
        finding: Finding,
        column: str,
        at: np.ndarray,
        values: Iterable[object] | None = None,
    ) -> list[Issue]:
        """One issue per position of ``at``, with the value found there."""
        label = self.labels.get(column, column)
        shown = self.frame[column].iloc[at].tolist() if values is None else list(values)
        file, sheet, rule = self.place.file, self.place.sheet, finding.rule
        message, cure, zh = finding.message, finding.cure, finding.zh
        return [
            Issue(level, rule, message, cure, file, sheet, row, label, text(value), zh)
            for row, value in zip(self.rows[at].tolist(), shown, strict=True)
        ]

    def keep(self, mask: np.ndarray) -> None:
        """Drop the rows where ``mask`` is false."""
        if not mask.all():
            self.frame = self.frame[mask].reset_index(drop=True)
            self.rows = self.rows[mask]


def text(value: object) -> str:
    """Write a value for a message: a day as ISO, 3.0 as 3, unknown as nothing."""
    if isinstance(value, str):
        return value
    if value is None or value is pd.NaT or value != value:
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return f"{value:.12g}" if isinstance(value, float) else str(value)
