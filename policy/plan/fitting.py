"""Which supports fit a firm, and which gaps to its next tier each helps to close.

Two matrices, firms by supports: who qualifies, and how many criteria that block the verdict (unmet)
or leave it open (unknown, manual) a support speaks to. What blocks comes first, then what is open,
then the nearer deadline, then the id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import LADDER
from policy.logic import MANUAL, MET, NAMES, UNKNOWN, UNMET, Status
from policy.plan.ground import Gaps, Ground, eligible, newest_credit, next_tier, support
from policy.plan.result import PlanRow

__all__ = ["Fit", "closing", "deadline", "fit", "fitting", "own_deadline", "plan_order"]

Counts = NDArray[np.int32]


@dataclass(frozen=True)
class Fit:
    """Firms by supports. ``tier`` is each firm's next tier as a rung of the ladder.

    ``blocks`` counts unmet criteria that the support helps to close, ``opens`` unknown or manual.
    """

    rows: tuple[PlanRow, ...]
    tier: NDArray[np.int64]
    status: NDArray[np.int8]
    blocks: Counts
    opens: Counts


def plan_order(row_id: str) -> tuple[str, int, str]:
    """Ids in the plan's order: C6, C6b, C7, C10.

    >>> sorted(["C10", "C7", "C6b", "C6", "B2"], key=plan_order)
    ['B2', 'C6', 'C6b', 'C7', 'C10']
    """
    letter, number, rest = re.fullmatch(r"([A-Z]+)(\d+)(.*)", row_id).groups()  # type: ignore[union-attr]
    return letter, int(number), rest


def closing(rows: Sequence[PlanRow], gaps: Gaps) -> NDArray[np.bool_]:
    """Which support (row) speaks to which criterion (column)."""
    wanted = [frozenset((support(row) or {}).get("closes", ())) for row in rows]
    return np.array([[bool(names & tags) for tags in gaps.tags] for names in wanted], dtype=bool)


def fit(rows: Mapping[str, PlanRow], ground: Ground, tier: str | None = None) -> Fit:
    """Judge all firms and all supports; ``tier`` instead of each firm's own next one."""
    offered = tuple(
        row for row in sorted(rows.values(), key=lambda row: plan_order(row.id)) if support(row)
    )
    n = len(ground.panel.firm_ids)
    status = np.column_stack([eligible(row, ground) for row in offered])
    blocks = np.zeros((n, len(offered)), dtype=np.int32)
    opens = np.zeros_like(blocks)
    rung = next_tier(ground.panel) if tier is None else np.full(n, LADDER.index(tier))
    for index, name in enumerate(LADDER):
        firms = np.flatnonzero(rung == index)
        gaps = ground.gaps(name) if len(firms) else None
        if gaps is None or not gaps.names:
            continue
        speaks = closing(offered, gaps).T.astype(np.float32)
        found = gaps.criteria[firms]
        blocks[firms] = (found == UNMET).astype(np.float32) @ speaks
        opens[firms] = ((found == UNKNOWN) | (found == MANUAL)).astype(np.float32) @ speaks
    return Fit(offered, rung, status, blocks, opens)


def fitting(
    rows: Mapping[str, PlanRow],
    ground: Ground,
    tier: str | None = None,
    firms: NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """The supports that fit each firm, in their order; ``firms`` are positions, all by default.

    Behind those that fit come, in the same order, those that may fit: something is not on record,
    or an official must find it. Columns: firm_id, place (from 1), row, tier, status, blocks and
    opens (criteria that it helps to close), closes (their ids), deadline (NaT: none).
    """
    found = fit(rows, ground, tier)
    chosen = np.arange(len(found.tier)) if firms is None else np.asarray(firms)
    firm, column = np.nonzero(np.isin(found.status[chosen], (MET, UNKNOWN, MANUAL)))
    firm = chosen[firm]
    ids = np.array([row.id for row in found.rows], dtype=object)
    names = np.array([*LADDER, ""], dtype=object)
    table = pd.DataFrame(
        {
            "firm_id": ground.panel.firm_ids[firm],
            "row": ids[column],
            "tier": names[np.minimum(found.tier[firm], len(LADDER))],
            "status": np.array(NAMES, dtype=object)[found.status[firm, column]],
            "blocks": found.blocks[firm, column],
            "opens": found.opens[firm, column],
            "deadline": _deadlines(found.rows, ground, firm, column),
            "support": column,
            "firm": firm,
        }
    )
    table["rank"] = np.where(table["blocks"] > 0, 0, np.where(table["opens"] > 0, 1, 2))
    table["maybe"] = table["status"] != NAMES[MET]
    order = ["firm", "maybe", "rank", "deadline", "support"]
    table = table.sort_values(order, ignore_index=True)
    table["place"] = table.groupby("firm").cumcount() + 1
    table["closes"] = _closed(found, ground, table)
    columns = ["firm_id", "place", "row", "tier", "status", "blocks", "opens", "closes", "deadline"]
    return table[columns]


def _deadlines(
    rows: Sequence[PlanRow], ground: Ground, firm: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.datetime64]:
    fixed = [deadline(row, ground.panel.as_of) for row in rows]
    days = np.array(fixed, dtype="datetime64[s]")[column]
    for index, row in enumerate(rows):
        due = own_deadline(row, ground)
        if due is not None:
            days = np.where(column == index, due[firm], days)
    return days


def own_deadline(row: PlanRow, ground: Ground) -> NDArray[np.datetime64] | None:
    """Each firm's own deadline, where the support has one (a loan that falls due)."""
    own = (support(row) or {}).get("deadline_of")
    return newest_credit(ground.panel, own).to_numpy(dtype="datetime64[s]") if own else None


def deadline(row: PlanRow, day: date) -> date | None:
    """The next end of what comes every year: its own day, or the end of the year."""
    detail = support(row) or {}
    if detail.get("recurs") != "yearly":
        return None
    month, in_month = detail.get("deadline_month", 12), detail.get("deadline_day", 31)
    this = date(day.year, month, in_month)
    return this if this >= day else date(day.year + 1, month, in_month)


def _closed(found: Fit, ground: Ground, table: pd.DataFrame) -> list[str]:
    """The criteria behind ``blocks``, then those behind ``opens``, by their ids."""
    known: dict[str, tuple[Gaps, NDArray[np.bool_]]] = {}
    for name in table["tier"].unique():
        gaps = ground.gaps(name) if name else None
        if gaps is not None and gaps.names:
            known[name] = gaps, closing(found.rows, gaps)
    texts = []
    told = zip(
        table["firm"],
        table["support"],
        table["tier"],
        table["blocks"] + table["opens"],
        strict=True,
    )
    for firm, index, name, count in told:
        texts.append(_names(*known[name], firm, index) if count else "")
    return texts


def _names(gaps: Gaps, speaks: NDArray[np.bool_], firm: int, index: int) -> str:
    row: Status = gaps.criteria[firm]
    open_too = (row == UNKNOWN) | (row == MANUAL)
    order = [
        *np.flatnonzero((row == UNMET) & speaks[index]),
        *np.flatnonzero(open_too & speaks[index]),
    ]
    return ";".join(gaps.names[int(i)] for i in order)
