"""The size class of a firm as a function of its changes: growth can carry it out of the SMEs.

A class needs all its lower bounds (300号); in a range, what is unknown may bring anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, floor, isnan

import numpy as np
import pandas as pd

from policy.law import Law
from policy.path.affine import Affine, Unknown
from policy.path.tree import NO, YES, Every, Linear, Node, Some
from policy.sizes import CLASSES, size_range

__all__ = ["INDUSTRY", "SIZES", "Sized", "size_of", "sized"]

INDUSTRY = "size_industry()"
SIZES = ("size_low()", "size_high()")
"""The least class that is sure, and the greatest that is possible."""

MEASURES = ("employees", "revenue", "total_assets")


@dataclass(frozen=True, slots=True)
class Sized:
    """Measures with the bounds of small, medium and large; ``sure``: what is unknown counts not."""

    measures: tuple[tuple[Affine | Unknown, tuple[float, float, float]], ...]
    sure: bool

    def compared(self, sign: str, bound: float) -> Node:
        """Return the condition that the class passes a test against a bound."""
        if sign in (">=", ">"):
            least = ceil(bound) if sign == ">=" else floor(bound) + 1
            return YES if least <= 0 else self._reaches(least)
        least = floor(bound) + 1 if sign == "<=" else ceil(bound)
        return YES if least >= len(CLASSES) else self._stays_below(least)

    def _reaches(self, size: int) -> Node:
        if size >= len(CLASSES):
            return NO
        tests: list[Node] = []
        for measure, limits in self.measures:
            if isinstance(measure, Affine):
                tests.append(Linear(measure.slope, measure.level - limits[size - 1]))
            elif self.sure:
                return NO
        return Every(tuple(tests))

    def _stays_below(self, size: int) -> Node:
        if size <= 0:
            return NO
        tests: list[Node] = []
        for measure, limits in self.measures:
            if isinstance(measure, Affine):
                tests.append(Linear(-measure.slope, limits[size - 1] - measure.level, strict=True))
            elif self.sure:
                return YES
        return Some(tuple(tests))


def sized(law: Law, cell: Callable[[str], Affine | Unknown], sure: bool) -> Sized | None:
    """Return the size class of a firm whose industry is known."""
    place = cell(INDUSTRY)
    if not isinstance(place, Affine):
        return None
    bounds = law.sizes[list(law.sizes)[int(place.level)]]
    return Sized(tuple((cell(name), limits) for name, limits in bounds.items()), sure)


def size_of(law: Law, columns: Mapping[str, float]) -> dict[str, float]:
    """The size inputs of a firm after a change; nothing where its industry is unknown."""
    place = columns.get(INDUSTRY, float("nan"))
    if isnan(place):
        return {}
    measures = {name: [columns.get(name, np.nan)] for name in MEASURES}
    frame = pd.DataFrame({"industry": [list(law.sizes)[int(place)]], **measures})
    low, high = size_range(law, frame)
    return {SIZES[0]: float(low[0]), SIZES[1]: float(high[0])}
