"""The exact search: fewest fields, then least total change, that make a tree of conditions hold.

A mixed-integer program for HiGHS: one variable per field in steps of a year's attainable change,
one binary per field (changed or not), one per part of a disjunction. Both aims are one objective,
in which a field weighs more than all change that is possible: the order is lexicographic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from policy.path.tree import Every, Linear, Node, Points, Some, Truth, held, simplified

__all__ = ["Program", "Solution", "find", "ties"]

Floats = NDArray[np.float64]

SAME = 1e-6
"""Totals that differ by less are equal: what the solver promises of its objective."""
STRICT = 1e-5
"""A strict test asks for so much of its largest part above zero: more than the solver misses by."""
NEGLIGIBLE = 1e-7
"""A change below this part of a year's attainable change is none: the solver's noise."""


@dataclass(frozen=True, slots=True)
class Program:
    """Fields that may change, each from 0 to ``high``, and the condition that must come to hold.

    ``unit`` is one year's attainable change; ``halves`` names the integer fields whose value after
    half of the time is read, too: each adds one coordinate, half of its field rounded down, behind
    the fields. ``margin`` is how much of every coordinate a linear test must have to spare,
    ``least`` the least change of a field that changes at all.
    """

    high: Floats
    unit: Floats
    integer: NDArray[np.bool_]
    condition: Node
    halves: tuple[int, ...] = ()
    margin: Floats | None = None
    least: Floats | None = None

    @property
    def fields(self) -> int:
        return len(self.unit)

    @property
    def box(self) -> Floats:
        """The upper ends of all coordinates."""
        return self.point(self.high)

    def point(self, change: Floats) -> Floats:
        """All coordinates at a change of the fields."""
        half = np.floor(change[list(self.halves)] / 2.0 + 1e-9)
        return np.concatenate([change, half])

    def holds(self, change: Floats) -> bool:
        return held(self.condition, self.point(change), self.margin)

    def only(self, fields: Iterable[int]) -> Program:
        """The same where nothing but these fields may change."""
        kept = np.zeros(self.fields)
        kept[list(fields)] = 1.0
        return replace(self, high=self.high * kept)


@dataclass(frozen=True, slots=True)
class Solution:
    """A change per field; ``total`` in units of one year's attainable change."""

    change: Floats
    total: float

    @property
    def fields(self) -> tuple[int, ...]:
        return tuple(int(i) for i in np.flatnonzero(self.change))


def find(
    program: Program,
    without: Sequence[tuple[int, ...]] = (),
    within: tuple[int, float] | None = None,
) -> Solution | None:
    """Return a best solution, or None if nothing in the box makes the condition hold.

    ``without`` forbids sets of fields (and nothing but these sets); ``within`` asks for no more
    fields and no more total than given.
    """
    tree = simplified(program.condition, program.box)
    if isinstance(tree, Truth):
        empty = Solution(np.zeros(program.fields), 0.0)
        if not tree.value:
            return None
        if () not in without:
            return empty
    model = _Model(program)
    model.require(tree)
    for fields in without:
        model.forbid(fields)
    if within is not None:
        model.cap(*within)
    return model.solved()


def ties(program: Program, best: Solution, most: int) -> list[Solution]:
    """Other sets of as many fields with the same total, at most ``most``, in order of fields."""
    found: list[Solution] = []
    while best.fields and len(found) < most:
        seen = [best.fields, *(other.fields for other in found)]
        other = find(program, seen, within=(len(best.fields), best.total))
        if other is None:
            break
        found.append(other)
    return sorted(found, key=lambda solution: solution.fields)


@dataclass(slots=True)
class _Model:
    """Rows and columns of the program; a row reads ``low <= sum of parts <= high``.

    Columns: the fields in steps (integer fields in pieces), the halves, a binary per field, then
    the binaries that disjunctions need.
    """

    program: Program
    scale: Floats = field(init=False)
    upper: list[float] = field(init=False)
    whole: list[int] = field(init=False)
    rows: list[dict[int, float]] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    top: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        program, n = self.program, self.program.fields
        half = list(program.halves)
        integer = np.concatenate([program.integer, np.ones(len(half), dtype=bool)])
        self.scale = np.where(integer, 1.0, np.concatenate([program.unit, np.ones(len(half))]))
        self.upper = [*(program.box / self.scale), *np.ones(n)]
        self.whole = [*integer.astype(int), *np.ones(n, dtype=int)]
        for i in range(n):
            self.row({i: 1.0, self._switch(i): -self.upper[i]}, top=0.0)
            if program.least is not None:
                self.row({i: 1.0, self._switch(i): -program.least[i] / self.scale[i]}, low=0.0)
        for at, i in enumerate(half):
            self.row({i: 1.0, n + at: -2.0}, low=0.0, top=1.0)

    def _switch(self, i: int) -> int:
        return self.program.fields + len(self.program.halves) + i

    def row(self, parts: dict[int, float], low: float = -np.inf, top: float = np.inf) -> None:
        self.rows.append(parts)
        self.low.append(low)
        self.top.append(top)

    def binary(self) -> int:
        self.upper.append(1.0)
        self.whole.append(1)
        return len(self.upper) - 1

    def require(self, node: Node, when: int | None = None) -> None:
        """Let the tree hold, always or where the binary ``when`` is 1."""
        if isinstance(node, Linear):
            self._linear(node, when)
        elif isinstance(node, Every):
            for part in node.parts:
                self.require(part, when)
        elif isinstance(node, Some):
            self._adds_up({self._if(part): 1.0 for part in node.parts}, 1.0, when)
        elif isinstance(node, Points):
            self._points(node, when)
        elif not node.value:
            self._adds_up({}, 1.0, when)

    def _if(self, node: Node) -> int:
        chosen = self.binary()
        self.require(node, chosen)
        return chosen

    def _adds_up(self, parts: dict[int, float], goal: float, when: int | None) -> None:
        if when is None:
            self.row(parts, low=goal)
        else:
            self.row(parts | {when: -goal}, low=0.0)

    def _points(self, node: Points, when: int | None) -> None:
        gains: dict[int, float] = {}
        for options in node.indicators:
            chosen = {self._if(part): gain for gain, part in options}
            self.row(dict.fromkeys(chosen, 1.0), top=1.0)
            gains |= chosen
        if node.slope is not None:
            scaled = node.slope * self.scale
            gains |= {int(i): float(scaled[i]) for i in np.flatnonzero(scaled)}
        self._adds_up(gains, node.goal, when)

    def _linear(self, node: Linear, when: int | None) -> None:
        slope = node.slope * self.scale
        reach = slope * np.asarray(self.upper[: len(slope)])
        size = float(np.abs(reach).max()) or 1.0
        spare = STRICT * size if node.strict else 0.0
        if self.program.margin is not None:
            spare += float(np.abs(node.slope) @ self.program.margin)
        need = spare - node.level
        parts = {int(i): float(slope[i]) / size for i in np.flatnonzero(slope)}
        if when is None:
            self.row(parts, low=need / size)
            return
        slack = max(0.0, need - float(np.minimum(reach, 0.0).sum())) / size
        self.row(parts | {when: -slack}, low=need / size - slack)

    def forbid(self, fields: tuple[int, ...]) -> None:
        """Leave out one set of changed fields; subsets and supersets stay."""
        inside = set(fields)
        signs = {self._switch(i): 1.0 if i in inside else -1.0 for i in range(self.program.fields)}
        self.row(signs, top=len(inside) - 1.0)

    def cap(self, count: int, total: float) -> None:
        fields = range(self.program.fields)
        self.row({self._switch(i): 1.0 for i in fields}, top=float(count))
        self.row({i: self._cost(i) for i in fields}, top=total + SAME)

    def _cost(self, i: int) -> float:
        return float(self.scale[i] / self.program.unit[i])

    def solved(self) -> Solution | None:
        n = self.program.fields
        cost = np.zeros(len(self.upper))
        cost[:n] = [self._cost(i) for i in range(n)]
        weight = 1.0 + float(cost[:n] @ np.asarray(self.upper[:n]))
        for i in range(n):
            cost[self._switch(i)] = weight
        indices = [column for row in self.rows for column in row]
        data = [value for row in self.rows for value in row.values()]
        starts = np.cumsum([0, *(len(row) for row in self.rows)])
        matrix = csr_array((data, indices, starts), shape=(len(self.rows), len(self.upper)))
        answer = milp(
            cost,
            integrality=np.asarray(self.whole),
            bounds=Bounds(0.0, np.asarray(self.upper)),
            constraints=LinearConstraint(matrix, self.low, self.top),
            options={"mip_rel_gap": 0.0},
        )
        return None if answer.x is None else self._read(answer.x)

    def _read(self, x: Floats) -> Solution:
        program, n = self.program, self.program.fields
        change = np.where(program.integer, np.round(x[:n]), x[:n] * self.scale[:n])
        switched = np.asarray([x[self._switch(i)] > 0.5 for i in range(n)])
        if program.least is None:
            change = np.where(switched & (change > NEGLIGIBLE * program.unit), change, 0.0)
        else:
            change = np.where(switched, np.maximum(change, program.least), 0.0)
        change = np.minimum(change, program.high)
        return Solution(change, float((change / program.unit).sum()))
