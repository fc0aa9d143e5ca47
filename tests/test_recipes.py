"""A recipe's model: deterministic, by column name, exact, monotone where told, or refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from model.boosters import Additive, Sample
from model.forest import Floats
from model.linear import ridge
from model.recipes import RECIPES, Recipe, fit
from model.rivals import BASELINES
from tidu.errors import NotAvailable, UsageError

SMALL = dataclasses.replace(RECIPES[0], name="test", members=4, rounds=12)
LINED = dataclasses.replace(SMALL, linear_share=0.4, linear_l2=5.0)
NAMES = ("margin", "age", "debt", "silent", "flag")
FREE = (0,) * len(NAMES)


def rows(n: int = 400, seed: int = 0) -> tuple[Floats, Floats]:
    """Firms whose odds rise with margin and fall with debt; one column is never reported."""
    rng = np.random.default_rng(seed)
    values = np.asfortranarray(rng.normal(size=(n, len(NAMES))))
    values[:, 2] = np.exp(2 * values[:, 2])
    values[:, 4] = values[:, 4] > 1
    odds = 1.5 * values[:, 0] - 0.8 * np.log(values[:, 2]) - 1
    label = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[:, 3] = np.nan
    return values, label


def auc(label: Floats, score: Floats) -> float:
    pairs = score[label == 1][:, None] - score[label == 0][None, :]
    return float(((pairs > 0) + 0.5 * (pairs == 0)).mean())


@pytest.mark.parametrize("recipe", [SMALL, LINED], ids=["plain", "lined"])
def test_the_same_data_and_seed_give_the_same_model_and_another_seed_another(
    recipe: Recipe,
) -> None:
    values, label = rows()
    first = fit(values, label, NAMES, FREE, recipe, 3)
    again = fit(np.ascontiguousarray(values), label.copy(), NAMES, FREE, recipe, 3)
    assert (first.text, first.linear) == (again.text, again.linear)
    assert fit(values, label, NAMES, FREE, recipe, 4).text != first.text


def test_it_learns_and_has_the_announced_number_of_trees() -> None:
    values, label = rows()
    model = fit(values, label, NAMES, FREE, SMALL, 0)
    assert model.forest.trees == SMALL.trees == 48
    other, known = rows(seed=1)
    assert auc(known, model.scores(other)) > 0.75


@given(order=st.permutations(range(len(NAMES))), seed=st.integers(0, 99))
@hypothesis_settings(max_examples=8)
def test_columns_count_by_name_and_not_by_place(order: list[int], seed: int) -> None:
    values, label = rows(200, seed)
    here = fit(values, label, NAMES, FREE, LINED, seed)
    moved = tuple(NAMES[i] for i in order)
    there = fit(values[:, order], label, moved, FREE, LINED, seed)
    assert there.names == moved
    np.testing.assert_allclose(here.scores(values), there.scores(values[:, order]), atol=1e-12)


def test_infinite_is_unknown_and_a_column_without_values_changes_nothing() -> None:
    values, label = rows()
    model = fit(values, label, NAMES, FREE, LINED, 0)
    endless = np.where(np.isnan(values), np.inf, values)
    assert fit(endless, label, NAMES, FREE, LINED, 0).text == model.text
    assert 3 not in model.forest.split_feature
    assert "silent" not in {term.feature for term in model.linear}
    filled = values.copy()
    filled[:, 3] = 7.0
    np.testing.assert_array_equal(model.scores(values), model.scores(filled))


def test_a_firm_of_which_nothing_is_known_gets_a_finite_score() -> None:
    values, label = rows()
    model = fit(values, label, NAMES, FREE, LINED, 0)
    assert np.isfinite(model.scores(np.full((1, len(NAMES)), np.nan))).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_single_class_is_refused(value: float) -> None:
    values, label = rows(60)
    with pytest.raises(NotAvailable, match=f"both outcomes.*60 rows, all of them {int(value)}"):
        fit(values, np.full_like(label, value), NAMES, FREE, SMALL, 0)


def test_no_rows_wrong_labels_and_wrong_shapes_are_refused() -> None:
    values, label = rows(60)
    with pytest.raises(NotAvailable, match="no rows"):
        fit(values[:0], label[:0], NAMES, FREE, SMALL, 0)
    with pytest.raises(UsageError, match="Labels must be 0 or 1"):
        fit(values, label + 1, NAMES, FREE, SMALL, 0)
    with pytest.raises(UsageError, match="differently named"):
        fit(values, label, ("margin",) * 5, FREE, SMALL, 0)
    with pytest.raises(UsageError, match="4 directions"):
        fit(values, label, NAMES, FREE[1:], SMALL, 0)


def test_a_monotone_recipe_never_goes_against_a_stated_direction() -> None:
    values, label = rows()
    recipe = dataclasses.replace(LINED, monotone=True)
    against = (-1, 0, 1, 0, 0)  # the opposite of the truth: nothing may be learned from these
    for directions in ((1, 0, -1, 0, 0), against):
        model = fit(values, label, NAMES, directions, recipe, 0)
        for column in (0, 2):
            grid = np.repeat(values[:20], 30, axis=0)
            grid[:, column] = np.tile(np.linspace(-3, 30, 30), 20)
            steps = np.diff(model.scores(grid).reshape(20, 30), axis=1) * directions[column]
            assert steps.min() >= -1e-12
    assert {term.feature for term in model.linear}.isdisjoint({"margin", "debt"})


def test_blended_reasons_sum_to_the_score() -> None:
    values, label = rows()
    model = fit(values, label, NAMES, FREE, LINED, 0)
    effects = sum(term.effect(values[:, at]) for at, term in model.terms())
    whole = model.tree_contributions(values).sum(axis=1) + effects
    np.testing.assert_allclose(whole, model.scores(values), atol=1e-9)


def test_the_blend_is_log_odds_of_the_base_rate() -> None:
    values, label = rows(2000)
    model = fit(values, label, NAMES, FREE, LINED, 0)
    chance = 1 / (1 + np.exp(-model.scores(values)))
    assert chance.mean() == pytest.approx(label.mean(), abs=0.05)


def test_few_rows_still_give_a_model() -> None:
    values, label = rows(8)
    label[:4], label[4:] = 0.0, 1.0
    assert isinstance(fit(values, label, NAMES, FREE, SMALL, 0), Additive)


def test_weights_stand_for_repeated_rows_in_the_line() -> None:
    values, label = rows(100)
    twice = np.concatenate([values, values])
    double = Sample(twice, np.concatenate([label, label]), NAMES)
    weighted = Sample(values, label, NAMES, np.full(len(label), 2.0))
    there, here = ridge(double, 5.0), ridge(weighted, 5.0)
    assert [t.feature for t in there.terms] == [t.feature for t in here.terms]
    found = [[t.weight for t in line.terms] for line in (there, here)]
    np.testing.assert_allclose(found[0], found[1], rtol=0.05)


def test_the_line_agrees_with_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    values, label = rows()
    line = ridge(Sample(values, label, NAMES), 5.0)
    columns = [NAMES.index(t.feature) for t in line.terms]
    z = np.column_stack(
        [
            dataclasses.replace(t, weight=1.0).effect(values[:, c])
            for t, c in zip(line.terms, columns, strict=True)
        ]
    )
    spread = np.array(
        [
            t.transform(values[:, c])[~np.isnan(values[:, c])].std()
            for t, c in zip(line.terms, columns, strict=True)
        ]
    )
    oracle = linear_model.LogisticRegression(C=1 / 5.0, tol=1e-10, max_iter=1000)
    oracle.fit(z / spread, label)
    np.testing.assert_allclose([t.weight for t in line.terms], oracle.coef_[0] / spread, atol=1e-5)


def test_the_line_stays_bounded_where_a_handful_of_positives_is_told_apart() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2000, 60))
    label = np.zeros(2000)
    label[:12], values[:12, 0] = 1.0, 6.0
    names = tuple(f"x{i:02}" for i in range(60))
    line = ridge(Sample(values, label, names), 1.0)
    assert max(abs(term.weight) for term in line.terms) < 10
    score = sum(term.effect(values[:, names.index(term.feature)]) for term in line.terms)
    assert auc(label, np.asarray(score)) > 0.99


@pytest.mark.parametrize(
    "change",
    [{"leaves": 9}, {"members": 0}, {"linear_share": 1.0}, {"feature_fraction": 0.0}, {"name": ""}],
    ids=str,
)
def test_a_senseless_recipe_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="A recipe must have"):
        dataclasses.replace(SMALL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_baselines_take_missing_values_and_beat_chance(name: str) -> None:
    values, label = rows()
    other, known = rows(seed=1)
    other[0] = np.nan
    other[1, 0] = np.inf
    score = BASELINES[name](values, label, other, 0)
    assert np.isfinite(score).all()
    assert auc(known, score) > 0.7


@pytest.mark.parametrize("name", ["catboost", "xgboost", "hist_gradient_boosting"])
def test_rivals_take_columns_without_values(name: str) -> None:
    pytest.importorskip({"hist_gradient_boosting": "sklearn"}.get(name, name))
    from benchmarks.rivals import RIVALS

    values, label = rows(200)
    other, known = rows(200, seed=1)
    values[0, 0] = np.inf
    score = RIVALS[name](values, label, other, 0)
    assert np.isfinite(score).all()
    assert auc(known, score) > 0.65
