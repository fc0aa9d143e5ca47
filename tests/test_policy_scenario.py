"""Scenarios with money and goals: equal to a law and a plan that were written so from the start."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_panels import panel_of
from plan_rows import titled
from test_policy_loading import edited
from test_policy_verdict import many

from features.panel import Panel
from policy.inputs import of_panel
from policy.law import Law
from policy.loading import DATA, load, standing
from policy.logic import MET, MET_PENDING
from policy.plan.files import load_plans
from policy.plan.grounded import footing
from policy.plan.one_off import scheme_of, terms_of
from policy.plan.rows import Plan
from policy.plan.rows import parse as parse_plan
from policy.plan.scenario import Scenario, adjustable, parse, read
from policy.plan.scenario_outcome import Outcome, outcome
from policy.plan.scenario_start import Start
from policy.plan.settlement import settle
from policy.plan.simulation import Effect, Today, passing, simulate
from policy.plan.targets import target
from policy.situation import Situation
from policy.values import Values
from policy.verdict import judge
from tidu.errors import DataError, NotAvailable

DAY = date(2024, 6, 30)
PLAN = load_plans()["2025"]
MUNICIPAL = standing().edition("city/srdi_municipal")
Tables = Mapping[str, list[dict[str, Any]]]


@cache
def tables() -> Tables:
    """Firms around the municipal bounds; every third one holds the title, some a higher one."""
    draw = np.random.default_rng(11)
    firms, annual, titles = [], [], []
    for i in range(120):
        name = f"F{i:03d}"
        firms.append({"firm_id": name, "district": "甲乙丙"[i % 3], "registered_in_city": 1.0,
                      "industry_300": "industry",
                      "industry_gb4754": f"C{30 + i % 5}21"})  # fmt: skip
        for year in (2021, 2022, 2023):
            revenue = round(float(draw.uniform(600, 3000)), 2)
            annual.append({
                "firm_id": name, "year": year, "revenue": revenue, "total_assets": 2 * revenue,
                "main_revenue": round(revenue * draw.uniform(0.5, 1), 2), "employees": 80,
                "net_profit": round(revenue * draw.uniform(0, 0.12), 2),
                "total_liabilities": round(revenue * draw.uniform(0.5, 2), 2),
                "rd_expense": round(float(draw.uniform(30, 200)), 2), "years_in_niche": 6.0,
                "class1_ip_self": int(draw.integers(0, 3)),
                "digital_level": int(draw.integers(1, 5)),
            })  # fmt: skip
        if i % 3 == 0:
            titles.append(titled(name, "srdi_municipal", "2023-01-10"))
        if i % 11 == 0:
            titles.append(titled(name, "srdi_provincial", "2023-05-10"))
    return {"firms": firms, "annual": annual, "titles": titles}


@cache
def start() -> Start:
    situation = Situation(load(), panel_of(DAY, tables()))
    return Start(situation, footing(situation, PLAN))


def scenario(raw: Mapping[str, Any]) -> Scenario:
    return parse({"name": "s", **raw}, "s", standing(), PLAN, DAY)


RAW: Mapping[str, Any] = {
    "parameters": {"municipal_score_line": 38, "reward_city_share_pct": 70,
                   "srdi_counts_provincial": False, "reward_lag_years": 2},
    "thresholds": {"srdi_municipal": {"rd:rd_expense": 60}},
    "editions": {"srdi_provincial": "2-2026/annex1"},
    "quotas": {"srdi_municipal": 9},
    "goals": {"G2": 40, "G3": 20},
    "rewards": {"A8": 65},
}  # fmt: skip


@cache
def found() -> Outcome:
    return outcome(scenario(RAW), start())


# ------------------------------------------- a law and a plan that say so, written to other files


@pytest.fixture
def written(tmp_path: Path) -> tuple[Law, Plan]:
    data = Path(shutil.copytree(DATA, tmp_path / "data"))
    edited(data, "editions/srdi_municipal_city.toml",
           '"rd_expense", at_least = 100', '"rd_expense", at_least = 60')  # fmt: skip
    edited(data, "selector.toml", 'to = 2026-03-31\nedition = "63-2022/annex2"',
           'to = 2026-03-31\nedition = "2-2026/annex1"')  # fmt: skip
    city = tmp_path / "city.toml"
    lines = [f"{k} = {str(v).lower()}" for k, v in RAW["parameters"].items()]
    city.write_text("[parameters]\n" + "\n".join(lines), encoding="utf-8")
    texts = {p.name: p.read_text(encoding="utf-8") for p in (data / "plan/2025").glob("*.toml")}
    goals = (
        texts["goals.toml"].replace("goal = 2500", "goal = 40").replace("goal = 500 ", "goal = 20 ")
    )
    rewards = texts["cultivation.toml"].replace("amount = 50 ", "amount = 65 ")
    texts |= {"goals.toml": goals, "cultivation.toml": rewards}
    return load(city, data), parse_plan(texts, "plan")


def admitted(law: Law, panel: Panel, tier: str, quota: int | None) -> set[str]:
    """Who passes, and within the quota those with most points who hold no such title yet."""
    verdict = judge(law.select(tier, DAY), Values(law, of_panel(law, panel, 2023)))
    passes = {
        str(i): float(verdict.scores["total"].low[n]) if "total" in verdict.scores else 0.0
        for n, i in enumerate(panel.firm_ids)
        if verdict.status[n] in (MET, MET_PENDING)
    }
    if quota is None:
        return set(passes)
    holders = {t["firm_id"] for t in tables()["titles"]}
    line = sorted((i for i in passes if i not in holders), key=lambda i: (-passes[i], i))
    return (set(passes) & holders) | set(line[:quota])


QUOTA = {"srdi_municipal": 9, "srdi_provincial": None}
HIGHER = {"srdi_municipal": ("srdi_municipal", "srdi_provincial"),
          "srdi_provincial": ("srdi_provincial",)}  # fmt: skip


def recognised(law: Law, quotas: Mapping[str, int | None]) -> Panel:
    """The city in which everybody who is admitted got the title on the day."""
    panel, more = panel_of(DAY, tables()), []
    for tier, quota in quotas.items():
        held = {t["firm_id"] for t in tables()["titles"] if t["tier"] in HIGHER[tier]}
        entrants = sorted(admitted(law, panel, tier, quota) - held)
        more += [titled(i, tier, DAY.isoformat()) for i in entrants]
    assert more
    return panel_of(DAY, {**tables(), "titles": [*tables()["titles"], *more]})


def ids(mask: Any) -> set[str]:
    return {str(i) for i in start().panel.firm_ids[mask]}


def test_who_is_admitted_equals_the_law_written_so(written: tuple[Law, Plan]) -> None:
    law, panel = written[0], start().panel
    effects = {effect.tier: effect for effect in found().effects}
    assert set(effects) == set(QUOTA)
    for tier, effect in effects.items():
        before = admitted(standing(), panel, tier, None)
        after = admitted(law, panel, tier, QUOTA[tier])
        assert ids(effect.enters) == after - before
        assert ids(effect.leaves) == before - after
    assert effects["srdi_municipal"].enters.any()
    assert effects["srdi_municipal"].leaves.any()


def test_the_budget_equals_the_law_and_plan_written_so(written: tuple[Law, Plan]) -> None:
    law, plan = written
    sides = {"before": (standing(), PLAN, dict.fromkeys(QUOTA)), "after": (law, plan, QUOTA)}
    for side, (own, rows, quotas) in sides.items():
        panel = recognised(own, quotas)
        settings = footing(Situation(own, panel), rows).settings
        due = settle(panel, scheme_of(rows.by_id, settings), terms_of(rows.by_id, settings))
        paid = due[due["payable"] > 0]
        share = 0.7 if side == "after" else 0.5
        expected: dict[tuple[int, str, str], float] = {}
        for row in paid.itertuples():
            year, amount = int(row.pay_year), float(row.payable)
            parts = {("all", ""): amount, ("city", ""): share * amount,
                     ("county", str(row.district)): amount - share * amount}  # fmt: skip
            for (payer, place), part in parts.items():
                key = (year, payer, place)
                expected[key] = expected.get(key, 0.0) + part
        keys = zip(*(found().budget[c] for c in ("pay_year", "payer", "district")), strict=True)
        ours = {k: v for k, v in zip(keys, found().budget[side], strict=True) if v}
        assert ours == pytest.approx(expected)


def test_goals_stand_where_the_law_and_plan_written_so_put_them(
    written: tuple[Law, Plan],
) -> None:
    law, plan = written
    sides = {"before": (standing(), PLAN, dict.fromkeys(QUOTA)), "after": (law, plan, QUOTA)}
    rows = found().positions.set_index("row")
    assert {"G1", "G2", "G3", "G4", "G5"} <= set(rows.index)
    for side, (own, chosen, quotas) in sides.items():
        on = footing(Situation(own, recognised(own, quotas)), chosen)
        for name in ("G1", "G2", "G3", "G4"):
            one = target(chosen.row(name), on)
            assert rows.loc[name, f"value_{side}"] == one.value
            assert rows.loc[name, f"goal_{side}"] == one.goal
            assert rows.loc[name, f"remaining_{side}"] == one.remaining
    assert rows.loc["G2", "value_before"] != rows.loc["G2", "value_after"]


def test_a_past_target_has_its_final_value_on_both_sides() -> None:
    late = Situation(standing(), panel_of(date(2026, 6, 30), tables()))
    begun = Start(late, footing(late, PLAN))
    line = {"name": "s", "parameters": {"municipal_score_line": 20}}
    result = outcome(parse(line, "s", standing(), PLAN, late.day), begun)
    rows = result.positions.set_index("row")
    assert rows.loc["G2", "value_before"] == rows.loc["G2", "value_after"]


def test_an_undecided_share_leaves_the_payers_undecided_but_not_the_sum() -> None:
    known, name = standing().parameters, "reward_city_share_pct"
    law = replace(standing(), parameters={**known, name: replace(known[name], value=None)})
    situation = Situation(law, start().panel)
    result = outcome(scenario({"rewards": {"A8": 60}}), Start(situation, footing(situation, PLAN)))
    whole = result.budget["payer"] == "all"
    assert result.budget.loc[whole, ["before", "after"]].notna().all(axis=None)
    assert result.budget.loc[~whole, ["before", "after"]].isna().all(axis=None)


def test_a_reward_in_a_parameter_is_compared_row_by_row() -> None:
    result = outcome(scenario({"parameters": {"platform_match_pct": 50}}), start())
    assert not result.effects
    assert not len(result.positions)
    assert result.rewards["row"].tolist() == ["H3"]


# --------------------------------------------------------------------------------------- quotas


@given(seed=st.integers(0, 2**32 - 1), quota=st.integers(0, 60), more=st.integers(0, 20))
def test_a_quota_admits_the_best_and_a_larger_one_only_adds(
    seed: int, quota: int, more: int
) -> None:
    inputs = many(seed, 80)
    clean = [n for n in inputs.columns if n.startswith(("open(", "recent(", "banned("))]
    fixed = dict.fromkeys([*clean, "prohibited_product"], np.zeros(80))
    inputs = inputs.replaced({**fixed, "registered_in_city": np.ones(80)})
    values = Values(standing(), inputs)
    may = np.arange(80) % 4 > 0
    today = Today(MUNICIPAL, values, may=may)
    line = {"municipal_score_line": 5.0}

    def under(places: int) -> Effect:
        one = Scenario("s", line, {"srdi_municipal": {"rd:rd_expense": 1.0}},
                       quotas={"srdi_municipal": places})  # fmt: skip
        return simulate(standing(), today, [one])[0]

    side = under(quota).after
    rivals = side.passes & may
    assert (side.admitted & may).sum() == min(quota, rivals.sum())
    assert (side.admitted[~may] == side.passes[~may]).all()
    points = side.verdict.scores["total"].low
    out = rivals & ~side.admitted
    if out.any() and quota:
        assert points[out].max() <= points[side.admitted & may].min()
    assert (under(quota + more).after.admitted >= side.admitted).all()


def test_a_quota_without_score_needs_an_order() -> None:
    giant = standing().edition("2-2026/annex2")
    assert giant.score is None
    tier = "little_giant"
    values, n = Values(standing(), many(5, 60)), 60
    # One criterion alone, that many of the firms meet.
    best = int((judge(giant, values).criteria == MET).sum(axis=0).argmax())
    giant = replace(giant, criteria=giant.criteria[best : best + 1])
    one = [Scenario("s", quotas={tier: 1})]
    law = replace(standing(), editions={**standing().editions, giant.id: giant})
    today = Today(giant, values, may=np.ones(n, dtype=bool))
    assert passing(judge(giant, values)).sum() > 1
    with pytest.raises(NotAvailable, match="needs an order"):
        simulate(law, today, one)
    chance = np.linspace(0.0, 1.0, n)
    side = simulate(law, replace(today, order=chance), one)[0].after
    assert np.flatnonzero(side.admitted).tolist() == [np.flatnonzero(side.passes).max()]


# ----------------------------------------------------------------------------------- the file


def test_the_example_reads_and_runs(root: Path) -> None:
    text = (root / "examples/scenario.toml").read_text(encoding="utf-8")
    one = read(text, "scenario.toml", standing(), PLAN, DAY)
    assert one.zh
    assert one.en
    assert one.quotas == {"srdi_municipal": 300}
    assert len(outcome(one, start()).effects) == 2


def test_all_problems_come_at_once_each_with_its_key() -> None:
    raw = {
        "name": "", "speed": 1,
        "parameters": {"unheard": 1, "municipal_score_line": "high", "plan_since": "soon",
                       "target_basis": "flow", "innovative_counts_higher": 1},
        "thresholds": {"little_giant": {"debt:x": 1},
                       "srdi_municipal": {"rd:unheard": 1, "rd:rd_expense": float("nan")}},
        "editions": {"srdi_provincial": "63-2022/annex3", "little_giant": "unheard"},
        "quotas": {"srdi_municipal": 1.5, "unheard": 3},
        "goals": {"A8": 3, "G2": -1}, "rewards": {"A11": 5, "A8": True},
    }  # fmt: skip
    with pytest.raises(DataError) as refused:
        parse(raw, "s.toml", standing(), PLAN, DAY)
    keys = {issue.column for issue in refused.value.issues}
    assert keys == {
        "s.toml.speed", "s.toml.name", "parameters.unheard", "parameters.municipal_score_line",
        "parameters.plan_since", "parameters.target_basis", "parameters.innovative_counts_higher",
        "thresholds.little_giant", "thresholds.srdi_municipal.rd:unheard",
        "thresholds.srdi_municipal.rd:rd_expense",
        "editions.srdi_provincial", "editions.little_giant", "quotas.srdi_municipal",
        "quotas.unheard", "goals.A8", "goals.G2", "rewards.A11", "rewards.A8",
    }  # fmt: skip
    assert all(issue.file == "s.toml" and issue.message for issue in refused.value.issues)


@pytest.mark.parametrize("text", ["name = ", 'name = "s"', 'name = "s"\nquotas = 3'])
def test_what_is_no_scenario_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        read(text, "s.toml", standing(), PLAN, DAY)


def test_only_the_citys_editions_are_adjustable() -> None:
    names = adjustable(MUNICIPAL)
    assert {"rd:rd_expense", "niche_years:niche_years", "score_or_direct:total"} <= set(names)
    assert all(re.fullmatch(r"[\w-]+:.+", name) for name in names)
    assert adjustable(standing().edition("63-2022/annex3")) == ()
