"""A tier and its kin as one sample: the line minimises what it says, and knows what is good."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import minimize

import model.training
from model.boosters import Sample
from model.examples import Examples
from model.kin import Kin
from model.pooling import COMMON, Pool, pooled
from model.recipes import BORROWING, RECIPES
from model.selection import learn_on
from model.tasks import find

NAMES = ("a", "b", "c", "d")
GOOD = (1, -1, 0, 1)
CITED = np.array([True, True, True, False])


def firms(n: int, rare: float, rng: np.random.Generator):
    values = rng.normal(size=(n, 4))
    values[rng.random(values.shape) < 0.1] = np.nan
    odds = np.nan_to_num(values) @ (0.8, -0.5, 0.1, 0.6) - rare
    return values, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)


def pool(n: int = 200, others: int = 500, rare: float = 2.0, seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)
    values, label = firms(n, rare, rng)
    theirs, outcome = firms(others, 1.0, rng)
    ids, days = np.arange(others).astype(str), np.full(others, np.datetime64("2020-06-30"))
    place, stands_for = rng.integers(1, 4, others), rng.integers(1, 4, others).astype(float)
    kin = Kin(4, theirs, outcome, ids, days, place, stands_for, CITED)
    return pooled(Sample(values, label, NAMES), kin, 0.5)


def test_the_line_minimises_the_penalised_loss_of_all_tiers() -> None:
    """Oracle: a general minimiser over one base, a slope a feature and the common slope."""
    mine, l2 = pool(), 20.0
    line = mine.ridge(l2, GOOD)
    terms = {term.feature: term for term in line.terms}
    assert set(terms) == {"a", "b", "c"}
    own = mine.sample.values[: mine.rows]
    z = []
    for j, name in enumerate("abc"):
        unit = replace(terms[name], weight=1.0)
        spread = np.nanstd(unit.transform(own[:, j]))
        z.append(unit.effect(mine.sample.values[:, j]) / spread)
    x = np.column_stack(z)
    slopes = np.array([terms[name].weight for name in "abc"]) * [
        np.nanstd(replace(terms[name], weight=1.0).transform(own[:, j]))
        for j, name in enumerate("abc")
    ]
    means = {tier: x[mine.place == tier].mean(axis=0) for tier in np.unique(mine.place)}
    centred = x - np.stack([means[tier] for tier in mine.place])
    toward = np.array(GOOD[:3]) * COMMON / np.sqrt(2)
    weight = mine.sample.weight
    assert weight is not None

    def loss(beta):
        odds = mine.start + beta[0] + centred @ (beta[1:4] + beta[4] * toward)
        fit = weight * (np.logaddexp(0, odds) - mine.sample.target * odds)
        return fit.sum() + 0.5 * l2 * (beta[1:] ** 2).sum()

    best = minimize(loss, np.zeros(5), tol=1e-10).x
    np.testing.assert_allclose(slopes, best[1:4] + best[4] * toward, atol=2e-4)
    base = mine.base + best[0] - means[4] @ (best[1:4] + best[4] * toward)
    assert line.base == pytest.approx(base, abs=2e-4)


def test_tiers_count_less_with_their_distance_and_start_from_their_own_odds() -> None:
    mine = pool()
    assert mine.sample.weight is not None
    nearest = mine.sample.weight[mine.place == 3]
    farthest = mine.sample.weight[mine.place == 1]
    assert set(nearest) <= {0.5, 1.0, 1.5}
    assert set(farthest) <= {0.125, 0.25, 0.375}
    rate = mine.sample.target[: mine.rows].mean()
    assert mine.base == pytest.approx(np.log(rate / (1 - rate)))
    assert mine.positives == mine.sample.target[: mine.rows].sum()


def test_a_tier_with_one_outcome_only_teaches_nothing() -> None:
    rng = np.random.default_rng(1)
    values, label = firms(100, 1.0, rng)
    theirs, outcome = firms(60, 1.0, rng)
    place = np.repeat([1, 2], 30)
    outcome[place == 2] = 0.0
    ids, days = np.arange(60).astype(str), np.full(60, np.datetime64("2020-06-30"))
    kin = Kin(3, theirs, outcome, ids, days, place, np.ones(60), CITED)
    assert set(pooled(Sample(values, label, NAMES), kin, 0.5).place) == {3, 1}


def test_with_few_titles_knowing_what_is_good_ranks_better() -> None:
    """Mean rank correlation with the true odds over 30 draws of a tier with about six titles."""
    gained = []
    asked = np.random.default_rng(99).normal(size=(500, 4))
    truth = asked[:, :3] @ (0.8, -0.5, 0.1)
    for seed in range(30):
        mine = pool(n=60, others=30, rare=2.5, seed=seed)
        if not mine.positives:
            continue
        found = []
        for directions in (GOOD, (0, 0, 0, 0)):
            score = np.zeros(len(asked))
            for term in mine.ridge(30.0, directions).terms:
                score += term.effect(asked[:, NAMES.index(term.feature)])
            found.append(np.corrcoef(score, truth)[0, 1])
        gained.append(found[0] - found[1])
    assert np.mean(gained) > 0.02
    assert np.mean(np.array(gained) > 0) > 0.7


def test_the_line_weighs_more_where_titles_are_fewer() -> None:
    (recipe,) = BORROWING
    assert recipe.line_share(recipe.even_at) == 0.5
    shares = [recipe.line_share(n) for n in (0, 10, 100, 1000, 10_000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert 0 < shares[-1] < 0.01
    assert RECIPES[0].line_share(10) == RECIPES[0].line_share(1000) == RECIPES[0].linear_share


def test_redraws_and_halves_of_the_rows_keep_the_line_as_heavy_as_in_the_whole() -> None:
    (recipe,) = BORROWING
    settled = recipe.settled(100.0)
    assert {settled.line_share(n) for n in (5, 50, 500)} == {recipe.line_share(100.0)}
    assert recipe.settled(0.0) == recipe
    assert RECIPES[0].settled(100.0) == RECIPES[0]


def test_half_the_rows_with_half_the_penalty_leave_as_much_to_the_outcomes() -> None:
    """The line of a sample is that of the sample twice over, with twice the penalty."""
    (recipe,) = BORROWING
    assert recipe.halved().linear_l2 * 2 == recipe.linear_l2
    one = pool()
    assert one.sample.weight is not None
    twice = replace(one, sample=replace(one.sample, weight=2 * one.sample.weight))
    half, whole = one.ridge(10.0, GOOD), twice.ridge(20.0, GOOD)
    assert half.base == pytest.approx(whole.base, abs=1e-7)
    for mine, theirs in zip(half.terms, whole.terms, strict=True):
        assert mine.weight == pytest.approx(theirs.weight, abs=1e-7)
    assert half.terms != one.ridge(20.0, GOOD).terms


def test_the_law_of_ranks_is_learned_with_the_line_of_the_whole(monkeypatch) -> None:
    """Halves of the firms: half the penalty, and the line as heavy as all titles make it."""
    seen = []

    def watched(rows, directions, recipe, seed):
        seen.append((len(rows.label), recipe))
        return learn_on(rows, directions, recipe, seed)

    monkeypatch.setattr(model.training, "learn_on", watched)
    rng = np.random.default_rng(0)
    values, label = firms(120, 1.0, rng)
    groups, days = np.arange(120).astype(str), np.full(120, np.datetime64("2020-06-30"))
    rows = Examples(find("growth@12", ()), values, NAMES, label, groups, days)
    recipe = replace(BORROWING[0], members=1, rounds=3)
    trained = SimpleNamespace(choice=None, recipe=recipe, profile=SimpleNamespace(specs=()))
    monkeypatch.setattr(model.training, "_directions", lambda *_: GOOD)
    model.training._halves(rows, trained, values, rng)
    assert {n for n, _ in seen} == {60}
    weight = recipe.line_share(label.sum())
    assert [r.line_share(n / 2) for n, r in seen] == [weight, weight]
    assert [r.linear_l2 for _, r in seen] == [recipe.linear_l2 / 2] * 2
