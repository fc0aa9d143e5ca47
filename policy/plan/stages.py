"""Stages of a pool: 提升, 培育, 储备 or none, exactly one per firm and tier, each with its reason.

The definition is data (``policy/data/stages.toml``). Stages propose; membership in a 培育库 is an
official's decision. An unknown chance never promotes, and raising a firm's chance never lowers its
stage: the chance with the gaps closed is never taken below the chance of today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import LADDER
from policy.logic import MET, NAMES, Status
from policy.plan.ground import Ground, next_tier
from policy.plan.rows import Plan
from policy.plan.settings import Settings
from tidu.errors import DataError

__all__ = [
    "CULTIVATE",
    "NONE",
    "RESERVE",
    "UPGRADE",
    "Candidates",
    "Definition",
    "Line",
    "assigned",
    "definition",
    "line",
    "may",
    "stages",
    "tiers_of",
]

NONE, RESERVE, CULTIVATE, UPGRADE = range(4)
"""Lowest first."""

NUMBERS = ("multiple", "share_pct", "years", "least")

CODES = ("none", "reserve", "cultivate", "upgrade")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Definition:
    """The numbers of the definition; ``statuses`` are the verdicts that let a firm be raised."""

    multiple: float
    share_pct: float
    years: int
    least: int = 0
    statuses: tuple[str, ...] = ("met", "met_pending")


@dataclass(frozen=True)
class Candidates:
    """What is known of each firm for one tier, in the order of ``firm_ids``.

    ``may`` marks those who can be candidates (not who holds the tier or a higher one). ``chance``
    and ``after`` (chance with the gaps closed) run from 0 to 1, NaN unknown; ``reachable`` is 1, 0
    or NaN: is there a path within the definition's years; ``growth`` is any measure of growth.
    """

    firm_ids: NDArray[np.object_]
    may: Bools
    status: Status
    chance: Floats
    reachable: Floats
    after: Floats
    growth: Floats


def definition(raw: Mapping[str, Any], settings: Settings) -> Definition:
    """The definition as ``policy/data/stages.toml`` and the city's parameters give it."""
    numbers = {name: settings.number(raw[name]) for name in NUMBERS}
    missing = sorted(name for name, number in numbers.items() if number is None)
    if missing:
        raise DataError(
            f"The stages need the numbers {', '.join(NUMBERS)}; not set: {', '.join(missing)}.",
            cure="Set the parameters stage_… in the city's settings.",
        )
    multiple, share_pct, years, least = (number or 0.0 for number in numbers.values())
    return Definition(multiple, share_pct, int(years), int(least), tuple(raw["statuses"]))


def may(ground: Ground, tier: str) -> Bools:
    """Firms of the city that hold neither the tier nor a higher one: they can still rise to it."""
    below = next_tier(ground.panel) <= LADDER.index(tier)
    return np.asarray(below & (ground.present == MET))


class Line(NamedTuple):
    """The chance of the N-th candidate; infinite where there is no N-th."""

    number: int
    chance: float


def line(candidates: Candidates, shortfall: float, definition: Definition) -> Line:
    """Where the line stands: N is rounded up; with fewer known chances the lowest is the line.

    Who has no chance at all (0: the rules let it not apply) is no one of the N.
    """
    number = max(ceil(definition.multiple * max(shortfall, 0.0)), definition.least)
    known = np.sort(candidates.chance[candidates.may & (candidates.chance > 0.0)])[::-1]
    if not number or not len(known):
        return Line(number, np.inf)
    number = min(number, len(known))
    return Line(number, float(known[number - 1]))


def assigned(
    candidates: Candidates, shortfall: float, definition: Definition
) -> tuple[NDArray[np.int8], Line]:
    """The stage of each firm as a code, and the line that it was held against."""
    at = line(candidates, shortfall, definition)
    codes = [NAMES.index(name) for name in definition.statuses]
    passes = np.isin(candidates.status, codes)
    after = np.maximum(candidates.chance, candidates.after)
    high, best = candidates.chance >= at.chance, _best(candidates, definition)
    may = candidates.may
    stage = np.select(
        [
            may & passes & high,
            may & (candidates.reachable == 1) & (after >= at.chance),
            may & best,
        ],
        [UPGRADE, CULTIVATE, RESERVE],
        default=NONE,
    )
    return stage.astype(np.int8), at


def stages(candidates: Candidates, shortfall: float, definition: Definition) -> pd.DataFrame:
    """Return firm_id, stage (0 to 3), code, reason in zh and en, and the numbers behind it."""
    stage, at = assigned(candidates, shortfall, definition)
    chance = candidates.chance
    after = np.maximum(chance, candidates.after)
    table = pd.DataFrame(
        {
            "firm_id": candidates.firm_ids,
            "stage": stage,
            "code": np.array(CODES, dtype=object)[stage],
            "status": np.array(NAMES, dtype=object)[candidates.status],
            "chance": chance,
            "line": np.where(np.isfinite(at.chance), at.chance, np.nan),
            "after": after,
            "growth": candidates.growth,
        }
    )
    zh, en = _reasons(table, candidates, at, definition)
    return table.assign(reason_zh=zh, reason_en=en)


def _best(candidates: Candidates, definition: Definition) -> Bools:
    """The share of the candidates with the highest growth; equal growth goes by firm id."""
    growth = np.where(candidates.may, candidates.growth, np.nan)
    known = np.flatnonzero(~np.isnan(growth))
    order = known[np.lexsort((candidates.firm_ids[known].astype(str), -growth[known]))]
    found = np.zeros(len(growth), dtype=bool)
    found[order[: ceil(len(order) * definition.share_pct / 100.0)]] = True
    return found


def _reasons(
    table: pd.DataFrame, candidates: Candidates, at: Line, definition: Definition
) -> tuple[list[str], list[str]]:
    zh, en = [], []
    rows = zip(
        table["stage"],
        candidates.may,
        table["chance"],
        table["after"],
        table["growth"],
        strict=True,
    )
    years, share = definition.years, definition.share_pct
    for (stage, may, chance, after, growth), status in zip(rows, table["status"], strict=True):
        if stage == UPGRADE:
            zh.append(
                f"判定为{_STATUS_ZH[status]},概率{chance:.1%}不低于第{at.number}位的{at.chance:.1%}"
            )
            en.append(
                f"verdict {status}, chance {chance:.1%} at or above {at.chance:.1%} "
                f"of number {at.number}"
            )
        elif stage == CULTIVATE:
            zh.append(f"{years}年内有可达路径,补齐差距后概率{after:.1%}不低于{at.chance:.1%}")
            en.append(
                f"a path within {years} years, chance {after:.1%} with the gaps closed, at or "
                f"above {at.chance:.1%}"
            )
        elif stage == RESERVE:
            zh.append(f"成长性{growth:.4g},在候选企业前{share:g}%")
            en.append(f"growth {growth:.4g}, among the best {share:g}% of the candidates")
        else:
            zh.append(_none_zh(may, chance, growth))
            en.append(_none_en(may, chance, growth))
    return zh, en


_STATUS_ZH = {
    "met": "符合",
    "met_pending": "可判定条件均符合、待核实",
    "unmet": "不符合",
    "unknown": "未知",
    "manual": "待认定",
    "not_applicable": "不适用",
}


def _none_zh(may: bool, chance: float, growth: float) -> str:
    if not may:
        return "不是候选企业(已获该层级或更高称号,或不能申报)"
    unknown = [
        name for name, value in (("估计概率", chance), ("成长性", growth)) if np.isnan(value)
    ]
    return f"{'、'.join(unknown)}未知" if unknown else "概率未达线,成长性不在前列"


def _none_en(may: bool, chance: float, growth: float) -> str:
    if not may:
        return "no candidate: it holds the tier or a higher one, or cannot apply"
    unknown = [name for name, value in (("chance", chance), ("growth", growth)) if np.isnan(value)]
    return (
        f"{' and '.join(unknown)} unknown" if unknown else "chance below the line, growth not best"
    )


def tiers_of(plan: Plan) -> Mapping[str, str]:
    """Return tier → target, as the plan's rows of stages pair them."""
    rows = (row for row in plan.rows if row.kind == "pool" and row.form == "stages")
    return {one["tier"]: one["target"] for row in rows for one in row.detail["tiers"]}
