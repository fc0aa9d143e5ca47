"""Who has applied for a title in a batch, as far as the data of a day can say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from features.expr import Array
from features.panel import Panel

__all__ = ["Round", "applied"]


@dataclass(frozen=True, slots=True)
class Round:
    """A batch of applications for a new title: its name, and the days on which it takes them.

    ``start`` and ``end`` are both of the round. A row belongs to it by the batch that it names, or
    by the day of its submission: cities name batches in words of their own (第七批).
    """

    tier: str
    batch: str
    start: date
    end: date

    @classmethod
    def of_year(cls, tier: str, batch: str, year: int) -> Round:
        """The round of a calendar year, where nobody has said when it opens and closes."""
        return cls(tier, batch, date(year, 1, 1), date(year, 12, 31))

    def covered(self, panel: Panel) -> bool:
        """Whether absence means no: from the first day to the panel's day, or to the last."""
        last = min(panel.as_of, self.end)
        return any(
            c.kind == f"application:{self.tier}" and c.start <= self.start and last <= c.end
            for c in panel.coverage
        )


def applied(panel: Panel, firm_ids: Array, asked: Round) -> Array:
    """1 for a firm that has applied in the round by the panel's day, 0 for one that has not.

    NaN where nobody knows. An application that was withdrawn is none.
    """
    rows = panel.tables["applications"]
    mine = (rows["tier"] == asked.tier) & (rows["purpose"].fillna("new") == "new")
    mine &= rows["final_result"].fillna("") != "withdrawn"
    start, end = pd.Timestamp(asked.start), pd.Timestamp(asked.end)
    inside = (rows["submitted_on"] >= start) & (rows["submitted_on"] <= end)
    chosen = rows[(mine & (inside | (rows["batch"] == asked.batch))).to_numpy(dtype=bool)]
    firms = pd.Index(chosen["firm_id"].to_numpy(dtype=object), dtype=object).unique()
    found = firms.get_indexer(pd.Index(firm_ids, dtype=object)) >= 0
    return np.where(found, 1.0, 0.0 if asked.covered(panel) else np.nan)
