"""The profile of every firm-year at once: the formulas of a profile over the whole of a panel.

Part by part, each small enough for the processor's cache, on all cores: numpy lets other threads
run while it computes. What one part yields depends on its own firms only, so the parts and their
order change nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from features.cube import Cube, FirmYears
from features.expr import Array, Expr, Memory, evaluate
from features.panel import Panel
from features.peers import Groups, Placement
from features.profile import SIZE, AmongPeers, FeatureMatrix, Profile, industry_of
from features.spec import FeatureSpec

__all__ = ["firm_years"]

Step = tuple[Expr, list[tuple[Expr, int]]]
ROWS = 65_536
"""Firm-years of a part: an array of them takes 512 KiB."""


def firm_years(profile: Profile, panel: Panel) -> FeatureMatrix:
    """Compute ``profile`` for every firm-year with accounts, in the order of the annual table.

    Facts hold at the as-of date only, so features made of facts are refused.
    """
    cube = Cube(panel)
    annual = cube.annual
    values = np.empty((len(annual), len(profile.specs)), order="F")
    names = sorted({*SIZE}.union(*(spec.expr.sources for spec in profile.specs)))
    with ThreadPoolExecutor(_cores()) as pool:
        list(pool.map(cube.of_rows, names))
        work = _Work(cube, _steps(profile.specs), profile.reference.placed(_groups(cube)), values)
        list(pool.map(work.fill, _parts(cube)))
    return FeatureMatrix(
        panel.as_of,
        cube.firm_ids[cube.firm_codes],
        profile.names,
        values,
        annual["year"].to_numpy(dtype="int64"),
        annual["known_on"].to_numpy(dtype="datetime64[D]"),
        annual["known_inferred"].fillna(False).to_numpy(dtype=bool),
    )


def _parts(cube: Cube) -> list[slice]:
    """The rows in parts of about :data:`ROWS`, each with whole firms; rows stand firm by firm."""
    if (np.diff(cube.firm_codes) < 0).any():
        return [slice(0, len(cube.firm_codes))]
    ends = np.flatnonzero(np.diff(cube.firm_codes, append=-1)) + 1
    cuts = ends[np.unique(np.searchsorted(ends, np.arange(ROWS, len(cube.firm_codes), ROWS)))]
    bounds = np.unique([0, *cuts, len(cube.firm_codes)])
    return [slice(int(a), int(b)) for a, b in pairwise(bounds)]


@dataclass(frozen=True)
class _Work:
    """What all parts share: the accounts, the formulas, the groups of peers and the result."""

    cube: Cube
    steps: list[Step]
    placement: Placement
    values: Array
    before: dict[int, Array] = field(default_factory=dict)

    def fill(self, rows: slice) -> None:
        """Compute all features of a part into its rows."""
        placement = self.placement.chosen(self.placement.codes[rows])
        view = AmongPeers(FirmYears(self.cube, rows, self.before), placement)
        memory: Memory = {}
        for j, (formula, spent) in enumerate(self.steps):
            found = evaluate(formula, view, memory)
            self.values[rows, j] = found
            if np.isinf(found).any():
                np.putmask(self.values[rows, j], np.isinf(found), np.nan)
            for key in spent:
                memory.pop(key, None)


def _steps(specs: Sequence[FeatureSpec]) -> list[Step]:
    """The formulas in order, each with what none after it needs: memory used again stays near."""
    last: dict[tuple[Expr, int], int] = {}
    # One object for equal formulas: found again without comparing.
    same: dict[Expr, Expr] = {}

    def walk(expr: Expr, shift: int, at: int) -> Expr:
        expr = same.setdefault(expr, expr)
        if last.get((expr, shift)) == at:
            return expr
        last[expr, shift] = at
        if shift:
            walk(expr, 0, at)
        for arg in expr.args:
            walk(arg, shift + int(expr.number) * (expr.op == "lag"), at)
        return expr

    formulas = [walk(spec.expr, 0, at) for at, spec in enumerate(specs)]
    spent: list[list[tuple[Expr, int]]] = [[] for _ in formulas]
    for key, at in last.items():
        spent[at].append(key)
    return list(zip(formulas, spent, strict=True))


def _groups(cube: Cube) -> Groups:
    industry = industry_of(cube.panel.firms.reindex(cube.firm_ids))
    revenue, assets = (cube.of_rows(name) for name in SIZE)
    return Groups(industry[cube.firm_codes], np.where(np.isnan(revenue), assets, revenue))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
