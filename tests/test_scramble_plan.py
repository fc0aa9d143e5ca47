"""Scramble the future: no target, forecast, measure or scenario of a day sees what came later."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from benchmarks.scramble import history, random_tables
from features.panel import History
from features.scrambling import scrambled
from policy.loading import standing
from policy.plan.files import load_plans
from policy.plan.grounded import footing
from policy.plan.scenario import parse
from policy.plan.scenario_outcome import outcome
from policy.plan.scenario_start import Start
from policy.situation import Situation
from serving.planned import planned
from serving.planning import simulated

PLAN = load_plans()["2025"]
RAW = {"name": "s", "parameters": {"municipal_score_line": 10}, "rewards": {"A8": 60}}


def seen(past: History, day: date) -> dict[str, str]:
    """All that the plan says at a day: its pages, who each support fits, what a scenario does."""
    situation = Situation(standing(), past.as_of(day))
    found = planned(situation, PLAN, {})
    start = Start(situation, footing(situation, PLAN))
    result = simulated(outcome(parse(RAW, "s", standing(), PLAN, day), start), start)
    fits: dict[str, Any] = {
        "status": found.fits.status.tolist(),
        "rung": found.fits.rung.tolist(),
        "deadlines": {k: v.astype(str).tolist() for k, v in found.fits.deadlines.items()},
    }
    parts = {**found.pages, "fits": fits, "scenario": result}
    return {name: json.dumps(part, ensure_ascii=False, default=str) for name, part in parts.items()}


@pytest.mark.parametrize("seed", range(2))
def test_nothing_known_later_changes_what_the_plan_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables = random_tables(rng)
    day = date(int(rng.integers(2022, 2024)), int(rng.integers(9, 13)), 28)
    plain, other = history(tables), history(scrambled(tables, day, rng))
    assert seen(plain, day) == seen(other, day)


def test_the_scrambler_changes_what_the_plan_says_later() -> None:
    rng = np.random.default_rng(1)
    tables = random_tables(rng)
    plain, other = history(tables), history(scrambled(tables, date(2018, 6, 30), rng))
    one, two = (seen(past, date(2023, 6, 30)) for past in (plain, other))
    assert {name for name in one if one[name] != two[name]} >= {"targets", "fits", "scenario"}
