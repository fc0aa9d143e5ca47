"""The city at a day: the law, what is known of all firms, and their verdicts by tier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from features.panel import Panel
from policy.inputs import findings_of, of_panel
from policy.law import Batch, Law
from policy.logic import NAMES
from policy.rules import Purpose
from policy.values import Values
from policy.verdict import Verdict, judge
from tidu.errors import NotFound

__all__ = ["Situation", "counts"]


@dataclass
class Situation:
    """Inputs are made once per fiscal year and batch, verdicts once per tier and purpose."""

    law: Law
    panel: Panel
    names: tuple[str, ...] = ()
    """Inputs that are wanted beyond those the editions read."""
    _values: dict[tuple[int, str], Values] = field(default_factory=dict)
    _verdicts: dict[tuple[str, Purpose], Verdict] = field(default_factory=dict)

    @property
    def day(self) -> date:
        return self.panel.as_of

    def batch(self, tier: str, purpose: Purpose = "new") -> Batch:
        return self.law.batch(tier, self.day, purpose)

    def values(self, data_year: int, batch: str = "") -> Values:
        """The metrics of a fiscal year; findings of other batches count while they are valid."""
        if (data_year, "") not in self._values:
            inputs = of_panel(self.law, self.panel, data_year, "", self.names)
            self._values[data_year, ""] = Values(self.law, inputs)
        key = (data_year, batch if len(self.panel.tables["attestations"]) else "")
        if key not in self._values:
            plain = self._values[data_year, ""]
            self._values[key] = plain.attested(findings_of(self.panel, batch))
        return self._values[key]

    def of_batch(self, batch: Batch) -> Values:
        return self.values(batch.data_year, batch.id)

    def verdict(self, tier: str, purpose: Purpose = "new") -> Verdict:
        """The verdicts of a tier by the edition in force at the day."""
        key = (tier, purpose)
        if key not in self._verdicts:
            batch = self.batch(tier, purpose)
            edition = self.law.edition(batch.edition)
            self._verdicts[key] = judge(edition, self.of_batch(batch), purpose)
        return self._verdicts[key]

    def number(self, firm_id: str) -> int:
        """The place of a firm in the panel's order."""
        ids = self.panel.firm_ids
        place = int(np.searchsorted(ids, firm_id)) if len(ids) else 0
        if place >= len(ids) or ids[place] != firm_id:
            raise NotFound(
                f"No firm {firm_id!r} is known on {self.day}.", "Check the id and the day."
            )
        return place


def counts(verdict: Verdict, rows: Iterable[int] | None = None) -> dict[str, int]:
    """How many firms have each status."""
    status = verdict.status if rows is None else verdict.status[list(rows)]
    return {
        name: int((status == code).sum()) for code, name in enumerate(NAMES) if name != "manual"
    }
