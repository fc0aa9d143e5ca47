"""A city of middling size, built once, and what came of its chances as a user would read it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

import city

LADDER = ("innovative_sme", "srdi_municipal", "srdi_provincial", "little_giant", "single_champion")
DISTRESS = ("default_90d", "bankruptcy", "closure")
END = pd.Timestamp("2026-06-30")
# 99.9 % of a normal law: with fixed seeds the checks pass or fail for good.
BOUND = 3.3


@cache
def middling_town() -> city.City:
    return city.build(3000, 7)


def outcomes(town: city.City, task: str) -> tuple[pd.DataFrame, str]:
    """Return the rows of which one within the window is the label of a task, and their date."""
    name, _, variant = task.partition(":")
    if name == "promotion":
        titles = town.tables["titles"]
        return titles[(titles["tier"] == variant) & (titles["purpose"] == "new")], "issued_on"
    if name in ("application", "recognition"):
        table = town.tables["applications"]
        mine = table[(table["tier"] == variant) & (table["purpose"] == "new")]
        if name == "recognition":
            return mine[mine["final_result"] == "passed"], "decided_on"
        return mine, "submitted_on"
    kinds = {"listing": ("listed",), "quotation": ("quoted",)}.get(name, DISTRESS)
    events = town.tables["events"]
    return events[events["kind"].isin((variant,) if variant else kinds)], "on"


def realised(town: city.City, task: str, months: int) -> pd.DataFrame:
    """Join the truth of a task with what came of it, read from the tables as a user would."""
    happened, day = outcomes(town, task)
    truth = town.truth[town.truth["task"] == f"{task}@{months}"].astype({"firm_id": "str"})
    truth = truth[truth["as_of"] <= END - pd.DateOffset(months=months)]
    parts = []
    for as_of, rows in truth.groupby("as_of"):
        until = as_of + pd.DateOffset(months=months)
        asked = outcomes(town, "application" + task[11:]) if task[:11] == "recognition" else None
        mine = rows if asked is None else rows[_within(rows, *asked, as_of, until)]
        hit = _within(mine, happened, day, as_of, until)
        parts.append(mine.assign(hit=hit.astype(float)))
    return pd.concat(parts)


def lapsed(town: city.City, tier: str) -> pd.DataFrame:
    """Join the truth of a lapse with what the table of titles says of the title that fell due."""
    titles = town.tables["titles"][town.tables["titles"]["tier"] == tier]
    truth = town.truth[town.truth["task"] == f"lapse:{tier}@12"].astype({"firm_id": "str"})
    parts = []
    for as_of, rows in truth.groupby("as_of"):
        until = as_of + pd.DateOffset(months=12)
        held = titles[titles["issued_on"] <= as_of]
        held = held[held["revoked_on"].isna() | (held["revoked_on"] > as_of)]
        due = held[(held["expires_on"] > as_of) & (held["expires_on"] <= until)]
        assert set(due["firm_id"]) >= set(rows["firm_id"])
        assert _gone(town, set(due["firm_id"]) - set(rows["firm_id"]), as_of)
        again = titles[titles["purpose"] == "review"]
        renewed = _within(rows, again, "issued_on", as_of, until)
        parts.append(rows.assign(hit=(~renewed).astype(float)))
    return pd.concat(parts)


def _gone(town: city.City, firms: set[str], as_of: pd.Timestamp) -> bool:
    events = town.tables["events"]
    ends = events[events["kind"].isin(["bankruptcy", "closure", "dissolved", "relocation"])]
    return firms <= set(ends[ends["on"] <= as_of]["firm_id"])


def _within(
    rows: pd.DataFrame, happened: pd.DataFrame, day: str, after: pd.Timestamp, until: pd.Timestamp
) -> pd.Series:
    inside = (happened[day] > after) & (happened[day] <= until)
    return rows["firm_id"].isin(set(happened["firm_id"][inside]))


def surprise(table: pd.DataFrame) -> float:
    """How many standard deviations the count lies from the sum of chances."""
    p = table["probability"]
    return float((table["hit"].sum() - p.sum()) / np.sqrt((p * (1 - p)).sum()))


def in_wan(annual: pd.DataFrame) -> pd.DataFrame:
    """Leave out statements in another unit (元, 亿元): no firm lives on such revenue per head."""
    return annual[(annual["revenue"] / annual["employees"]).between(1.0, 10_000.0)]


def growth_outcomes(town: city.City, years: int) -> pd.DataFrame:
    annual = pd.concat([town.tables["annual"], town.corrections])
    annual = annual.sort_values("known_on").drop_duplicates(["firm_id", "year"], keep="last")
    known = in_wan(annual).set_index(["firm_id", "year"])
    truth = town.truth[town.truth["task"] == f"growth@{12 * years}"].astype({"firm_id": "str"})
    base = truth["as_of"].dt.year - 1.0
    start, end = (
        known.reindex(pd.MultiIndex.from_arrays([truth["firm_id"], base + step]))
        for step in (0, years)
    )
    rate = (end["revenue"].to_numpy() / start["revenue"].to_numpy()) ** (1 / years)
    # Across a change of basis there is no growth to speak of.
    same = end["reporting_basis"].to_numpy() == start["reporting_basis"].to_numpy()
    rate = np.where(same, rate, np.nan)
    return truth.assign(hit=(rate >= 1.2).astype(float))[~np.isnan(rate)]
