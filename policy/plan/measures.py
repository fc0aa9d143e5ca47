"""Measures of the ten programmes: who each is for, and what it does for them.

A measure lists the firms that it fits and says how many of them have a gap that it helps to close;
some compute something of their own. Criteria and reports of the programmes run here, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import LADDER
from features.panel import Panel
from policy.logic import MANUAL, MET, NAMES, UNKNOWN, UNMET, Status
from policy.plan.fitting import closing
from policy.plan.ground import Ground, eligible, newest_credit, next_tier
from policy.plan.one_off import REVIEW
from policy.plan.result import Note, PlanRow, Result
from policy.plan.scopes import holds_any, in_scope
from policy.plan.supports import inclusive

__all__ = ["run", "run_criterion", "run_report", "without_minor"]

STATUS = np.array(NAMES, dtype=object)

Totals = dict[str, float | None]


def run(row: PlanRow, ground: Ground) -> Result:
    """The consequence of a row of kind measure: the firms that it fits, or may fit."""
    detail = row.details["measure"]
    status = eligible(row, ground)
    rows = np.flatnonzero((status == MET) | (status == UNKNOWN) | (status == MANUAL))
    blocks, opens = _closes(row, ground)
    table = _listed(ground.panel, rows).assign(
        status=STATUS[status[rows]], blocks=blocks[rows], opens=opens[rows]
    )
    met = (status[rows] == MET).astype(bool)
    totals: Totals = {
        "firms": float(met.sum()),
        "open_firms": float((~met).sum()),
        "firms_with_gap": float((met & (blocks[rows] > 0)).sum()),
    }
    if "group_by" in detail:
        table["group"] = (
            _groups(detail["group_by"], ground.panel).reindex(table["firm_id"]).to_numpy()
        )
    if "activity" in detail:
        totals |= _held(ground.panel, detail["activity"])
    if detail.get("form") == "super_deduction":
        table = _super_deduction(row, ground, table)
        known = table.loc[met, "deduction"].dropna()
        totals |= {
            "deduction": float(known.sum()),
            "tax_effect": float(table.loc[met, "tax_effect"].sum()),
        }
    notes = [Note(detail["note_zh"], detail["note_en"])] if "note_zh" in detail else []
    if detail.get("needs_review"):
        notes.append(REVIEW)
        if row.id not in ground.settings.reviewed:
            totals = {"firms": 0.0, "unreviewed_firms": totals["firms"]}
    return Result(row.id, row.kind, table, totals, tuple(notes), ground.settings.used(detail))


def _listed(panel: Panel, rows: NDArray[np.intp]) -> pd.DataFrame:
    ids = pd.Series(panel.firm_ids[rows], dtype=object)
    district = panel.firms["district"].reindex(ids).fillna("").to_numpy()
    return pd.DataFrame({"firm_id": ids, "district": district})


def _closes(row: PlanRow, ground: Ground) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per firm the unmet and the open criteria of its next tier that the measure speaks to."""
    rung = next_tier(ground.panel)
    blocks, opens = np.zeros(len(rung), dtype="int64"), np.zeros(len(rung), dtype="int64")
    for index, name in enumerate(LADDER):
        firms = np.flatnonzero(rung == index)
        gaps = ground.gaps(name) if len(firms) else None
        if gaps is not None and gaps.names:
            found = gaps.criteria[firms][:, closing([row], gaps)[0]]
            blocks[firms] = (found == UNMET).sum(axis=1)
            opens[firms] = ((found == UNKNOWN) | (found == MANUAL)).sum(axis=1)
    return blocks, opens


# ------------------------------------------------------------------- groups, activities, taxes


def _groups(by: str, panel: Panel) -> pd.Series:
    """What a measure's firms are grouped by; "" where it is not recorded."""
    if by == "need":
        found = newest_credit(panel, "need_type")
    elif by == "industry":
        found = panel.firms["industry_gb4754"].str.slice(0, 2)
    elif by in panel.firms:
        found = panel.firms[by]
    else:
        annual = panel.tables["annual"][["firm_id", "year", by]].dropna().sort_values("year")
        newest = annual.drop_duplicates("firm_id", keep="last").set_index("firm_id")[by]
        found = newest.reindex(panel.firm_ids)
    return found.astype(object).where(found.notna(), "")


def _held(panel: Panel, kind: str) -> Totals:
    """This year's events of a kind and firms attending; None where nothing was ever reported."""
    activities = panel.tables["activities"]
    own = activities[(activities["kind"] == kind).to_numpy()]
    if not len(own):
        return {"events_held": None, "firms_attending": None}
    year = own[(own["on"].dt.year == panel.as_of.year).to_numpy()]
    return {name: float(year[name].sum()) for name in ("events_held", "firms_attending")}


def _super_deduction(row: PlanRow, ground: Ground, table: pd.DataFrame) -> pd.DataFrame:
    """What R&D expense deducts once more, and the most that saves in tax (万元)."""
    detail = row.details["measure"]
    settings = ground.settings
    rate, tax, high = (settings.number(detail[name]) for name in ("rate", "tax", "tax_high_tech"))
    at = np.searchsorted(ground.panel.firm_ids, table["firm_id"].to_numpy(dtype=object))
    spent = ground.number("rd_expense")[at]
    tech = holds_any(ground.panel, ("high_tech",))[at] == MET
    tax_rate = np.where(tech, _or_unknown(high), _or_unknown(tax))
    deduction = spent * _or_unknown(rate) / 100.0
    return table.assign(
        rd_expense=spent, deduction=deduction, tax_effect=deduction * tax_rate / 100.0
    )


def _or_unknown(number: float | None) -> float:
    return float("nan") if number is None else number


# ------------------------------------------------------------------------ criteria and reports


def run_criterion(row: PlanRow, ground: Ground) -> Result:
    """The consequence of a row of kind criterion: traits counted, or records left out."""
    detail = row.details["criterion"]
    notes = (Note(detail["note_zh"], detail["note_en"]),)
    if detail.get("form") == "left_out":
        table = without_minor(ground.panel)
        counts = table["why"].value_counts()
        totals: Totals = {
            "records": float(len(table)),
            "exempt": float(counts.get("exempt", 0)),
            "repaired": float(counts.get("repaired", 0)),
            "firms": float(table["firm_id"].nunique()),
        }
        return Result(row.id, row.kind, table, totals, notes)
    scope = in_scope(ground.panel, row.scope)
    rows = np.flatnonzero(scope == MET)
    table = _listed(ground.panel, rows)
    parts: Mapping[str, Status] = {
        part["id"]: ground.holds(part["test"])[rows] for part in detail["parts"]
    }
    for name, status in parts.items():
        table[name] = STATUS[status]
    met = np.sum([status == MET for status in parts.values()], axis=0)
    table["traits"] = met
    totals = {"firms": float(len(rows)), "all_traits": float((met == len(parts)).sum())}
    totals |= {name: float((status == MET).sum()) for name, status in parts.items()}
    return Result(row.id, row.kind, table, totals, notes)


def without_minor(panel: Panel) -> pd.DataFrame:
    """Records that enter nothing: exempt minor offences (免罚清单) and repaired ones (信用修复)."""
    events = panel.tables["events"]
    exempt = (events["exempt_minor"].fillna(0) == 1).to_numpy()
    repaired = events["repaired_on"].notna().to_numpy()
    columns = ["firm_id", "kind", "on", "document", "repaired_on"]
    chosen = events.loc[exempt | repaired, columns].reset_index(drop=True)
    why = np.where(exempt[exempt | repaired], "exempt", "repaired")
    return chosen.assign(why=why.astype(object))


def run_report(row: PlanRow, ground: Ground) -> Result:
    """The consequence of a row of kind report."""
    detail: Mapping[str, Any] = row.details["report"]
    settings = ground.settings
    cap, share = (_or_unknown(settings.number(detail[name])) for name in ("cap", "bank_share"))
    table, totals = inclusive(ground.panel, in_scope(ground.panel, row.scope), cap, share)
    return Result(row.id, row.kind, table, totals, (), settings.used(detail))
