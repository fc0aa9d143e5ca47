"""Trees grown over several tiers, resolved at one: exact trees over the profile alone.

A tree that also splits on the tier asks nothing of a firm there, for the served tier is known:
each such split is replaced by the side it leads to. What is left is a tree over the profile with
the same output, so sums, reasons and the bundle know nothing of the other tiers.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from model.forest import LEAF_KEYS, NODE_KEYS, Forest, Ints
from tidu.errors import UsageError

__all__ = ["covered_by", "resolved"]


def resolved(forest: Forest, name: str, value: float) -> Forest:
    """Return the forest over the other features that scores as ``forest`` where ``name`` is
    ``value``, a number other than 0 (so that no rule for missing values applies).
    """
    if name not in forest.names or not np.isfinite(value) or value == 0:
        raise UsageError(
            f"Trees are resolved at a number other than 0 of one of their features; found {value}"
            f" of {name!r}."
        )
    at = forest.names.index(name)
    kept = [_walk(forest, tree, at, value) for tree in range(forest.trees)]
    columns: dict[str, Any] = {}
    for key in NODE_KEYS:
        columns[key] = getattr(forest, key)[np.concatenate([nodes for nodes, *_ in kept])]
    for key in LEAF_KEYS:
        columns[key] = getattr(forest, key)[np.concatenate([leaves for _, leaves, *_ in kept])]
    columns["left_child"] = np.concatenate([left for *_, left, _ in kept])
    columns["right_child"] = np.concatenate([right for *_, right in kept])
    columns["split_feature"] = columns["split_feature"] - (columns["split_feature"] > at)
    sizes = np.array([len(leaves) for _, leaves, *_ in kept], dtype=np.int64)
    return _with_covers(
        {
            "names": forest.names[:at] + forest.names[at + 1 :],
            "ranges": forest.ranges[:at] + forest.ranges[at + 1 :],
            "leaves": sizes,
            "shrinkage": forest.shrinkage,
            **columns,
        }
    )


def covered_by(forest: Forest, leaf: Ints) -> Forest:
    """Return the forest whose covers count the rows of ``leaf``, (rows, trees), and one more each.

    Reasons are told from the mean over covers, which is thus that of these rows. One more, for a
    leaf that none of them reaches must still have a share.
    """
    counts = np.ones(len(forest.leaf_value), dtype=np.int64)
    place = leaf + forest.leaf_start[:-1]
    counts += np.bincount(place.ravel(), minlength=len(counts))
    raw = {field.name: getattr(forest, field.name) for field in fields(Forest)}
    return _with_covers({**raw, "leaf_count": counts})


def _walk(forest: Forest, tree: int, at: int, value: float) -> tuple[Ints, Ints, Ints, Ints]:
    """The nodes and leaves of one tree that ``value`` leaves open, and their children, renumbered.

    Nodes and leaves are places in the whole forest; children are numbered inside the new tree.
    """
    first, first_leaf = int(forest.node_start[tree]), int(forest.leaf_start[tree])
    nodes: list[int] = []
    leaves: list[int] = []
    left: list[int] = []
    right: list[int] = []

    def settle(child: int) -> int:
        """Follow decided splits; number what is found and return its number."""
        while child >= 0 and forest.split_feature[first + child] == at:
            goes_left = value <= forest.threshold[first + child]
            children = forest.left_child if goes_left else forest.right_child
            child = int(children[first + child])
        if child < 0:
            leaves.append(first_leaf - 1 - child)
            return -len(leaves)
        mine = len(nodes)
        nodes.append(first + child)
        left.append(0)
        right.append(0)
        left[mine] = settle(int(forest.left_child[first + child]))
        right[mine] = settle(int(forest.right_child[first + child]))
        return mine

    settle(0 if forest.leaves[tree] > 1 else -1)
    whole = (np.array(part, dtype=np.int64) for part in (nodes, leaves, left, right))
    one, two, three, four = whole
    return one, two, three, four


def _with_covers(columns: dict[str, Any]) -> Forest:
    """Build the forest, each node's count the sum of its children's; parents come first."""
    leaf_count, left, right = columns["leaf_count"], columns["left_child"], columns["right_child"]
    sizes: Ints = columns["leaves"]
    node_start = np.concatenate([[0], np.cumsum(sizes - 1)])
    leaf_start = np.concatenate([[0], np.cumsum(sizes)])
    tree = np.repeat(np.arange(len(sizes)), sizes - 1)
    inner = np.zeros(len(left), dtype=np.int64)
    for node in range(len(left) - 1, -1, -1):
        for child in (int(left[node]), int(right[node])):
            own = tree[node]
            inner[node] += (
                inner[node_start[own] + child]
                if child >= 0
                else leaf_count[leaf_start[own] - 1 - child]
            )
    return Forest(**{**columns, "internal_count": inner})
