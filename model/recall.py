"""How long a list must be to hold 90 % of the coming outcomes, by conformal risk control.

Where would past outcomes have stood in the order of their own year? The length is the share of the
cohort below which few enough of them stood: with n of them, at most α(n + 1) - 1 may be missed, and
the next one is then missed with a chance of at most α (Angelopoulos et al. 2024, theorem 1; for
this loss the bound is that of Vovk's conformal prediction). What is assumed: firms with the outcome
are exchangeable in the share of the cohort that stands before them, those of next year with those
of the past. The model may be wrong in any way; a year that is unlike the past is not covered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.expr import Array
from model.metrics import recall_at
from tidu.errors import UsageError

__all__ = ["MISSED", "Length", "length", "realised", "shares"]

MISSED = 0.1


@dataclass(frozen=True, slots=True)
class Length:
    """The share of a cohort that holds all but ``missed`` of the outcomes, expected.

    ``share`` is None where the ``outcomes`` are too few for any such bound: 1/missed - 1 at least.
    """

    share: float | None
    missed: float
    outcomes: int

    def __post_init__(self) -> None:
        shared = self.share is None or 0 < self.share <= 1
        if not shared or not 0 < self.missed < 1 or self.outcomes < 0:
            raise UsageError(f"A list's length must be a share of the cohort; found {self}.")

    def firms(self, of: int) -> int | None:
        """The length of a list of a cohort of ``of`` firms; None where nothing can be promised."""
        return None if self.share is None else min(of, math.ceil(round(self.share * of, 9)))

    def as_json(self) -> dict[str, object]:
        return {"share": self.share, "missed": self.missed, "outcomes": self.outcomes}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Length:
        return cls(data["share"], float(data["missed"]), int(data["outcomes"]))


def shares(score: Array, label: Array, dates: Array) -> Array:
    """For each outcome the share of its own cohort that stands before it, itself included.

    Equal scores stand together, as far back as the last of them: ties make no list shorter.
    """
    found = []
    for day in np.unique(dates):
        here = dates == day
        mine = score[here]
        last = np.searchsorted(np.sort(-mine), -mine, side="right")
        found.append(last[label[here] == 1] / len(mine))
    return np.concatenate(found) if found else np.empty(0)


def realised(found: Length, score: Array, label: Array) -> dict[str, object]:
    """What a list of that length came to hold: its firms and recall, None where unknown."""
    firms = found.firms(len(score))
    recall = None if firms is None or not label.sum() else recall_at(label, score, firms)
    return {**found.as_json(), "firms": firms, "recall": recall}


def length(share: Array, missed: float = MISSED) -> Length:
    """The shortest list that the past ``share`` of outcomes allow (:func:`shares`)."""
    n = len(share)
    wanted = math.ceil((n + 1) * (1 - missed) - 1e-9)
    if wanted > n:
        return Length(None, missed, n)
    return Length(float(np.sort(share)[wanted - 1]), missed, n)
