"""The served model: trees plus linear terms, and how boosters are grown."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from forests import cases, model_of, random_forest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.boosters import Additive, LinearTerm, Sample, grow
from model.trees import merge, parse, render
from tidu.errors import Refused, UsageError

PARAMS = {
    "objective": "binary",
    "num_leaves": 6,
    "min_data_in_leaf": 5,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "extra_trees": True,
}


def sample(seed: int = 0, rows: int = 400) -> Sample:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 4))
    values[rng.random(values.shape) < 0.2] = np.nan
    target = (np.nan_to_num(values[:, 0]) + rng.normal(size=rows) > 0.5).astype(float)
    return Sample(values, target, ("revenue", "growth", "debt", "age"))


@given(
    st.floats(-1e6, 1e6), st.floats(-1e3, 1e3), st.sampled_from(["clip", "log"]), st.floats(-5, 5)
)
def test_a_linear_term_is_what_its_formula_says(x, mean, kind, weight) -> None:
    term = LinearTerm("revenue", weight, mean, low=-10.0, high=1000.0, kind=kind)
    t = min(max(x, -10.0), 1000.0)
    t = math.copysign(math.log1p(abs(t)), t) if kind == "log" else t
    found = term.effect(np.array([x, np.nan, np.inf, -np.inf]))
    assert found[0] == pytest.approx(weight * (t - mean), rel=1e-12, abs=1e-12)
    assert found[1] == 0.0
    assert np.isfinite(found).all()


def test_scores_are_trees_plus_linear_terms() -> None:
    rng = np.random.default_rng(0)
    forest = random_forest(rng)
    term = LinearTerm("f2", 0.5, 0.1, -1.0, 1.0)
    rows = rng.normal(size=(10, 4))
    found = model_of(forest, (term,)).scores(rows)
    wanted = model_of(forest).scores(rows) + 0.5 * (np.clip(rows[:, 2], -1, 1) - 0.1)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)


@given(cases())
def test_scores_depend_on_the_row_alone(case) -> None:
    """Not on the other rows, the number of threads or the order in memory."""
    forest, rows = case
    model = model_of(forest)
    many = np.tile(rows, (1200 // max(1, len(rows)), 1))
    wanted = model.scores(rows)
    assert np.array_equal(model.scores(np.asfortranarray(rows)), wanted)
    assert np.array_equal(model.scores(many)[: len(rows)], wanted)
    assert model.scores(rows[:0]).shape == (0,)


def test_a_model_survives_json() -> None:
    forest = random_forest(np.random.default_rng(1))
    model = model_of(forest, (LinearTerm("f1", 0.5, 0.1, -1.0, 1.0, "log"),))
    again = Additive.from_json(json.loads(json.dumps(model.as_json())), model.text)
    assert again == model
    with pytest.raises(Refused, match="names and linear terms"):
        Additive.from_json({"names": ["a"]}, model.text)
    with pytest.raises(Refused, match="names and linear terms"):
        Additive.from_json({"names": ["f0"], "linear": [{"feature": "f0"}]}, model.text)


def test_parts_that_do_not_fit_are_refused() -> None:
    forest = random_forest(np.random.default_rng(1))
    model = model_of(forest)
    term = LinearTerm("f1", 0.5, 0.1, -1.0, 1.0)
    with pytest.raises(Refused, match="4 features of the model in their order"):
        Additive(("f1", "f0", "f2", "f3"), model.text)
    with pytest.raises(Refused, match="found one twice"):
        model_of(forest, (term, term))
    with pytest.raises(Refused, match="found profit"):
        model_of(forest, (LinearTerm("profit", 0.5, 0.1, -1.0, 1.0),))
    with pytest.raises(Refused, match="rows of 4 features"):
        model.scores(np.zeros((2, 3)))
    with pytest.raises(Refused, match=r"missing \['f3'\], unknown \['g'\]"):
        model.expect(("f0", "f1", "f2", "g"))
    with pytest.raises(Refused, match="canonical form"):
        Additive(forest.names, model.text + "\n")
    with pytest.raises(Refused, match="finite numbers, low <= high"):
        LinearTerm("f1", math.nan, 0.0, 0.0, 1.0)
    with pytest.raises(Refused, match="finite numbers, low <= high"):
        LinearTerm("f1", 1.0, 0.0, 2.0, 1.0)


@settings(max_examples=10)
@given(st.integers(0, 2**31 - 1))
def test_the_same_seed_grows_the_same_bytes_on_one_thread_and_on_two(seed: int) -> None:
    one = grow(sample(), {**PARAMS, "num_threads": 1}, 10, seed)
    two = grow(sample(), {**PARAMS, "num_threads": 2}, 10, seed)
    assert one == two
    assert merge([one]) == one


def test_the_base_of_a_member_stands_in_its_trees() -> None:
    """boost_from_average: a model that may not split scores the log odds of the base rate."""
    data = sample()
    rate = data.target.mean()
    text = grow(data, {**PARAMS, "min_data_in_leaf": 10_000}, 5, 0)
    score = Additive(data.names, text).scores(data.values)
    np.testing.assert_allclose(score, np.log(rate / (1 - rate)), rtol=1e-12)


def test_a_monotone_feature_never_lowers_the_score() -> None:
    data = sample(rows=800)
    text = grow(data, {**PARAMS, "extra_trees": False}, 30, 0, monotone=[1, 0, 0, 0])
    rows = np.repeat(data.values[:40], 30, axis=0)
    rows[:, 0] = np.tile(np.linspace(-3, 3, 30), 40)
    steps = np.diff(Additive(data.names, text).scores(rows).reshape(40, 30), axis=1)
    assert (steps >= -1e-12).all()
    assert steps.max() > 0


def test_weights_and_offsets_enter_the_growth() -> None:
    data = sample()
    weight = np.where(data.target > 0, 3.0, 1.0)
    heavy = Sample(data.values, data.target, data.names, weight=weight)
    offset = Sample(data.values, data.target, data.names, init_score=np.full(400, 2.0))
    texts = {grow(one, PARAMS, 5, 0) for one in (data, heavy, offset)}
    assert len(texts) == 3
    assert all(parse(text).trees == 5 for text in texts)


def test_a_sample_that_cannot_be_grown_on_is_refused() -> None:
    values = np.zeros((3, 2))
    with pytest.raises(UsageError, match="2 named features and one target"):
        Sample(values, np.zeros(2), ("a", "b"))
    with pytest.raises(UsageError, match="1 named features"):
        Sample(values, np.zeros(3), ("a",))
    with pytest.raises(UsageError, match="rows of 2 named"):
        Sample(values[:0], np.zeros(0), ("a", "b"))
    with pytest.raises(UsageError, match="finite"):
        Sample(values, np.array([0, 1, np.nan]), ("a", "b"))


def test_a_canonical_text_is_ascii_in_its_trees_and_keeps_chinese_names() -> None:
    data = sample()
    named = Sample(data.values, data.target, ("营业收入", "增长率", "负债率", "年龄"))
    model = Additive(named.names, grow(named, PARAMS, 3, 0))
    assert render(model.forest) == model.text
    assert np.isfinite(model.scores(data.values)).all()
