"""What is missing, in the criterion's own unit: the least amount that turns an unmet test to met.

A closed gap is closed: adding it to the value passes the test, to the last bit.
"""

from __future__ import annotations

import math
from decimal import Decimal

__all__ = ["gap"]


def gap(value: float, op: str, bound: float, step: float) -> float | None:
    """Return the signed change of the value that meets the bound; None where either is unknown.

    Strict bounds ask for one step more: the least amount the metric is counted in.

    >>> gap(2.9, "at_least", 3.0, 0.01), gap(80.0, "at_most", 75.0, 0.01)
    (0.1, -5.0)
    >>> gap(3.0, "at_least", 3.0, 0.01), gap(0.0, "above", 0.0, 1.0)
    (0.0, 1.0)
    """
    if math.isnan(value) or math.isnan(bound) or math.isinf(value):
        return None
    up = op in ("at_least", "above")
    target = bound if op in ("at_least", "at_most") else bound + (step if up else -step)
    if (value >= target) if up else (value <= target):
        return 0.0
    missing = float(Decimal(repr(target)) - Decimal(repr(value)))
    while (value + missing < target) if up else (value + missing > target):
        missing = math.nextafter(missing, math.inf if up else -math.inf)
    return missing
