"""Targets over firms and over records: growth, shares, fees, listings, members, activities."""

from __future__ import annotations

from typing import Any

import pytest
from plan_footing import footing_of
from plan_panels import panel_of
from plan_targets import DAY, accounts, day, event, finding, found, growth_city, held, srdi, titled

from policy.plan.targets import names, yearly


def test_four_new_firms_and_both_means_of_their_research() -> None:
    firms = [
        {"firm_id": "A", "district": "甲", "four_new_tag": "technology"},
        {"firm_id": "B", "district": "乙", "four_new_tag": "industry;model"},
        {"firm_id": "C", "district": "乙"},
    ]
    annual = [
        accounts("A", revenue=1000.0, rd_expense=80.0),
        accounts("B", revenue=3000.0, rd_expense=60.0),
        accounts("C", revenue=10.0, rd_expense=9.0),
        accounts("Z", revenue=10.0, rd_expense=9.0),
    ]
    panel = srdi(firms, annual)
    tagged = found("G6", panel)
    assert (tagged.value, tagged.totals["unknown"], tagged.totals["base"]) == (2.0, 1.0, 3.0)
    assert names(tagged, "value") == ("A", "B")
    for reading, value in (("weighted", 3.5), ("mean", 5.0)):
        result = found("G7", panel, parameters={"rd_intensity_reading": reading})
        assert result.value == pytest.approx(value)
        assert result.totals["weighted"] == pytest.approx(3.5)
        assert result.totals["mean"] == pytest.approx(5.0)
        assert names(result, "value") == ("A", "B")
        assert names(result, "reached") == ("A",)
        assert result.completion_pct == pytest.approx(100 * value / 4)
    by_place = found("G7", panel).table.set_index("district")
    assert by_place.loc[["甲", "乙"], "value"].tolist() == pytest.approx([8.0, 2.0])
    # A share is no sum: the city's goal is every district's.
    assert by_place.loc[["甲", "乙"], "task"].tolist() == [4.0, 4.0]
    everyone = found("G6", panel, parameters={"characteristic_base": "sme"})
    assert everyone.totals["base"] == 4.0


@pytest.mark.parametrize(
    ("reading", "statistic", "value", "reached"),
    [
        ("main", "weighted", 2.5, ""),
        ("main", "mean", 5.0, ""),
        ("profit", "weighted", 30.0, "A"),
        ("profit", "mean", 30.0, "A"),
        ("any", "weighted", 30.0, "A"),
        ("any", "share", 50.0, "A"),
        ("main", "share", 0.0, ""),
    ],
)
def test_growth_of_the_specialised(
    reading: str, statistic: str, value: float, reached: str
) -> None:
    chosen = {"growth_reading": reading, "growth_statistic": statistic}
    result = found("G8", growth_city(), parameters=chosen)
    assert result.value == pytest.approx(value)
    assert "".join(names(result, "reached")) == reached
    # Growth from a loss is unknown, and so is B where profit alone counts.
    assert "".join(names(result, "value")) == ("A" if reading == "profit" else "AB")
    assert {"growth_reading", "growth_statistic", "specialised_main_share"} <= set(
        result.parameters
    )


def test_who_is_specialised_is_a_parameter() -> None:
    result = found("G8", growth_city(), parameters={"specialised_main_share": 50})
    assert "".join(names(result, "value")) == "ABC"


def test_the_share_of_main_revenue_is_measured_over_all_and_reached_by_the_specialised() -> None:
    result = found("G9", growth_city())
    assert result.value == pytest.approx(100 * (110 + 300 + 200) / (140 + 400 + 400))
    assert "".join(names(result, "reached")) == "AB"  # 300 of 400 is 75 % exactly


@pytest.mark.parametrize(
    ("row", "column", "at", "short"),
    [
        ("G10", "supplies_chain_leader", 1, 0),
        ("G11", "niche_rank_province", 10, 11),
        ("G13", "quality_benchmark_level", "prov", "city"),
        ("G14", "class1_ip_self", 1, 0),
    ],
)
def test_the_definition_holds_at_its_bound(row: str, column: str, at: Any, short: Any) -> None:
    firms = [{"firm_id": f} for f in "ABC"]
    annual = [accounts("A", **{column: at}), accounts("B", **{column: short}), accounts("C")]
    result = found(row, srdi(firms, annual))
    assert names(result, "value") == ("A",)
    assert names(result, "unknown") == ("C",)


def test_who_left_counts_for_no_characteristic() -> None:
    firms = [
        {"firm_id": "A", "local_feature_tag": 1},
        {"firm_id": "B", "local_feature_tag": 1, "city_out_on": day("2024-01-01")},
        {"firm_id": "C", "local_feature_tag": 1},
    ]
    closed = [{"firm_id": "C", "kind": "dissolved", "on": day("2024-01-01")}]
    assert names(found("G12", srdi(firms, [], events=closed)), "value") == ("A",)


def test_the_mean_guarantee_fee_in_both_readings_falls_to_its_goal() -> None:
    firms = [{"firm_id": f, "district": "甲"} for f in "ABCD"]
    credit = [
        {"firm_id": "A", "year": 2023, "guarantee_fee_pct": 0.8, "guarantee_balance": 900.0},
        {"firm_id": "B", "year": 2022, "guarantee_fee_pct": 9.9, "guarantee_balance": 100.0},
        {"firm_id": "B", "year": 2023, "guarantee_fee_pct": 1.8, "guarantee_balance": 100.0},
        {"firm_id": "C", "year": 2023, "guarantee_fee_pct": 1.0},
        {"firm_id": "Z", "year": 2023, "guarantee_fee_pct": 3.0, "guarantee_balance": 100.0},
    ]
    panel = srdi(firms, [], credit=credit)
    weighted = found("D19", panel)
    assert weighted.value == pytest.approx(0.9)
    assert (weighted.completion_pct, weighted.remaining) == (100.0, 0.0)
    plain = found("D19", panel, parameters={"guarantee_fee_reading": "mean"})
    assert plain.value == pytest.approx(1.2)
    assert plain.completion_pct == pytest.approx(100 / 1.2)
    assert plain.remaining == pytest.approx(0.2)
    assert names(plain, "value") == ("A", "B", "C")
    assert names(plain, "reached") == ("A", "C")


def test_listings_count_from_the_plans_first_day_for_firms_that_held_a_title() -> None:
    firms = [{"firm_id": f, "district": "甲"} for f in "ABCDEFGH"]
    firms[6]["city_out_on"] = day("2023-01-01")
    titles = [titled(f, "srdi_provincial", "2021-06-01") for f in "ABCDFG"]
    titles[5]["firm_id"] = "G"
    events = [
        event("A", "listed", "2022-03-01", board="bse"),
        event("A", "listed", "2024-03-01", board="star"),
        event("B", "listed", "2021-12-31", board="bse"),
        event("C", "listed", "2024-02-01"),
        event("D", "listed", "2024-06-01", board="gem"),  # the title expires that day
        event("E", "listed", "2024-02-01", board="gem"),
        event("F", "listed", "2024-06-02", board="gem"),
        event("G", "listed", "2024-02-01", board="gem"),
        event("H", "quoted", "2024-02-01", board="neeq_base"),
    ]
    result = found("D8", panel_of(DAY, {"firms": firms, "titles": titles, "events": events}))
    assert names(result, "value") == ("A", "D")
    assert names(result, "new") == ("D",)
    assert names(result, "unknown") == ("C",)
    assert result.totals["completion_pct"] == 40.0


def test_the_regional_board_counts_those_that_are_on_it() -> None:
    firms = [{"firm_id": f} for f in "ABC"]
    titles = [titled(f, "srdi_municipal", "2021-07-01") for f in "ABC"]
    events = [
        event("A", "quoted", "2021-08-01", board="regional"),
        event("B", "quoted", "2023-08-01", board="regional", ended_on=day("2024-01-01")),
        event("C", "quoted", "2023-08-01", board="neeq_base"),
    ]
    tables = {"firms": firms, "titles": titles, "events": events}
    assert names(found("D9", panel_of(DAY, tables)), "value") == ("A",)
    # Of the regional board nothing was ever recorded, and nothing is declared.
    tables["events"] = events[2:]
    assert found("D9", panel_of(DAY, tables, covered=["title:srdi_municipal"])).value is None


def test_members_of_the_reserve_are_on_record_and_candidates_are_a_proposal() -> None:
    firms = [{"firm_id": f, "district": "甲"} for f in "ABCDE"]
    annual = [accounts(f, net_profit=600.0, revenue=100.0) for f in "ABC"]
    annual += [accounts("D", net_profit=599.0, revenue=2999.0), accounts("Z", net_profit=9e3)]
    events = [event("C", "listed", "2024-02-01", board="bse")]
    panel = srdi(firms, annual, events=events)
    without = found("D6", panel)
    assert without.value is None
    assert names(without, "candidates") == ("A", "B")
    member = finding("A", "pool:listing_reserve")
    lapsed = finding("B", "pool:listing_reserve", valid_until=day("2024-06-29"))
    result = found("D6", srdi(firms, annual, events=events, attestations=[member, lapsed]))
    assert (result.value, result.completion_pct) == (1.0, 2.0)
    assert names(result, "value") == ("A",)
    assert names(result, "candidates") == ("B",)


def test_activities_of_the_year_or_of_the_plan() -> None:
    activities = [
        held("matching", "甲", "2021-05-01", events_held=100),
        held("matching", "甲", "2022-05-01", events_held=20),
        held("matching", "甲", "2024-05-01", events_held=5),
        held("matching", "乙", "2024-05-01", events_held=5),
        held("matching", "乙", "2024-06-01"),
        held("listing_training", "甲", "2023-05-01", firms_attending=90),
        held("listing_training", "甲", "2024-05-01", firms_attending=60),
    ]
    panel = panel_of(DAY, {"firms": [{"firm_id": "A"}], "activities": activities})
    whole = found("F1", panel)
    assert (whole.value, whole.totals["unknown"], whole.deadline) == (30.0, 1.0, day("2025-12-31"))
    assert whole.table.set_index("district").loc[["甲", "乙"], "value"].tolist() == [25.0, 5.0]
    assert names(whole, "value") == ("乙", "甲", "甲")  # the activities, by district
    year = found("F1", panel, parameters={"matching_period": "year"})
    assert (year.value, year.deadline) == (10.0, day("2024-12-31"))
    training = found("D10", panel)
    assert (training.value, training.completion_pct) == (60.0, 60.0)
    assert found("K2", panel).value is None
    footing = footing_of(panel)
    table = yearly(footing.plan.row("D10"), footing)
    assert table["year"].tolist() == [2022, 2023, 2024]
    # At the end of 2022 nothing of the kind had ever been recorded: that is no zero.
    assert table["value"].isna().tolist() == [True, False, False]
    assert table["value"].tolist()[1:] == [90.0, 60.0]


def test_numbers_that_are_all_missing_this_year_are_no_zero() -> None:
    activities = [
        held("manager_training", "甲", "2023-05-01", firms_attending=900),
        held("manager_training", "甲", "2024-05-01"),
    ]
    assert found("K2", panel_of(DAY, {"activities": activities})).value is None


def test_every_district_holds_its_exchanges() -> None:
    activities = [
        held("exchange", "甲", "2024-02-01", events_held=1),
        held("exchange", "甲", "2024-03-01", events_held=1),
        held("exchange", "乙", "2024-03-01", events_held=1),
        held("exchange", "乙", "2023-03-01", events_held=5),
    ]
    firms = [{"firm_id": "A", "district": "丙"}]
    result = found("K7", panel_of(DAY, {"firms": firms, "activities": activities}))
    assert (result.value, result.goal, result.remaining) == (1.0, 3.0, 2.0)
    assert names(result, "value") == ("甲",)
    assert names(result, "short") == ("丙", "乙")
