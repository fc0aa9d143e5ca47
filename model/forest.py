"""A forest of numeric decision trees as flat arrays, sound once built."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from tidu.errors import Refused

__all__ = ["LEAF_KEYS", "NODE_KEYS", "Floats", "Forest", "Ints", "Range", "hold"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Range = tuple[float, float] | None
"""The values of a feature that training saw; None where it was never split."""

CURE = "Restore the model from its bundle, or train it again."
NODE_KEYS = (
    *("split_feature", "threshold", "decision_type", "left_child", "right_child"),
    *("split_gain", "internal_value", "internal_count"),
)
LEAF_KEYS = ("leaf_value", "leaf_count")
DECISIONS = (0, 2, 4, 6, 8, 10)
"""Bit 1: missing goes left; bits 2-3: missing is nothing (0), zero (1), NaN (2)."""
NAME = re.compile(r"[^\s\",:\[\]{}=]+")


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees as flat arrays: the nodes of all trees behind one another, and so their leaves.

    A tree of k leaves has k - 1 nodes. Children are numbered inside their tree: >= 0 a node,
    < 0 the leaf ``-1 - child``. Building one checks it; holding one means it is sound.
    """

    names: tuple[str, ...]
    ranges: tuple[Range, ...]
    leaves: Ints
    shrinkage: Floats
    split_feature: Ints
    threshold: Floats
    decision_type: Ints
    left_child: Ints
    right_child: Ints
    split_gain: Floats
    internal_value: Floats
    internal_count: Ints
    leaf_value: Floats
    leaf_count: Ints

    def __post_init__(self) -> None:
        _sound_names(self)
        _sound_sizes(self)
        _sound_numbers(self)
        _sound_links(self)
        _sound_counts(self)

    @property
    def trees(self) -> int:
        return len(self.leaves)

    @property
    def node_start(self) -> Ints:
        """Return where the nodes of each tree begin, and the end of the last."""
        return cast(Ints, np.concatenate([[0], np.cumsum(self.leaves - 1)]))

    @property
    def leaf_start(self) -> Ints:
        """Return where the leaves of each tree begin, and the end of the last."""
        return cast(Ints, np.concatenate([[0], np.cumsum(self.leaves)]))


def hold(condition: bool, expected: str, found: str, cure: str = CURE) -> None:
    """Refuse the model unless ``condition``: expected, found, cure."""
    if not condition:
        raise Refused(
            f"A tree model must have {expected}; found {found}.",
            cure,
            {"expected": expected, "found": found},
        )


def _sound_names(forest: Forest) -> None:
    for name in forest.names:
        hold(
            NAME.fullmatch(name) is not None,
            'feature names without spaces and without " , : [ ] { } =',
            repr(name[:60]),
            "Rename the feature.",
        )
    unique = len(set(forest.names))
    hold(unique == len(forest.names), "each feature name once", f"{unique} different names")


def _sound_sizes(forest: Forest) -> None:
    hold(forest.trees > 0, "at least one tree", "none")
    hold(int(forest.leaves.min()) >= 1, "at least one leaf per tree", str(forest.leaves.min()))
    hold(len(forest.ranges) == len(forest.names), "one range per feature", "another number")
    leaves = int(forest.leaves.sum())
    sizes = dict.fromkeys(NODE_KEYS, leaves - forest.trees) | dict.fromkeys(LEAF_KEYS, leaves)
    for key, size in (sizes | {"shrinkage": forest.trees}).items():
        found = len(getattr(forest, key))
        hold(found == size, f"{size} numbers of {key}", str(found))


def _sound_numbers(forest: Forest) -> None:
    for key in ("shrinkage", "split_gain", "internal_value", "leaf_value"):
        hold(bool(np.isfinite(getattr(forest, key)).all()), f"finite numbers as {key}", "others")
    # A threshold of +inf is LightGBM's "known or missing"; NaN would send every value right.
    hold(not bool(np.isnan(forest.threshold).any()), "ordered thresholds", "NaN")
    known = [r for r in forest.ranges if r is not None]
    hold(bool(np.isfinite(known).all()), "finite feature ranges", "others")
    n = len(forest.names)
    inside = (forest.split_feature >= 0) & (forest.split_feature < n)
    hold(bool(inside.all()), f"split features from 0 to {n - 1}", "others")
    sound = np.isin(forest.decision_type, DECISIONS).all()
    hold(bool(sound), "numeric splits only (decision_type)", "categorical or unknown ones")


def _sound_links(forest: Forest) -> None:
    """Every node but the root and every leaf has one parent, and parents stand before children.

    That is a tree: going up, numbers fall, so every way ends at node 0.
    """
    nodes = forest.leaves - 1
    tree = np.repeat(np.arange(forest.trees), nodes)
    own = np.arange(len(tree)) - forest.node_start[tree]
    child = np.concatenate([forest.left_child, forest.right_child])
    tree, own = np.tile(tree, 2), np.tile(own, 2)
    inner = child >= 0
    inside = np.where(inner, (child > own) & (child < nodes[tree]), child >= -forest.leaves[tree])
    hold(bool(inside.all()), "children behind their parent and within their tree", "others")
    node = np.bincount((forest.node_start[tree] + child)[inner], minlength=len(forest.left_child))
    wanted = np.ones_like(node)
    wanted[forest.node_start[:-1][nodes > 0]] = 0
    leaf = np.bincount(
        (forest.leaf_start[tree] - 1 - child)[~inner], minlength=len(forest.leaf_value)
    )
    lone = forest.leaf_start[:-1][nodes == 0]
    leaf[lone] += 1
    hold(bool((node == wanted).all() and (leaf == 1).all()), "one parent per node", "others")


def _sound_counts(forest: Forest) -> None:
    """Counts are the covers of the path-dependent game: positive, children's add up to parents'."""
    positive = bool((forest.leaf_count > 0).all() and (forest.internal_count > 0).all())
    hold(positive, "positive row counts in every node", "others")
    total = _count(forest, forest.left_child) + _count(forest, forest.right_child)
    hold(bool((total == forest.internal_count).all()), "counts that add up", "others")


def _count(forest: Forest, child: Ints) -> Ints:
    """Return the row counts of the given children (one per node of the forest)."""
    tree = np.repeat(np.arange(forest.trees), forest.leaves - 1)
    node = np.where(child >= 0, forest.node_start[tree] + child, 0)
    leaf = np.where(child < 0, forest.leaf_start[tree] - 1 - child, 0)
    return np.where(child >= 0, forest.internal_count[node], forest.leaf_count[leaf])
