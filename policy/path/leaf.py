"""Tests of a quantity as conditions on changes: what must hold so that it is at least a bound.

Quotients are multiplied out with the sign of what is below, growth a year becomes a bound on a
quotient, and a function of one direction alone is solved for the changes at which it crosses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from policy.path.affine import Affine, Grown, Opaque, Pick, Quantity, Ratio, Unknown
from policy.path.tree import NO, YES, Every, Linear, Node, Some

__all__ = ["Sign", "compared", "varies"]

Floats = NDArray[np.float64]
Sign = Literal[">=", ">", "<=", "<"]

PARALLEL = 1e-9
NEAR = 1e-9
"""Closer to a strict bound, in parts of it, a figure may be the bound itself: it does not pass."""
PIECES = 64
ZOOMS = 9
"""Each zoom narrows a crossing to one of so many pieces."""


def varies(part: Quantity) -> bool:
    """Whether any change can move it."""
    if isinstance(part, Unknown):
        return False
    if isinstance(part, Affine):
        return not part.fixed
    if isinstance(part, Pick):
        return any(varies(each) for each in part.parts)
    return True


def compared(part: Quantity, sign: Sign, bound: float, box: Floats) -> Node | None:
    """Return the condition that a known quantity passes a test, over changes from 0 to ``box``.

    None if no exact condition is known: the quantity moves in several directions at once and is no
    quotient of sums.
    """
    if isinstance(part, Affine):
        return _linear(Affine(part.level - bound, part.slope), sign)
    if isinstance(part, Ratio):
        return _ratio(part, sign, bound)
    if isinstance(part, Grown):
        return _grown(part, sign, bound)
    if isinstance(part, Pick):
        nodes = [compared(each, sign, bound, box) for each in part.parts]
        known = tuple(node for node in nodes if node is not None)
        every = part.least == (sign in (">=", ">"))
        return None if len(known) < len(nodes) else Every(known) if every else Some(known)
    if isinstance(part, Opaque):
        return _solved(part, sign, bound, box)
    return None


def _linear(form: Affine, sign: Sign) -> Linear:
    form = form if sign in (">=", ">") else form.times(-1.0)
    return Linear(form.slope, form.level, sign in (">", "<"))


def _ratio(part: Ratio, sign: Sign, bound: float) -> Node:
    rest = part.above - part.below.times(bound)
    turned: dict[Sign, Sign] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
    return Some(
        (
            Every((_linear(part.below, ">"), _linear(rest, sign))),
            Every((_linear(part.below, "<"), _linear(rest, turned[sign]))),
        )
    )


def _grown(part: Grown, sign: Sign, bound: float) -> Node:
    known = (_linear(part.before, ">"), _linear(part.now, ">="))
    base = 1.0 + bound / 100.0
    if base < 0.0:  # nothing shrinks by more than all of it
        return Every((*known, YES if sign in (">=", ">") else NO))
    factor = base if part.years == 1.0 else base**part.years
    return Every((*known, _linear(part.now - part.before.times(factor), sign)))


def _solved(part: Opaque, sign: Sign, bound: float, box: Floats) -> Node | None:
    """Solve along the one direction in which everything the function reads moves."""
    widest = max(part.through, key=lambda form: float(np.abs(form.slope * box).sum()))
    way = widest.slope
    for form in part.through:
        parallel = float(form.slope @ way) / float(way @ way)
        if np.abs((form.slope - parallel * way) * box).sum() > PARALLEL * np.abs(way * box).sum():
            return None
    reach = way * box
    low, high = float(np.minimum(reach, 0.0).sum()), float(np.maximum(reach, 0.0).sum())

    margin = NEAR * max(1.0, abs(bound)) * {">": 1.0, "<": -1.0}.get(sign, 0.0)

    def passes(points: Floats) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            found: NDArray[np.bool_] = _PASSES[sign](
                part.of(np.outer(points / float(way @ way), way)), bound + margin
            )
        return found

    strict, pieces = sign in (">", "<"), _pieces(passes, low, high)
    whole = []
    for start, end in pieces:
        ends = [Linear(way, -start, strict)] if start > low else []
        ends += [Linear(-way, end, strict)] if end < high else []
        whole.append(Every(tuple(ends)) if ends else YES)
    return Some(tuple(whole)) if pieces else NO


_PASSES: Mapping[Sign, Callable[[Floats, float], NDArray[np.bool_]]] = {
    ">=": np.greater_equal,
    ">": np.greater,
    "<=": np.less_equal,
    "<": np.less,
}


def _pieces(
    passes: Callable[[Floats], NDArray[np.bool_]], low: float, high: float
) -> list[tuple[float, float]]:
    """Find the stretches of a line on which a test passes, their ends to the last digit."""
    grid = np.linspace(low, high, PIECES + 1)
    passing = passes(grid)
    edges = [_edge(passes, grid[i : i + 2]) for i in np.flatnonzero(np.diff(passing))]
    ends = [low, *edges] if passing[0] else edges
    ends = [*ends, high] if passing[-1] else ends
    return list(zip(ends[::2], ends[1::2], strict=True))


def _edge(passes: Callable[[Floats], NDArray[np.bool_]], ends: Floats) -> float:
    """Zoom in until the passing side of the crossing is known as well as floats allow."""
    rises = bool(passes(ends)[-1])
    for _ in range(ZOOMS):
        grid = np.linspace(ends[0], ends[1], PIECES + 1)
        crossings = np.flatnonzero(np.diff(passes(grid)))
        if not len(crossings):
            break  # the ends are neighbours
        ends = grid[crossings[0] : crossings[0] + 2]
    return float(ends[1] if rises else ends[0])
