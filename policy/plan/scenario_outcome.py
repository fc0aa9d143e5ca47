"""What a scenario comes to: who enters and leaves, what the rewards cost, where the goals stand.

Both sides rest on one assumption, which is printed beside them: whoever passes, holds no such title
yet and is within the quota is recognised on the day. What is due by titles on record stands apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from policy.plan.one_off import form_of
from policy.plan.result import Note
from policy.plan.rewards import run
from policy.plan.rows import Plan, Row
from policy.plan.scenario import Scenario
from policy.plan.scenario_start import Assumed, Start, recognised
from policy.plan.settings import named
from policy.plan.simulation import Effect, simulate
from policy.plan.targets import Target

__all__ = ["PAYERS", "Outcome", "outcome"]

Mask = NDArray[np.bool_]

PAYERS = ("all", "city", "county")
"""Who pays a one-off reward: the city and the district share it."""

_TOGETHER = ("title", "relocation", "stacking")
"""Forms of rewards that are settled together; others are run row by row."""


@dataclass(frozen=True)
class Outcome:
    """A scenario's consequences.

    ``budget`` has pay_year, payer (all, city, county), district, and recorded, before, after,
    change in 万元 (NaN: the city's share is not decided). ``rewards`` are the plan's other rewards
    that the scenario touches: row, before, after (NaN: not decided). ``positions`` are the
    targets it touches, before and after.
    """

    scenario: Scenario
    effects: tuple[Effect, ...]
    budget: pd.DataFrame
    rewards: pd.DataFrame
    positions: pd.DataFrame
    notes: tuple[Note, ...] = ()


def outcome(scenario: Scenario, start: Start) -> Outcome:
    """All consequences of one scenario."""
    tiers = start.touched(scenario)
    found = tuple(simulate(start.law, start.today(tier), [scenario])[0] for tier in tiers)
    before = start.before(tiers, _entrants(found, start, "before"))
    after = Assumed(
        start.law.having(scenario.parameters),
        _plan(start.plan, scenario),
        recognised(start.panel, _entrants(found, start, "after")),
        start.footing,
    )
    return Outcome(
        scenario,
        found,
        _budget(start, before, after),
        _rewards(start, scenario, before, after),
        _positions(start, scenario, before, after),
        _notes(found, start.panel.as_of),
    )


# ------------------------------------------------------------------------------------ both sides


def _plan(plan: Plan, scenario: Scenario) -> Plan:
    """The plan with other goals and amounts."""

    def row_of(row: Row) -> Row:
        numbers = dict(row.numbers)
        if row.id in scenario.goals:
            numbers["goal"] = scenario.goals[row.id]
        if row.id in scenario.rewards:
            numbers["amount"] = scenario.rewards[row.id]
        return replace(row, numbers=numbers)

    if not (scenario.goals or scenario.rewards):
        return plan
    return replace(plan, rows=tuple(row_of(row) for row in plan.rows))


def _entrants(found: Sequence[Effect], start: Start, side: str) -> dict[str, Mask]:
    """Whom a side admits that can still rise to the tier."""
    sides = {effect.tier: getattr(effect, side) for effect in found}
    return {tier: one.admitted & start.candidates(tier) for tier, one in sides.items()}


# ------------------------------------------------------------------------------------ what it costs


def _budget(start: Start, before: Assumed, after: Assumed) -> pd.DataFrame:
    sides = {
        "recorded": start.as_is.budget,
        "before": before.budget,
        "after": after.budget,
    }
    columns = [_by_payer(table).rename(name) for name, table in sides.items()]
    joined = pd.concat(columns, axis=1)
    # A year in which one side pays nothing is a zero, unless the share itself is not decided.
    open_share = {
        name: bool(len(table)) and bool(table["city"].isna().all()) for name, table in sides.items()
    }
    for name in sides:
        undecided = joined.index.get_level_values("payer") != PAYERS[0]
        fill = np.where(undecided & open_share[name], np.nan, 0.0)
        joined[name] = joined[name].where(joined[name].notna(), pd.Series(fill, joined.index))
    joined["change"] = joined["after"] - joined["before"]
    return joined.sort_index().reset_index()


def _by_payer(table: pd.DataFrame) -> pd.Series:
    """Amounts by (pay_year, payer, district): the city's share in one line, the districts' each."""
    parts = []
    for payer, column in zip(PAYERS, ("amount", "city", "county"), strict=True):
        place = table["district"] if payer == "county" else ""
        lines = table.assign(payer=payer, district=place, amount=table[column])
        parts.append(lines[["pay_year", "payer", "district", "amount"]])
    lines = pd.concat(parts, ignore_index=True)
    keys = ["pay_year", "payer", "district"]
    return lines.groupby(keys)["amount"].sum(min_count=1)


def _rewards(start: Start, scenario: Scenario, before: Assumed, after: Assumed) -> pd.DataFrame:
    """The plan's other rewards whose parameters change, with the amounts of both sides."""
    lines = []
    for row in start.plan.rows:
        together = row.kind != "reward" or form_of(row) in _TOGETHER
        if together or not set(named(row.details)) & set(scenario.parameters):
            continue
        amounts = [
            run(row, side.plan.by_id, start.panel, side.settings).totals.get("amount")
            for side in (before, after)
        ]
        lines.append((row.id, row.zh, row.en, *amounts))
    columns = ["row", "zh", "en", "before", "after"]
    table = pd.DataFrame(lines, columns=columns).astype({"before": float, "after": float})
    return table.assign(change=table["after"] - table["before"])


# --------------------------------------------------------------------------- where the goals stand


def _positions(start: Start, scenario: Scenario, before: Assumed, after: Assumed) -> pd.DataFrame:
    moved = before.panel is not after.panel
    lines = []
    for row in start.plan.rows:
        if row.kind != "target" or not _moves(row, scenario, start.plan, moved):
            continue
        own = [side.target(row.id) for side in (start.as_is, before, after)]
        lines.append({"row": row.id, "zh": row.zh, "en": row.en, **_position(*own)})
    columns = ["row", "zh", "en", "unit_zh", "unit_en", "value", *_BOTH]
    table = pd.DataFrame(lines, columns=columns)
    return table.astype(dict.fromkeys(["value", *_BOTH], "float64"))


_FIGURES = ("goal", "value", "completion_pct", "remaining")
_BOTH = [f"{name}_{side}" for name in _FIGURES for side in ("before", "after")]


def _position(today: Target, before: Target, after: Target) -> dict[str, object]:
    found: dict[str, object] = dict(zip(("unit_zh", "unit_en"), today.unit, strict=True))
    found["value"] = today.value
    for name in _FIGURES:
        found[f"{name}_before"] = before.totals[name]
        found[f"{name}_after"] = after.totals[name]
    return found


def _moves(row: Row, scenario: Scenario, plan: Plan, moved: bool) -> bool:
    """Whether a scenario can move a target: its goal, a parameter it reads, or its titles."""
    parts: Iterable[object] = (row.details, row.numbers, plan.basis, plan.starts_on)
    reads = {name for part in parts for name in named(part)}
    titles = row.form == "titles" and moved
    return row.id in scenario.goals or titles or not reads.isdisjoint(scenario.parameters)


def _notes(found: Sequence[Effect], day: date) -> tuple[Note, ...]:
    notes = [
        Note(
            f"假定{day}通过判定、尚无该称号且在名额之内的企业全部获得认定;前后两侧假定相同",
            f"Assumes that whoever passes, holds no such title and is within the quota is"
            f" recognised on {day}; the same on both sides",
        )
    ]
    for effect in found:
        if effect.after.tied or effect.before.tied:
            tied = max(effect.before.tied, effect.after.tied)
            notes.append(
                Note(
                    f"{effect.tier}:名额边界上另有{tied}家同分,名单须由评审确定",
                    f"{effect.tier}: {tied} more firms have the score of the last place; the"
                    " review decides between them",
                )
            )
    return tuple(notes)
