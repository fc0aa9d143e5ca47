"""Single rows of support, and products: the white list, loans, boards, shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plan_measures import DAY, Row, city, gaps, titled
from plan_panels import defaults, ground_of, panel_of, plan

from features.facts import LADDER
from policy.logic import MET, UNMET
from policy.plan.measures import run, run_criterion, run_report, without_minor
from policy.plan.products import run as run_product
from policy.plan.products import white_list


def test_a_measure_lists_firms_and_counts_those_with_a_gap() -> None:
    panel = city(
        activities=[{"kind": "energy_diagnosis", "district": "甲", "on": date(2026, 3, 1),
                     "events_held": 2.0, "firms_attending": 5.0}],
    )  # fmt: skip
    result = run(plan()["J1"], ground_of(panel, {}))
    assert result.totals == {
        "firms": 3.0, "open_firms": 0.0, "firms_with_gap": 0.0, "events_held": 2.0,
        "firms_attending": 5.0,
    }  # fmt: skip
    silent = run(plan()["J1"], ground_of(city(), {}))
    assert silent.totals["events_held"] is None
    known = gaps({firm: [MET, UNMET, MET] for firm in "ABCDE"})
    counted = run(plan()["C6"], ground_of(panel, {}, gaps=lambda _: known))
    assert counted.totals["firms_with_gap"] == 3.0


def test_groups() -> None:
    panel = city(firms=[{"firm_id": "A", "tech_field": "new_materials", "district": "甲"}])
    figures = {"tech_field": {"A": "new_materials"}}
    table = run(plan()["B2"], ground_of(panel, figures)).table
    assert dict(zip(table["firm_id"], table["group"], strict=True))["A"] == "new_materials"
    assert run(plan()["H5"], ground_of(panel, {})).table["group"].tolist()[0] == "甲"


def test_super_deduction() -> None:
    panel = city(titles=[titled("A", "high_tech"), titled("B", "srdi_provincial")])
    figures = {
        "rd_expense": {"A": 200.0, "B": 100.0, "C": 0.0},
        "industry_300": dict.fromkeys("ABC", "industry"),
    }
    table = run(plan()["K1"], ground_of(panel, figures)).table.set_index("firm_id")
    assert table.loc["A", ["deduction", "tax_effect"]].tolist() == [200.0, 30.0]
    assert table.loc["B", ["deduction", "tax_effect"]].tolist() == [100.0, 25.0]
    shops = {**figures, "industry_300": {"A": "retail", "B": "industry"}}
    assert "A" not in set(run(plan()["K1"], ground_of(panel, shops)).table["firm_id"])


def test_single_source_is_in_no_total_before_the_citys_review() -> None:
    figures = {"irreplaceable_ip": {"A": 1.0}}
    before = run(plan()["F5"], ground_of(city(), figures))
    assert before.totals == {"firms": 0.0, "unreviewed_firms": 1.0}
    assert all("公平竞争审查" in note.zh for note in before.notes)
    reviewed = replace(defaults(), reviewed=frozenset({"F5"}))
    after = run(plan()["F5"], ground_of(city(), figures, settings=reviewed))
    assert after.totals["firms"] == 1.0


def test_traits_are_counted() -> None:
    figures = {
        "main_share_pct": {"A": 75.0, "B": 74.9}, "niche_rank_province": {"A": 10.0, "B": 11.0},
        "main_growth_pct": {"A": 3.0}, "plan_net_profit_growth_pct": {"A": 15.0},
        "years_in_niche": {"A": 3.0}, "rd_ratio_pct": {"A": 4.0},
    }  # fmt: skip
    result = run_criterion(plan()["A14"], ground_of(city(), figures))
    assert result.totals["all_traits"] == 1.0
    table = result.table.set_index("firm_id")
    assert table.loc["A", "traits"] == 5
    assert table.loc["B", ["main", "competitive", "growing"]].tolist() == [
        "unmet",
        "unmet",
        "unknown",
    ]


def test_minor_offences_are_left_out_and_counted() -> None:
    def record(firm: str, **more: Any) -> Row:
        return {"firm_id": firm, "kind": "penalty", "on": date(2025, 5, 1)} | more

    panel = city(
        events=[
            record("A", exempt_minor=1.0, repaired_on=date(2025, 9, 1)),
            record("B", exempt_minor=0.0),
            record("C", repaired_on=date(2025, 9, 1)), record("D", exempt_minor=1.0), record("E"),
        ]
    )  # fmt: skip
    assert without_minor(panel)["firm_id"].tolist() == ["A", "C", "D"]
    result = run_criterion(plan()["L5"], ground_of(panel, {}))
    assert result.totals == {"records": 3.0, "exempt": 2.0, "repaired": 1.0, "firms": 3.0}


def test_the_white_list_is_every_valid_provincial_title_or_higher() -> None:
    panel = panel_of(
        DAY,
        {
            "firms": [{"firm_id": f, "district": "甲"} for f in "ABCDEFG"],
            "titles": [
                titled("A", "little_giant"), titled("B", "srdi_provincial"),
                titled("C", "srdi_municipal"), titled("D", "single_champion"),
                titled("E", "srdi_provincial") | {"expires_on": date(2026, 11, 21)},
                titled("F", "srdi_provincial"),
                titled("G", "srdi_provincial") | {"expires_on": date(2026, 11, 22)},
            ],
            "events": [
                {"firm_id": "B", "kind": "dishonest_list", "on": date(2026, 1, 1)},
                {"firm_id": "A", "kind": "dishonest_list", "on": date(2024, 1, 1),
                 "ended_on": date(2025, 1, 1)},
            ],
            "attestations": [
                {"firm_id": "F", "criterion": "D17", "batch": "2026", "finding": "unmet",
                 "evidence": "停产半年以上"},
            ],
        },
    )  # fmt: skip
    table = white_list(plan()["D17"], panel).set_index("firm_id")
    assert table["state"].to_dict() == {
        "A": "listed", "B": "excluded", "F": "removed", "G": "listed"
    }  # fmt: skip
    assert table.loc["F", "reason"] == "停产半年以上"
    totals = run_product(plan()["D17"], ground_of(panel, {})).totals
    assert totals == {
        "listed": 2.0, "excluded": 1.0, "removed": 1.0, "unknown": 0.0, "title_unknown": 0.0
    }  # fmt: skip


def test_records_that_do_not_reach_far_enough_leave_the_white_list_open() -> None:
    panel = city(covered=[f"title:{tier}" for tier in LADDER])
    assert white_list(plan()["D17"], panel)["state"].tolist() == ["unknown", "unknown"]


def test_the_white_list_is_an_input_to_nothing(root: Path) -> None:
    """It is speed: no verdict, chance, limit or price may know it."""
    users = {
        path.relative_to(root).as_posix()
        for package in ("policy", "features", "model")
        for path in (root / package).rglob("*.py")
        if "white_list" in path.read_text(encoding="utf-8")
    }
    assert users == {"policy/plan/products.py"}


def test_loans_by_title_and_admission() -> None:
    fine = {
        "age_years": 5.0, "debt_ratio_pct": 70.0, "tax_credit_grade": "B", "arrears_days": 0.0
    }  # fmt: skip
    figures = {name: dict.fromkeys("ABC", value) for name, value in fine.items()}
    figures["debt_ratio_pct"] = {"A": 70.0, "B": 70.1, "C": 10.0}
    result = run_product(plan()["D1"], ground_of(city(), figures))
    assert result.table[["firm_id", "offer", "high", "years"]].to_numpy().tolist() == [
        ["A", "titled", 3000.0, 3.0], ["C", "innovative", 1000.0, 3.0]
    ]  # fmt: skip
    assert result.notes[-1].zh.startswith("条款为公开资料示例")
    assert set(result.parameters) == {"bank_least_years", "bank_most_debt_pct"}


def test_receivables_give_a_range() -> None:
    table = run_product(
        plan()["D12"], ground_of(city(), {"receivables": {"A": 1000.0, "B": 0.0}})
    ).table
    assert table[["firm_id", "status", "low", "high"]].to_numpy().tolist()[0] == [
        "A",
        "met",
        500.0,
        800.0,
    ]
    assert "B" not in set(table["firm_id"])


def test_boards_by_title() -> None:
    panel = city(
        events=[{"firm_id": "A", "kind": "listed", "on": date(2024, 5, 1), "board": "bse"}]
    )
    statuses = {"bse": np.array([MET, UNMET, MET, MET, MET], dtype=np.int8)}
    table = run_product(plan()["D7"], ground_of(panel, {}, status=statuses.get)).table
    assert table[["firm_id", "board", "verdict"]].to_numpy().tolist() == [
        ["B", "bse", "unmet"], ["B", "star", "unknown"], ["B", "gem", "unknown"],
        ["C", "neeq_base", "unknown"],
    ]  # fmt: skip


def test_data_families_and_the_share_of_unsecured_loans() -> None:
    panel = city(
        credit=[
            {"firm_id": "A", "year": 2025, "loan_balance": 100.0, "unsecured_balance": 20.0},
            {"firm_id": "B", "year": 2025, "loan_balance": 300.0, "unsecured_balance": 180.0},
            {"firm_id": "C", "year": 2025, "loan_balance": 900.0},
        ]
    )
    names = plan()["D3"].details["product"]["columns"]
    figures = {name: {"A": 1.0} for name in names} | {"tax_paid": {"A": 1.0, "B": 2.0}}
    result = run_product(plan()["D3"], ground_of(panel, figures))
    assert result.totals == {"firms": 3.0, "firms_all_families": 1.0, "unsecured_pct": 50.0}
    assert result.table["known"].tolist() == [5, 1, 0]


def test_inclusive_finance_in_three_figures() -> None:
    panel = city(
        credit=[
            {"firm_id": "A", "year": 2025, "loan_balance": 100.0, "unsecured_balance": 20.0,
             "guarantee_balance": 3000.0, "guarantee_fee_pct": 1.0},
            {"firm_id": "B", "year": 2025, "guarantee_balance": 3001.0},
            {"firm_id": "C", "year": 2024, "guarantee_balance": 9.0},
            {"firm_id": "C", "year": 2025, "guarantee_balance": 1000.0, "guarantee_fee_pct": 2.0},
        ]
    )  # fmt: skip
    totals = run_report(plan()["D17b"], ground_of(panel, {})).totals
    assert totals["unsecured_pct"] == 20.0
    assert totals["bank_risk"] == pytest.approx(0.2 * 7001.0)
    assert totals["mean_fee_pct"] == pytest.approx(1.25)
    assert totals["over_cap"] == 1.0
    assert run_report(plan()["D17b"], ground_of(city(), {})).totals["mean_fee_pct"] is None
