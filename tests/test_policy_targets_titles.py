"""Targets in titles: stock and flows equal an oracle; what no record says is no data."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from plan_footing import footing_of
from plan_panels import panel_of
from plan_targets import (
    DAY,
    GIANTS,
    TARGETS,
    Record,
    cities,
    day,
    days,
    found,
    giants,
    oracle,
    titled,
)

from policy.logic import MET
from policy.plan.presence import looking_back, present
from policy.plan.stock import FIGURES, Ledger
from policy.plan.targets import names


@given(cities())
def test_stock_and_flows_equal_the_oracle_and_add_up(tables: dict[str, list[Record]]) -> None:
    panel = panel_of(DAY, tables)
    start = date(2023, 12, 31)
    ledger = Ledger.of(panel, GIANTS)
    people = ledger.people(start, DAY)
    wanted = oracle(panel, GIANTS, start, DAY)
    for figure in FIGURES:
        assert set(people.loc[people[figure], "firm_id"]) == wanted[figure], figure
    total = {figure: int(people[figure].sum()) for figure in FIGURES}
    out = sum(total[name] for name in ("expired", "revoked", "moved_out", "gone"))
    begun = int(ledger.holds(start).sum())
    assert begun + total["new"] + total["other_in"] - out == total["stock"]


@given(cities(), days)
def test_looking_back_sees_the_stock_that_a_panel_of_that_day_saw(
    tables: dict[str, list[Record]], then: date
) -> None:
    """All rows were always known here, so that only what happened later makes a difference."""
    back = looking_back(panel_of(DAY, tables), then)
    stock = Ledger.of(back, GIANTS)
    now = Ledger.of(panel_of(DAY, tables), GIANTS)
    assert set(stock.ids[stock.holds(then)]) == set(now.ids[now.holds(then)])
    assert back.as_of == then


def test_a_firm_that_came_back_was_away_in_between() -> None:
    firm = {"firm_id": "A", "city_out_on": day("2022-03-01"), "city_in_on": day("2023-03-01")}
    panel = panel_of(DAY, {"firms": [firm]})
    dates = ["2022-02-28", "2022-03-01", "2023-02-28", "2023-03-01"]
    seen = [bool(present(panel, panel.firm_ids, day(text))[0]) for text in dates]
    assert seen == [True, False, False, True]


def test_looking_back_a_firm_that_came_later_was_elsewhere() -> None:
    firms = [
        {"firm_id": "A", "city_in_on": day("2024-03-01")},
        {"firm_id": "B", "city_out_on": day("2024-01-01"), "city_in_on": day("2024-03-01")},
        {"firm_id": "C", "city_out_on": day("2023-01-01"), "city_in_on": day("2024-03-01")},
    ]
    back = looking_back(panel_of(DAY, {"firms": firms}), day("2023-12-31"))
    assert present(back, back.firm_ids, back.as_of).tolist() == [False, True, False]
    assert (footing_of(back).ground.present == MET).tolist() == [False, True, False]


def test_the_fates_of_titles() -> None:
    result = found("G4", giants(), tasks={"G4": {"甲": 4, "丙": 2}})
    wanted = {
        "stock": "ABG",
        "cumulative": "ABCDEFGI",
        "new": "BI",
        "other_in": "G",
        "expired": "CK",
        "revoked": "DI",
        "moved_out": "E",
        "gone": "F",
    }
    assert {f: "".join(names(result, f)) for f in FIGURES} == wanted
    assert result.totals == {
        "value": 3.0,
        "goal": 100.0,
        "completion_pct": 3.0,
        "remaining": 97.0,
        "task_sum": 6.0,
        **{figure: float(len(firms)) for figure, firms in wanted.items()},
    }
    table = result.table.set_index("district")
    assert table.loc[["甲", "乙", "丙"], "value"].tolist() == [2.0, 1.0, 0.0]
    assert table.loc[["甲", "丙"], "completion_pct"].tolist() == [50.0, 0.0]
    assert table.loc["乙", ["task", "completion_pct"]].isna().all()
    assert names(result, "expired", "甲") == ("C", "K")
    said = " ".join(note.zh + note.en for note in result.notes)
    assert "任务分解合计6,全市目标100" in said
    assert "统计口径:有效存量" in said


def test_the_basis_may_be_all_ever_recognised() -> None:
    result = found("G4", giants(), parameters={"target_basis": "cumulative"})
    assert result.value == 8.0
    assert result.parameters["target_basis"] == "cumulative"
    assert len(names(result, "value")) == 8
    assert "统计口径:累计认定" in " ".join(note.zh for note in result.notes)


@pytest.mark.parametrize(
    ("row", "switch", "with_it", "without"),
    [
        ("G3", "provincial_counts_little_giants", "BCD", "BC"),
        ("G2", "srdi_counts_provincial", "ABCDE", "ADE"),
        ("G2", "srdi_counts_little_giants", "ABCDE", "ABCE"),
        ("G2", "srdi_counts_champions", "ABCDE", "ABCD"),
        ("G1", "innovative_counts_higher", "ABCDEF", "CF"),
    ],
)
def test_overlaps_are_the_citys_to_decide(
    row: str, switch: str, with_it: str, without: str
) -> None:
    """C holds two titles and counts once, whatever is decided."""
    held = [
        ("A", "srdi_municipal"),
        ("B", "srdi_provincial"),
        ("C", "srdi_provincial"),
        ("C", "innovative_sme"),
        ("D", "little_giant"),
        ("E", "single_champion_product"),
        ("F", "innovative_sme"),
    ]
    titles = [titled(firm, tier, "2023-05-01") for firm, tier in held]
    panel = panel_of(DAY, {"firms": [{"firm_id": f} for f in "ABCDEF"], "titles": titles})
    for decided, firms in ((True, with_it), (False, without)):
        result = found(row, panel, parameters={switch: decided})
        assert "".join(names(result, "value")) == firms
        assert result.parameters[switch] is decided


def test_a_firm_with_several_champion_products_is_one_firm() -> None:
    rows = [
        titled("A", "single_champion_product", "2022-05-01"),
        titled("A", "single_champion_product", "2023-05-01"),
        titled("A", "single_champion", "2023-05-01"),
    ]
    assert found("G5", panel_of(DAY, {"firms": [{"firm_id": "A"}], "titles": rows})).value == 1.0


@pytest.mark.parametrize("row", TARGETS)
def test_without_any_row_there_is_no_data(row: str) -> None:
    result = found(row, panel_of(DAY, {"firms": [{"firm_id": "A"}]}, covered=[]))
    assert result.value is None
    assert result.completion_pct is None
    assert result.remaining is None
    assert result.forecast is None
    assert result.table["value"].isna().all()
    assert any(note.en in ("No data", "No membership is on record") for note in result.notes)


def test_where_absence_means_something_it_is_a_zero() -> None:
    panel = panel_of(DAY, {"firms": [{"firm_id": "A", "district": "甲"}]})
    for row in ("G1", "G4", "D8", "D9"):
        result = found(row, panel)
        assert (result.value, result.completion_pct) == (0.0, 0.0), row
    assert found("G6", panel).value == 0.0  # nobody holds a title: the base is known to be empty


def test_a_missing_column_is_no_data_and_a_missing_cell_is_unknown() -> None:
    titles = [titled(f, "srdi_municipal", "2023-05-01") for f in "AB"]
    firms: list[Record] = [{"firm_id": f} for f in "AB"]
    assert found("G12", panel_of(DAY, {"firms": firms, "titles": titles})).value is None
    firms[0]["local_feature_tag"] = 0
    result = found("G12", panel_of(DAY, {"firms": firms, "titles": titles}))
    assert (result.value, result.totals["unknown"]) == (0.0, 1.0)
    assert names(result, "unknown") == ("B",)
