"""Supports of the plan by firm: what the city must set, grants, rent, electricity, training."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from plan_panels import defaults, panel_of, plan
from support_rows import DAY, Row, city, ran

from policy.plan.recorded import NO_DATA
from policy.plan.result import Result


def event(firm: str, kind: str, day: str, **more: Any) -> Row:
    return {"firm_id": firm, "kind": kind, "on": date.fromisoformat(day)} | more


def by_firm(result: Result, column: str) -> dict[str, Any]:
    return dict(zip(result.table["firm_id"], result.table[column], strict=True))


# --------------------------------------------------------------------------- amount not decided


@pytest.mark.parametrize("row", [r.id for r in plan().values() if r.kind == "reward"])
def test_every_reward_runs_over_an_empty_city_and_over_a_small_one(row: str) -> None:
    for panel in (panel_of(DAY, {}), city()):
        result = ran(row, panel, defaults())
        assert isinstance(result.table, pd.DataFrame)
        assert result.totals


@pytest.mark.parametrize("row", [r.id for r in plan().values() if r.kind == "reward"])
def test_what_the_city_must_set_is_named(row: str) -> None:
    result = ran(row, city(), defaults())
    open_names = [name for name, value in result.parameters.items() if value is None]
    told = any(note.zh == "标准待定,由市里确定" for note in result.notes)
    assert told == any(name != "reward_until" for name in open_names)


@pytest.mark.parametrize("row", [r.id for r in plan().values() if r.kind == "reward"])
def test_no_rows_are_no_data(row: str) -> None:
    result = ran(row, panel_of(DAY, {}, covered=[]), defaults())
    assert all(v is None for name, v in result.totals.items() if not name.startswith("ceiling_"))
    assert NO_DATA in result.notes


def test_what_is_covered_and_did_not_happen_is_zero() -> None:
    assert ran("H1", city(), defaults()).totals == {"firms": 0.0, "amount": 0.0}
    assert ran("A9", city(), defaults()).totals["amount"] == 0.0


# ------------------------------------------------------------------------------------------ grants


def test_listing_stages_pay_each_and_only_what_happened_in_the_plan() -> None:
    panel = city(
        events=[
            event("A", "reform", "2024-03-01"),
            event("A", "guidance", "2024-09-01"),
            event("A", "accepted", "2025-02-01"),
            event("A", "listed", "2026-02-01", board="bse"),
            event("B", "reform", "2021-03-01"),
            event("D", "reform", "2024-03-01"),
        ],
        awards=[
            {"firm_id": "A", "item": "上市中扶持", "paid_on": date(2025, 6, 1), "amount": 40.0}
        ],
    )
    undecided = ran("D11", panel, defaults())
    assert undecided.totals["amount"] is None
    assert undecided.totals["firms"] == 1.0
    table = undecided.table
    assert table[(table["state"] == "due").to_numpy()]["grant"].tolist() == [
        "reform",
        "process",
        "listed",
    ]
    assert by_firm(undecided, "reason")["B"] == "before_plan"
    assert "D" not in set(table["firm_id"]), "an innovative SME is no SRDI firm"
    decided = ran(
        "D11",
        panel,
        defaults(listing_support_reform=30, listing_support_process=60, listing_support_listed=100),
    )
    assert decided.totals["amount"] == 30 + (60 - 40) + 100


def test_quotation_and_listing_go_by_board() -> None:
    panel = city(
        events=[
            event("A", "quoted", "2024-03-01", board="neeq_base"),
            event("B", "listed", "2024-03-01", board="overseas"),
            event("C", "listed", "2024-03-01"),
            event("D", "quoted", "2025-03-01", board="neeq_innov"),
        ]
    )
    result = ran("D16", panel, defaults(quotation_reward=20, listing_reward=200))
    assert by_firm(result, "reason") == {"A": "", "C": "board_unknown", "D": ""}
    assert result.totals == {"firms": 2.0, "amount": 40.0, "pending_firms": 1.0}


def test_a_joint_stock_reform_counts_by_its_event_or_its_date() -> None:
    panel = city(
        firms=[
            {"firm_id": "A", "shareholding_reform_on": date(2024, 5, 1)},
            {"firm_id": "B", "shareholding_reform_on": None},
        ],
        events=[event("B", "reform", "2023-05-01")],
    )
    assert by_firm(ran("D15", panel, defaults(reform_reward=10)), "payable") == {"A": 10, "B": 10}


def benchmark(firm: str, year: int, level: str | None) -> Row:
    return {"firm_id": firm, "year": year, "quality_benchmark_level": level}


def test_a_first_benchmark_is_one_with_a_year_before_it() -> None:
    panel = city(
        annual=[
            benchmark("A", 2022, "none"), benchmark("A", 2023, "prov"), benchmark("A", 2024, "nat"),
            benchmark("B", 2023, "prov"),
            benchmark("C", 2020, "none"), benchmark("C", 2021, "prov"),
            benchmark("C", 2024, "prov"),
        ]
    )  # fmt: skip
    settings = defaults(quality_benchmark_reward_nat=50, quality_benchmark_reward_prov=20)
    table = ran("E3", panel, settings).table.set_index(["firm_id", "grant"])
    assert table["payable"].to_dict() == {
        ("A", "nat"): 50.0, ("A", "prov"): 0.0, ("B", "prov"): 0.0, ("C", "prov"): 0.0
    }  # fmt: skip
    assert table["reason"].to_dict() == {
        ("A", "nat"): "", ("A", "prov"): "lower", ("B", "prov"): "first_unknown",
        ("C", "prov"): "before_plan",
    }  # fmt: skip


def leader(firm: str, level: str, since: str | None, year: int = 2025) -> Row:
    day = date.fromisoformat(since) if since else None
    return {
        "firm_id": firm,
        "year": year,
        "standard_leader_level": level,
        "standard_leader_on": day,
    }


def test_a_standard_leader_must_stay_one_for_a_year() -> None:
    panel = city(
        annual=[
            leader("A", "nat", "2025-11-22"),
            leader("B", "prov", "2025-11-23"),
            leader("C", "city", None),
        ]
    )
    settings = defaults(
        standard_leader_reward_nat=30,
        standard_leader_reward_prov=20,
        standard_leader_reward_muni=10,
    )
    result = ran("E6", panel, settings)
    assert by_firm(result, "reason") == {"A": "", "B": "not_long", "C": "since_unknown"}
    assert result.totals["amount"] == 30.0
    lost = city(annual=[leader("A", "nat", "2024-01-01", 2024), leader("A", "none", None)])
    assert len(ran("E6", lost, settings).table) == 0


def test_green_titles_pay_each() -> None:
    panel = city(
        annual=[
            {"firm_id": "A", "year": 2023, "green_title": "factory_city"},
            {"firm_id": "A", "year": 2024, "green_title": "factory_city;factory_prov"},
            {"firm_id": "A", "year": 2025, "green_title": "factory_prov;factory_nat;supply_chain"},
        ]
    )
    settings = defaults(
        green_factory_reward_prov=20, green_factory_reward_nat=50, green_supply_chain_reward=60
    )
    assert ran("J3", panel, settings).totals["amount"] == 130.0
    # One of the rewards not decided and due: no sum.
    assert ran("J3", panel, defaults(green_factory_reward_prov=20)).totals["amount"] is None


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("B4", "top_talent_support"),
        ("B6", "challenge_project_support"),
        ("F4", "exhibition_subsidy"),
    ],
)
def test_case_by_case_rests_on_an_officials_finding(row: str, name: str) -> None:
    def found(firm: str, finding: str) -> Row:
        return {
            "firm_id": firm, "criterion": row, "batch": "2025", "finding": finding,
            "attested_on": date(2025, 6, 1),
        }  # fmt: skip

    panel = city(attestations=[found("A", "met"), found("B", "unmet"), found("D", "met")])
    undecided = ran(row, panel, defaults())
    assert by_firm(undecided, "reason") == {"A": "undecided"}
    assert undecided.totals["amount"] is None
    assert ran(row, panel, defaults(**{name: 12.5})).totals["amount"] == 12.5


def test_titles_that_are_not_on_record_leave_a_grant_pending() -> None:
    panel = city(
        covered=["title:innovative_sme"],
        annual=[
            {"firm_id": "A", "year": 2025, "new_lab_created": 1.0},
            {"firm_id": "D", "year": 2025, "new_lab_created": 1.0},
        ],
    )
    assert by_firm(ran("B1", panel, defaults(new_lab_support=100)), "reason") == {
        "A": "",
        "D": "title_unknown",
    }


# ------------------------------------------------------------------- rent, electricity, training


def test_rent_runs_for_three_years_from_moving_in() -> None:
    panel = city(
        events=[
            event("A", "park_entry", "2024-11-15"),
            event("B", "park_entry", "2023-11-22"),
            event("C", "park_entry", "2025-01-10", ended_on=date(2026, 1, 1)),
            event("D", "park_entry", "2025-01-10"),
        ]
    )
    undecided = ran("H1", panel, defaults())
    assert by_firm(undecided, "running") == {"A": True, "B": False}
    assert undecided.totals == {"firms": 1.0, "amount": None}
    assert by_firm(undecided, "months_this_year") == {"A": 12.0, "B": 10.0}
    decided = ran("H1", panel, defaults(park_rent_month=2, park_rent_discount_pct=30))
    assert decided.totals["amount"] == pytest.approx((12 + 10) * 2 * 0.3)


def test_electricity_is_paid_by_the_newest_known_use() -> None:
    panel = city(
        events=[event("A", "park_entry", "2024-11-15"), event("B", "park_entry", "2024-11-15")],
        annual=[
            {"firm_id": "A", "year": 2024, "electricity_kwh": 100_000.0},
            {"firm_id": "A", "year": 2025, "electricity_kwh": 200_000.0},
            {"firm_id": "B", "year": 2025, "electricity_kwh": None},
        ],
    )
    result = ran("H2", panel, defaults(park_electricity_subsidy=0.1))
    assert result.totals == {"firms": 2.0, "kwh": 200_000.0, "use_unknown": 1.0, "amount": 2.0}


def trained(institution: str, day: str, **numbers: float) -> Row:
    held = {"kind": "technician_training", "district": "甲", "on": date.fromisoformat(day)}
    return held | {"institution": institution} | numbers


def test_training_is_paid_by_head_to_the_institution() -> None:
    panel = city(
        activities=[
            trained("技师学院", "2024-05-01", technicians_new=100.0, senior_technicians_new=10.0),
            trained("技师学院", "2025-05-01", technicians_new=50.0, senior_upgraded=30.0),
            trained("职业学校", "2025-06-01", technicians_new=20.0),
            trained("职业学校", "2021-06-01", technicians_new=900.0),
        ],
        awards=[
            {
                "firm_id": "技师学院",
                "item": "技师培养补贴",
                "paid_on": date(2025, 1, 1),
                "amount": 32.0,
            }
        ],
    )
    fourth = ran("K4", panel, defaults())
    assert fourth.table[["institution", "year", "amount", "payable"]].to_numpy().tolist() == [
        ["技师学院", 2024, 30.0, 0.0],
        ["技师学院", 2025, 15.0, 13.0],
        ["职业学校", 2025, 6.0, 6.0],
    ]
    assert fourth.totals["payable"] == 19.0
    assert ran("K5", panel, defaults()).totals["amount"] == 4.0
    assert ran("K6", panel, defaults()).totals["amount"] == 6.0


def test_provincial_awards_are_matched() -> None:
    def award(item: str, day: date, amount: float) -> Row:
        return {"firm_id": "平台甲", "item": item, "paid_on": day, "amount": amount}

    panel = city(
        awards=[
            award("中小企业公共服务示范平台奖励", date(2025, 3, 1), 100.0),
            award("示范平台奖励配套", date(2025, 9, 1), 20.0),
        ]
    )
    assert ran("H3", panel, defaults()).totals == {
        "institutions": 1.0, "awarded": 100.0, "amount": None
    }  # fmt: skip
    assert ran("H3", panel, defaults(platform_match_pct=50)).totals["amount"] == 30.0


def test_diagnoses_are_counted_and_never_assumed() -> None:
    unreported = ran("C7", city(), defaults(diagnosis_cost=3))
    assert unreported.totals == {"firms": 3.0, "diagnosed": None, "amount": 9.0}
    held = {"kind": "diagnosis", "district": "甲", "on": date(2026, 5, 1), "firms_attending": 1.0}
    reported = ran("C7", city(activities=[held]), defaults())
    assert reported.totals == {"firms": 3.0, "diagnosed": 1.0, "amount": None}
    assert reported.table["left"].tolist() == [1.0, 1.0]
