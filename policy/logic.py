"""Five-valued logic on arrays: what is met, unmet, unknown, left to a person, or not applicable.

The codes are ordered so that a conjunction is a minimum and a disjunction a maximum: one unmet part
decides a conjunction, one met part a disjunction, and parts that do not apply decide nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MANUAL",
    "MET",
    "MET_PENDING",
    "NAMES",
    "NOT_APPLICABLE",
    "UNKNOWN",
    "UNMET",
    "WORDS",
    "Status",
    "every",
    "negated",
    "some",
    "statuses",
]

Status = NDArray[np.int8]

UNMET, UNKNOWN, MANUAL, MET, NOT_APPLICABLE, MET_PENDING = range(6)
NAMES = ("unmet", "unknown", "manual", "met", "not_applicable", "met_pending")
"""``met_pending`` is of tiers alone: nothing unmet, something met, the rest unknown or manual."""

WORDS = {
    "unmet": ("不符合", "unmet"),
    "unknown": ("数据缺失", "data missing"),
    "manual": ("待认定", "for an official to find"),
    "met": ("符合", "met"),
    "not_applicable": ("不适用", "not applicable"),
    "met_pending": ("可判定条件均符合,待核实", "met, pending verification"),
}
"""What people read, Chinese and English; docs/glossary.md settles them."""


def statuses(n: int, value: int) -> Status:
    """Return one status for all of ``n`` firms."""
    return np.full(n, value, dtype=np.int8)


def every(parts: Sequence[Status]) -> Status:
    """All parts must hold; without any part that applies, nothing applies.

    >>> one = lambda *codes: [np.array([code], dtype=np.int8) for code in codes]
    >>> NAMES[every(one(MET, UNKNOWN, NOT_APPLICABLE))[0]], NAMES[every(one(UNMET, UNKNOWN))[0]]
    ('unknown', 'unmet')
    """
    return np.asarray(np.minimum.reduce(list(parts)), dtype=np.int8)


def some(parts: Sequence[Status]) -> Status:
    """One part must hold.

    >>> one = lambda *codes: [np.array([code], dtype=np.int8) for code in codes]
    >>> NAMES[some(one(UNMET, MET, UNKNOWN))[0]], NAMES[some(one(NOT_APPLICABLE, UNMET))[0]]
    ('met', 'unmet')
    """
    shifted = [np.where(part == NOT_APPLICABLE, -1, part) for part in parts]
    found = np.maximum.reduce(shifted)
    return np.where(found < 0, NOT_APPLICABLE, found).astype(np.int8)


def negated(part: Status) -> Status:
    """What must not hold: met and unmet change places, the rest stays."""
    swapped = np.where(part == MET, UNMET, np.where(part == UNMET, MET, part))
    return swapped.astype(np.int8)
