"""What one-off rewards cost: by year of payment and payer, ceilings, entrants."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
from plan_panels import panel_of
from reward_rows import (
    DAY,
    SCHEME,
    TERMS,
    city_of,
    new,
)

from policy.plan.budgets import by_district, by_year, ceilings
from policy.plan.settlement import if_recognised, settle
from policy.plan.stacking import LIFETIME, SAME_YEAR


def test_the_budget_falls_in_the_year_after_and_arrears_in_the_current_one() -> None:
    panel = city_of([([new("A8", "2023-05-01")], []), ([new("A7", "2026-05-01")], [])])
    table = by_year(settle(panel, SCHEME, TERMS), 60.0, {2026: {"D0": 5.0}, 2027: {"D1": 100.0}})
    assert table["pay_year"].tolist() == [2026, 2027]
    assert table["amount"].tolist() == [50.0, 200.0]
    assert table["city"].tolist() == [30.0, 120.0]
    assert table["county"].tolist() == [20.0, 80.0]
    assert table["short"].tolist() == [15.0, 0.0]


def test_without_a_share_the_parts_are_unknown_and_the_sum_is_not() -> None:
    table = by_year(settle(city_of([([new("A8", "2023-05-01")], [])]), SCHEME, TERMS), None)
    assert table["amount"].tolist() == [50.0]
    assert table[["city", "county", "short"]].isna().all(axis=None)


def test_the_ceilings_of_the_plan() -> None:
    targets = {"little_giant": 100.0, "provincial": 500.0, "champion": 30.0}
    amounts = {
        "little_giant": 200.0,
        "provincial": 50.0,
        "champion": 500.0,
        "champion_product": 100.0,
    }
    table = ceilings(targets, amounts).set_index("ceiling")["amount"]
    assert table.to_dict() == {
        "little_giant": 20_000.0,
        "provincial_rest": 20_000.0,
        "provincial_all": 25_000.0,
        "champion": 15_000.0,
        "champion_product": 3_000.0,
    }


def test_a_city_without_titles_owes_nothing() -> None:
    settled = settle(panel_of(DAY, {}), SCHEME, TERMS)
    assert len(settled) == 0
    assert len(by_year(settled, 50.0)) == len(by_district(settled)) == 0


def test_what_entrants_would_cost() -> None:
    panel = city_of([([new("A8", "2023-05-01")], []), ([], [])])
    entrants = {"little_giant": np.array([True, True])}
    after = if_recognised(panel, entrants, date(2027, 6, 1))
    for reading, more in ((SAME_YEAR, 400.0), (LIFETIME, 350.0)):
        terms = replace(TERMS, reading=reading)
        cost = settle(after, SCHEME, terms)["payable"].sum()
        assert cost - settle(panel, SCHEME, terms)["payable"].sum() == more
