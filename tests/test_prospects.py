"""Chances and paths behind the plan's stages and forecasts, on a small city."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from small_city import AS_OF, Trained, copied, done, quick, rows_of

from policy.logic import NAMES, UNMET
from policy.path.finding import Rescore, paths
from policy.plan.files import load_plans
from policy.plan.grounded import footing
from policy.plan.stages import may, tiers_of
from serving.prospects import rescorer, with_chances, with_paths
from serving.workspace import Workspace

TIER = "srdi_municipal"
TASK = f"promotion:{TIER}@12"


@pytest.fixture(scope="module")
def home(city_home: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = copied(city_home.home, tmp_path_factory.mktemp("prospects"))
    with quick():
        done(place, "train", "--task", TASK, "--as-of", AS_OF)
    return place


def silent(*_: object) -> None:
    """Nobody watches."""


def test_chances_are_the_models_and_nobody_elses(home: Path, tmp_path: Path) -> None:
    workspace = Workspace(home)
    situation = workspace.situation(date.fromisoformat(AS_OF))
    plan = load_plans(home / "policy" / "plan")["2025"]
    assert set(tiers_of(plan)) >= {"innovative_sme", "srdi_municipal", "little_giant"}
    stand = with_chances(footing(situation, plan), workspace, silent)
    assert set(stand.chances) == {tiers_of(plan)[TIER]}
    chance = dict(zip(situation.panel.firm_ids, stand.chances[tiers_of(plan)[TIER]], strict=True))
    bundle = workspace.bundle_in_use(TASK)
    with quick():
        done(home, "score", "--bundle", bundle, "--as-of", AS_OF, "--out", tmp_path / "s.csv")
    expected = {row["firm_id"]: float(row["probability"]) for row in rows_of(tmp_path / "s.csv")}
    assert {firm for firm, value in chance.items() if value > 0.0} <= set(expected)
    for firm, value in expected.items():
        assert chance[firm] == pytest.approx(value, abs=1e-12)


def test_only_candidates_with_a_gap_are_searched_and_the_model_is_asked(home: Path) -> None:
    workspace = Workspace(home)
    situation = workspace.situation(date.fromisoformat(AS_OF))
    plan = load_plans(home / "policy" / "plan")["2025"]
    stand = with_chances(footing(situation, plan), workspace, silent)
    asked: list[str] = []

    def rescored(tier: str) -> Rescore:
        asked.append(tier)
        return lambda _: (0.1, 0.4)

    known = with_paths(stand, situation, rescored, silent)
    assert asked == [TIER]
    reachable, after = known.reachable[TIER], known.after[TIER]
    status = situation.verdict(TIER).status
    gap = may(stand.ground, TIER) & (stand.chances[tiers_of(plan)[TIER]] > 0.0) & (status == UNMET)
    assert gap.sum() > 3
    assert np.isnan(reachable[~gap]).all()
    assert (reachable[gap] == 1.0).any()
    assert (reachable[gap] != 1.0).any()
    prepared = paths(situation, TIER)
    for row in np.flatnonzero(gap)[:25]:
        found = prepared.of(int(row)).status
        assert (reachable[row] == 1.0) == (found in ("reachable", "met")), NAMES[status[row]]
    assert set(after[~np.isnan(after)]) <= {0.4}
    assert (after[reachable == 1.0] == 0.4).all()


def test_the_model_in_use_says_the_chance_with_the_gaps_closed(home: Path) -> None:
    workspace = Workspace(home)
    situation = workspace.situation(date.fromisoformat(AS_OF))
    assert rescorer(workspace, situation.panel, "little_giant") is None
    plan = load_plans(home / "policy" / "plan")["2025"]
    stand = with_chances(footing(situation, plan), workspace, silent)
    rescored = partial(rescorer, workspace, situation.panel)
    known = with_paths(stand, situation, rescored, silent)
    after, told = known.after[TIER], rescored(TIER)
    assert told is not None
    prepared = paths(situation, TIER)
    rows = np.flatnonzero(~np.isnan(after))[:5]
    assert len(rows)
    for row in rows.tolist():
        before, then = told(prepared.of(row))
        assert before == pytest.approx(stand.chances[tiers_of(plan)[TIER]][row], abs=1e-12)
        assert then == pytest.approx(after[row], abs=1e-12)


def test_the_plans_stages_stand_on_them(home: Path) -> None:
    found = done(home, "plan", "A2", "--as-of", AS_OF)
    mine = [row for row in found["table"] if row["tier"] == TIER]
    raised = [row for row in mine if row["code"] == "upgrade"]
    assert raised
    for row in raised:
        assert row["status"] in ("met", "met_pending")
        assert row["chance"] >= row["line"] > 0.0
    others = {row["code"] for row in found["table"] if row["tier"] == "little_giant"}
    assert others <= {"reserve", "none"}  # no model in use: no chance promotes
