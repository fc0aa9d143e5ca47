"""The plan as data: every sentence once, and every row runs and gives something of its own."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plan_footing import footing_of, settings, shipped
from plan_panels import ROOT, panel_of

from features.panel import Panel
from policy.logic import MET, UNMET
from policy.plan.consequences import consequence, runner
from policy.plan.files import load_plans
from policy.plan.footing import Footing
from policy.plan.labels import label
from policy.plan.result import Result
from policy.plan.rows import KINDS, choose, parse, unknown_parameters
from policy.plan.settings import named
from tidu.errors import DataError, NotAvailable, NotFound

PLAN = load_plans()["2025"]
DAY = date(2024, 6, 30)
Record = dict[str, Any]

IDS = [
    "Z1", "Z2", "Z3", "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G12",
    "G13", "G14", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12",
    "A13", "A14", "A15", "B1", "B2", "B3", "B4", "B5", "B6", "C1", "C2", "C3", "C4", "C5", "C6",
    "C6b", "C7", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13",
    "D14", "D14b", "D15", "D16", "D17", "D17b", "D18", "D19", "D20", "E1", "E2", "E3", "E4",
    "E4b", "E5", "E6", "F1", "F2", "F3", "F4", "F5", "F6", "H1", "H2", "H3", "H4", "H5", "J1",
    "J2", "J3", "J4", "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K8b", "K8c", "K9", "K10",
    "K11", "L1", "L2", "L3", "L4", "L4b", "L5", "M1", "M2", "M3", "M4", "M5", "M6",
]  # fmt: skip

# What the plan says in figures, and where it must stand.
NUMBERS: dict[str, tuple[float, ...]] = {
    "Z1": (10,), "G1": (5000,), "G2": (2500,), "G3": (500,), "G4": (100,), "G5": (30,),
    "G6": (1000,), "G7": (4,), "G8": (15,), "G9": (75,), "G10": (200,), "G11": (300, 10),
    "G12": (300,), "G13": (100,), "G14": (500,), "A1": (4,), "A2": (3,), "A3": (6,), "A5": (3,),
    "A6": (6,), "A7": (200,), "A8": (50,), "A9": (500,), "A10": (100,), "A15": (1,), "B2": (7,),
    "D6": (50,), "D8": (5,), "D9": (30,), "D10": (100,), "D11": (3,), "D19": (1,), "E6": (1,),
    "F1": (50,), "H1": (3,), "K2": (1000,), "K4": (3000,), "K5": (4000,), "K6": (2000,),
    "K7": (2,),
}  # fmt: skip


def test_every_sentence_of_the_plan_stands_once() -> None:
    assert sorted(row.id for row in PLAN.rows) == sorted(IDS)
    assert len(PLAN.rows) == len(PLAN.by_id) == 115


def test_quotes_are_of_the_plan(root: Path) -> None:
    text = root.parent / "shared" / "plan.txt"
    if not text.is_file():
        pytest.skip("the plan's text is not beside the repository (../shared/plan.txt)")
    plan = text.read_text(encoding="utf-8")
    assert [row.id for row in PLAN.rows if row.quote not in plan] == []


def test_no_number_of_the_plan_is_lost() -> None:
    for name, numbers in NUMBERS.items():
        held = list(PLAN.row(name).numbers.values())
        assert all(number in held for number in numbers), name


def test_targets_have_units_in_both_languages_and_the_horizon_is_the_plans() -> None:
    assert PLAN.horizon == date(2025, 12, 31)
    for row in PLAN.rows:
        if row.kind == "target":
            assert row.detail["unit_zh"]
            assert row.detail["unit_en"]


def test_every_parameter_that_a_row_names_is_declared() -> None:
    assert unknown_parameters(PLAN, shipped()) == []
    assert len(unknown_parameters(PLAN, [])) > 50


def test_labels_are_of_their_language() -> None:
    for row in PLAN.rows:
        assert re.search("[一-鿿]", row.zh), row.id
        assert not re.search("[一-鿿]", row.en), row.id


def test_the_programmes_are_the_ten_and_every_row_has_one_but_goals_and_safeguards() -> None:
    assert len(PLAN.programmes) == 10
    outside = {row.id for row in PLAN.rows if not row.programme}
    assert outside == {name for name in IDS if name[0] in "ZGM"}


# -------------------------------------------------------------------------------- every row runs


def titled(firm: str, tier: str, issued: str, **more: Any) -> Record:
    on = date.fromisoformat(issued)
    own = {"purpose": "new", "expires_on": on.replace(year=on.year + 3)}
    return {"firm_id": firm, "tier": tier, "issued_on": on} | own | more


def finding(firm: str, criterion: str, **more: Any) -> Record:
    own = {"batch": "2024", "finding": "met", "attested_on": date(2024, 1, 10)}
    return {"firm_id": firm, "criterion": criterion} | own | more


@cache
def small_city() -> Panel:
    """A little giant, a provincial, a municipal, an innovative firm, two plain ones, one gone."""
    places = dict(zip("ABCDEFX", "甲甲乙乙丙丙丙", strict=True))
    firms = [
        {
            "firm_id": firm,
            "district": place,
            "is_manufacturing": float(firm in "ABD"),
            "industry_300": "industry",
            "founded_on": date(2022 if firm == "F" else 2008, 3, 1),
            "four_new_tag": "technology" if firm in "AB" else None,
            "local_feature_tag": float(firm == "C"),
            "irreplaceable_ip": float(firm == "A"),
            "city_out_on": date(2024, 2, 1) if firm == "X" else None,
        }
        for firm, place in places.items()
    ]
    titles = [
        titled("A", "little_giant", "2024-03-01"),
        titled("A", "srdi_provincial", "2022-03-01"),
        titled("B", "srdi_provincial", "2022-05-01", review_due=date(2024, 6, 1)),
        titled("C", "srdi_municipal", "2021-09-01"),
        titled("D", "innovative_sme", "2023-05-01"),
        titled("X", "srdi_municipal", "2022-05-01"),
    ]
    annual = [
        {
            "firm_id": firm,
            "year": year,
            "revenue": 1700.0 * (1 + n) * (1.25 if year == 2023 else 1.0),
            "main_revenue": 1400.0 * (1 + n) * (1.25 if year == 2023 else 1.0),
            "net_profit": 300.0 * (1 + n),
            "rd_expense": 90.0 * (1 + n),
            "employees": 100 + 10 * n + (year - 2022),
            "tax_paid": 50.0,
            "years_in_niche": 5.0,
            "niche_rank_province": 3 + n,
            "supplies_chain_leader": float(firm in "AC"),
            "fills_gap_flag": float(firm == "A"),
            "quality_benchmark_level": "prov" if firm == "B" else "none",
            "class1_ip_self": 2 - n % 3,
            "valuation_usd": 150.0 if firm == "F" else 1.0,
        }
        for n, firm in enumerate("FEDCBA")
        for year in (2022, 2023)
    ]
    applications = [
        {
            "firm_id": "B",
            "tier": "little_giant",
            "batch": "2024",
            "purpose": "new",
            "submitted_on": date(2024, 5, 1),
            "district_result": "passed",
            "city_result": "pending",
        },
        {
            "firm_id": "E",
            "tier": "innovative_sme",
            "batch": "2024",
            "purpose": "new",
            "submitted_on": date(2024, 5, 1),
            "district_result": "failed",
            "final_result": "failed",
            "decided_on": date(2024, 6, 1),
        },
    ]
    activities = [
        {"kind": kind, "district": "甲", "on": date(2024, 4, 1), "events_held": 2}
        | {"firms_attending": 30}
        for kind in ("matching", "listing_training", "manager_training", "exchange")
    ]
    attestations = [
        finding("A", "pool:listing_reserve"),
        finding("C", "pool:gazelle"),
        finding("D", "pool:unicorn"),
        finding("A", "A4", attested_by="张三"),
        finding("B", "A4", attested_by="李四"),
    ]
    events = [
        {"firm_id": "A", "kind": "listed", "on": date(2024, 5, 1), "board": "bse"},
        {"firm_id": "C", "kind": "quoted", "on": date(2023, 5, 1), "board": "regional"},
        {"firm_id": "B", "kind": "park_entry", "on": date(2023, 5, 1)},
    ]
    credit = [
        {"firm_id": firm, "year": 2023, "guarantee_fee_pct": 1.2, "guarantee_balance": 100.0}
        for firm in "AB"
    ]
    tables = {
        "firms": firms, "titles": titles, "annual": annual, "applications": applications,
        "activities": activities, "attestations": attestations, "events": events, "credit": credit,
    }  # fmt: skip
    return panel_of(DAY, tables)


def verdicts(tier: str) -> Any:
    """A tier's verdict for A to F and X: the first two meet it."""
    if tier == "unicorn":
        return None
    return np.array([MET, MET, UNMET, UNMET, UNMET, UNMET, UNMET], dtype=np.int8)


@cache
def footing() -> Footing:
    return footing_of(
        small_city(),
        tasks={"G3": {"甲": 2, "乙": 1}, "G4": {"甲": 2}},
        budgets={2024: {"甲": 300.0}},
        ground={"status": verdicts},
        rng=np.random.default_rng(1),
    )


def run(name: str) -> Result:
    return consequence(name, footing())


@pytest.mark.parametrize("name", IDS)
def test_every_row_runs_and_gives_figures_and_a_table(name: str) -> None:
    found = run(name)
    row = PLAN.row(name)
    assert (found.row, found.kind) == (name, row.kind)
    assert isinstance(found.table, pd.DataFrame)
    assert len(found.table.columns) >= 2
    assert found.totals
    assert all(v is None or isinstance(v, float) for v in found.totals.values())
    assert all(note.zh and note.en for note in found.notes)
    assert set(named(row.detail)) <= set(found.parameters), "what it rests on must be printed"


@pytest.mark.parametrize("name", IDS)
def test_every_row_runs_where_nothing_is_known(name: str) -> None:
    for covered in ([], ["title:little_giant"]):
        found = consequence(name, footing_of(panel_of(DAY, {}, covered)))
        assert found.totals


def test_rows_are_of_known_kinds_and_all_kinds_occur() -> None:
    assert {row.kind for row in PLAN.rows} == set(KINDS)
    for row in PLAN.rows:
        assert callable(runner(row))


def test_an_id_that_is_none_is_refused() -> None:
    with pytest.raises(NotFound, match="no row 'Q1'"):
        run("Q1")


OWN = [row.id for row in PLAN.rows if row.kind == "target" or row.id[0] in "ZM"]
OWN += ["A1", "A2", "A3", "A4", "A5", "A6", "A12"]


@pytest.mark.parametrize("name", OWN)
def test_every_figure_and_column_has_a_name_in_both_languages(name: str) -> None:
    found = run(name)
    metrics = tomllib.loads((ROOT / "policy/data/metrics/plan.toml").read_text(encoding="utf-8"))
    for code in {*found.totals, *found.table.columns} - set(KINDS) - set(metrics):
        zh, en = label(code, PLAN)
        assert re.search("[一-鿿]", zh), (code, zh)
        assert not re.search("[一-鿿]", en), (code, en)


# ----------------------------------------------------------------------------- goals, dimensions


def listed(found: Result, **where: Any) -> str:
    rows = found.table
    for column, value in where.items():
        rows = rows[(rows[column] == value).to_numpy()]
    return "".join(sorted(rows["firm_id"]))


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


# ---------------------------------------------------------------------------------------- pools


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


# ----------------------------------------------------------------------------------- safeguards


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


# ---------------------------------------------------------------------------- reading, choosing

HEAD = 'id = "x"\nzh = "方案"\nen = "Plan"\ndocument = "方案"\nhorizon = 2028-12-31\n'
HEAD += "starts_on = 2026-01-01\n"
ROW = """
[[rows]]
id = "T1"
zh = "目标"
en = "Target"
quote = "到2028年"
scope = "nat"
kind = "target"
numbers = { goal = 3 }
[rows.target]
form = "titles"
unit_zh = "家"
unit_en = "firms"
tiers = ["little_giant"]
"""


def problems(**files: str) -> list[str]:
    texts = {f"{name}.toml": text for name, text in files.items()}
    with pytest.raises(DataError, match=r"The plan x cannot be used: \d+ problem") as caught:
        parse(texts, "x")
    return [f"{i.file} {i.column}: {i.message} {i.value}" for i in caught.value.issues]


def test_a_plan_is_read() -> None:
    plan = parse({"plan.toml": HEAD, "goals.toml": ROW}, "x")
    assert plan.row("T1").numbers == {"goal": 3}
    assert plan.row("T1").file == "x/goals.toml"
    assert plan.basis == "stock"


def test_all_problems_come_at_once_each_with_file_and_key() -> None:
    bad = ROW.replace('zh = "目标"', 'zh = ""').replace('"nat"', '"mars"')
    bad = bad.replace("goal = 3", 'goal = "many"').replace('tiers = ["little_giant"]', "")
    found = problems(
        plan=HEAD.replace("2028-12-31", '"soon"').replace('en = "Plan"', "en = 3"),
        a=ROW,
        b=ROW,
        c=bad.replace("T1", "T2"),
        d="[[rows]\n",
        e=ROW.replace("T1", "T3").replace('"target"', '"wish"'),
        f=ROW.replace("T1", "T4").replace('form = "titles"', 'form = "guess"') + "\n[more]\n",
        g=ROW.replace("T1", "T5").replace(
            "[rows.target]", "programme = 'none'\nextra = 1\n[rows.target]"
        ),
        h=ROW.replace("T1", "T6").replace("numbers = { goal = 3 }", ""),
    )
    wanted = [
        ("x/plan.toml horizon", "a date"),
        ("x/plan.toml en", "must have a en"),
        ("x/b.toml T1", "must stand once"),
        ("x/c.toml T2.zh", "must have the text zh"),
        ("x/c.toml T2.scope", "mars"),
        ("x/c.toml T2.numbers.goal", "many"),
        ("x/c.toml T2.target.tiers", "must say tiers"),
        ("x/d.toml", "must be TOML"),
        ("x/e.toml T3.kind", "wish"),
        ("x/f.toml more", "[[rows]] only"),
        ("x/f.toml T4.target.form", "guess"),
        ("x/g.toml T5.programme", "one of plan.toml"),
        ("x/g.toml T5.extra", "extra"),
        ("x/h.toml T6.numbers.goal", "must have a goal"),
    ]
    for place, what in wanted:
        assert any(line.startswith(place) and what in line for line in found), (place, found)


def test_a_folder_without_a_plan_is_refused() -> None:
    assert problems(goals=ROW) == ["x/plan.toml : A plan must have a plan.toml. missing"]


def test_the_plan_of_a_day_is_the_newest_that_has_begun(tmp_path: Path) -> None:
    folder = tmp_path / "next"
    folder.mkdir()
    (folder / "plan.toml").write_text(HEAD, encoding="utf-8")
    (folder / "goals.toml").write_text(ROW, encoding="utf-8")
    plans = load_plans(tmp_path)
    chosen = settings()
    for day, name in ((2020, "2025"), (2025, "2025"), (2026, "x"), (2030, "x")):
        assert choose(plans, chosen, date(day, 1, 1)).id == name
    assert choose(plans, chosen, date(2030, 1, 1), "2025").id == "2025"
    with pytest.raises(NotFound, match="no plan '2031'"):
        choose(plans, chosen, DAY, "2031")
    with pytest.raises(NotFound, match="There is no plan"):
        choose({}, chosen, DAY)
    with pytest.raises(DataError, match="must have a first day"):
        choose(plans, settings(plan_since=None), DAY)


def test_a_second_plan_of_the_same_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "plan.toml").write_text(HEAD.replace('"x"', '"2025"'), encoding="utf-8")
    with pytest.raises(DataError, match="Two plans have one id"):
        load_plans(tmp_path)
