"""Claims by relocation: who moved in as a whole with a title and has worked normally for a year.

The period counts from the day of moving in, and again from the end of every abnormal state within
it. Repaired and exempt records stand nowhere. What is not on record is unknown, not normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from features.panel import Panel
from policy.plan.claims import (
    COLUMNS,
    DUE,
    NONE,
    PENDING,
    UNREVIEWED,
    WAITING,
    Reward,
    Terms,
    after,
    before,
    gone,
    here,
)
from tidu.clock import add_months

__all__ = ["Relocation", "by_relocation", "completed_on"]

RANK = {DUE: 0, UNREVIEWED: 0, PENDING: 1, WAITING: 2, NONE: 3}


@dataclass(frozen=True, slots=True)
class Relocation:
    """The reward for moving in: paid as the rewards named, after ``months`` of normal operation.

    ``abnormal`` are the kinds of events that are no normal operation.
    """

    id: str
    pays_as: tuple[str, ...]
    months: int
    abnormal: tuple[str, ...]
    spellings: tuple[str, ...] = ()


def by_relocation(
    panel: Panel, relocation: Relocation, rewards: Sequence[Reward], terms: Terms
) -> pd.DataFrame:
    """One claim per firm that moved in with a title: its best by state, then by amount."""
    movers = _periods(panel, relocation, _movers(panel))
    found = [
        _of_title(panel, movers, reward, terms)
        for reward in rewards
        if reward.id in relocation.pays_as
    ]
    frame = pd.concat(found, ignore_index=True) if found else _no_claims()
    # Only what the city has reviewed may be paid (公平竞争审查).
    if relocation.id not in terms.reviewed:
        due = (frame["state"] == DUE).to_numpy()
        frame["state"] = frame["state"].mask(due, UNREVIEWED)
        frame["reason"] = frame["reason"].mask(due, "unreviewed")
    frame["reward"] = relocation.id
    frame["rank"] = frame["state"].map(RANK)
    best = frame.sort_values(["firm_id", "rank", "amount"], ascending=[True, True, False])
    return best.drop_duplicates("firm_id")[list(COLUMNS)].reset_index(drop=True)


def _no_claims() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([], dtype=object) for name in COLUMNS})


def _movers(panel: Panel) -> pd.DataFrame:
    """Firms that moved in, or are said to have moved in as a whole."""
    firms = panel.firms.reset_index(names="firm_id")
    moved = firms["city_in_on"].notna() | (firms["whole_relocation"] == 1)
    columns = ["firm_id", "district", "city_in_on", "whole_relocation"]
    return firms.loc[moved.to_numpy(), columns].reset_index(drop=True)


def _periods(panel: Panel, relocation: Relocation, movers: pd.DataFrame) -> pd.DataFrame:
    """Add the day on which the period is over (none while abnormal); is all of it on record?"""
    events = panel.tables["events"]
    counts = (
        events["kind"].isin(relocation.abnormal)
        & events["firm_id"].isin(movers["firm_id"])
        & events["repaired_on"].isna()
        & (events["exempt_minor"].fillna(0) != 1)
    )
    chosen = events[counts.to_numpy()].sort_values(["firm_id", "on"])
    spells: dict[str, list[tuple[date, date | None]]] = {}
    for firm, on, ended in zip(chosen["firm_id"], chosen["on"], chosen["ended_on"], strict=True):
        spells.setdefault(firm, []).append((on.date(), None if pd.isna(ended) else ended.date()))
    over: list[np.datetime64] = []
    known: list[bool] = []
    for firm, came in zip(movers["firm_id"], movers["city_in_on"], strict=True):
        end = None
        if not pd.isna(came):
            end = completed_on(came.date(), relocation.months, spells.get(firm, []))
            until = min(panel.as_of, end or panel.as_of)
        over.append(np.datetime64("NaT") if end is None else np.datetime64(end))
        known.append(
            not pd.isna(came) and _on_record(panel, relocation.abnormal, came.date(), until)
        )
    days = pd.Series(np.array(over, dtype="datetime64[s]"), index=movers.index)
    return movers.assign(over=days, on_record=np.array(known, dtype=bool))


def completed_on(
    start: date, months: int, spells: Sequence[tuple[date, date | None]]
) -> date | None:
    """Return the first day after ``months`` without an abnormal state; None while one lasts.

    ``spells`` are the abnormal states in order, each from its first day to its end.

    >>> completed_on(date(2024, 3, 15), 12, [])
    datetime.date(2025, 3, 15)
    >>> completed_on(date(2024, 3, 15), 12, [(date(2024, 9, 1), date(2024, 10, 1))])
    datetime.date(2025, 10, 1)
    """
    for begun, ended in spells:
        if begun >= add_months(start, months) or (ended is not None and ended <= start):
            continue
        if ended is None:
            return None
        start = ended
    return add_months(start, months)


def _on_record(panel: Panel, kinds: Sequence[str], start: date, end: date) -> bool:
    """Whether the absence of every kind between two days means: did not happen."""
    return all(
        any(c.kind == kind and c.start <= start and c.end >= end for c in panel.coverage)
        for kind in kinds
    )


def _of_title(panel: Panel, movers: pd.DataFrame, reward: Reward, terms: Terms) -> pd.DataFrame:
    """Claims of the movers that had the reward's title before they came."""
    titles = panel.tables["titles"]
    own = titles[titles["tier"].isin(reward.tiers).to_numpy()]
    columns = ["firm_id", "tier", "issued_on", "expires_on", "revoked_on"]
    rows = movers.merge(own[columns], on="firm_id").sort_values(["firm_id", "issued_on"])
    brought = rows["city_in_on"].isna() | (rows["issued_on"] < rows["city_in_on"])
    rows = rows[rows["firm_id"].isin(rows.loc[brought, "firm_id"])].reset_index(drop=True)
    running = rows["revoked_on"].isna() | terms.pays_revoked
    valid = (
        running
        & (rows["issued_on"] <= rows["over"])
        & (rows["expires_on"].isna() | (rows["expires_on"] >= rows["over"]))
    )
    firms = rows.assign(valid=valid, running=running).groupby("firm_id", sort=True)
    first = firms[["district", "tier", "city_in_on", "whole_relocation", "over", "on_record"]]
    heads = first.first().join(firms[["valid", "running"]].any()).reset_index()
    state, reason = _judged(panel, heads, terms)
    return pd.DataFrame(
        {
            "firm_id": heads["firm_id"],
            "district": heads["district"].fillna(""),
            "reward": reward.id,
            "tier": heads["tier"],
            "on": heads["over"],
            "year": heads["over"].dt.year.astype("float64"),
            "amount": reward.amount,
            "state": state,
            "reason": reason,
        }
    )


def _judged(panel: Panel, heads: pd.DataFrame, terms: Terms) -> tuple[np.ndarray, np.ndarray]:
    ids, over = heads["firm_id"], heads["over"]
    dated = heads["city_in_on"].notna()
    checks = {
        "not_whole": (heads["whole_relocation"] == 0, NONE),
        **{name: (found, NONE) for name, found in here(panel, ids).items()},
        "gone": (gone(panel, ids, terms.gone_kinds), NONE),
        "revoked": (~heads["running"], NONE),
        "in_unknown": (~dated, PENDING),
        "abnormal": (dated & over.isna(), WAITING),
        "not_yet": (over > pd.Timestamp(panel.as_of), WAITING),
        "before_plan": (before(over, terms.since), NONE),
        "after_plan": (after(over, terms.until), NONE),
        "lapsed": (dated & ~heads["valid"], NONE),
        "whole_unknown": (heads["whole_relocation"].isna(), PENDING),
        "normal_unknown": (~heads["on_record"], PENDING),
    }
    masks = [np.asarray(mask, dtype=bool) for mask, _ in checks.values()]
    state = np.select(masks, [state for _, state in checks.values()], default=DUE)
    return state.astype(object), np.select(masks, list(checks), default="").astype(object)
