"""Trees resolved at one tier: the same scores, without the tier."""

from __future__ import annotations

import numpy as np
import pytest
from forests import cases, model_of, random_forest
from hypothesis import given
from hypothesis import strategies as st

from model.resolving import covered_by, resolved
from tidu.errors import UsageError

PLACES = (-1.5, -1.0, 0.25, 1.0, 2.0, 3.0)


@given(cases(trees=5, features=3), st.sampled_from(PLACES), st.integers(0, 2))
def test_a_resolved_forest_scores_as_the_whole_one_does_there(case, value, at) -> None:
    forest, rows = case
    served = resolved(forest, forest.names[at], value)
    assert forest.names[at] not in served.names
    assert served.trees == forest.trees
    rows[:, at] = value
    wanted = model_of(forest).scores(rows)
    found = model_of(served).scores(np.delete(rows, at, axis=1))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@given(st.integers(0, 1000))
def test_covers_count_the_rows_that_reach_a_leaf_and_one_more(seed) -> None:
    """By the definition: route every row, count; building the forest checks the sums above."""
    rng = np.random.default_rng(seed)
    forest = random_forest(rng, trees=4, features=3)
    leaf = model_of(forest).leaves(rng.normal(size=(17, 3)))
    counted = covered_by(forest, leaf)
    for tree in range(forest.trees):
        here = slice(forest.leaf_start[tree], forest.leaf_start[tree + 1])
        reached = [int((leaf[:, tree] == i).sum()) + 1 for i in range(forest.leaves[tree])]
        assert counted.leaf_count[here].tolist() == reached
    rows = rng.normal(size=(5, 3))
    assert (model_of(counted).scores(rows) == model_of(forest).scores(rows)).all()


@pytest.mark.parametrize(("name", "value"), [("f0", 0.0), ("f0", np.nan), ("other", 1.0)])
def test_a_place_that_no_split_can_decide_is_refused(name, value) -> None:
    with pytest.raises(UsageError, match="resolved at a number other than 0"):
        resolved(random_forest(np.random.default_rng(0)), name, value)
