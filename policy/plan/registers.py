"""Processes with their data: dimensions, support and reviews, steps of application, models."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from policy.logic import MANUAL, MET, NAMES, UNKNOWN
from policy.plan.footing import Footing
from policy.plan.measured import base_of
from policy.plan.pools import listed
from policy.plan.result import Note, Result
from policy.plan.rows import Row
from policy.plan.stock import Ledger, Titles
from tidu.clock import add_months

__all__ = ["dimensions", "dynamic", "models", "notes_of", "officers", "steps"]

STATUS = np.array(NAMES, dtype=object)

Totals = dict[str, float | None]


def notes_of(row: Row) -> tuple[Note, ...]:
    """What the row itself has to say."""
    detail = row.detail
    return (Note(detail["note_zh"], detail["note_en"]),) if "note_zh" in detail else ()


def dimensions(row: Row, footing: Footing) -> Result:
    """The score card's dimensions: per metric how many firms are known, and their quartiles."""
    ground = footing.ground
    base = base_of(row.scope, ground, footing.plan)
    lines, totals = [], Totals()
    for dimension in row.detail["dimensions"]:
        known = np.zeros(int(base.inside.sum()), dtype=bool)
        for metric in dimension["metrics"]:
            values = ground.number(metric)[base.inside]
            have = values[~np.isnan(values)]
            known |= ~np.isnan(values)
            quartiles = np.quantile(have, [0.25, 0.5, 0.75]) if len(have) else [np.nan] * 3
            lines.append(
                {
                    "dimension": dimension["id"],
                    "zh": dimension["zh"],
                    "en": dimension["en"],
                    "metric": metric,
                    "firms": len(have),
                    "q25": quartiles[0],
                    "median": quartiles[1],
                    "q75": quartiles[2],
                }
            )
        totals[f"{dimension['id']}_firms"] = float(known.sum())
    totals["dimensions"] = float(len(row.detail["dimensions"]))
    return Result(row.id, row.kind, pd.DataFrame(lines), totals, notes_of(row))


def officers(footing: Footing) -> pd.Series:
    """Who looks after each firm: the newest finding of criterion A4, as far as one is recorded."""
    panel = footing.ground.panel
    findings = panel.tables["attestations"]
    valid = findings["valid_until"].isna() | (findings["valid_until"] >= pd.Timestamp(panel.as_of))
    own = findings[((findings["criterion"] == "A4") & valid).to_numpy()]
    newest = own.sort_values(["firm_id", "attested_on"], na_position="first")
    return newest.drop_duplicates("firm_id", keep="last").set_index("firm_id")["attested_by"]


def dynamic(row: Row, footing: Footing) -> Result:
    """Titles due for review within the window or overdue, with officers; entries and exits."""
    panel, settings = footing.ground.panel, footing.settings
    months = int(settings.number(row.detail["window"]) or 0)
    frames, totals = [], Totals()
    for tier in row.detail["tiers"]:
        ledger = Ledger.of(panel, Titles((tier,), footing.plan.gone_kinds))
        flows = ledger.people(date(panel.as_of.year - 1, 12, 31), panel.as_of)
        out = flows["expired"] | flows["revoked"] | flows["moved_out"] | flows["gone"]
        totals[f"{tier}_in"] = float((flows["new"] | flows["other_in"]).sum())
        totals[f"{tier}_out"] = float(out.sum())
        frames.append(_reviews(footing, tier, ledger, months))
    table = pd.concat(frames, ignore_index=True).sort_values(["due", "firm_id"], ignore_index=True)
    table["officer"] = officers(footing).reindex(table["firm_id"]).fillna("").to_numpy()
    totals["reviews_due"] = float((table["state"] == "due").sum())
    totals["overdue"] = float((table["state"] == "overdue").sum())
    totals["without_officer"] = float((table["officer"] == "").sum())
    return Result(row.id, row.kind, table, totals, notes_of(row), settings.used(row.detail))


def _reviews(footing: Footing, tier: str, ledger: Ledger, months: int) -> pd.DataFrame:
    """Valid titles whose review (else expiry) falls into the window; overdue: its day is past."""
    panel = footing.ground.panel
    moment = pd.Timestamp(panel.as_of)
    titles = panel.tables["titles"]
    own = titles[(titles["tier"] == tier).to_numpy()].sort_values(["firm_id", "issued_on"])
    newest = own.drop_duplicates("firm_id", keep="last")
    due = newest["review_due"].fillna(newest["expires_on"])
    held = newest["firm_id"].isin(ledger.ids[ledger.holds(panel.as_of)])
    soon = due <= pd.Timestamp(add_months(panel.as_of, months))
    chosen = newest[(held & soon).to_numpy()]
    days = due[(held & soon).to_numpy()]
    return pd.DataFrame(
        {
            "firm_id": chosen["firm_id"].to_numpy(dtype=object),
            "district": panel.firms["district"].reindex(chosen["firm_id"]).fillna("").to_numpy(),
            "tier": tier,
            "due": days.to_numpy(),
            "expires_on": chosen["expires_on"].to_numpy(),
            "state": np.where(days < moment, "overdue", "due").astype(object),
        }
    )


def steps(row: Row, footing: Footing) -> Result:
    """Who decides at which step, and what lies there: this year's applications by result."""
    table = footing.ground.panel.tables["applications"]
    year = footing.day.year
    when = table["submitted_on"].fillna(table["decided_on"]).dt.year
    batch = pd.to_numeric(table["batch"].str.slice(0, 4), errors="coerce")
    now = table[(when.fillna(batch) == year).to_numpy()]
    lines = []
    for step in row.detail["steps"]:
        column = now[step["column"]]
        counts = {} if step["column"] == "submitted_on" else column.value_counts().to_dict()
        line = {
            "step": step["id"],
            "zh": step["zh"],
            "en": step["en"],
            "role_zh": step["role_zh"],
            "role_en": step["role_en"],
            "recorded": float(column.notna().sum()),
        }
        for result in ("passed", "failed", "returned", "withdrawn", "pending"):
            line[result] = float(counts.get(result, 0))
        lines.append(line)
    frame = pd.DataFrame(lines)
    if not len(table):
        numbers = frame.columns.drop(["step", "zh", "en", "role_zh", "role_en"])
        frame[numbers] = np.nan
        return Result(row.id, row.kind, frame, {"applications": None}, (Note("无数据", "No data"),))
    totals: Totals = {
        "applications": float(len(now)),
        "undecided": float((now["final_result"].isna() | (now["final_result"] == "pending")).sum()),
    }
    return Result(row.id, row.kind, frame, totals)


def models(row: Row, footing: Footing) -> Result:
    """Firms of the base that meet the row's condition: candidates, never a choice."""
    ground = footing.ground
    base = base_of(row.scope, ground, footing.plan)
    status = ground.holds(row.detail["who"])
    met = base.inside & (status == MET)
    unsure = base.inside & ((status == UNKNOWN) | (status == MANUAL))
    table = listed(ground, met)
    totals: Totals = {
        "firms": float(met.sum()) if base.inside.any() else None,
        "unknown": float(unsure.sum()),
    }
    used = footing.settings.used(row.detail)
    return Result(row.id, row.kind, table, totals, notes_of(row), used)
