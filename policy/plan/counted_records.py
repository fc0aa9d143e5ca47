"""Targets over records: fees paid, listings, members of a pool, activities held."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.facts import covered
from features.panel import Panel
from policy.logic import MET
from policy.plan.counted_firms import averaged, reaches
from policy.plan.ground import Ground
from policy.plan.measured import Figures, Measured, base_of, chosen, counts, measured
from policy.plan.pool_entry import declared, entry, members, recorded
from policy.plan.presence import districts, present
from policy.plan.result import Note
from policy.plan.rows import Plan, Row
from policy.plan.scopes import SCOPES
from policy.plan.settings import Settings

__all__ = [
    "by_activities",
    "by_each_district",
    "by_events",
    "by_members",
    "by_price",
    "city_districts",
    "held_activities",
]


def by_price(row: Row, ground: Ground, plan: Plan) -> Measured:
    """A price that firms pay, weighted and as a plain mean, by each firm's newest record."""
    detail, panel = row.detail, ground.panel
    base = base_of(detail["base"], ground, plan)
    credit = panel.tables["credit"].sort_values("year").drop_duplicates("firm_id", keep="last")
    newest = credit.set_index("firm_id").reindex(panel.firm_ids[base.inside])
    price = newest[detail["column"]].to_numpy(dtype="float64")
    weight = newest[detail["weight"]].to_numpy(dtype="float64")
    goal = ground.settings.number(row.numbers["goal"])
    have = ~np.isnan(price)
    ids = newest.index.to_numpy(dtype=object)
    records = pd.DataFrame(
        {
            "firm_id": ids,
            "district": districts(panel, ids),
            "year": newest["year"].to_numpy(dtype="float64"),
            "part": np.where(have, price * np.nan_to_num(weight), 0.0),
            "whole": np.where(have, np.nan_to_num(weight), 0.0),
            "ratio": price,
            "firms": have,
            "no_data": ~have,
            "reached": have & reaches(price, goal if goal is not None else -np.inf, at_most=True),
        }
    )
    # Who has no fee on record mostly has no guarantee: only those with a fee are of interest.
    records = records[have].reset_index(drop=True)
    reading = str(chosen(detail["reading"], ground.settings))
    return averaged(records, reading, _unweighted(records), per_whole=1.0)


def _unweighted(records: pd.DataFrame) -> tuple[Note, ...]:
    without = int((records["whole"] == 0).sum())
    said = Note(f"{without}家缺在保余额,不入加权平均", f"{without} firms have no balance to weigh")
    return (said,) if without else ()


def by_events(row: Row, ground: Ground, plan: Plan) -> Measured:
    """Firms to which an event happened while they held a title and were in the city."""
    detail, panel = row.detail, ground.panel
    events = panel.tables["events"]
    own = events[events["kind"].isin(detail["events"]).to_numpy()]
    boards = own["board"].isin(detail["boards"]) | own["board"].isna()
    chosen_rows = own[boards.to_numpy()].sort_values(["firm_id", "on"], ignore_index=True)
    if detail.get("since_plan"):
        since = pd.Timestamp(plan.since(ground.settings))
        chosen_rows = chosen_rows[(chosen_rows["on"] >= since).to_numpy()]
    if detail.get("current"):
        chosen_rows = chosen_rows[chosen_rows["ended_on"].isna().to_numpy()]
    here = present(panel, chosen_rows["firm_id"], chosen_rows["on"].to_numpy(dtype="M8[s]"))
    rows = chosen_rows[here & _titled(panel, row.scope, chosen_rows)].reset_index(drop=True)
    # A board that is not recorded may be one of them: such a firm stands apart.
    rows = rows.assign(unsure=rows["board"].isna()).sort_values(["firm_id", "unsure", "on"])
    first = rows.drop_duplicates("firm_id").reset_index(drop=True)
    ids = first["firm_id"].to_numpy(dtype=object)
    unsure = first["unsure"].to_numpy(dtype=bool)
    year = (first["on"].dt.year == panel.as_of.year).to_numpy(dtype=bool)
    records = pd.DataFrame(
        {
            "firm_id": ids,
            "district": districts(panel, ids),
            "on": first["on"],
            "board": first["board"],
            "met": ~unsure,
            "new": ~unsure & year,
            "unknown": unsure,
        }
    )
    seen = bool(own["board"].isin(detail["boards"]).any())
    known = seen or all(covered(panel, kind) for kind in detail["events"])
    behind = {"value": "met", "met": "met", "new": "new", "unknown": "unknown"}
    compute = counts("met", "new", "unknown", value="met")
    return measured(records, compute, behind, known)


def _titled(panel: Panel, scope: str, rows: pd.DataFrame) -> np.ndarray:
    """Whether a firm held a title of the scope on the day of its event."""
    titles = panel.tables["titles"]
    own = titles.loc[
        titles["tier"].isin(SCOPES[scope]).to_numpy(),
        ["firm_id", "issued_on", "expires_on", "revoked_on"],
    ]
    asked = rows[["firm_id", "on"]].assign(place=np.arange(len(rows)))
    pairs = asked.merge(own, on="firm_id")
    held = (
        (pairs["issued_on"] <= pairs["on"])
        & (pairs["expires_on"].isna() | (pairs["expires_on"] >= pairs["on"]))
        & (pairs["revoked_on"].isna() | (pairs["revoked_on"] > pairs["on"]))
    )
    found = np.zeros(len(rows), dtype=bool)
    found[pairs.loc[held.to_numpy(), "place"].to_numpy()] = True
    return found


def by_members(row: Row, ground: Ground, plan: Plan) -> Measured:
    """Members of a pool by the findings on record, and candidates by its entry condition."""
    panel, pool = ground.panel, declared(plan)[row.detail["pool"]]
    member = members(pool["id"], ground)
    status = entry(pool, ground)
    candidate = ~member & (status == MET)
    rows = member | candidate
    ids = panel.firm_ids[rows]
    records = pd.DataFrame(
        {
            "firm_id": ids,
            "district": districts(panel, ids),
            "met": member[rows],
            "candidates": candidate[rows],
        }
    )
    known = recorded(pool["id"], panel)

    def compute(part: pd.DataFrame) -> Figures:
        met = float(part["met"].sum()) if known else None
        return {"value": met, "met": met, "candidates": float(part["candidates"].sum())}

    behind = {"value": "met", "met": "met", "candidates": "candidates"}
    notes = () if known else (Note("尚无入库记录", "No membership is on record"),)
    return measured(records, compute, behind, True, notes)


# --------------------------------------------------------------------------------- activities


def held_activities(row: Row, panel: Panel) -> pd.DataFrame:
    """Activities of the target's kind, with their number in ``count``."""
    held = panel.tables["activities"]
    own = held[(held["kind"] == row.detail["activity"]).to_numpy()].sort_values(["district", "on"])
    return pd.DataFrame(
        {
            "district": own["district"].fillna("").to_numpy(dtype=object),
            "on": own["on"].to_numpy(),
            "year": own["on"].dt.year.to_numpy(),
            "count": own[row.detail["column"]].to_numpy(dtype="float64"),
        }
    )


def _in_period(
    row: Row, held: pd.DataFrame, panel: Panel, plan: Plan, settings: Settings
) -> np.ndarray:
    if chosen(row.detail["period"], settings) == "year":
        return (held["year"] == panel.as_of.year).to_numpy(dtype=bool)
    return (held["on"] >= pd.Timestamp(plan.since(settings))).to_numpy(dtype=bool)


def by_activities(row: Row, ground: Ground, plan: Plan) -> Measured:
    """The sum of what activities report, of this year or since the plan began."""
    panel = ground.panel
    held = held_activities(row, panel)
    inside = _in_period(row, held, panel, plan, ground.settings)
    counted = held["count"].notna().to_numpy()
    records = held.assign(met=inside & counted, unknown=inside & ~counted)

    def compute(part: pd.DataFrame) -> Figures:
        number = part.loc[part["met"].to_numpy(dtype=bool), "count"]
        unknown = float(part["unknown"].sum())
        silent = not len(number) and unknown > 0
        return {
            "value": None if silent else float(number.sum()),
            "records": float(len(number)),
            "unknown": unknown,
        }

    behind = {"value": "met", "records": "met", "unknown": "unknown"}
    return measured(records, compute, behind, bool(counted.any()))


def city_districts(panel: Panel, more: tuple[str, ...] = ()) -> list[str]:
    """All districts that firms, activities and tasks name."""
    firms = panel.firms["district"].dropna().unique()
    held = panel.tables["activities"]["district"].dropna().unique()
    return sorted({*firms, *held, *more} - {""})


def by_each_district(row: Row, ground: Ground, plan: Plan) -> Measured:
    """Districts that held enough of something this year; each district is a record."""
    panel = ground.panel
    held = held_activities(row, panel)
    inside = _in_period(row, held, panel, plan, ground.settings)
    total = held[inside].groupby("district")["count"].sum(min_count=1)
    silent = set(held.loc[inside, "district"]) - set(total.dropna().index)
    names = city_districts(panel)
    # Where any district reports such activities, one without a report held none.
    number = np.array([np.nan if n in silent else float(total.get(n, 0.0)) for n in names])
    each = float(row.detail["each"])
    enough = number >= each
    records = pd.DataFrame(
        {
            "district": np.array(names, dtype=object),
            "count": number,
            "met": enough,
            "short": number < each,
            "unknown": np.isnan(number),
        }
    )
    behind = {name: name for name in ("met", "short", "unknown")} | {"value": "met"}
    compute = counts("met", "short", "unknown", value="met")
    return measured(records, compute, behind, bool(held["count"].notna().any()))
