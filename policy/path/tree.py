"""Conditions on changes as trees: linear tests, all of, some of, and points that must add up.

A point is an array of changes, one per field, each at least 0 and at most what its box allows.
``held`` says whether a tree holds at a point, ``simplified`` removes what the box decides already.
Every tree here grows from tests that may be met or not, never from a negation: a tree that holds
with some part false still holds when that part becomes true.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO", "YES", "Every", "Linear", "Node", "Points", "Some", "Truth", "held", "simplified"]

Floats = NDArray[np.float64]

FUZZ = 1e-9
"""How far below zero a linear test may fall, per unit of its largest part: noise of floats."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Decided, whatever changes."""

    value: bool


YES, NO = Truth(True), Truth(False)


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """``slope · x + level >= 0``, or ``> 0`` where it is strict."""

    slope: Floats
    level: float
    strict: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Every:
    """All parts hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Some:
    """At least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Of each indicator its best option that holds counts; with ``slope · x`` at least ``goal``.

    ``slope`` carries points that grow with a change itself; it is never negative.
    """

    goal: float
    indicators: tuple[tuple[tuple[float, Node], ...], ...]
    slope: Floats | None = None


Node = Truth | Linear | Every | Some | Points


def held(node: Node, x: Floats, margin: Floats | None = None) -> bool:
    """Whether the tree holds at ``x``; ``margin`` asks for so much of every field to spare."""
    if isinstance(node, Truth):
        return node.value
    if isinstance(node, Linear):
        value = float(node.slope @ x) + node.level
        scale = float(np.abs(node.slope) @ np.abs(x)) + abs(node.level)
        spare = 0.0 if margin is None else float(np.abs(node.slope) @ margin)
        return value - spare > FUZZ * scale if node.strict else value - spare >= -FUZZ * scale
    if isinstance(node, Every):
        return all(held(part, x, margin) for part in node.parts)
    if isinstance(node, Some):
        return any(held(part, x, margin) for part in node.parts)
    return _scored(node, x, margin) >= node.goal - FUZZ


def _scored(node: Points, x: Floats, margin: Floats | None) -> float:
    points = 0.0 if node.slope is None else float(node.slope @ x)
    for options in node.indicators:
        points += max((gain for gain, part in options if held(part, x, margin)), default=0.0)
    return points


def simplified(node: Node, high: Floats) -> Node:
    """The same tree over the box from 0 to ``high``, without the parts that the box decides."""
    if isinstance(node, Truth):
        return node
    if isinstance(node, Linear):
        return _decided(node, high)
    if isinstance(node, Points):
        return _points(node, high)
    parts = tuple(simplified(part, high) for part in node.parts)
    stop, drop = (False, YES) if isinstance(node, Every) else (True, NO)
    if any(isinstance(part, Truth) and part.value is stop for part in parts):
        return Truth(stop)
    rest = tuple(part for part in parts if not isinstance(part, Truth))
    if not rest:
        return drop
    return rest[0] if len(rest) == 1 else type(node)(rest)


def _decided(node: Linear, high: Floats) -> Node:
    reach = node.slope * high
    least = float(np.minimum(reach, 0.0).sum()) + node.level
    most = float(np.maximum(reach, 0.0).sum()) + node.level
    fuzz = FUZZ * (float(np.abs(reach).sum()) + abs(node.level))
    if node.strict:
        return YES if least > fuzz else NO if most <= fuzz else node
    return YES if least >= -fuzz else NO if most < -fuzz else node


def _points(node: Points, high: Floats) -> Node:
    goal, indicators = node.goal, []
    most = 0.0 if node.slope is None else float(node.slope @ high)
    for options in node.indicators:
        open_options, sure = [], 0.0
        for gain, part in options:
            simple = simplified(part, high)
            if simple == YES:
                sure = max(sure, gain)
            elif simple != NO:
                open_options.append((gain, simple))
        # What is sure counts from the start; an option is worth what it adds to that.
        better = tuple((gain - sure, part) for gain, part in open_options if gain > sure)
        goal -= sure
        most += max((gain for gain, _ in better), default=0.0)
        if better:
            indicators.append(better)
    if goal <= FUZZ:
        return YES
    return NO if most < goal - FUZZ else Points(goal, tuple(indicators), node.slope)
