"""Reasons: exact path-dependent contributions, against three oracles."""

from __future__ import annotations

import numpy as np
import pytest
from forests import VALUES, cases, model_of, random_forest, shapley_by_definition
from hypothesis import given, settings

import model.shapley as shapley
from model.boosters import Additive, LinearTerm, Sample, grow
from model.shapley import contributions, residual
from model.trees import merge
from tidu.errors import Refused


@settings(max_examples=60)
@given(cases(leaves=6, features=4))
def test_contributions_are_shapley_values_by_definition(case) -> None:
    forest, rows = case
    found = contributions(model_of(forest), rows)
    wanted = np.array([shapley_by_definition(forest, row) for row in rows]).reshape(found.shape)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@given(cases(leaves=13, features=9, trees=6))
def test_contributions_agree_with_lightgbm(case) -> None:
    forest, rows = case
    model = model_of(forest)
    found = contributions(model, rows)
    np.testing.assert_allclose(found, model.tree_contributions(rows), rtol=0, atol=1e-10)
    assert residual(model, rows, found) < 1e-10


def bag(seed: int) -> tuple[Additive, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(500, 12))
    values[rng.random(values.shape) < 0.2] = np.nan
    target = (np.nan_to_num(values[:, 0] * values[:, 1]) + rng.normal(size=500) > 0.5).astype(float)
    data = Sample(values, target, tuple(f"f{i}" for i in range(12)))
    params = {"objective": "binary", "num_leaves": 8, "feature_fraction": 0.35, "path_smooth": 5}
    params |= {"bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 10, "num_threads": 1}
    text = merge([grow(data, {**params, "extra_trees": bool(i % 2)}, 20, i) for i in range(4)])
    term = LinearTerm("f3", 0.4, 0.1, -1.0, 2.0, "log")
    return Additive(data.names, text, (term,)), values


def test_contributions_agree_with_the_shap_package() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    shap = pytest.importorskip("shap")
    model, values = bag(0)
    explainer = shap.TreeExplainer(lightgbm.Booster(model_str=model.text))
    wanted = explainer.shap_values(values)
    found = contributions(model, values)
    for column, term in model.terms():
        wanted[:, column] += term.effect(values[:, column])
    np.testing.assert_allclose(found[:, :-1], wanted, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found[:, -1], explainer.expected_value, rtol=0, atol=1e-10)


def test_rows_sum_to_scores_and_columns_name_their_feature() -> None:
    model, values = bag(1)
    found = contributions(model, values)
    assert found.shape == (500, 13)
    assert residual(model, values, found) < 1e-12
    silent = sorted(set(range(12)) - set(model.forest.split_feature.tolist()) - {3})
    assert (found[:, silent] == 0).all()


def test_a_row_gets_the_same_bits_alone_and_in_any_batch(monkeypatch) -> None:
    model, values = bag(2)
    many = np.tile(values, (3, 1))
    wanted = contributions(model, many)
    assert np.array_equal(contributions(model, many, threads=1), wanted)
    assert np.array_equal(contributions(model, np.asfortranarray(many)), wanted)
    assert np.array_equal(contributions(model, many[:1]), wanted[:1])
    monkeypatch.setattr(shapley, "BLOCK", 97)
    assert np.array_equal(contributions(model, many), wanted)
    monkeypatch.setattr(shapley, "FEW", 10_000)
    assert np.array_equal(contributions(model, many), wanted)


@given(cases(leaves=9, features=5, trees=4))
def test_both_ways_through_a_batch_agree_to_the_last_bit(case) -> None:
    forest, rows = case
    model = model_of(forest)
    many = np.tile(rows, (shapley.FEW // max(1, len(rows)) + 1, 1)) if len(rows) else rows
    assert np.array_equal(contributions(model, many)[: len(rows)], contributions(model, rows))


def test_trees_too_large_for_tables_are_explained_all_the_same() -> None:
    rng = np.random.default_rng(3)
    forest = random_forest(rng, trees=3, leaves=40, features=8)
    assert forest.leaves.max() > shapley.MOST_NODES + 1
    model = model_of(forest, (LinearTerm("f1", 0.4, 0.1, -1.0, 2.0),))
    rows = rng.choice(VALUES, (50, 8))
    found = contributions(model, rows)
    assert found.shape == (50, 9)
    assert residual(model, rows, found) < 1e-10


def test_nine_nodes_need_a_wider_code() -> None:
    rng = np.random.default_rng(5)
    forest = random_forest(rng, trees=8, leaves=13, features=6)
    assert forest.leaves.max() > 9
    model = model_of(forest)
    rows = rng.choice(VALUES, (200, 6))
    wanted = model.tree_contributions(rows)
    np.testing.assert_allclose(contributions(model, rows), wanted, rtol=0, atol=1e-10)


def test_constant_trees_only_have_a_base() -> None:
    model = model_of(random_forest(np.random.default_rng(0), trees=3, leaves=1))
    for rows in (0, 1, 300):
        found = contributions(model, np.zeros((rows, 4)))
        assert (found[:, :-1] == 0).all()
        np.testing.assert_allclose(found[:, -1], model.forest.leaf_value.sum())


def test_other_columns_are_refused() -> None:
    model = model_of(random_forest(np.random.default_rng(0)))
    with pytest.raises(Refused, match="rows of 4 features"):
        contributions(model, np.zeros((2, 5)))
