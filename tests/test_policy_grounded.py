"""The plan on the law itself: every row runs, and figures equal those of a plain evaluator."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest
from plan_footing import footing_of, stage_definition
from plan_panels import panel_of
from plan_rows import IDS, small_city, titled
from test_policy_targets import AFTER, TARGETS, whole_city

from features.panel import Panel
from policy.loading import load
from policy.plan.consequences import consequence
from policy.plan.files import load_plans
from policy.plan.footing import Footing
from policy.plan.grounded import accounts_year, check, footing, settings_of, wanted
from policy.plan.rows import Plan, parse
from policy.plan.targets import target
from policy.situation import Situation
from tidu.errors import DataError

LAW = load()
PLAN = load_plans()["2025"]
DAY = date(2024, 6, 30)


def standing(panel: Panel) -> Footing:
    found = footing(Situation(LAW, panel), PLAN)
    return replace(found, definition=stage_definition(found.settings))


def test_the_shipped_plan_fits_the_shipped_law() -> None:
    check(PLAN, LAW)
    inputs = wanted(PLAN, LAW)
    assert {"has(four_new_tag, technology)", "net_profit[-1]", "niche_rank_province"} <= set(inputs)


@cache
def footings() -> tuple[Footing, ...]:
    return standing(small_city()), standing(panel_of(DAY, {}, []))


@pytest.mark.parametrize("name", IDS)
def test_every_row_runs_on_the_law(name: str) -> None:
    for on in footings():
        assert consequence(name, on).totals


@pytest.mark.parametrize("day", [DAY, AFTER])
def test_figures_equal_the_plain_evaluators(day: date) -> None:
    panel = whole_city(day)
    law, plain = standing(panel), footing_of(panel)
    for name in TARGETS:
        ours, theirs = target(PLAN.row(name), law), target(PLAN.row(name), plain)
        assert ours.totals == pytest.approx(theirs.totals), name
        pd.testing.assert_frame_equal(ours.table, theirs.table)
        assert ours.notes == theirs.notes, name


def test_a_forecast_stands_on_the_law() -> None:
    on_law = replace(standing(whole_city()), rng=np.random.default_rng(1))
    plain = footing_of(whole_city(), rng=np.random.default_rng(1))
    for name in ("G4", "G9", "G10"):
        ours, theirs = target(PLAN.row(name), on_law), target(PLAN.row(name), plain)
        assert ours.totals == pytest.approx(theirs.totals), name


def test_dates_of_the_law_are_dates_again() -> None:
    chosen = settings_of(LAW)
    assert PLAN.since(chosen) == date(2022, 1, 1)
    assert isinstance(chosen.parameters["reward_since"], date)
    assert PLAN.since(replace(chosen, parameters={"plan_since": "2023-05-01"})) == date(2023, 5, 1)


def test_a_tier_without_an_edition_has_no_verdict() -> None:
    ground = standing(small_city()).ground
    assert ground.status("no_such_tier") is None
    assert ground.gaps("no_such_tier") is None
    gaps = ground.gaps("little_giant")
    assert gaps is not None
    assert gaps.criteria.shape == (len(small_city().firm_ids), len(gaps.names))
    assert any("main_share_pct" in tags for tags in gaps.tags)


HEAD = 'id = "x"\nzh = "方案"\nen = "Plan"\ndocument = "方案"\nhorizon = 2028-12-31\n'
HEAD += "starts_on = 2026-01-01\n"


def plan_of(who: str) -> Plan:
    row = (
        '[[rows]]\nid = "T1"\nzh = "目标"\nen = "Target"\nquote = "q"\nscope = "nat"\n'
        'kind = "target"\nnumbers = { goal = { param = "no_such_number" } }\n[rows.target]\n'
        'form = "condition"\nunit_zh = "家"\nunit_en = "firms"\nbase = "all"\n' + who
    )
    return parse({"plan.toml": HEAD, "goals.toml": row}, "x")


def test_a_plan_that_the_law_does_not_know_is_refused_with_all_problems() -> None:
    parts = (
        '{ metric = "no_such_metric", at_least = 3 }',
        '{ metric = "revenue", at_least = "much" }',
    )
    plan = plan_of(f"who = {{ all = [{', '.join(parts)}] }}\n")
    with pytest.raises(DataError, match="The plan x must hold") as caught:
        check(plan, LAW)
    found = [f"{i.file} {i.column} {i.message} {i.value}" for i in caught.value.issues]
    assert any("x/goals.toml T1" in line and "no_such_number" in line for line in found)
    assert any("T1.target.who.all[0].metric" in line for line in found)
    assert any("T1.target.who.all[1]" in line and "much" in line for line in found)


def accounts(*counts: tuple[int, int]) -> Panel:
    rows = [
        {"firm_id": f"{i:03d}", "year": year, "revenue": 1.0}
        for year, firms in counts
        for i in range(firms)
    ]
    return panel_of(AFTER, {"annual": rows})


def test_a_year_counts_once_enough_firms_have_reported() -> None:
    panel = accounts((2023, 10), (2024, 10), (2025, 4))
    assert accounts_year(panel, 2025, 50.0) == 2024
    assert accounts_year(panel, 2025, 40.0) == 2025
    assert accounts_year(panel, 2023, 50.0) == 2023
    assert accounts_year(panel_of(AFTER, {}), 2025, 50.0) == 2025


def test_figures_say_of_which_year_they_are() -> None:
    firms = [{"firm_id": f"{i:03d}"} for i in range(10)]
    titles = [titled(f["firm_id"], "srdi_municipal", "2023-05-01") for f in firms]
    annual = [
        {"firm_id": f["firm_id"], "year": year, "class1_ip_self": 1}
        for year in (2023, 2024, 2025)
        for f in (firms if year < 2025 else firms[:3])
    ]
    panel = panel_of(date(2026, 2, 1), {"firms": firms, "titles": titles, "annual": annual})
    found = target(PLAN.row("G14"), standing(panel))
    assert (found.value, found.totals["unknown"]) == (10.0, 0.0)
    assert any(note.zh == "企业数据年度:2024" for note in found.notes)
