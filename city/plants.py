"""What a test may plant in a city: a leak, a drift, a biased district, an earlier change of law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tidu.errors import UsageError

__all__ = ["LEAK", "Plants"]

LEAK = "planted_leak"
"""The column of ``annual`` that a planted leak fills: a further column, for a mapping to name."""


@dataclass(frozen=True, slots=True)
class Plants:
    """Faults planted in a city; by default none, and then not a byte of it differs.

    ``leak``: weight, in standard deviations, with which a column of the accounts of year y knows
    who receives ``leak_tier`` in the year after 30 June of y + 1.
    ``drift``: the first year, from 30 June, in which what counts for titles has changed hands: the
    weights of each tier's terms are turned round, last to first.
    ``district``, ``factor``: the district whose odds of a title are multiplied; places stay.
    ``switch``: the day from which the edition of 2026 rules, in place of its own.
    """

    leak: float = 0.0
    leak_tier: str = "srdi_municipal"
    drift: int | None = None
    district: str | None = None
    factor: float = 1.0
    switch: date | None = None

    def __post_init__(self) -> None:
        if not self.factor > 0 or (self.district is None and self.factor != 1.0):
            raise UsageError(
                "A planted bias needs a district and a factor above 0,"
                f" found district {self.district!r}, factor {self.factor}.",
                "Give both, or neither.",
            )
        if self.leak < 0:
            raise UsageError(
                f"A planted leak has a weight of 0 or more, found {self.leak}.",
                "Give 0 for no leak.",
            )
