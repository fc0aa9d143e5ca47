"""What is missing, in the criterion's own unit: the least amount that turns an unmet test to met.

A closed gap is closed: adding it to the value passes the test, to the last bit.
"""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

__all__ = ["gap", "gaps"]


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


def gaps(values: NDArray[np.float64], op: str, bound: float, step: float) -> NDArray[np.float64]:
    """Return the gap of each value, to the last bit as :func:`gap` gives it; NaN for none.

    >>> gaps(np.array([2.9, 3.0, np.nan]), "at_least", 3.0, 0.01)
    array([0.1, 0. , nan])
    """
    unique, place = np.unique(values, return_inverse=True)
    found = [gap(value, op, bound, step) for value in unique.tolist()]
    return np.array([math.nan if one is None else one for one in found])[place]
