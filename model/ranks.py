"""Values as ranks among a model's own thresholds, so that every split is one compare of small ints.

A split asks ``x <= threshold``; with r(x) = the number of thresholds of that feature below x, it is
``r(x) <= r(threshold)``. Missing values become rank 0 or the highest, as the split sends them, in a
column of their own per way of treating them. The rules are LightGBM's (``Tree::NumericalDecision``
and the dense reader, which takes |x| <= 1e-35 for zero).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model.forest import Floats, Forest, Ints

__all__ = ["Ranks", "flushed", "ranks"]

ZERO = float(np.float32(1e-35))
"""LightGBM's kZeroThreshold."""
LEFT = 2
KINDS = 12
"""Bits of decision_type: missing goes left; what counts as missing (0 nothing, 4 zero, 8 NaN)."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """``columns`` lists (feature, decision_type); each node asks rank of its column <= its rank."""

    edges: tuple[Floats, ...]
    columns: tuple[tuple[int, int], ...]
    node_column: Ints
    node_rank: npt.NDArray[Any]

    def of(self, values: Floats) -> npt.NDArray[Any]:
        """Return the ranks of some rows, one line per column."""
        result = np.empty((len(self.columns), len(values)), dtype=self.node_rank.dtype)
        last = -1
        for line, (feature, kind) in zip(result, self.columns, strict=True):
            if feature != last:
                last, edges = feature, self.edges[feature]
                column = flushed(values[:, feature])
                rank = np.searchsorted(edges, column) + 1
                missing = np.isnan(column)
            line[:] = rank
            if kind & KINDS == 0:
                line[missing] = np.searchsorted(edges, 0.0) + 1
                continue
            absent = missing | (column == 0.0) if kind & KINDS == 4 else missing
            line[absent] = 0 if kind & LEFT else len(edges) + 2
        return result


def flushed(values: Floats) -> Floats:
    """Return the values as LightGBM's dense reader hands them to the trees."""
    return np.where(np.abs(values) <= ZERO, 0.0, values)


def ranks(forest: Forest) -> Ranks:
    """Collect the thresholds per feature and place each node among them."""
    count = len(forest.names)
    by_feature = np.argsort(forest.split_feature, kind="stable")
    cuts = np.searchsorted(forest.split_feature[by_feature], np.arange(1, count))
    edges = []
    node_rank = np.zeros(len(by_feature), dtype=np.int64)
    for nodes in np.split(by_feature, cuts):
        own, place = np.unique(forest.threshold[nodes], return_inverse=True)
        edges.append(own)
        node_rank[nodes] = place + 1
    kinds, node_column = np.unique(
        forest.split_feature * 16 + forest.decision_type, return_inverse=True
    )
    highest = max(len(own) for own in edges) + 2
    return Ranks(
        edges=tuple(edges),
        columns=tuple((int(kind) // 16, int(kind) % 16) for kind in kinds),
        node_column=node_column.astype(np.int64),
        node_rank=node_rank.astype(np.min_scalar_type(highest)),
    )
