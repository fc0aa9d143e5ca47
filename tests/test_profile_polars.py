"""An independent oracle of the whole profile: the same formulas as one lazy Polars plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from benchmarks.profile import APART, apart, fitted
from benchmarks.profile_data import panel
from benchmarks.profile_polars import frames, plan
from benchmarks.scramble import history, random_tables
from features import firm_years as module
from features.cube import Cube, EveryYear, FirmYears
from features.expr import Expr, col, comparable, evaluate, first_known, highest, log, mean
from features.firm_years import firm_years
from features.panel import Panel
from features.profile import Profile, observe, specs_for
from tidu.errors import NotFound

REVENUE = col("revenue")


@pytest.fixture(scope="module")
def seen() -> Panel:
    return panel(6_000, seed=1)


@pytest.fixture(scope="module")
def profile(seen: Panel) -> Profile:
    return fitted(seen)


def test_the_values_are_those_of_a_polars_plan(seen: Panel, profile: Profile) -> None:
    ours = firm_years(profile, seen)
    theirs = plan(frames(seen.tables["annual"], seen.tables["firms"]), profile).collect()
    assert theirs["firm_id"].to_list() == list(ours.firm_ids)
    assert theirs["year"].to_list() == list(ours.anchor_years)
    worst, unknown = apart(ours, theirs)
    assert worst <= APART
    assert unknown == 0
    known = ~np.isnan(ours.values).all(axis=0)
    assert known.sum() >= 130


def test_the_newest_year_is_the_profile_of_the_firm(seen: Panel, profile: Profile) -> None:
    every, newest = firm_years(profile, seen), profile.matrix(observe(seen))
    at = np.flatnonzero(np.append(every.firm_ids[1:] != every.firm_ids[:-1], True))
    np.testing.assert_array_equal(every.values[at], newest.values)
    np.testing.assert_array_equal(every.firm_ids[at], newest.firm_ids)
    np.testing.assert_array_equal(every.known_on[at], newest.known_on)


def test_parts_change_nothing(
    seen: Panel, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = firm_years(profile, seen).values
    for rows in (1, 700, 5_999):
        monkeypatch.setattr(module, "ROWS", rows)
        np.testing.assert_array_equal(firm_years(profile, seen).values, whole)


@pytest.mark.parametrize("mixed", [False, True], ids=["in order", "mixed"])
@pytest.mark.parametrize(
    "formula",
    [
        mean(REVENUE, REVENUE.lag(1)).lag(1),
        highest(REVENUE, REVENUE.lag(2)).lag(2),
        first_known(REVENUE, REVENUE.lag(1)).lag(1),
        (log(REVENUE) - REVENUE.lag(1)).lag(3),
        (REVENUE.lag(1) * comparable(2)).lag(1),
        REVENUE.lag(20),
    ],
    ids=str,
)
def test_a_gap_is_no_year_with_accounts_but_still_a_year(formula: Expr, mixed: bool) -> None:
    tables = random_tables(np.random.default_rng(3))
    shown = history(tables).as_of(date(2022, 6, 30))
    annual = shown.tables["annual"]
    if mixed:
        annual = annual.sample(frac=1.0, random_state=1).reset_index(drop=True)
    cube = Cube(replace(shown, tables={**shown.tables, "annual": annual}))
    view = FirmYears(cube, slice(0, len(annual)), {})
    dense = evaluate(formula, EveryYear(cube), {})[cube.cell]
    np.testing.assert_array_equal(evaluate(formula, view, {}), dense)


def test_rows_in_any_order(seen: Panel, profile: Profile) -> None:
    order = np.random.default_rng(0).permutation(len(seen.tables["annual"]))
    annual = seen.tables["annual"].iloc[order].reset_index(drop=True)
    mixed = firm_years(profile, replace(seen, tables={**seen.tables, "annual": annual}))
    np.testing.assert_array_equal(mixed.values, firm_years(profile, seen).values[order])


def test_facts_are_refused_and_nothing_known_gives_nothing(seen: Panel, profile: Profile) -> None:
    specs = specs_for(seen, "growth")
    with pytest.raises(NotFound, match="as-of date"):
        firm_years(Profile(specs, profile.reference), seen)
    empty = history({"annual": pd.DataFrame(seen.tables["annual"].iloc[:0])}).as_of(seen.as_of)
    assert firm_years(profile, empty).values.shape == (0, len(profile.specs))
