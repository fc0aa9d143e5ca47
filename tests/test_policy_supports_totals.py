"""One-off rewards among the supports: amounts, ceilings, what is told, what is refused."""

from __future__ import annotations

from datetime import date

import pytest
from plan_panels import defaults, plan
from support_rows import DAY, Row, city, ran, titled

from policy.plan.one_off import budget
from policy.plan.rewards import reason, unnamed
from policy.plan.settings import Settings
from tidu.errors import DataError


def test_the_amounts_of_the_plan_and_its_ceilings() -> None:
    panel = city(titles=[titled("A"), titled("A", "little_giant", "2024-05-01"), titled("B")])
    assert ran("A7", panel, defaults()).totals["amount"] == 200.0
    assert ran("A8", panel, defaults()).totals["amount"] == 100.0
    rule = ran("A11", panel, defaults())
    assert rule.totals["same_year"] == 300.0
    assert rule.totals["lifetime_difference"] == 250.0
    assert rule.totals["chosen"] == 300.0
    assert (
        ran("A11", panel, defaults(reward_reading="lifetime_difference")).totals["chosen"] == 250.0
    )
    years = budget(plan(), panel, defaults())
    assert years["amount"].sum() == 300.0
    assert years["city"].sum() == 150.0


def test_relocation_is_in_no_total_before_the_citys_review() -> None:
    moved = {"firm_id": "A", "city_in_on": date(2024, 6, 1), "whole_relocation": 1.0}
    panel = city(firms=[moved], titles=[titled("A", "little_giant")])
    before = ran("A15", panel, defaults())
    assert before.totals["amount"] == 0.0
    assert before.totals["unreviewed_amount"] == 200.0
    assert any("须经公平竞争审查" in note.zh for note in before.notes)
    reviewed = Settings(defaults().parameters, frozenset({"A15"}))
    after = ran("A15", panel, reviewed)
    assert (after.totals["amount"], after.totals["unreviewed_amount"]) == (200.0, 0.0)
    assert any("须经公平竞争审查" in note.zh for note in after.notes)


def test_a_product_reward_says_that_no_new_claims_are_expected() -> None:
    assert "预计不再有" in ran("A10", city(), defaults()).notes[0].zh


def test_the_ceilings_come_from_the_targets_and_the_amounts() -> None:
    totals = ran("A11", city(), defaults()).totals
    assert {name: amount for name, amount in totals.items() if name.startswith("ceiling_")} == {
        "ceiling_little_giant": 20_000.0,
        "ceiling_provincial_rest": 20_000.0,
        "ceiling_provincial_all": 25_000.0,
        "ceiling_champion": 15_000.0,
        "ceiling_champion_product": 3_000.0,
    }


def test_items_that_no_row_names_are_told() -> None:
    def award(item: str, day: date) -> Row:
        return {"firm_id": "A", "item": item, "paid_on": day, "amount": 5.0}

    panel = city(
        awards=[
            award("小巨人奖励", DAY),
            award("稳岗补贴", DAY),
            award("稳岗补贴", date(2026, 1, 1)),
        ]
    )
    assert unnamed(plan(), panel).to_numpy().tolist() == [["稳岗补贴", 2, 10.0]]


def test_every_reason_has_its_sentence() -> None:
    assert reason("first_unknown").zh
    with pytest.raises(KeyError, match="nonsense"):
        reason("nonsense")


@pytest.mark.parametrize(
    ("name", "value", "must"),
    [
        ("reward_reading", "sameyear", "one of"),
        ("reward_since", "2022", "a date"),
        ("reward_lag_years", 1.5, "a whole number"),
        ("reward_first_only", "false", "true or false"),
    ],
)
def test_what_a_parameter_cannot_be_is_refused(name: str, value: object, must: str) -> None:
    with pytest.raises(DataError, match=f"{name} must be {must}"):
        ran("A7", city(), defaults(**{name: value}))
