"""Pools, stages, phases of life and the ladder: who belongs where by conditions in data.

All of it proposes. Membership in a 培育库 is an official's decision, on record as a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from policy.logic import MANUAL, MET, NAMES, UNKNOWN, UNMET, Status, statuses
from policy.plan.footing import Footing
from policy.plan.ground import Ground
from policy.plan.pool_entry import declared, entry, members, recorded
from policy.plan.presence import districts
from policy.plan.result import Note, Result
from policy.plan.rows import Row
from policy.plan.scopes import among
from policy.plan.stages import Candidates, may, stages
from policy.plan.stock import Ledger, Titles
from policy.plan.targets import target
from tidu.errors import NotAvailable

__all__ = ["ladder", "phases", "pools", "stages_of"]

STATUS = np.array(NAMES, dtype=object)

Totals = dict[str, float | None]
Mask = NDArray[np.bool_]


def listed(ground: Ground, rows: Mask | NDArray[np.intp]) -> pd.DataFrame:
    """Firms with their districts."""
    ids = ground.panel.firm_ids[rows]
    return pd.DataFrame({"firm_id": ids, "district": districts(ground.panel, ids)})


def pools(row: Row, footing: Footing) -> Result:
    """Per pool its members, who may enter, who might if more were known, and who is due to leave.

    State: member, leaving (a member that no longer meets the entry), candidate, open.
    """
    ground = footing.ground
    frames, totals, notes = [], Totals(), []
    for pool in declared(footing.plan).values():
        status = entry(pool, ground)
        member = members(pool["id"], ground)
        open_ = (status == UNKNOWN) | (status == MANUAL)
        leaving = member & (status == UNMET)
        state = np.select(
            [leaving, member, status == MET, open_],
            ["leaving", "member", "candidate", "open"],
            default="",
        ).astype(object)
        # Firms that no record says anything of would fill every pool: only candidates are listed.
        chosen = np.isin(state, ["leaving", "member", "candidate"])
        frame = listed(ground, chosen).assign(pool=pool["id"], zh=pool["zh"], en=pool["en"])
        frames.append(frame.assign(state=state[chosen]))
        known = recorded(pool["id"], ground.panel)
        totals |= {
            f"{pool['id']}_members": float(member.sum()) if known else None,
            f"{pool['id']}_candidates": float((state == "candidate").sum()),
            f"{pool['id']}_leaving": float(leaving.sum()) if known else None,
            f"{pool['id']}_open": float((open_ & ~member).sum()),
        }
        if not known:
            notes.append(
                Note(f"{pool['zh']}库尚无入库记录", f"{pool['en']}: no membership is on record")
            )
    table = pd.concat(frames, ignore_index=True)
    return Result(row.id, row.kind, table, totals, tuple(notes), ground.settings.used(row.detail))


def phases(row: Row, footing: Footing) -> Result:
    """The phase of life of every firm: the first of the row's that holds, "" where none does."""
    ground, found = footing.ground, row.detail["phases"]
    judged = [ground.holds(phase["when"]) for phase in found]
    here = ground.present == MET
    phase = np.full(len(here), "", dtype=object)
    unknown, open_ = np.zeros(len(here), dtype=bool), here.copy()
    for one, status in zip(found, judged, strict=True):
        phase[open_ & (status == MET)] = one["id"]
        open_ &= status != MET
        # A phase that cannot be judged leaves open whether a later one is the first.
        unsure = open_ & ((status == UNKNOWN) | (status == MANUAL))
        unknown |= unsure
        open_ &= ~unsure
    phase[unknown] = "unknown"
    table = listed(ground, here).assign(phase=phase[here])
    names = {one["id"]: (one["zh"], one["en"]) for one in found}
    table["zh"] = table["phase"].map({k: zh for k, (zh, _) in names.items()}).fillna("")
    table["en"] = table["phase"].map({k: en for k, (_, en) in names.items()}).fillna("")
    counts = table["phase"].value_counts()
    totals: Totals = {name: float(counts.get(name, 0)) for name in (*names, "unknown")}
    totals["none"] = float(counts.get("", 0))
    return Result(row.id, row.kind, table, totals, (), ground.settings.used(row.detail))


def stages_of(row: Row, footing: Footing) -> Result:
    """储备, 培育 and 提升 per tier, by the definition in data and the target's shortfall."""
    ground = footing.ground
    if footing.definition is None:
        raise NotAvailable(
            "The stages must have a definition.", "It stands in policy/data/stages.toml."
        )
    n = len(ground.panel.firm_ids)
    unknown = np.full(n, np.nan)
    growth = ground.number(row.detail["growth"])
    frames, totals, notes = [], Totals(), []
    for one in row.detail["tiers"]:
        tier, goal = one["tier"], footing.plan.row(one["target"])
        remaining = target(goal, footing.silent()).remaining
        status = ground.status(tier)
        chance = footing.chances.get(goal.id)
        if chance is None:
            notes.append(Note(f"{goal.zh}:无估计概率", f"{goal.en}: no chances are known"))
        candidates = Candidates(
            ground.panel.firm_ids,
            may(ground, tier),
            statuses(n, UNKNOWN) if status is None else status,
            unknown if chance is None else chance,
            footing.reachable.get(tier, unknown),
            footing.after.get(tier, unknown),
            growth,
        )
        table = stages(candidates, remaining or 0.0, footing.definition).assign(tier=tier)
        counts = table["code"].value_counts()
        for code in ("upgrade", "cultivate", "reserve", "none"):
            totals[f"{tier}_{code}"] = float(counts.get(code, 0))
        frames.append(table)
    table = pd.concat(frames, ignore_index=True)
    return Result(row.id, row.kind, table, totals, tuple(notes), ground.settings.used(row.detail))


# -------------------------------------------------------------------------------------- ladder


def ladder(row: Row, footing: Footing) -> Result:
    """Per firm its next rungs and their verdicts; ``law``: the lower title is a condition."""
    ground, edges = footing.ground, row.detail["edges"]
    here = ground.present == MET
    held = {
        tier: _holds(footing, tier) for edge in edges for tier in (edge["from"], edge["to"]) if tier
    }
    nothing = here & ~np.logical_or.reduce(list(held.values()))
    frames = []
    for edge in edges:
        beyond = np.logical_or.reduce([held[tier] for tier in _reach(edge["to"], edges)])
        start = held[edge["from"]] if edge["from"] else nothing
        rows = start & ~beyond
        status = ground.status(edge["to"])
        codes: Status = statuses(len(here), UNKNOWN) if status is None else status
        frames.append(
            listed(ground, rows).assign(
                rung=edge["from"],
                next=edge["to"],
                law=bool(edge.get("law", False)),
                verdict=STATUS[codes[rows]],
            )
        )
    table = pd.concat(frames, ignore_index=True)
    table = table.sort_values(["firm_id", "next"], ignore_index=True)
    pairs = table.groupby(["rung", "next"]).size()
    totals: Totals = {
        f"{edge['from'] or 'none'}>{edge['to']}": float(pairs.get((edge["from"], edge["to"]), 0))
        for edge in edges
    }
    totals["firms"] = float(table["firm_id"].nunique())
    return Result(row.id, row.kind, table, totals)


def _holds(footing: Footing, tier: str) -> Mask:
    panel = footing.ground.panel
    ledger = Ledger.of(panel, Titles((tier,), footing.plan.gone_kinds))
    return among(panel.firm_ids, ledger.ids[ledger.holds(panel.as_of)])


def _reach(tier: str, edges: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A rung and all above it."""
    yield tier
    for edge in edges:
        if edge["from"] == tier:
            yield from _reach(edge["to"], edges)
