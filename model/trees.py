"""LightGBM's text model: parsed, checked, merged, written back.

LightGBM itself checks little of what it loads: a truncated or edited text kills the process. So no
text reaches it that did not pass ``parse`` here, and what it gets was written by ``render``, one
canonical form that holds the trees and nothing else (no parameters, no thread counts).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from model.forest import LEAF_KEYS, NODE_KEYS, Forest, Ints, Range, hold

__all__ = ["check", "merge", "parse", "render"]

HEAD = {
    "version": "v4",
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "label_index": "0",
}
WHOLE = frozenset(
    {"split_feature", "decision_type", "left_child", "right_child", "internal_count", "leaf_count"}
)
FIXED = {"num_cat": "0", "is_linear": "0"}
"""Categorical splits and linear leaves are never grown, and never read."""
IGNORED = frozenset({"leaf_weight", "internal_weight"})
NUMBERS = re.compile(r"(?:[0-9eE+\-. ]|\binf\b)*")
RANGE = re.compile(r"\[([0-9eE+\-.]+):([0-9eE+\-.]+)\]")


def render(forest: Forest) -> str:
    """Return the canonical LightGBM text: equal forests give equal bytes."""
    bodies = _bodies(forest)
    infos = ("none" if r is None else f"[{r[0]!r}:{r[1]!r}]" for r in forest.ranges)
    head = [
        "tree",
        *(f"{key}={value}" for key, value in HEAD.items()),
        f"max_feature_idx={len(forest.names) - 1}",
        "feature_names=" + " ".join(forest.names),
        "feature_infos=" + " ".join(infos),
        "tree_sizes=" + " ".join(str(len(body)) for body in bodies),
    ]
    return "\n".join(head) + "\n\n" + "".join(bodies) + "end of trees\n"


def parse(text: str) -> Forest:
    """Read a LightGBM text model, or refuse it with what was expected and what was found."""
    head, found, rest = text.partition("\n\nTree=0\n")
    hold(bool(found), "a header followed by Tree=0", _start(text))
    body, found, _ = ("Tree=0\n" + rest).partition("end of trees\n")
    hold(bool(found), "'end of trees' after the last tree", "the text ends before it")
    hold(body.isascii(), "trees in plain ASCII", "other characters")
    names, ranges, sizes = _header(head)
    trees = _split(body, sizes)
    leaves = _leaves(trees)
    columns: dict[str, Any] = {"shrinkage": _numbers(trees, "shrinkage", np.ones_like(leaves))}
    for keys, size in ((NODE_KEYS, leaves - 1), (LEAF_KEYS, leaves)):
        for key in keys:
            columns[key] = _numbers(trees, key, size)
    return Forest(names=names, ranges=ranges, leaves=leaves, **columns)


def check(text: str) -> Forest:
    """Return the forest of a text in canonical form, and refuse any other text."""
    forest = parse(text)
    hold(
        render(forest) == text,
        "its text in canonical form",
        "a sound forest written otherwise",
        "Write it with model.trees.merge([text]).",
    )
    return forest


def merge(texts: Sequence[str], weights: Sequence[float] | None = None) -> str:
    """Return one text whose raw score is the (weighted) mean of the raw scores of ``texts``.

    A raw score is a sum over trees, so the mean of sums is one sum over all trees with every leaf
    divided by the number of members; LightGBM keeps a member's base in its first tree. Counts stay
    as they are: path-dependent contributions are linear in the leaves, hence the members' mean.
    """
    hold(bool(texts), "at least one member to merge", "none", "Grow a member first.")
    forests = [parse(text) for text in texts]
    names = forests[0].names
    for forest in forests:
        hold(forest.names == names, "members with the same features in the same order", "others")
    shares = np.full(len(texts), 1.0 / len(texts))
    if weights is not None:
        shares = np.asarray(weights, dtype=np.float64)
        sound = len(shares) == len(texts) and bool(np.isfinite(shares).all())
        hold(sound, f"{len(texts)} finite weights", str(list(weights)), "Give one per member.")
    columns: dict[str, Any] = {}
    for field in fields(Forest)[2:]:
        scaled = field.name in ("leaf_value", "internal_value", "shrinkage")
        columns[field.name] = np.concatenate(
            [
                getattr(forest, field.name) * (share if scaled else 1)
                for forest, share in zip(forests, shares, strict=True)
            ]
        )
    ranges = tuple(_union(row) for row in zip(*(f.ranges for f in forests), strict=True))
    return render(Forest(names=names, ranges=ranges, **columns))


def _union(ranges: Sequence[Range]) -> Range:
    known = [r for r in ranges if r is not None]
    return (min(r[0] for r in known), max(r[1] for r in known)) if known else None


def _start(text: str) -> str:
    return f"{len(text)} characters beginning {text[:40]!r}"


def _fields(lines: Sequence[str], where: str) -> dict[str, str]:
    pairs = [line.partition("=") for line in lines]
    result = {key: value for key, sign, value in pairs if sign}
    hold(len(result) == len(lines), f"one line key=value per key in {where}", "other lines")
    return result


def _header(head: str) -> tuple[tuple[str, ...], tuple[Range, ...], list[str]]:
    lines = head.split("\n")
    hold(lines[0] == "tree", "'tree' as its first line", repr(lines[0][:40]))
    hold("average_output" not in lines, "a sum of trees", "average_output")
    found = _fields(lines[1:], "the header")
    for key, value in HEAD.items():
        hold(found.get(key) == value, f"{key}={value}", str(found.get(key)))
    names = tuple(found.get("feature_names", "").split(" "))
    index = found.get("max_feature_idx")
    hold(index == str(len(names) - 1), f"max_feature_idx={len(names) - 1}", str(index))
    infos = found.get("feature_infos", "").split(" ")
    hold(len(infos) == len(names), f"{len(names)} feature_infos", str(len(infos)))
    return names, tuple(_range(info) for info in infos), found.get("tree_sizes", "").split(" ")


def _range(info: str) -> Range:
    if info == "none":
        return None
    match = RANGE.fullmatch(info)
    hold(match is not None, "feature_infos as none or [low:high]", repr(info[:60]))
    assert match is not None
    return _float(match[1]), _float(match[2])


def _float(token: str) -> float:
    try:
        return float(token)
    except ValueError:
        hold(False, "numbers", repr(token[:40]))
        raise


def _split(body: str, sizes: Sequence[str]) -> list[dict[str, str]]:
    """Cut the trees apart exactly where LightGBM will: at the sizes that the header states."""
    chunks = body.removesuffix("\n\n\n").split("\n\n\n")
    wanted = [str(len(chunk) + 3) for chunk in chunks]
    hold(body.endswith("\n\n\n"), "two empty lines after each tree", "another end")
    hold(
        list(sizes) == wanted,
        f"tree_sizes of {len(wanted)} trees as they stand in the text",
        f"{len(sizes)} sizes of which not all agree",
    )
    trees = [_fields(chunk.split("\n"), f"tree {i}") for i, chunk in enumerate(chunks)]
    keys = {"Tree", "num_leaves", "shrinkage", *FIXED, *NODE_KEYS, *LEAF_KEYS}
    for i, tree in enumerate(trees):
        hold(tree.get("Tree") == str(i), f"Tree={i}", str(tree.get("Tree")))
        known = tree.keys() - IGNORED
        hold(known == keys, f"the known keys in tree {i}", str(sorted(known ^ keys)))
        for key, value in FIXED.items():
            hold(tree[key] == value, f"{key}={value} in tree {i}", tree[key][:40])
    return trees


def _leaves(trees: Sequence[dict[str, str]]) -> Ints:
    for i, tree in enumerate(trees):
        sound = tree["num_leaves"].isdecimal() and 1 <= int(tree["num_leaves"][:9]) <= 100_000
        hold(sound, f"1 to 100000 leaves in tree {i}", tree["num_leaves"][:40])
    return np.array([int(tree["num_leaves"]) for tree in trees], dtype=np.int64)


def _numbers(trees: Sequence[dict[str, str]], key: str, sizes: Ints) -> Any:
    """Return the numbers of one line of all trees; each must hold as many as its tree needs."""
    lines = [tree[key] for tree in trees]
    counts = np.array([line.count(" ") + 1 if line else 0 for line in lines])
    odd = np.flatnonzero(counts != sizes)
    if len(odd):
        i = int(odd[0])
        hold(False, f"{sizes[i]} numbers of {key} in tree {i}", str(counts[i]))
    joined = " ".join(line for line in lines if line)
    hold(NUMBERS.fullmatch(joined) is not None, f"decimal numbers as {key}", "other characters")
    dtype: Any = np.int64 if key in WHOLE else np.float64
    try:
        return np.array([(int if key in WHOLE else float)(t) for t in joined.split()], dtype=dtype)
    except (ValueError, OverflowError):
        hold(False, f"decimal numbers as {key}", "a token that is none")
        raise


def _bodies(forest: Forest) -> list[str]:
    """Return the text of each tree; ``repr`` of a float is the shortest that reads back equal."""
    columns = {key: getattr(forest, key).tolist() for key in (*NODE_KEYS, *LEAF_KEYS)}
    words = {key: [repr(v) for v in column] for key, column in columns.items()}
    nodes, leaves = forest.node_start.tolist(), forest.leaf_start.tolist()
    shrinkage = forest.shrinkage.tolist()
    result = []
    for i in range(forest.trees):
        lines = [f"Tree={i}", f"num_leaves={leaves[i + 1] - leaves[i]}", "num_cat=0"]
        lines += [f"{k}=" + " ".join(words[k][nodes[i] : nodes[i + 1]]) for k in NODE_KEYS]
        lines += [f"{k}=" + " ".join(words[k][leaves[i] : leaves[i + 1]]) for k in LEAF_KEYS]
        lines += ["is_linear=0", f"shrinkage={shrinkage[i]!r}", "\n\n"]
        result.append("\n".join(lines))
    return result
