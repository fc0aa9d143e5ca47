"""Who may enter a pool: a condition in data, a title to climb from, nothing that ends it yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from features.facts import covered
from features.panel import Panel
from policy.logic import MET, UNKNOWN, UNMET, Status, every, negated
from policy.plan.ground import Ground, attested
from policy.plan.rows import Plan
from policy.plan.scopes import among, holds_any

__all__ = ["declared", "entry", "members", "recorded"]


def declared(plan: Plan) -> Mapping[str, Mapping[str, Any]]:
    """All pools of a plan by id."""
    rows = (row.details.get("pool", {}).get("pools", ()) for row in plan.rows)
    return {pool["id"]: pool for pools in rows for pool in pools}


def entry(pool: Mapping[str, Any], ground: Ground) -> Status:
    """Whether firms meet the conditions of entry, in the order of ``panel.firm_ids``.

    ``from`` are titles of which one is needed, ``tiers`` those that end the way, ``events`` too.
    """
    panel = ground.panel
    parts = [ground.present]
    if "from" in pool:
        parts.append(holds_any(panel, pool["from"]))
    if "tiers" in pool:
        parts.append(negated(holds_any(panel, pool["tiers"])))
    parts += [_without(panel, kind) for kind in pool.get("events", ())]
    if "entry" in pool:
        parts.append(ground.holds(pool["entry"]))
    return every(parts)


def _without(panel: Panel, kind: str) -> Status:
    events = panel.tables["events"]
    happened = among(panel.firm_ids, events.loc[(events["kind"] == kind).to_numpy(), "firm_id"])
    otherwise = MET if covered(panel, kind) else UNKNOWN
    return np.where(happened, UNMET, otherwise).astype(np.int8)


def members(pool: str, ground: Ground) -> np.ndarray:
    """Firms of the city that an official has put into the pool, by the newest finding."""
    found = attested(ground.panel, f"pool:{pool}")
    return np.asarray((found == MET) & (ground.present == MET))


def recorded(pool: str, panel: Panel) -> bool:
    """Whether membership of the pool is on record at all."""
    return bool((panel.tables["attestations"]["criterion"] == f"pool:{pool}").any())
