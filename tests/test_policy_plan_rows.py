"""What single rows of the plan come to: goals, dimensions, pools, safeguards."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from plan_footing import footing_of
from plan_panels import panel_of
from plan_rows import DAY, listed, run, small_city, verdicts

from policy.plan.consequences import consequence
from policy.plan.rows import KINDS
from tidu.errors import NotAvailable


def test_the_catalogue_counts_every_row_of_every_programme() -> None:
    found = run("Z1")
    table = found.table.set_index("programme")
    assert found.totals == {"programmes": 10.0, "rows": 92.0, "rows_outside": 23.0}
    assert table.loc["cultivation", "rows"] == 15
    assert table.loc["finance", "target"] == 5
    assert (table[list(KINDS)].sum(axis=1) == table["rows"]).all()


def test_manufacturing_comes_first_among_equals() -> None:
    found = run("Z2")
    # A and B make things and spend the same on research; B has the patent of its own.
    assert found.table["firm_id"].tolist() == ["B", "A", "C"]
    assert found.totals["share_pct"] == pytest.approx(200 / 3)


def test_jobs_and_chain_indicators_by_district() -> None:
    found = run("Z3")
    assert found.totals["jobs"] == 151 + 141 + 131
    assert found.totals["jobs_change"] == 3.0
    assert (found.totals["suppliers"], found.totals["gap_fillers"]) == (2.0, 1.0)
    jobs = found.table[(found.table["id"] == "jobs").to_numpy()].set_index("district")["value"]
    assert jobs.to_dict() == {"": 423.0, "甲": 292.0, "乙": 131.0}
    nothing = consequence("Z3", footing_of(panel_of(DAY, {})))
    assert set(nothing.totals.values()) == {None}


def test_the_four_dimensions() -> None:
    found = run("A1")
    assert found.table["dimension"].unique().tolist() == [
        "scale", "character", "growth", "innovation",
    ]  # fmt: skip
    revenue = found.table.set_index("metric").loc["revenue"]
    assert (revenue["firms"], revenue["median"]) == (4, pytest.approx(1.25 * 1700 * 4.5))


def test_the_six_qualities() -> None:
    found = run("A6")
    own = ("demand", "niche", "core", "technology", "chain", "supply")
    assert [found.totals[name] for name in own] == [3.0, 3.0, 3.0, 2.0, 1.0, 2.0]


def test_the_three_stages_are_one_per_firm_and_tier() -> None:
    found = run("A2")
    for tier, part in found.table.groupby("tier"):
        assert part["firm_id"].tolist() == list("ABCDEFX"), tier
    raised = footing_of(
        small_city(),
        ground={"status": verdicts},
        chances={"G4": np.array([0.9, 0.8, 0.1, 0.1, np.nan, 0.1, 0.1])},
    )
    table = consequence("A2", raised).table
    giants = table[(table["tier"] == "little_giant").to_numpy()].set_index("firm_id")["code"]
    # A is one already; B meets the verdict; E and F are the better half by growth, or none.
    assert (giants["A"], giants["B"], giants["X"]) == ("none", "upgrade", "none")


def test_stages_without_a_definition_are_refused() -> None:
    with pytest.raises(NotAvailable, match="stages must have a definition"):
        consequence("A2", footing_of(small_city(), definition=None))


def test_the_six_pools() -> None:
    found = run("A3")
    assert found.table["pool"].nunique() == 6
    assert listed(found, pool="srdi", state="candidate") == "D"
    assert listed(found, pool="little_giant", state="candidate") == "B"
    # 1700 × 1.25 in revenue, 1400 × 1.25 = 1750 of it main: below the line of 2000 and growing.
    assert listed(found, pool="above_scale", state="candidate") == "F"
    assert listed(found, pool="unicorn", state="candidate") == "F"
    # B and C are SRDI and large enough; A is listed: an official's member that is due to leave.
    assert listed(found, pool="listing_reserve", state="candidate") == "BC"
    assert listed(found, pool="listing_reserve", state="leaving") == "A"
    # Sixteen years old: no gazelle to be, whatever the finding says.
    assert listed(found, pool="gazelle", state="leaving") == "C"
    assert found.totals["gazelle_candidates"] == 1.0
    assert found.totals["srdi_members"] is None
    assert any("尚无入库记录" in note.zh for note in found.notes)


def test_entry_conditions_are_parameters() -> None:
    higher = footing_of(small_city(), parameters={"scale_pool_revenue": 2126})
    assert listed(consequence("A3", higher), pool="above_scale") == ""


def test_support_and_reviews_that_are_due() -> None:
    found = run("A4")
    table = found.table.set_index(["firm_id", "tier"])
    # The window is a year: B's review is overdue, A's provincial and C's title expire within it.
    assert table["state"].to_dict() == {
        ("B", "srdi_provincial"): "overdue",
        ("A", "srdi_provincial"): "due",
        ("C", "srdi_municipal"): "due",
    }
    assert table["officer"].to_dict() == {
        ("B", "srdi_provincial"): "李四",
        ("A", "srdi_provincial"): "张三",
        ("C", "srdi_municipal"): "",
    }
    assert found.totals["little_giant_in"] == 1.0
    assert found.totals["srdi_municipal_out"] == 1.0
    assert (found.totals["overdue"], found.totals["without_officer"]) == (1.0, 1.0)


def test_phases_of_life() -> None:
    found = run("A5")
    assert listed(found, phase="strong") == "ABCD"
    assert listed(found, phase="incubation") == "F"
    assert listed(found, phase="growing") == "E"
    assert found.totals["unknown"] == 0.0


def test_the_ladder_names_each_firms_next_rungs() -> None:
    found = run("A12")
    rungs = {(f, n): v for f, n, v in found.table[["firm_id", "next", "verdict"]].to_numpy()}
    assert rungs == {
        ("A", "single_champion"): "met",
        ("A", "gazelle"): "met",
        ("B", "little_giant"): "met",
        ("B", "gazelle"): "met",
        ("C", "srdi_provincial"): "unmet",
        ("D", "srdi_municipal"): "unmet",
        ("D", "srdi_provincial"): "unmet",
        ("E", "innovative_sme"): "unmet",
        ("F", "innovative_sme"): "unmet",
    }
    law = found.table[found.table["law"].to_numpy()]
    assert set(law["next"]) == {"srdi_provincial", "little_giant"}


def test_budgets_beside_stock_and_what_is_due() -> None:
    found = run("M1")
    table = found.table.set_index("district")
    assert table.loc[["甲", "乙", "丙"], "G2_value"].tolist() == [2.0, 1.0, 0.0]
    assert table.loc["甲", "budget"] == 300.0
    assert pd.isna(table.loc["乙", "budget"])
    # B's 50 and A's 50 of 2022 are still to be paid; A's 200 fall due next year; the half is 甲's.
    assert table.loc["甲", "due"] == 50.0
    assert table.loc["甲", "short"] == 0.0
    assert found.totals["districts_without_budget"] == 2.0


def test_the_steps_of_an_application() -> None:
    found = run("M2")
    table = found.table.set_index("step")
    assert table.loc[["submitted", "district", "city"], "recorded"].tolist() == [2.0, 2.0, 1.0]
    assert table.loc["district", ["passed", "failed"]].tolist() == [1.0, 1.0]
    assert found.totals == {"applications": 2.0, "undecided": 1.0}
    assert consequence("M2", footing_of(panel_of(DAY, {}))).totals == {"applications": None}


def test_model_firms_are_a_list() -> None:
    found = run("M3")
    # B by its benchmark; A, B and C rank 8, 7 and 6 in their niche.
    assert listed(found) == "B"
    assert (
        listed(consequence("M3", footing_of(small_city(), parameters={"model_firm_rank": 6})))
        == "BC"
    )


def test_the_league_ranks_districts_by_their_own_tasks() -> None:
    found = run("M4")
    table = found.table.set_index("district")
    # 甲: two of two provincial (little giants count), one of two giants; 乙: none of one.
    assert table.loc["甲", ["G3_completion_pct", "G4_completion_pct"]].tolist() == [100.0, 50.0]
    assert table.loc[["甲", "乙"], "rank"].tolist() == [1.0, 2.0]
    assert pd.isna(table.loc["丙", "rank"])
    assert found.table["district"].tolist() == ["甲", "乙", "丙"]


def test_the_progress_report_holds_all_targets() -> None:
    found = run("M5")
    assert found.totals["targets"] == 22.0
    table = found.table.set_index("row")
    assert table.loc["G4", ["goal", "value", "remaining"]].tolist() == [100.0, 1.0, 99.0]
    assert table.loc["D19", "value"] == pytest.approx(1.2)
    assert not table["past"].any()
    assert table.loc["G4", "low"] <= table.loc["G4", "high"]
    assert table.loc["G4", "chance"] == 0.0
    assert {"target_basis", "rd_intensity_reading", "growth_reading"} <= set(found.parameters)


def test_units_and_persons_of_the_year() -> None:
    found = run("M6")
    units = found.table[(found.table["kind"] == "unit").to_numpy()].set_index("name")
    assert units.loc["甲", ["new", "rank"]].tolist() == [1.0, 1]
    persons = found.table[(found.table["kind"] == "person").to_numpy()].set_index("name")
    assert persons["new"].to_dict() == {"张三": 1.0, "李四": 0.0}
    assert persons["rank"].to_dict() == {"张三": 1, "李四": 2}
