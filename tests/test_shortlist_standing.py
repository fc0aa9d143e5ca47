"""What a snapshot stores for shortlists: why a firm is outside, who applied, sizes, stages."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plan_panels import EVERYTHING, panel_of

from features.facts import LADDER
from policy.loading import load
from policy.loading import standing as law_in_force
from policy.plan.files import load_plans
from policy.situation import Situation
from serving.planned import run_on, stand
from serving.shortlist.codes import OUTSIDE, STAGES, UNKNOWN
from serving.shortlist.standing import Search, Standing, standing_of
from tidu.errors import Refused

DAY = date(2026, 6, 30)
TIER = "little_giant"
COVERED = (*EVERYTHING, *(f"application:{tier}" for tier in LADDER))
FIRMS = ("banned", "bare", "closed", "giant", "left", "ready", "top")


def held(firm: str, tier: str, **more: Any) -> dict[str, Any]:
    title = {"firm_id": firm, "tier": tier, "issued_on": date(2024, 7, 1), "purpose": "new",
             "expires_on": date(2027, 7, 1)}  # fmt: skip
    return title | more


def tables() -> dict[str, list[dict[str, Any]]]:
    firms: list[dict[str, Any]] = [
        {"firm_id": firm, "district": "甲区", "control_group_id": "G1", "industry_300": "industry"}
        for firm in FIRMS
    ]
    firms[FIRMS.index("left")]["city_out_on"] = date(2025, 1, 1)
    firms[FIRMS.index("ready")]["niche_name"] = "轴承"
    return {
        "firms": firms,
        "titles": [
            held("giant", TIER),
            held("top", "single_champion"),
            held("ready", "srdi_provincial"),
            held("banned", "srdi_provincial", ban_until=date(2027, 1, 1)),
            held("closed", "srdi_provincial"),
        ],
        "events": [{"firm_id": "closed", "kind": "closure", "on": date(2026, 1, 5)}],
        "annual": [
            {"firm_id": "ready", "year": 2025, "employees": 120.0, "revenue": 9000.0},
            {"firm_id": "bare", "year": 2025, "employees": 120.0},
        ],
    }


def laid(
    rows: dict[str, list[dict[str, Any]]], covered: tuple[str, ...] = COVERED
) -> tuple[Situation, Standing]:
    situation = Situation(law_in_force(), panel_of(DAY, rows, covered))
    return situation, standing_of(situation, None, {}, Search())


def test_the_reason_why_a_firm_is_outside_is_the_first_that_holds() -> None:
    situation, found = laid(tables())
    codes = found.rungs[TIER].outside
    told = dict(zip(situation.panel.firm_ids, (OUTSIDE[c] for c in codes), strict=True))
    assert told == {
        "banned": "banned",
        "bare": "no_lower_title",
        "closed": "gone",
        "giant": "holds_title",
        "left": "moved_out",
        "ready": "",
        "top": "holds_higher",
    }
    assert set(found.rungs) == set(LADDER)


def test_a_size_that_figures_leave_open_is_unknown() -> None:
    _, found = laid(tables())
    assert found.size[FIRMS.index("ready")] == "small"
    assert found.size[FIRMS.index("bare")] is None, "revenue is not known: two classes fit"
    assert found.niche[FIRMS.index("ready")] == "轴承"
    assert found.niche[FIRMS.index("bare")] is None


@pytest.mark.parametrize(
    ("row", "applied"),
    [
        ({"batch": "2026-little_giant", "submitted_on": date(2026, 5, 1)}, True),
        ({"batch": "第八批", "submitted_on": date(2026, 5, 1)}, True),
        ({"batch": "2025-little_giant", "submitted_on": date(2025, 5, 1)}, False),
        ({"batch": "2026-x", "submitted_on": date(2026, 5, 1), "purpose": "review"}, False),
        ({"batch": "2026-x", "submitted_on": date(2026, 5, 1), "tier": "gazelle"}, False),
    ],
)
def test_who_applied_in_the_batch(row: dict[str, Any], applied: bool) -> None:
    own = {"firm_id": "ready", "tier": TIER, "purpose": "new"} | row
    _, found = laid(tables() | {"applications": [own]})
    rung = found.rungs[TIER]
    assert rung.applied[FIRMS.index("ready")] == int(applied)
    assert rung.applied[FIRMS.index("bare")] == 0
    assert rung.about["batch"]["id"] == "2026-little_giant"
    assert rung.about["batch"]["state"] == "undeclared"


def test_without_coverage_nobody_is_said_not_to_have_applied() -> None:
    row = {"firm_id": "ready", "tier": TIER, "purpose": "new", "batch": "2026-little_giant",
           "submitted_on": date(2026, 5, 1)}  # fmt: skip
    _, found = laid(tables() | {"applications": [row]}, EVERYTHING)
    applied = found.rungs[TIER].applied
    assert applied[FIRMS.index("ready")] == 1, "what is on record is known"
    assert (np.delete(applied, FIRMS.index("ready")) == UNKNOWN).all()
    assert not found.rungs[TIER].about["batch"]["covered"]


@pytest.mark.parametrize(
    ("opens", "closes", "state", "applied"),
    [
        ("2026-07-05", "2026-07-25", "not_yet", 0),
        ("2026-06-25", "2026-07-25", "open", 0),
        ("2026-04-25", "2026-05-25", "closed", 1),
    ],
)
def test_a_declared_batch_says_how_it_stands(
    tmp_path: Path, opens: str, closes: str, state: str, applied: int
) -> None:
    city = tmp_path / "city.toml"
    city.write_text(
        f'[[batches]]\ntier = "{TIER}"\nyear = 2026\npurpose = "new"\nopens_on = {opens}\n'
        f"closes_on = {closes}\ndata_year = 2025\nquota = 20\n",
        encoding="utf-8",
    )
    row = {"firm_id": "ready", "tier": TIER, "purpose": "new", "batch": "第八批",
           "submitted_on": date(2026, 5, 1)}  # fmt: skip
    panel = panel_of(DAY, tables() | {"applications": [row]}, COVERED)
    rung = standing_of(Situation(load(city), panel), None, {}, Search()).rungs[TIER]
    assert (rung.about["batch"]["state"], rung.about["batch"]["quota"]) == (state, 20)
    # Handed in before the batch opened it is no application of this batch.
    assert rung.applied[FIRMS.index("ready")] == applied


def test_stages_need_a_plan_and_chances() -> None:
    situation, bare = laid(tables())
    assert (bare.rungs[TIER].stage == UNKNOWN).all()
    assert bare.rungs[TIER].about["line"] is None
    chance = np.where(situation.panel.firm_ids == "ready", 0.5, 0.0)
    on = stand(situation, load_plans()["2025"], {"G4": chance})
    run = run_on(on, situation.law, lambda *_: None)
    found = standing_of(situation, on, run.shortfalls, Search())
    rung = found.rungs[TIER]
    line = rung.about["line"]
    assert line["shortfall"] == run.shortfalls["G4"]
    assert line["chance"] == 0.5
    ready = FIRMS.index("ready")
    # Little is known of it: nothing unmet, so it is raised by its chance, and no path is open.
    assert situation.verdict(TIER).status[ready] != 0
    assert STAGES[rung.stage[ready]] == "upgrade"
    assert not rung.open.any()
    assert (found.rungs["srdi_municipal"].stage == UNKNOWN).all(), "no chances of that tier"


def test_a_path_is_searched_for_as_many_as_asked() -> None:
    rows = tables()
    rows["annual"][0] |= {"rd_expense": 1.0, "main_revenue": 8800.0}
    situation, _ = laid(rows)
    ready = FIRMS.index("ready")
    assert situation.verdict(TIER).status[ready] == 0, "the firm must be unmet"
    chance = np.where(situation.panel.firm_ids == "ready", 0.5, 0.0)
    on = stand(situation, load_plans()["2025"], {"G4": chance})
    lines, stages = [], []
    for most in (0, 5):
        found = standing_of(situation, on, {"G4": 4.0}, Search(most)).rungs[TIER]
        lines.append(found.about["line"])
        stages.append((STAGES[found.stage[ready]], int(found.open[ready])))
    assert [line["searched"] for line in lines] == [0, 1]
    assert [line["unsearched"] for line in lines] == [1, 0]
    assert stages[0][1] == 1
    assert stages[1][1] == 0
    assert stages[1][0] in ("cultivate", "none"), "with its chance at the line a path decides"


def test_what_does_not_fit_the_firms_is_refused() -> None:
    _, found = laid(tables())
    found.refuse_unless_of(len(FIRMS))
    with pytest.raises(Refused, match="must have 8 rows"):
        found.refuse_unless_of(8)
