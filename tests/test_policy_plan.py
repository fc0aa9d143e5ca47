"""The rows of the plan: each stands once, is read whole, runs and gives figures."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from plan_footing import footing_of, shipped
from plan_panels import ROOT, panel_of
from plan_rows import DAY, IDS, run

from policy.plan.consequences import consequence, runner
from policy.plan.files import load_plans
from policy.plan.labels import label
from policy.plan.rows import KINDS, unknown_parameters
from policy.plan.settings import named
from tidu.errors import NotFound

PLAN = load_plans()["2025"]


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
