"""The best changes of one firm, stated in steps that people can read, and checked.

A change is found without regard to steps, then rounded outward to the field's resolution. Where
rounding breaks a test (more revenue lowers a ratio), the search asks for that much to spare. What
does not pass the check is never an answer: its set of fields is left out and the next best found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from policy.path.outlook import Outlook
from policy.path.program import Program, Solution, find, ties
from policy.path.tree import Node

__all__ = ["program_of", "search"]

Floats = NDArray[np.float64]

MOST_TRIES = 12
"""Sets of fields whose best change may fail the check before the search gives up."""


def program_of(outlook: Outlook, condition: Node) -> Program:
    """The search for the least change of this firm that makes a condition hold."""
    choices = outlook.choices
    return Program(
        high=np.array([choice.high for choice in choices], dtype=float),
        unit=np.array([choice.unit for choice in choices], dtype=float),
        integer=np.array([choice.field.integer for choice in choices], dtype=bool),
        condition=condition,
        halves=outlook.halves,
    )


def search(
    outlook: Outlook, program: Program, passes: Callable[[Floats], bool], most: int
) -> list[Floats]:
    """Return the best change, then up to ``most`` others as good, each of which ``passes``.

    A change is given, and ``passes`` is asked, with all coordinates.
    """
    refused: list[tuple[int, ...]] = []
    for _ in range(MOST_TRIES):
        best = find(program, refused)
        if best is None:
            return []
        checked = _checked(outlook, program, best, passes)
        if checked is None:
            refused.append(best.fields)
            continue
        others = [
            _checked(outlook, program, tie, passes)
            for tie in ties(program, best, most + len(refused))
            if tie.fields not in refused
        ]
        good = [checked, *(change for change in others if change is not None)]
        # Among equals the order of the fields decides, whichever the solver met first.
        return sorted(good, key=lambda point: tuple(np.flatnonzero(point)))[: most + 1]
    return []


def _checked(
    outlook: Outlook, program: Program, solution: Solution, passes: Callable[[Floats], bool]
) -> Floats | None:
    change = _rounded(outlook, solution.change)
    if program.holds(change) and passes(program.point(change)):
        return program.point(change)
    steps = np.array(
        [0.0 if c.field.integer else c.field.resolution for c in outlook.choices], dtype=float
    )
    margin = np.concatenate([steps, np.zeros(len(outlook.halves))])
    spared = find(replace(program.only(solution.fields), margin=margin))
    if spared is None or spared.fields != solution.fields:
        return None
    change = _rounded(outlook, spared.change)
    good = program.holds(change) and passes(program.point(change))
    return program.point(change) if good else None


def _rounded(outlook: Outlook, change: Floats) -> Floats:
    """Move every continuous field outward to the next value of its resolution, inside its box."""
    found = np.array(change)
    for i in np.flatnonzero(change):
        choice = outlook.choices[i]
        step, way = choice.field.resolution, choice.field.direction
        if choice.field.integer:
            continue
        steps = np.ceil(way * (choice.start + way * change[i]) / step - 1e-4)
        target = way * float(np.round(steps * step, 6))
        found[i] = min(choice.high, way * (target - choice.start))
    return found
