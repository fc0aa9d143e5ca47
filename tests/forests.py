"""Random forests for the tests of trees, boosters and reasons, and oracles that share no code."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
from hypothesis import strategies as st

from model.boosters import Additive
from model.forest import Forest
from model.trees import render

THRESHOLDS = (-1.5, -1.0000000180025095e-35, 0.0, 1.0000000180025095e-35, 0.25, 2.0, math.inf)
VALUES = (
    *(*THRESHOLDS[:-1], -0.0, 5e-324, -5e-324, 1e-35, -1e-35, 9e-36),
    *(math.nan, math.inf, -math.inf, 0.1, 1e300),
)


def random_forest(rng, trees=3, leaves=8, features=4, decisions=(0, 2, 4, 6, 8, 10)) -> Forest:
    """Grow trees leaf by leaf, as LightGBM does, with any threshold and way of missing."""
    columns = {name: [] for name in Forest.__dataclass_fields__ if name not in ("names", "ranges")}
    for _ in range(trees):
        one = random_tree(rng, int(rng.integers(1, leaves + 1)), features, decisions)
        for name, numbers in one.items():
            columns[name].extend(numbers)
    whole = {"leaves", "split_feature", "decision_type", "left_child", "right_child"}
    whole |= {"internal_count", "leaf_count"}
    return Forest(
        names=tuple(f"f{i}" for i in range(features)),
        ranges=((-2.0, 2.0),) * (features - 1) + (None,),
        **{k: np.array(v, dtype=np.int64 if k in whole else float) for k, v in columns.items()},
    )


def random_tree(rng, leaves: int, features: int, decisions) -> dict[str, list]:
    left, right, above = [], [], []
    place = [None]  # of each leaf: (node, side)
    for node in range(leaves - 1):
        old = int(rng.integers(len(place)))
        if place[old] is not None:
            parent, side = place[old]
            (left if side else right)[parent] = node
        above.append(place[old])
        left.append(-1 - old)
        right.append(-1 - len(place))
        place[old] = (node, True)
        place.append((node, False))
    leaf_count = rng.integers(1, 50, leaves).tolist()
    counts = [0] * (leaves - 1)
    for node in reversed(range(leaves - 1)):
        sides = (left[node], right[node])
        counts[node] = sum(counts[c] if c >= 0 else leaf_count[-1 - c] for c in sides)
    n = leaves - 1
    return {
        "leaves": [leaves],
        "shrinkage": [0.1],
        "split_feature": rng.integers(0, features, n).tolist(),
        "threshold": rng.choice(THRESHOLDS, n).tolist(),
        "decision_type": rng.choice(decisions, n).tolist(),
        "left_child": left,
        "right_child": right,
        "split_gain": rng.random(n).tolist(),
        "internal_value": rng.normal(size=n).tolist(),
        "internal_count": counts,
        "leaf_value": rng.normal(size=leaves).tolist(),
        "leaf_count": leaf_count,
    }


@st.composite
def cases(draw, **kinds) -> tuple[Forest, np.ndarray]:
    """Draw a forest and rows full of hard values."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    forest = random_forest(rng, **kinds)
    rows = rng.choice(VALUES, (draw(st.integers(0, 12)), len(forest.names)))
    return forest, rows


def model_of(forest: Forest, linear=()) -> Additive:
    return Additive(forest.names, render(forest), linear)


def goes_left(value: float, threshold: float, decision: int) -> bool:
    """Decide as LightGBM's Tree::NumericalDecision behind its dense reader."""
    kind, default = decision >> 2 & 3, bool(decision & 2)
    if abs(value) <= float(np.float32(1e-35)):
        value = 0.0
    if math.isnan(value):
        if kind == 2:
            return default
        value = 0.0
    if kind == 1 and value == 0.0:
        return default
    return value <= threshold


def split_trees(forest: Forest):
    """Yield each tree as nodes (feature, threshold, decision, left, right, count) and leaves."""
    for i in range(forest.trees):
        nodes = slice(forest.node_start[i], forest.node_start[i + 1])
        leaves = slice(forest.leaf_start[i], forest.leaf_start[i + 1])
        yield (
            list(
                zip(
                    *(
                        getattr(forest, key)[nodes].tolist()
                        for key in (
                            *("split_feature", "threshold", "decision_type"),
                            *("left_child", "right_child", "internal_count"),
                        )
                    ),
                    strict=True,
                )
            ),
            forest.leaf_value[leaves].tolist(),
            forest.leaf_count[leaves].tolist(),
        )


def expected(tree, row, known: frozenset[int], at: int | None = None) -> float:
    """Return the tree's value where only the features in `known` are known: covers for the rest."""
    nodes, values, counts = tree
    at = (0 if nodes else -1) if at is None else at
    if at < 0:
        return values[-1 - at]
    feature, threshold, decision, left, right, count = nodes[at]
    if feature in known:
        side = left if goes_left(row[feature], threshold, decision) else right
        return expected(tree, row, known, side)
    return sum(
        expected(tree, row, known, side)
        * (nodes[side][5] if side >= 0 else counts[-1 - side])
        / count
        for side in (left, right)
    )


def raw_score(forest: Forest, row) -> float:
    everything = frozenset(range(len(forest.names)))
    return math.fsum(expected(tree, row, everything) for tree in split_trees(forest))


def shapley_by_definition(forest: Forest, row) -> list[float]:
    """Average what each feature adds over all orders in which features become known."""
    features = range(len(forest.names))
    result = [0.0] * (len(features) + 1)
    orders = list(permutations(features))
    for tree in split_trees(forest):
        worth: dict[frozenset[int], float] = {}

        def value(known, tree=tree, worth=worth):
            if known not in worth:
                worth[known] = expected(tree, row, known)
            return worth[known]

        for order in orders:
            known: frozenset[int] = frozenset()
            for feature in order:
                more = known | {feature}
                result[feature] += (value(more) - value(known)) / len(orders)
                known = more
        result[-1] += value(frozenset())
    return result
