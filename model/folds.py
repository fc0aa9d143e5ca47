"""Folds that never put one firm on both sides."""

from __future__ import annotations

import numpy as np

from features.expr import Array

__all__ = ["grouped"]


def grouped(groups: Array, label: Array, k: int, seed: int) -> Array:
    """Deal split groups into ``k`` folds, positives evenly: the fold number of each row.

    Deterministic by ``seed``; independent of the order of rows.
    """
    names, index = np.unique(groups.astype(str), return_inverse=True)
    positives = np.bincount(index, weights=label)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    dealt = shuffled[np.argsort(-positives[shuffled], kind="stable")]
    fold = np.empty(len(names), dtype=np.int64)
    fold[dealt] = np.arange(len(names)) % k
    return np.asarray(fold[index])
