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

from policy.path.outlook import Choice, Outlook
from policy.path.program import Program, Solution, find, ties
from policy.path.tree import Node

__all__ = ["program_of", "search"]

Floats = NDArray[np.float64]

ON_STEP = 1e-4
"""A value so near to a step, in steps, stands on it: for the least change as for rounding."""
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
        least=np.array([_least(choice) for choice in choices], dtype=float),
    )


def search(
    outlook: Outlook, program: Program, passes: Callable[[Floats], bool], most: int
) -> list[Floats]:
    """Return the best change, then up to ``most`` others as good, each of which ``passes``.

    A change is given, and ``passes`` is asked, with all coordinates.
    """
    refused: list[tuple[int, ...]] = []
    roomy: tuple[Solution, Floats] | None = None
    for _ in range(MOST_TRIES):
        best = find(program, refused)
        if best is None or (roomy is not None and _as_good(roomy[0], best, outlook)):
            break
        checked = _checked(outlook, program, best, passes)
        if checked is None:
            refused.append(best.fields)
            roomy = roomy or _roomy(outlook, program, passes, refused)
            continue
        others = [
            _checked(outlook, program, tie, passes)
            for tie in ties(program, best, most + len(refused))
            if tie.fields not in refused
        ]
        good = [checked, *(change for change in others if change is not None)]
        # Among equals the order of the fields decides, whichever the solver met first.
        return sorted(good, key=lambda point: tuple(np.flatnonzero(point)))[: most + 1]
    return [] if roomy is None else [roomy[1]]


def _roomy(
    outlook: Outlook,
    program: Program,
    passes: Callable[[Floats], bool],
    refused: list[tuple[int, ...]],
) -> tuple[Solution, Floats] | None:
    """The best change among those that rounding cannot break, and as it is stated.

    Where rounding broke a set of fields, a further field may have to make room for it: without
    asking for room the search would add one idle field after the other to that set.
    """
    found = find(replace(program, margin=_margin(outlook)))
    if found is None:
        return None
    less = find(program.only(found.fields), [f for f in refused if f != found.fields])
    for solution in (less, found):
        if solution is not None and solution.fields == found.fields:
            checked = _checked(outlook, program, solution, passes)
            if checked is not None:
                return solution, checked
    return None


def _as_good(roomy: Solution, best: Solution, outlook: Outlook) -> bool:
    """Whether no set that is still open is better by more than rounding comes to."""
    rounding = float(sum(_step(choice) / choice.unit for choice in outlook.choices))
    if len(roomy.fields) != len(best.fields):
        return len(roomy.fields) < len(best.fields)
    return roomy.total <= best.total + rounding


def _checked(
    outlook: Outlook, program: Program, solution: Solution, passes: Callable[[Floats], bool]
) -> Floats | None:
    change = _rounded(outlook, solution.change)
    if program.holds(change) and passes(program.point(change)):
        return program.point(change)
    spared = find(replace(program.only(solution.fields), margin=_margin(outlook)))
    if spared is None or spared.fields != solution.fields:
        return None
    change = _rounded(outlook, spared.change)
    good = program.holds(change) and passes(program.point(change))
    return program.point(change) if good else None


def _margin(outlook: Outlook) -> Floats:
    steps = [_step(choice) for choice in outlook.choices]
    return np.array([*steps, *(0.0 for _ in outlook.halves)], dtype=float)


def _step(choice: Choice) -> float:
    """What rounding may add: nothing where only whole numbers are asked for."""
    return 0.0 if choice.field.integer else choice.field.resolution


def _least(choice: Choice) -> float:
    """The change to the next value that the field is stated in."""
    step = choice.field.resolution
    along = choice.field.direction * choice.start / step
    return float(np.floor(along + ON_STEP) + 1.0 - along) * step


def _rounded(outlook: Outlook, change: Floats) -> Floats:
    """Move every continuous field outward to the next value of its resolution, inside its box."""
    found = np.array(change)
    for i in np.flatnonzero(change):
        choice = outlook.choices[i]
        step, way = choice.field.resolution, choice.field.direction
        if choice.field.integer:
            continue
        steps = np.ceil(way * (choice.start + way * change[i]) / step - ON_STEP)
        target = way * float(np.round(steps * step, 6))
        found[i] = min(choice.high, way * (target - choice.start))
    return found
