"""Reports of the plan: catalogue, indicators, budgets, league table, progress, best units."""

from __future__ import annotations

import numpy as np
import pandas as pd

from policy.logic import MET, UNMET
from policy.plan.counted_records import city_districts
from policy.plan.footing import Footing
from policy.plan.measured import base_of
from policy.plan.one_off import budget
from policy.plan.pools import listed
from policy.plan.registers import notes_of, officers
from policy.plan.result import Note, Result
from policy.plan.rows import KINDS, Row
from policy.plan.targets import target

__all__ = ["budgets", "catalogue", "indicators", "league", "preference", "progress", "units"]

Totals = dict[str, float | None]


def catalogue(row: Row, footing: Footing) -> Result:
    """Rows of the plan per programme and kind."""
    plan = footing.plan
    lines = []
    for programme in plan.programmes:
        own = [r.kind for r in plan.rows if r.programme == programme.id]
        counts = {kind: own.count(kind) for kind in KINDS}
        names = {"programme": programme.id, "zh": programme.zh, "en": programme.en}
        lines.append({**names, "rows": len(own), **counts})
    table = pd.DataFrame(lines)
    totals: Totals = {
        "programmes": float(len(table)),
        "rows": float(table["rows"].sum()),
        "rows_outside": float(sum(not r.programme for r in plan.rows)),
    }
    return Result(row.id, row.kind, table, totals)


def preference(row: Row, footing: Footing) -> Result:
    """The order in which equals go, unknown last, and the share of manufacturing."""
    ground = footing.ground
    base = base_of(row.scope, ground, footing.plan)
    table = listed(ground, base.inside)
    order = [one["metric"] for one in row.detail["order"]]
    for metric in order:
        table[metric] = ground.number(metric)[base.inside]
    table = table.sort_values(
        [*order, "firm_id"],
        ascending=[*([False] * len(order)), True],
        na_position="last",
        ignore_index=True,
    )
    table["place"] = np.arange(1, len(table) + 1)
    first = table[order[0]]
    known = int(first.notna().sum())
    totals: Totals = {
        "firms": float(len(table)),
        "known": float(known),
        "preferred": float((first == 1).sum()) if known else None,
        "share_pct": float(100.0 * (first == 1).sum() / known) if known else None,
    }
    return Result(row.id, row.kind, table, totals, notes_of(row))


def indicators(row: Row, footing: Footing) -> Result:
    """Jobs, money and the chain: sums and counts over the firms in scope, by district."""
    ground = footing.ground
    base = base_of(row.scope, ground, footing.plan)
    firms = listed(ground, base.inside)
    lines, totals = [], Totals()
    for one in row.detail["indicators"]:
        if "sum" in one:
            values = ground.number(one["sum"])[base.inside]
        else:
            status = ground.holds(one["count"])[base.inside]
            # Whatever is not decided is unknown; a decided no counts zero.
            decided = np.isin(status, [MET, UNMET])
            values = np.where(decided, (status == MET).astype("float64"), np.nan)
        series = pd.Series(values)
        names = {k: one[k] for k in ("id", "zh", "en", "unit_zh", "unit_en")}
        total = float(series.sum()) if series.notna().any() else None
        totals[one["id"]] = total
        count = int(series.notna().sum())
        lines.append({**names, "level": "city", "district": "", "value": total, "firms": count})
        grouped = series.groupby(firms["district"])
        parts = zip(grouped.sum(min_count=1).items(), grouped.count(), strict=True)
        for (place, value), known in parts:
            own = {"level": "district", "district": place, "value": value, "firms": known}
            lines.append({**names, **own})
    columns = ["id", "zh", "en", "unit_zh", "unit_en", "level", "district", "value", "firms"]
    table = pd.DataFrame(lines, columns=columns).astype({"value": "float64"})
    return Result(row.id, row.kind, table, totals)


def budgets(row: Row, footing: Footing) -> Result:
    """Per district: firms in stock, money set aside, its share of the rewards due this year."""
    year, settings = footing.day.year, footing.settings
    own = settings.budgets.get(year, {})
    places = city_districts(footing.ground.panel, tuple(own))
    table = pd.DataFrame({"district": pd.Series(places, dtype=object)})
    for name in row.detail["stock"]:
        found = target(footing.plan.row(name), footing.silent()).table.set_index("district")
        table[f"{name}_value"] = table["district"].map(found["value"])
    table["budget"] = table["district"].map(own).astype("float64")
    due = budget(footing.plan.by_id, footing.ground.panel, settings)
    now = due[(due["pay_year"] == year).to_numpy()].groupby("district")["county"]
    table["due"] = table["district"].map(now.sum(min_count=1)).astype("float64").fillna(0.0)
    table["short"] = (table["due"] - table["budget"]).clip(lower=0.0)
    totals: Totals = {
        "budget": float(table["budget"].sum()) if table["budget"].notna().any() else None,
        "due": float(table["due"].sum()),
        "districts_without_budget": float(table["budget"].isna().sum()),
    }
    used = settings.used({"param": "reward_city_share_pct"})
    return Result(row.id, row.kind, table, totals, notes_of(row), used)


def league(row: Row, footing: Footing) -> Result:
    """Districts by the mean completion of their own tasks; equal means share a rank."""
    places = city_districts(
        footing.ground.panel,
        tuple(d for name in row.detail["targets"] for d in footing.tasks.get(name, {})),
    )
    table = pd.DataFrame({"district": pd.Series(places, dtype=object)})
    for name in row.detail["targets"]:
        found = target(footing.plan.row(name), footing.silent())
        lines = found.table[(found.table["level"] == "district").to_numpy()]
        by_place = lines.set_index("district")
        for what in ("value", "task", "completion_pct"):
            table[f"{name}_{what}"] = table["district"].map(by_place[what])
    rates = table[[f"{name}_completion_pct" for name in row.detail["targets"]]]
    table["targets"] = rates.notna().sum(axis=1)
    table["mean_completion_pct"] = rates.mean(axis=1)
    table["rank"] = table["mean_completion_pct"].rank(ascending=False, method="min")
    table = table.sort_values(["rank", "district"], na_position="last", ignore_index=True)
    ranked = int(table["rank"].notna().sum())
    totals: Totals = {"districts": float(len(table)), "ranked": float(ranked)}
    notes = notes_of(row)
    if not ranked:
        notes = (*notes, Note("尚无任务分解", "No tasks are set"))
    return Result(row.id, row.kind, table, totals, notes, _basis(footing))


def _basis(footing: Footing) -> dict[str, object]:
    return footing.settings.used(footing.plan.basis)


def progress(row: Row, footing: Footing) -> Result:
    """All targets of the plan in one table."""
    lines = []
    used: dict[str, object] = {}
    for one in footing.plan.rows:
        if one.kind != "target":
            continue
        found = target(one, footing)
        used |= found.parameters
        forecast = found.forecast
        lines.append(
            {
                "row": one.id,
                "zh": one.zh,
                "en": one.en,
                "unit_zh": found.unit[0],
                "unit_en": found.unit[1],
                "goal": found.goal,
                "value": found.value,
                "completion_pct": found.completion_pct,
                "remaining": found.remaining,
                "day": found.day,
                "deadline": found.deadline,
                "past": found.past,
                "forecast": None if forecast is None else forecast.mean,
                "low": None if forecast is None else forecast.low,
                "high": None if forecast is None else forecast.high,
                "chance": None if forecast is None else forecast.chance,
            }
        )
    numbers = ["goal", "value", "completion_pct", "remaining", "forecast", "low", "high", "chance"]
    table = pd.DataFrame(lines).astype(dict.fromkeys(numbers, "float64"))
    at_most = {r.id for r in footing.plan.rows if r.detail.get("sense") == "at_most"}
    falls = table["row"].isin(at_most)
    reached = (table["value"] >= table["goal"]).mask(falls, table["value"] <= table["goal"])
    totals: Totals = {
        "targets": float(len(table)),
        "with_data": float(table["value"].notna().sum()),
        "reached": float(reached.sum()),
    }
    return Result(row.id, row.kind, table, totals, (), used)


def units(row: Row, footing: Footing) -> Result:
    """Districts by this year's new recognitions, then by net growth; officers by their firms'."""
    lines: dict[str, dict[str, float]] = {}
    people = officers(footing)
    won: dict[str, float] = {str(name): 0.0 for name in people.dropna().unique()}
    for name in row.detail["targets"]:
        found = target(footing.plan.row(name), footing.silent())
        if found.value is None or found.measured is None:
            continue
        for place, figures in found.measured.districts.iterrows():
            line = lines.setdefault(str(place), {"new": 0.0, "net": 0.0})
            out = figures[["expired", "revoked", "moved_out", "gone"]].sum()
            line["new"] += figures["new"]
            line["net"] += figures["new"] + figures["other_in"] - out
        for firm in found.measured.named("new")["firm_id"]:
            if firm in people.index and not pd.isna(people[firm]):
                won[str(people[firm])] += 1.0
    places = pd.DataFrame(
        [{"kind": "unit", "name": place, **line} for place, line in lines.items() if place],
        columns=["kind", "name", "new", "net"],
    )
    persons = pd.DataFrame(
        [{"kind": "person", "name": n, "new": k, "net": np.nan} for n, k in won.items()],
        columns=["kind", "name", "new", "net"],
    )
    ranked = [_ranked(frame) for frame in (places, persons)]
    filled = [frame for frame in ranked if len(frame)]
    table = pd.concat(filled, ignore_index=True) if filled else ranked[0]
    totals: Totals = {"units": float(len(places)), "persons": float(len(persons))}
    totals["new"] = float(places["new"].sum()) if len(places) else None
    day = min(footing.day, footing.plan.horizon)
    year = Note(f"统计年度:{day.year}", f"Year counted: {day.year}")
    return Result(row.id, row.kind, table, totals, (year, *notes_of(row)))


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """By new, then net; equals share a rank."""
    frame = frame.astype({"new": "float64", "net": "float64"})
    order = frame.sort_values(["new", "net", "name"], ascending=[False, False, True])
    pairs = list(zip(order["new"], order["net"].fillna(0.0), strict=True))
    ranks = [1 + pairs.index(pair) for pair in pairs]
    return order.assign(rank=ranks).reset_index(drop=True)
