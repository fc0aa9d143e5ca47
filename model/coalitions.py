"""The path-dependent game of every tree, solved once for every pattern of its decisions.

What a tree adds to its features depends on a row only through the answers at its nodes. A tree of
k nodes has 2^k patterns of answers (bit j = node j goes left), so its Shapley values fit in a table
of 2^k numbers per feature, and a row is explained by looking up.

A leaf is a game of its own: the features on its path are the players, player j carries o_j = 1 if
the row passes all of j's nodes on the path, else 0, and z_j = the share of training rows that does
(product of covers). Its worth for coalition S is value · Π_{S} o_j · Π_{not S} z_j, hence

    φ_f = value · (o_f - z_f) · ∫₀¹ Π_{j≠f} (z_j (1-u) + o_j u) du

since the Shapley weight |S|!(d-1-|S|)!/d! is ∫ u^|S| (1-u)^(d-1-|S|) du. The integrand is a
polynomial of degree d - 1, which Gauss-Legendre with ⌈d/2⌉ points integrates exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from model.forest import Floats, Forest, Ints

__all__ = ["Tables", "floats_needed", "tables"]

CHUNK_FLOATS = 1 << 21
"""Size of the largest intermediate array: trees are solved in chunks of about 16 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """One table per pair of a tree and a feature it asks, in order of trees.

    Table i is ``values[start[i]:start[i + 1]]``, indexed by the pattern of ``tree[i]``, and holds
    what that tree adds to ``feature[i]``. ``base`` is the mean of the trees over training rows.
    """

    tree: Ints
    feature: Ints
    start: Ints
    values: Floats
    base: float


@dataclass(frozen=True, slots=True, eq=False)
class _Paths:
    """Per leaf and player of its tree: the path's nodes as bits, which go left, and the share z."""

    mask: Ints
    left: Ints
    zero: Floats


def floats_needed(forest: Forest) -> int:
    """Return how many numbers the tables of a forest hold."""
    tree, _, _ = _players(forest)
    return int(np.sum(2.0 ** (forest.leaves[tree] - 1)))


def tables(forest: Forest) -> Tables:
    """Solve every tree for every pattern of its decisions."""
    tree, feature, _ = _players(forest)
    nodes = forest.leaves - 1
    start = np.concatenate([[0], np.cumsum(1 << nodes[tree])])
    values = np.zeros(start[-1])
    first = np.searchsorted(tree, np.arange(forest.trees))
    players = np.bincount(tree, minlength=forest.trees)
    paths = _paths(forest)
    for chosen in _chunks(nodes):
        width = int(players[chosen].max())
        solved = _solve(forest, paths, chosen, width)
        for slot in range(width):
            held = np.flatnonzero(players[chosen] > slot)
            at = start[first[chosen[held]] + slot]
            values[at[:, None] + np.arange(solved.shape[2])] = solved[held, slot]
    base = float((paths.zero.prod(axis=1) * forest.leaf_value).sum())
    return Tables(tree=tree, feature=feature, start=start, values=values, base=base)


def _chunks(nodes: Ints) -> Iterator[Ints]:
    """Yield trees with equally many nodes, few enough at a time."""
    for count in np.unique(nodes[nodes > 0]).tolist():
        alike = np.flatnonzero(nodes == count)
        step = max(1, CHUNK_FLOATS // (count << count))
        for begin in range(0, len(alike), step):
            yield alike[begin : begin + step]


def _players(forest: Forest) -> tuple[Ints, Ints, Ints]:
    """Return tree and feature of each player, and the slot of each node's feature in its tree."""
    node_tree = np.repeat(np.arange(forest.trees), forest.leaves - 1)
    count = len(forest.names)
    pairs, pair = np.unique(node_tree * count + forest.split_feature, return_inverse=True)
    tree = pairs // count
    slot = pair - np.searchsorted(tree, np.arange(forest.trees))[node_tree]
    return tree, pairs % count, slot


def _parents(forest: Forest) -> tuple[Ints, Ints]:
    """Return the parent of every node and leaf, as its index + 1, negative for a right child."""
    tree = np.repeat(np.arange(forest.trees), forest.leaves - 1)
    above = np.arange(1, len(tree) + 1)
    of_node = np.zeros(len(tree), dtype=np.int64)
    of_leaf = np.zeros(len(forest.leaf_value), dtype=np.int64)
    for child, sign in ((forest.left_child, 1), (forest.right_child, -1)):
        inner = child >= 0
        of_node[(forest.node_start[tree] + child)[inner]] = sign * above[inner]
        of_leaf[(forest.leaf_start[tree] - 1 - child)[~inner]] = sign * above[~inner]
    return of_node, of_leaf


def _paths(forest: Forest) -> _Paths:
    """Walk up from all leaves at once, one level per step."""
    tree, _, slot = _players(forest)
    width = int(np.bincount(tree).max()) if len(tree) else 0
    shape = (len(forest.leaf_value), width)
    paths = _Paths(np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.ones(shape))
    nodes = forest.leaves - 1
    own = np.arange(len(slot)) - np.repeat(forest.node_start[:-1], nodes)
    of_node, of_leaf = _parents(forest)
    leaf, count = np.flatnonzero(of_leaf), forest.leaf_count[of_leaf != 0]
    link = of_leaf[leaf]
    while len(leaf):
        node = np.abs(link) - 1
        at = (leaf, slot[node])
        bit = 1 << own[node]
        paths.mask[at] |= bit
        paths.left[at] |= np.where(link > 0, bit, 0)
        paths.zero[at] *= count / forest.internal_count[node]
        more = of_node[node] != 0
        leaf, count, link = leaf[more], forest.internal_count[node[more]], of_node[node[more]]
    return paths


def _solve(forest: Forest, paths: _Paths, chosen: Ints, width: int) -> Floats:
    """Return the tables of trees with equally many nodes: (trees, players, patterns)."""
    leaves = int(forest.leaves[chosen[0]])
    patterns = np.arange(1 << (leaves - 1))
    result = np.zeros((len(chosen), width, len(patterns)))
    depth = (paths.mask > 0).sum(axis=1)
    for rank in range(leaves):  # one leaf of each tree at a time, so that none is written twice
        leaf = forest.leaf_start[chosen] + rank
        for count in np.unique(depth[leaf]).tolist():
            tree = np.flatnonzero(depth[leaf] == count)
            some = leaf[tree]
            players = np.argsort(paths.mask[some] == 0, axis=1, kind="stable")[:, :count]
            mask = np.take_along_axis(paths.mask[some], players, axis=1)
            left = np.take_along_axis(paths.left[some], players, axis=1)
            zero = np.take_along_axis(paths.zero[some], players, axis=1)
            passed = np.zeros((len(some), len(patterns)), dtype=np.int64)
            for j in range(count):
                passed |= ((patterns & mask[:, j, None]) == left[:, j, None]).astype(np.int64) << j
            worth = _game(zero) * forest.leaf_value[some][:, None, None]
            for j in range(count):
                result[tree, players[:, j]] += np.take_along_axis(worth[:, :, j], passed, axis=1)
    return result


def _game(zero: Floats) -> Floats:
    """Return the Shapley values of leaves of worth 1: (leaves, 2^d outcomes o, d players)."""
    count = zero.shape[1]
    points, weights = np.polynomial.legendre.leggauss((count + 1) // 2)
    one = ((np.arange(1 << count)[:, None] >> np.arange(count)) & 1).astype(np.float64)
    total = np.zeros((len(zero), 1 << count, count))
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        factor = zero[:, None, :] * (1 - point) + one * point
        # Factors are positive: every z is, because every node saw rows, and u lies inside (0, 1).
        total += weight * factor.prod(axis=2, keepdims=True) / factor
    return cast(Floats, total * (one - zero[:, None, :]))
