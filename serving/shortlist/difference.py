"""The difference of two lists: who entered, left or moved, and which factor did how much of it.

Nothing here knows where lists come from: a function gives the list of every world of
:mod:`serving.shortlist.attribution`, before and after among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.shortlist.attribution import FACTORS, UNITS, World, mixtures, parts

__all__ = ["ENTERED", "LEFT", "SEVERAL", "STAYED", "Difference", "Move", "cause", "differ"]

ENTERED, LEFT, STAYED = "entered", "left", "stayed"
SEVERAL = "several"
"""The cause of a move whose two greatest parts are equal."""

Lists = Callable[[World], Sequence[str]]
"""Firms of the list of a world, in its order."""


@dataclass(frozen=True, slots=True)
class Move:
    """One firm: its place before and after (None: not in the list).

    ``parts`` are in 24ths, by :data:`FACTORS`: of membership for who entered (sum +24) or left
    (−24), of the place for who stayed (24 times the places moved; negative is up). None where the
    worlds between the two lists cannot be known.
    """

    firm_id: str
    before: int | None
    after: int | None
    parts: tuple[int, ...] | None

    @property
    def kind(self) -> str:
        if self.before is None:
            return ENTERED
        return LEFT if self.after is None else STAYED


@dataclass(frozen=True)
class Difference:
    """``entered`` by place after, ``left`` by place before, ``stayed`` by place after."""

    entered: tuple[Move, ...]
    left: tuple[Move, ...]
    stayed: tuple[Move, ...]

    @property
    def known(self) -> bool:
        """Whether the moves are attributed."""
        return all(m.parts is not None for m in (*self.entered, *self.left, *self.stayed))

    def summary(self) -> dict[str, Any]:
        """Counts by main cause, and totals that add up to entries − exits."""
        changed = (*self.entered, *self.left)
        counts: dict[str, Any] = {
            "before": len(self.left) + len(self.stayed),
            "after": len(self.entered) + len(self.stayed),
            **{kind: len(getattr(self, kind)) for kind in (ENTERED, LEFT, STAYED)},
            "causes": None,
            "totals": None,
        }
        if not self.known:
            return counts
        causes = {kind: Counter(map(cause, getattr(self, kind))) for kind in (ENTERED, LEFT)}
        named = [*FACTORS, *([SEVERAL] if any(c[SEVERAL] for c in causes.values()) else [])]
        sums = [sum(m.parts[i] for m in changed if m.parts) for i in range(len(FACTORS))]
        return counts | {
            "causes": [
                {"cause": name, ENTERED: causes[ENTERED][name], LEFT: causes[LEFT][name]}
                for name in named
            ],
            "totals": {"of": UNITS, **dict(zip(FACTORS, sums, strict=True))},
        }


def cause(move: Move) -> str:
    """The factor with the greatest part in the direction of the move; :data:`SEVERAL` on a tie."""
    if move.parts is None:
        raise ValueError(f"The move of {move.firm_id} is not attributed.")
    sign = 1 if sum(move.parts) >= 0 else -1
    greatest = max(sign * part for part in move.parts)
    first = [
        name for name, part in zip(FACTORS, move.parts, strict=True) if sign * part == greatest
    ]
    return first[0] if len(first) == 1 else SEVERAL


def differ(lists: Lists, attributed: bool = True) -> Difference:
    """Compare the list of the last world with that of the first.

    In a world whose list does not hold a firm, its place is the one behind the list. With
    ``attributed`` false the worlds between are not asked for, and the moves have no parts.
    """
    worlds = mixtures()
    before, after = list(lists(worlds[0])), list(lists(worlds[-1]))
    at, to = _places(before), _places(after)
    gone = [firm for firm in before if firm not in to]
    come = [firm for firm in after if firm not in at]
    stayed = [firm for firm in after if firm in at]
    if not attributed:
        found: Sequence[tuple[int, ...] | None] = [None] * (len(come) + len(gone) + len(stayed))
    else:
        between = [before, *(list(lists(world)) for world in worlds[1:-1]), after]
        found = [
            *_column_tuples(_membership(between, [*come, *gone])),
            *_column_tuples(_place(between, stayed)),
        ]
    moves = [
        Move(firm, at.get(firm), to.get(firm), each)
        for firm, each in zip([*come, *gone, *stayed], found, strict=True)
    ]
    middle = len(come) + len(gone)
    return Difference(
        tuple(moves[: len(come)]), tuple(moves[len(come) : middle]), tuple(moves[middle:])
    )


def _places(firms: Sequence[str]) -> dict[str, int]:
    return {firm: place for place, firm in enumerate(firms, 1)}


def _membership(between: list[list[str]], firms: list[str]) -> NDArray[np.int64]:
    rows = [[firm in held for firm in firms] for held in map(frozenset, between)]
    return parts(np.array(rows, dtype=np.int64).reshape(len(between), len(firms)))


def _place(between: list[list[str]], firms: list[str]) -> NDArray[np.int64]:
    rows = [
        [places.get(firm, len(places) + 1) for firm in firms] for places in map(_places, between)
    ]
    return parts(np.array(rows, dtype=np.int64).reshape(len(between), len(firms)))


def _column_tuples(units: NDArray[np.int64]) -> list[tuple[int, ...]]:
    return [tuple(column) for column in units.T.tolist()]
