"""Exact path-dependent TreeSHAP of a whole batch: one table look-up per row, tree and feature.

Set-up replaces values by ranks (``model.ranks``) and solves each tree for every pattern of its
decisions (``model.coalitions``). A row then costs one compare per node and one look-up per feature
of a tree. Blocks of rows that fit the cache run on two threads (numpy lets go of the interpreter
in every step); sums run in the order of trees in every case, so neither the number of threads nor
the size of a batch changes a bit of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from model.boosters import Additive
from model.coalitions import Tables, floats_needed, tables
from model.forest import Floats, Forest, Ints
from model.ranks import Ranks, ranks

__all__ = ["contributions", "residual"]

BLOCK = 8192
"""Rows at a time: the ranks of 120 features, a code and a sum per row stay in the cache."""
FEW = 128
"""Up to here a loop over rows beats a loop over trees."""
MOST_NODES = 12
MOST_FLOATS = 1 << 25
"""Beyond 12 nodes in a tree or 256 MB of tables, LightGBM explains: slowly, but it does."""

Step = tuple[list[tuple[int, Any]], list[tuple[int, Floats]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What set-up yields; ``steps`` says per tree which ranks to compare and what to look up."""

    ranks: Ranks
    tables: Tables
    steps: Sequence[Step]
    node_tree: Ints
    node_bit: Ints
    code: npt.DTypeLike


def contributions(model: Additive, values: Floats, threads: int = 2) -> Floats:
    """Return (n, F + 1): what each feature adds to the score, and last the base of every row.

    Rows sum to ``model.scores(values)``. The result is column-major: a column is contiguous.
    """
    rows = model.checked(values)
    plan = _plan(model.forest)
    if plan is None:
        result = np.asfortranarray(model.tree_contributions(rows)).T
    else:
        result = np.zeros((len(model.names) + 1, len(rows)))
        result[-1] = plan.tables.base
        if len(rows) <= FEW:
            _by_row(plan, rows, result)
        else:
            _by_block(plan, rows, result, threads)
    for column, term in model.terms():
        result[column] += term.effect(rows[:, column])
    return result.T


def residual(model: Additive, values: Floats, found: Floats) -> float:
    """Return the largest distance between the sum of a row's contributions and its score."""
    gap = np.abs(found.sum(axis=1) - model.scores(values))
    return float(gap.max(initial=0.0))


@lru_cache(maxsize=8)
def _plan(forest: Forest) -> _Plan | None:
    nodes = forest.leaves - 1
    if nodes.max() > MOST_NODES or floats_needed(forest) > MOST_FLOATS:
        return None
    solved, placed = tables(forest), ranks(forest)
    asked = list(zip(placed.node_column.tolist(), placed.node_rank, strict=True))
    first = np.searchsorted(solved.tree, np.arange(forest.trees + 1)).tolist()
    start, at = solved.start.tolist(), forest.node_start.tolist()
    feature = solved.feature.tolist()
    steps: list[Step] = [
        (
            asked[at[i] : at[i + 1]][::-1],  # the highest bit comes first
            [
                (feature[k], solved.values[start[k] : start[k + 1]])
                for k in range(first[i], first[i + 1])
            ],
        )
        for i in range(forest.trees)
    ]
    tree = np.repeat(np.arange(forest.trees), nodes)
    bit = 1 << (np.arange(len(tree)) - forest.node_start[tree])
    code = np.uint8 if nodes.max() <= 8 else np.uint16
    return _Plan(placed, solved, steps, node_tree=tree, node_bit=bit, code=code)


def _by_block(plan: _Plan, rows: Floats, result: Floats, threads: int) -> None:
    starts = range(0, len(rows), BLOCK)

    def run(start: int) -> None:
        block = slice(start, start + BLOCK)
        _explain(plan, plan.ranks.of(rows[block]), list(result[:-1, block]))

    with ThreadPoolExecutor(max(1, min(threads, len(starts)))) as pool:
        for _ in pool.map(run, starts):
            pass


def _explain(plan: _Plan, ranked: npt.NDArray[Any], sums: Sequence[Floats]) -> None:
    """Add every tree to the sums of its features; written for few and cheap numpy calls."""
    size = ranked.shape[1]
    answer = np.empty(size, dtype=plan.code)
    flag = np.empty(size, dtype=np.bool_)
    code = np.empty(size, dtype=plan.code)
    index = np.empty(size, dtype=np.intp)
    found = np.empty(size)
    columns = list(ranked)
    narrow = answer.itemsize == 1
    for asked, looked_up in plan.steps:
        code.fill(0)
        for column, rank in asked:
            np.less_equal(columns[column], rank, flag)
            np.add(code, code, code)
            np.add(code, flag.view(np.uint8) if narrow else flag, code)
        index[:] = code
        for feature, table in looked_up:
            table.take(index, None, found, "clip")
            np.add(sums[feature], found, sums[feature])


def _by_row(plan: _Plan, rows: Floats, result: Floats) -> None:
    """Explain a few rows, each over all trees at once; the same sums in the same order."""
    ranked = plan.ranks.of(rows)
    trees = len(plan.steps)
    solved = plan.tables
    for i in range(len(rows)):
        left = ranked[plan.ranks.node_column, i] <= plan.ranks.node_rank
        code = np.bincount(plan.node_tree, plan.node_bit * left, minlength=trees).astype(np.int64)
        found = solved.values[solved.start[:-1] + code[solved.tree]]
        result[:-1, i] = np.bincount(solved.feature, found, minlength=len(result) - 1)
