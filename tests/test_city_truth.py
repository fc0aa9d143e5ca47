"""The city's truth: what happens agrees with the chances that it states."""

from __future__ import annotations

import pandas as pd
import pytest
from towns import (
    BOUND,
    DISTRESS,
    LADDER,
    growth_outcomes,
    lapsed,
    middling_town,
    realised,
    surprise,
)

import city


@pytest.fixture(scope="module")
def town() -> city.City:
    return middling_town()


TASKS = (
    *(f"{name}:{tier}" for name in ("promotion", "application", "recognition") for tier in LADDER),
    "quotation",
    "listing",
    "distress",
    *(f"distress:{kind}" for kind in DISTRESS),
)


@pytest.mark.parametrize("task", TASKS)
def test_what_happens_within_a_year_agrees_with_the_true_chances(
    town: city.City, task: str
) -> None:
    table = realised(town, task, 12)
    assert table["hit"].sum() > 5
    assert abs(surprise(table)) < BOUND
    # Not in sum only: low chances and high ones are each borne out.
    likely = table["probability"].rank(method="first", pct=True)
    for part in (table[likely <= 0.8], table[likely > 0.8]):
        if part["probability"].sum() > 5:
            assert abs(surprise(part)) < BOUND


@pytest.mark.parametrize("tier", LADDER)
def test_titles_lapse_as_their_chances_say(town: city.City, tier: str) -> None:
    table = lapsed(town, tier)
    assert len(table) > 5
    assert abs(surprise(table)) < BOUND
    if len(table) > 300:
        likely = table["probability"] > table["probability"].median()
        assert table["hit"][likely].mean() > table["hit"][~likely].mean()


def test_a_title_takes_an_application_first(town: city.City) -> None:
    truth = town.truth.astype({"firm_id": "str"})
    for tier in LADDER:
        chance = {
            name: truth[truth["task"] == f"{name}:{tier}@12"].set_index(["firm_id", "as_of"])[
                "probability"
            ]
            for name in ("promotion", "application", "recognition")
        }
        given = chance["recognition"].reindex(chance["promotion"].index).fillna(0.0)
        product = chance["application"].loc[given.index] * given
        assert (product - chance["promotion"]).abs().max() < 1e-12


@pytest.mark.parametrize("task", ["promotion:srdi_municipal", "quotation", "listing", "distress"])
def test_two_year_chances_hold_too(town: city.City, task: str) -> None:
    # Every second date: windows that overlap would count the same event twice.
    table = realised(town, task, 24)
    for first in (0, 1):
        part = table[table["as_of"].dt.year % 2 == first]
        assert abs(surprise(part)) < BOUND


@pytest.mark.parametrize("years", [1, 2])
def test_growth_chances_hold(town: city.City, years: int) -> None:
    table = growth_outcomes(town, years)
    assert table["hit"].sum() > 1000
    for year, part in table.groupby(table["as_of"].dt.year):
        if years == 1:
            assert abs(surprise(part)) < BOUND, year
    deciles = pd.qcut(table["probability"], 10, labels=False)
    means = table.groupby(deciles)[["probability", "hit"]].mean()
    # Over two years the shocks of the second are shared by all and not in the chance.
    assert (means["probability"] - means["hit"]).abs().max() < (0.05 if years == 1 else 0.09)


def test_truth_is_a_chance_and_grows_with_the_horizon(town: city.City) -> None:
    truth = town.truth
    assert truth["probability"].between(0.0, 1.0).all()
    assert not truth.duplicated(["firm_id", "as_of", "task"]).any()
    assert sorted(set(truth["as_of"].dt.year)) == list(range(2018, 2026))
    wide = truth[truth["task"].isin(["distress@12", "distress@24"])].pivot_table(
        index=["firm_id", "as_of"], columns="task", values="probability", observed=True
    )
    assert (wide["distress@24"] >= wide["distress@12"] - 1e-12).all()


def test_tasks_have_the_positives_that_training_needs(town: city.City) -> None:
    for task in ("promotion:srdi_municipal", "distress"):
        table = realised(town, task, 12)
        assert table[table["as_of"] < "2024-01-01"]["hit"].sum() >= 100
    assert growth_outcomes(town, 1).query("as_of < '2024-01-01'")["hit"].sum() >= 100
