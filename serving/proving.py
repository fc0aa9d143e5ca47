"""Proof that a home's answers at a day rest on what was known by then, and on no later word.

The history is scrambled after the day (``features.scrambling``) and everything an official would
read is made from both: what differs has seen the future.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from tidu import digest

if TYPE_CHECKING:
    from features.panel import History
    from model.bundle import Bundle
    from policy.law import Law

__all__ = ["Proven", "compared", "seen_at"]

LISTED = 200


@dataclass(frozen=True, slots=True)
class Proven:
    """How many digests were compared at ``day``, and the names of those that moved."""

    day: date
    compared: int
    moved: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "as_of": self.day.isoformat(),
            "compared": self.compared,
            "moved": list(self.moved),
        }


def compared(day: date, one: Mapping[str, str], other: Mapping[str, str]) -> Proven:
    """Compare what two histories show at a day."""
    names = sorted(one.keys() | other.keys())
    return Proven(day, len(names), tuple(n for n in names if one.get(n) != other.get(n)))


def seen_at(history: History, day: date, bundles: Sequence[Bundle], law: Law) -> dict[str, str]:
    """Digests of features, scores, lists and verdicts, each by its name."""
    from model.scoring import score
    from policy.situation import Situation
    from serving.judging import judged
    from tidu.errors import NotAvailable

    panel = history.as_of(day)
    found: dict[str, str] = {}
    for bundle in bundles:
        task = str(bundle.task.name)
        try:
            book = score(bundle, panel)
        except NotAvailable as missing:
            found[f"score {task}"] = missing.message
            continue
        for j, name in enumerate(book.matrix.names):
            found[f"feature {task} {name}"] = _bits(book.matrix.values[:, j])
        found[f"score {task}"] = _bits(book.score)
        found[f"chance {task}"] = _bits(np.stack([book.probability, book.p_low, book.p_high]))
        order = book.firm_ids[np.argsort(book.rank)][:LISTED]
        found[f"list {task}"] = digest.of_json([str(firm) for firm in order])
    stored = judged(Situation(law, panel))
    for name, part in stored.parts.items():
        found[f"verdict {name}"] = _bits(part.marks.status)
        found[f"criteria {name}"] = _bits(part.marks.lines)
    return found


def _bits(values: np.ndarray) -> str:
    return digest.of_bytes(np.ascontiguousarray(values).tobytes())
