"""Borrowing from the ladder: exact, chosen by evidence, and blind to what it must not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from forests import model_of
from small_city import AS_OF, Trained, quick

import model.recipes
import model.selection
from features.panel import History
from features.vault import Vault
from model.boosters import Sample
from model.examples import Examples, examples, fitted_profile
from model.kin import Kin
from model.ladder import kin_tasks, with_kin
from model.pooling import pooled
from model.recipes import BORROWING, RECIPES, fit
from model.selection import choose
from model.tasks import find
from model.training import silent, train, training_cohorts
from tidu.clock import add_months
from tidu.errors import UsageError

NAMES = ("firm", "margin", "research", "debt")
FREE = (0, 0, 0, 0)
ALONE = replace(RECIPES[0], name="alone", members=2, rounds=30)
POOLED = replace(ALONE, name="pooled", kin=0.5)
TASK = find("promotion:little_giant@12", ())


def drawn(n: int, rare: float, sign: float, rng, dates: int = 1):
    """Firms whose odds jump where margin and research are both high, or (sign -1) both low."""
    values = rng.normal(size=(n, 4))
    values[:, 0] = rng.integers(0, n // 2, n)
    both = (sign * values[:, 1] > 0.3) & (sign * values[:, 2] > 0.3)
    label = (rng.random(n) < 1 / (1 + np.exp(-(4.0 * both - rare)))).astype(float)
    days = np.datetime64("2020-06-30") + 365 * rng.integers(0, dates, n)
    return values, label, values[:, 0].astype(int).astype(str), days


def kin_of(n: int, sign: float, rng, dates: int = 1) -> Kin:
    values, label, groups, days = drawn(n, 2.0, sign, rng, dates)
    place, all_cited = np.repeat([2, 3], [n // 2, n - n // 2]), np.ones(4, dtype=bool)
    return Kin(4, values, label, groups, days, place, np.ones(n), all_cited)


def rows_of(n: int, rare: float, kin: Kin, rng, dates: int = 1) -> Examples:
    values, label, groups, days = drawn(n, rare, 1.0, rng, dates)
    return Examples(TASK, values, NAMES, label, groups, days, kin)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_served_model_is_the_pooled_one_at_its_tier(share, monkeypatch) -> None:
    """The whole forest asked with the tier as a column, its own log-odds and line added."""
    rng = np.random.default_rng(1)
    kin = kin_of(900, 1.0, rng)
    rows = rows_of(200, 3.0, kin, rng)
    grown = []
    whole = model.recipes.resolved
    monkeypatch.setattr(
        model.recipes, "resolved", lambda *given: grown.append(given) or whole(*given)
    )
    recipe = replace(POOLED, linear_share=share)
    served = fit(rows.values, rows.label, NAMES, FREE, recipe, 0, kin=kin)
    ((forest, name, place),) = grown
    assert np.isin(forest.names.index(name), forest.split_feature), "no tree asked for the tier"
    asked = rng.normal(size=(50, 4))
    asked[rng.random(asked.shape) < 0.2] = np.nan
    order = np.argsort(NAMES)
    trees = model_of(forest).scores(np.column_stack([asked[:, order], np.full(50, place)]))
    rate = rows.label.mean()
    wanted = trees + (1 - share) * np.log(rate / (1 - rate))
    if share:
        pool = pooled(Sample(rows.values, rows.label, NAMES), kin, recipe.kin)
        line = pool.ridge(recipe.linear_l2, FREE)
        wanted += share * line.base
        for term in line.terms:
            wanted += share * term.effect(asked[:, NAMES.index(term.feature)])
    np.testing.assert_allclose(served.scores(asked), wanted, rtol=0, atol=1e-9)


def test_kin_changes_a_borrowing_recipe_only_and_the_same_kin_gives_the_same_model() -> None:
    rng = np.random.default_rng(2)
    kin = kin_of(600, 1.0, rng)
    rows = rows_of(300, 2.0, kin, rng)

    def text(recipe, kin) -> str:
        return fit(rows.values, rows.label, NAMES, FREE, recipe, 0, kin=kin).text

    assert text(ALONE, kin) == text(ALONE, None)
    assert text(POOLED, kin) == text(POOLED, kin) != text(POOLED, None)
    other = replace(kin, label=1.0 - kin.label)
    assert text(POOLED, other) != text(POOLED, kin)
    unread = replace(kin, cited=np.array([True, True, False, True]))
    trees = replace(POOLED, linear_share=0.0)
    wary = replace(trees, uncited=0.2)
    assert text(trees, unread) == text(trees, kin) == text(wary, kin) != text(wary, unread)


@pytest.mark.parametrize(
    ("n", "rare", "others", "sign", "wanted"),
    [(150, 3.5, 2000, 1.0, "pooled"), (800, 2.0, 6000, -1.0, "alone")],
    ids=["few rows and kin alike", "more rows and kin unlike"],
)
def test_evidence_chooses_whether_to_borrow(n, rare, others, sign, wanted) -> None:
    rng = np.random.default_rng(3)
    rows = rows_of(n, rare, kin_of(others, sign, rng), rng)
    assert choose(rows, FREE, (ALONE, POOLED), 0, silent).recipe.name == wanted


@pytest.mark.parametrize("dates", [1, 4], ids=["folds of firms", "out of time"])
def test_no_firm_that_judges_and_no_later_kin_teaches(dates, monkeypatch) -> None:
    rng = np.random.default_rng(4)
    rows = rows_of(2000, 2.0, kin_of(1000, 1.0, rng, dates), rng, dates)
    newest = rows.dates.max()
    seen = []
    whole = model.selection.fit

    def watched(values, label, names, directions, recipe, seed, kin):
        seen.append((set(values[:, 0]), set(kin.values[:, 0]), kin.dates.max()))
        return whole(values, label, names, directions, recipe, seed, kin=kin)

    monkeypatch.setattr(model.selection, "fit", watched)
    found = choose(rows, FREE, (POOLED,), 0, silent)
    folds = seen if dates == 1 else seen[1:]
    for own, kin, _ in folds:
        held = set(rows.values[:, 0]) - own
        assert held
        assert not held & kin
    if dates > 1:
        assert found.evidence == "out of time"
        assert seen[0][2] < newest


@pytest.fixture(scope="module")
def history(city_home: Trained) -> History:
    vault = Vault(city_home.home)
    return vault.at(vault.head)


def test_kin_are_the_other_tiers_examples_known_by_the_day(history: History) -> None:
    """Row for row what the other tiers' own training would have, unless thinned; held firms out."""
    day = date(2024, 6, 30)
    task = find("promotion:srdi_municipal@12", ())
    parts = training_cohorts(history, task, day)
    profile = fitted_profile(task, parts)
    bare = examples(task, parts, profile)
    rows = with_kin(bare, parts, profile, history.as_of(day))
    assert rows.kin is not None
    assert add_months(rows.kin.dates.max().astype("O"), 12) <= day
    other = find("promotion:innovative_sme@12", ())
    theirs = examples(other, training_cohorts(history, other, day), profile)
    assert set(np.unique(theirs.dates)) == set(np.unique(bare.dates))
    mine = rows.kin.rows(rows.kin.place == 1)
    assert (mine.weight == 1).all()
    np.testing.assert_array_equal(mine.label, theirs.label)
    np.testing.assert_array_equal(mine.values, theirs.values)
    held = frozenset(np.unique(mine.groups.astype(str))[::3].tolist())
    fewer = with_kin(bare, parts, profile, history.as_of(day), held).kin
    assert fewer is not None
    assert not held & set(fewer.groups.astype(str))
    assert len(fewer.label) < len(rows.kin.label)


def test_thinned_rows_stand_for_all(history: History, monkeypatch) -> None:
    monkeypatch.setattr("model.ladder.MOST_NEGATIVES", 100)
    day = date(2024, 6, 30)
    task = find("promotion:srdi_municipal@12", ())
    parts = training_cohorts(history, task, day)
    profile = fitted_profile(task, parts)
    kin = with_kin(examples(task, parts, profile), parts, profile, history.as_of(day)).kin
    other = find("promotion:innovative_sme@12", ())
    theirs = examples(other, training_cohorts(history, other, day), profile)
    assert kin is not None
    mine = kin.rows(kin.place == 1)
    assert mine.label.sum() == theirs.label.sum()
    assert (mine.label == 0).sum() == 100
    assert mine.weight.sum() == pytest.approx(len(theirs.label))


def test_a_promotion_is_trained_with_its_kin_and_says_so(history: History) -> None:
    with quick():
        task = find("promotion:srdi_municipal@12", ())
        one, two = (train(history, task, date.fromisoformat(AS_OF)) for _ in range(2))
    assert (one.data_digest, one.model.text) == (two.data_digest, two.model.text)
    told, cited = one.report["kin"], one.report["cited"]
    assert isinstance(told, list)
    assert "innovative_sme" in [part["tier"] for part in told]
    assert isinstance(cited, list)
    assert {"rd_ratio", "debt_ratio"} <= set(cited) < set(one.profile.names)
    assert "inventory_turnover" not in cited


@pytest.mark.parametrize("name", ["growth@12", "distress@12", "listing@12"])
def test_other_tasks_have_no_kin(history: History, name: str) -> None:
    assert kin_tasks(find(name, ()), history.as_of(date(2024, 6, 30))) == ()


def test_halves_and_draws_of_kin_keep_a_firm_whole() -> None:
    kin = kin_of(600, 1.0, np.random.default_rng(5))
    groups = np.unique(kin.groups)[::2]
    side = np.arange(len(groups)) % 2
    one, other = kin.halves(groups, side, 0)
    assert len(one.label) + len(other.label) == len(kin.label)
    assert not set(one.groups) & set(other.groups)
    assert set(groups[side == 0]) <= set(one.groups)
    assert set(groups[side == 1]) <= set(other.groups)
    drawn = kin.drawn(np.random.default_rng(0))
    times = {group: set(drawn.weight[drawn.groups == group]) for group in np.unique(drawn.groups)}
    assert all(len(found) == 1 and min(found) >= 1 for found in times.values())
    kept = [(kin.groups == group).sum() == (drawn.groups == group).sum() for group in times]
    assert all(kept)
    assert 0.8 * len(kin.label) < drawn.weight.sum() < 1.2 * len(kin.label)


def test_kin_on_the_served_tier_is_refused() -> None:
    kin = kin_of(10, 1.0, np.random.default_rng(0))
    with pytest.raises(UsageError, match="another tier than the served one"):
        replace(kin, own=2)
    with pytest.raises(UsageError, match="each column whether it is cited"):
        replace(kin, cited=kin.cited[:3])


def test_borrowing_recipes_have_a_weight_for_kin_and_names_of_their_own() -> None:
    assert all(recipe.kin for recipe in BORROWING)
    assert not any(recipe.kin for recipe in RECIPES)
    assert len({r.name for r in (*RECIPES, *BORROWING)}) == len(RECIPES) + len(BORROWING)
