"""What each factor adds to a change: Shapley values over every mixture of before and after.

Between two states of a ranking data, model, rule and quota may all have changed. A *world* takes
each factor from before or from after; a quantity (is the firm in the list? at which place?) is
known in every world. The part of a factor is what changing it adds, averaged over all orders in
which the factors may be changed one after the other (Shapley 1953, "A value for n-person games").
The parts add up to the whole change exactly: they are whole numbers of one n!-th.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import numpy as np
from numpy.typing import NDArray

__all__ = ["FACTORS", "UNITS", "World", "fractions", "mixtures", "parts"]

FACTORS = ("data", "model", "rule", "quota")
"""``data``: vault head and day; ``model``: bundles; ``rule``: the law's files and the editions in
force; ``quota``: the question, that is length, mode, filters, firms included and excluded."""

UNITS = factorial(len(FACTORS))
"""Parts are whole numbers of one 24th."""

World = tuple[bool, ...]
"""For each factor in turn: is it taken from after?"""


def mixtures(factors: int = len(FACTORS)) -> list[World]:
    """All worlds; the place of a world is the number whose bit *i* says factor *i* is after.

    >>> mixtures(2)
    [(False, False), (True, False), (False, True), (True, True)]
    """
    return [tuple(bool(n >> i & 1) for i in range(factors)) for n in range(1 << factors)]


def parts(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Shapley parts in units of 1/n!.

    ``values`` is (2ⁿ worlds in the order of :func:`mixtures`, quantities), whole numbers; the
    result (n factors, quantities). Over the factors it sums to n! · (last world − first world).

    >>> parts(np.array([[0], [1], [0], [1]]))  # the first factor alone counts
    array([[2],
           [0]])
    """
    factors = len(values).bit_length() - 1
    if len(values) != 1 << factors:
        raise ValueError(f"There must be 2ⁿ worlds, found {len(values)}.")
    found = np.zeros((factors, values.shape[1]), dtype=np.int64)
    for i in range(factors):
        for world in range(1 << factors):
            if not world >> i & 1:
                before = world.bit_count()
                weight = factorial(before) * factorial(factors - 1 - before)
                found[i] += weight * (values[world | 1 << i] - values[world])
    return found


def fractions(units: NDArray[np.int64], of: int = UNITS) -> tuple[Fraction, ...]:
    """Parts of one quantity as exact fractions."""
    return tuple(Fraction(int(unit), of) for unit in units)
