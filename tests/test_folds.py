"""Folds: no split group on two sides, positives dealt evenly, the same whatever the row order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.folds import grouped

rows = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=60)


@given(rows, st.integers(2, 6), st.integers(0, 99))
def test_a_group_stands_in_one_fold(data: list[tuple[int, bool]], k: int, seed: int) -> None:
    groups = np.array([f"g{g}" for g, _ in data], dtype=object)
    label = np.array([float(y) for _, y in data])
    fold = grouped(groups, label, k, seed)
    assert fold.shape == groups.shape
    assert set(fold) <= set(range(k))
    for group in set(groups):
        assert len(set(fold[groups == group])) == 1
    sizes = np.bincount([fold[groups == g][0] for g in set(groups)], minlength=k)
    assert sizes.max() - sizes.min() <= 1


@given(rows, st.integers(2, 6), st.integers(0, 99), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    data: list[tuple[int, bool]], k: int, seed: int, random: object
) -> None:
    groups = np.array([f"g{g}" for g, _ in data], dtype=object)
    label = np.array([float(y) for _, y in data])
    order = list(range(len(data)))
    random.shuffle(order)  # type: ignore[attr-defined]
    fold = grouped(groups, label, k, seed)
    assert (grouped(groups[order], label[order], k, seed) == fold[order]).all()


def test_positives_are_dealt_evenly() -> None:
    groups = np.array([f"f{i}" for i in range(200)], dtype=object)
    label = (np.arange(200) < 11).astype(float)
    fold = grouped(groups, label, 5, 3)
    positives = np.bincount(fold, weights=label, minlength=5)
    assert positives.max() - positives.min() <= 1
    assert not (fold == grouped(groups, label, 5, 4)).all()
