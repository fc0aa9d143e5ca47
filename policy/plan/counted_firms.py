"""Targets over firms: titles held, conditions met, ratios and growth over a group of firms."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import LADDER
from policy.logic import MET, UNMET
from policy.plan.ground import Ground
from policy.plan.labels import tier_list
from policy.plan.measured import Base, Figures, Measured, base_of, chosen, counts, measured
from policy.plan.presence import districts
from policy.plan.result import Note
from policy.plan.rows import Plan, Row
from policy.plan.settings import Settings
from policy.plan.stock import FIGURES, Ledger, Titles, known_tiers, record_ends

__all__ = ["by_condition", "by_growth", "by_ratio", "by_titles", "titles_of"]

Floats = NDArray[np.float64]


def titles_of(row: Row, plan: Plan, settings: Settings) -> Titles:
    """The titles that a target counts, as the city reads the plan's overlaps."""
    detail = row.detail
    tiers = list(detail["tiers"])
    for more in detail.get("also", ()):
        if chosen(more["when"], settings):
            tiers += more["tiers"]
    return Titles(tuple(tiers), plan.gone_kinds)


def by_titles(row: Row, ground: Ground, plan: Plan) -> Measured:
    """有效存量, 累计认定 and the year's flows of distinct firms."""
    panel, titles = ground.panel, titles_of(row, plan, ground.settings)
    start = date(panel.as_of.year - 1, 12, 31)
    basis = str(chosen(row.detail.get("basis", plan.basis), ground.settings))
    known = known_tiers(panel, titles.tiers)
    notes = []
    missing = [t for t in titles.tiers if t in LADDER and t not in known]
    if known and missing:
        zh, en = tier_list(missing)
        notes.append(Note(f"未见记录的层级:{zh}", f"No records of: {en}"))
    end = record_ends(panel, known)
    if end is not None:
        notes.append(Note(f"称号记录截至{end}", f"Title records end on {end}"))
    records = Ledger.of(panel, titles).people(start, panel.as_of)
    compute = counts(*FIGURES, value=basis)
    behind = {"value": basis, **{name: name for name in FIGURES}}
    return measured(records, compute, behind, bool(known), tuple(notes))


def by_condition(row: Row, ground: Ground, plan: Plan) -> Measured:
    """Firms of the base for which the definition holds; what is not on record stands apart."""
    base = base_of(row.detail["base"], ground, plan)
    test = ground.holds(row.detail["who"])
    narrowed = base.narrowed(test)
    decided = base.inside & ((test == MET) | (test == UNMET))
    nobody = len(test) > 0 and not (base.inside | base.maybe).any()
    rows = base.inside | narrowed.maybe
    records = _firms(ground, rows).assign(
        met=narrowed.inside[rows], unknown=narrowed.maybe[rows], base=base.inside[rows]
    )
    compute = counts("met", "unknown", "base", value="met")
    behind = {"value": "met", "met": "met", "unknown": "unknown", "base": "base"}
    known = bool(decided.any()) or nobody
    return measured(records, compute, behind, known)


def _firms(ground: Ground, rows: NDArray[np.bool_]) -> pd.DataFrame:
    ids = ground.panel.firm_ids[rows]
    return pd.DataFrame({"firm_id": ids, "district": districts(ground.panel, ids)})


def _members(row: Row, ground: Ground, plan: Plan) -> tuple[Base, tuple[Note, ...]]:
    """The base of a ratio, and how many firms might belong to it if more were on record."""
    base = base_of(row.detail["base"], ground, plan)
    if "who" in row.detail:
        base = base.narrowed(ground.holds(row.detail["who"]))
    unsure = int(base.maybe.sum())
    said = Note(
        f"另有{unsure}家是否属统计范围待核实", f"{unsure} more firms may belong to the base"
    )
    return base, (said,) if unsure else ()


def reaches(values: Floats, goal: float, at_most: bool = False) -> NDArray[np.bool_]:
    """Whether values reach a goal; rounding in the last place decides nothing."""
    with np.errstate(invalid="ignore"):
        beyond = values <= goal if at_most else values >= goal
    return np.asarray(beyond | np.isclose(values, goal, rtol=1e-12, atol=0.0))


def by_ratio(row: Row, ground: Ground, plan: Plan) -> Measured:
    """A share over firms: of the sums, and as the mean of the firms' shares."""
    detail, settings = row.detail, ground.settings
    base, notes = _members(row, ground, plan)
    part, whole = (ground.number(detail[name]) for name in ("part", "whole"))
    rows = base.inside
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(whole > 0, 100.0 * part / whole, np.nan)[rows]
    have = ~np.isnan(ratio)
    goal = settings.number(row.numbers["goal"])
    records = _firms(ground, rows).assign(
        part=part[rows], whole=whole[rows], ratio=ratio, firms=have, no_data=~have
    )
    records["reached"] = have & reaches(ratio, goal if goal is not None else np.inf)
    return averaged(records, str(chosen(detail["reading"], settings)), notes)


def averaged(
    records: pd.DataFrame, reading: str, notes: tuple[Note, ...], per_whole: float = 100.0
) -> Measured:
    """Figures of records: part, whole, ratio, and the flags firms, no_data and reached."""

    def compute(rows: pd.DataFrame) -> Figures:
        known = rows[rows["firms"].to_numpy(dtype=bool)]
        total = float(known["whole"].sum())
        found: dict[str, float | None] = {
            "weighted": per_whole * float(known["part"].sum()) / total if total > 0 else None,
            "mean": float(known["ratio"].mean()) if len(known) else None,
        }
        value = found[reading]
        flags = {name: float(rows[name].sum()) for name in ("firms", "no_data", "reached")}
        return {"value": value, **found, **flags}

    own = {name: name for name in ("firms", "no_data", "reached")}
    behind = {"value": "firms", "weighted": "firms", "mean": "firms", **own}
    return measured(records, compute, behind, bool(records["firms"].any()), notes)


def by_growth(row: Row, ground: Ground, plan: Plan) -> Measured:
    """Growth of main revenue, of net profit, or whichever is more, over a group of firms."""
    detail, settings = row.detail, ground.settings
    base, notes = _members(row, ground, plan)
    rows = base.inside
    goal = settings.number(row.numbers["goal"])
    records = _firms(ground, rows)
    reading = str(chosen(detail["reading"], settings))
    parts = ("main", "profit") if reading == "any" else (reading,)
    for name in ("main", "profit"):
        for what in ("now", "before", "growth"):
            records[f"{name}_{what}"] = ground.number(detail[name][what])[rows]
    growths = [records[f"{name}_growth"].to_numpy(dtype="float64") for name in parts]
    have = np.logical_or.reduce([~np.isnan(g) for g in growths])
    reached = np.logical_or.reduce(
        [reaches(g, goal if goal is not None else np.inf) for g in growths]
    )
    records = records.assign(firms=have, no_data=~have, reached=reached)
    statistic = str(chosen(detail["statistic"], settings))
    own = {name: name for name in ("firms", "no_data", "reached")}
    figures = (
        *own,
        "value",
        "main_weighted",
        "main_mean",
        "profit_weighted",
        "profit_mean",
        "share",
    )
    behind = {name: own.get(name, "firms") for name in figures}

    def compute(part: pd.DataFrame) -> Figures:
        return _growth_figures(part, parts, statistic)

    return measured(records, compute, behind, bool(have.any()), notes)


def _growth_figures(records: pd.DataFrame, parts: tuple[str, ...], statistic: str) -> Figures:
    found: dict[str, float | None] = {}
    for name in ("main", "profit"):
        known = records[records[f"{name}_growth"].notna().to_numpy()]
        before = float(known[f"{name}_before"].sum())
        grown = float(known[f"{name}_now"].sum()) / before - 1.0 if before > 0 else None
        found[f"{name}_weighted"] = None if grown is None else 100.0 * grown
        found[f"{name}_mean"] = float(known[f"{name}_growth"].mean()) if len(known) else None
    flags = {name: float(records[name].sum()) for name in ("firms", "no_data", "reached")}
    share = 100.0 * flags["reached"] / flags["firms"] if flags["firms"] else None
    if statistic == "share":
        value = share
    else:
        values = [found[f"{name}_{statistic}"] for name in parts]
        value = max((v for v in values if v is not None), default=None)
    return {"value": value, **found, "share": share, **flags}
