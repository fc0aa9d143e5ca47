"""Claims: which recognitions entitle a firm to a one-off reward, and which do not, and why.

A claim is a firm, a reward and the day of the recognition. Only new recognitions of the plan's time
claim, by firms that are in the city; whoever came with a title claims by relocation instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel

__all__ = [
    "COLUMNS",
    "DUE",
    "NONE",
    "PENDING",
    "REASONS",
    "UNREVIEWED",
    "WAITING",
    "Reward",
    "Terms",
    "by_title",
    "gone",
    "here",
]

DUE, PENDING, UNREVIEWED, WAITING, NONE = "due", "pending", "unreviewed", "waiting", "none"
"""States: to be paid; a fact is missing; the city's review is missing; too early; no claim."""

COLUMNS = ("firm_id", "district", "reward", "tier", "on", "year", "amount", "state", "reason")

REASONS: Mapping[str, tuple[str, str]] = {
    "": ("", ""),
    "review": ("复核通过,不是新认定", "a review passed is no new recognition"),
    "before_plan": ("认定早于方案起算日", "recognised before the plan's time"),
    "after_plan": ("认定晚于方案截止日", "recognised after the plan's time"),
    "came_with_it": ("认定早于迁入本市,按招引条款办理", "recognised before the firm moved in"),
    "revoked": ("称号在兑付前被撤销", "the title was revoked before payment"),
    "left": ("企业已迁出本市", "the firm has left the city"),
    "elsewhere": ("企业未在本市注册", "the firm is not registered in the city"),
    "gone": ("企业已注销或被吊销", "the firm no longer exists"),
    "not_first": ("此前已获同一称号", "the firm held this title before"),
    "once": ("一次性奖励,另一次认定已计", "one-off: another recognition counts"),
    "purpose_unknown": ("认定类型未填,待核实是否新认定", "whether new or a review is not recorded"),
    "paid_unknown": ("已拨付金额未填,待核实", "an amount paid before is not recorded"),
    "whole_unknown": (
        "是否整体迁入未填,待核实",
        "whether it moved as a whole is not recorded",
    ),
    "not_whole": ("并非整体迁入", "the firm did not move in as a whole"),
    "in_unknown": ("迁入日期未填,待核实", "the day of moving in is not recorded"),
    "not_yet": ("迁入后正常经营未满期", "the period of normal operation is not over"),
    "abnormal": ("迁入后处于异常状态", "the firm is in an abnormal state"),
    "normal_unknown": ("正常经营期间的记录不全,待核实", "records of the period are not complete"),
    "lapsed": ("期满时称号已失效", "the title was no longer valid when the period ended"),
    "unreviewed": ("须经公平竞争审查", "subject to the fair-competition review"),
    "lower": ("从高不重复:另一项更高", "only the highest pays"),
    "settled": ("已拨付", "paid before"),
}
"""Why a claim pays less than its amount, or nothing."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reward:
    """A one-off reward for a title; ``spellings`` is how ``awards.item`` may name it."""

    id: str
    tiers: tuple[str, ...]
    amount: float
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What the plan leaves open and the city decides.

    ``reading`` of 从高不重复 is ``same_year`` or ``lifetime_difference``. Recognitions from
    ``since`` to ``until`` claim, payment falls ``lag`` years later. ``first_only``: who held the
    title before is not newly recognised. ``gone_kinds`` are events after which nobody is left to
    pay. ``reviewed`` holds the rows whose fair-competition review the city has recorded.
    """

    reading: str = "same_year"
    since: date | None = None
    until: date | None = None
    lag: int = 1
    first_only: bool = True
    pays_revoked: bool = False
    gone_kinds: tuple[str, ...] = ()
    reviewed: frozenset[str] = frozenset()


def by_title(panel: Panel, reward: Reward, terms: Terms) -> pd.DataFrame:
    """All recognitions of the reward's titles, each with its state and reason."""
    titles = panel.tables["titles"]
    chosen = titles[titles["tier"].isin(reward.tiers).to_numpy()]
    rows = chosen.sort_values(["firm_id", "issued_on", "tier"], ignore_index=True)
    reason = _reasons(panel, rows, terms)
    earlier = rows.groupby("firm_id").cumcount().to_numpy() > 0
    if terms.first_only:
        reason = np.where((reason == "") & earlier, "not_first", reason)
    unlabelled = (reason == "") & rows["purpose"].isna().to_numpy()
    state = np.where(reason != "", NONE, np.where(unlabelled, PENDING, DUE)).astype(object)
    reason = np.where(unlabelled, "purpose_unknown", reason)
    again = _again(rows["firm_id"], state)
    return _frame(
        panel,
        {
            "firm_id": rows["firm_id"],
            "reward": reward.id,
            "tier": rows["tier"],
            "on": rows["issued_on"],
            "amount": reward.amount,
            "state": np.where(again, NONE, state),
            "reason": np.where(again, "once", reason),
        },
    )


def _reasons(panel: Panel, rows: pd.DataFrame, terms: Terms) -> NDArray[np.object_]:
    ids, issued = rows["firm_id"], rows["issued_on"]
    came = panel.firms["city_in_on"].reindex(ids).to_numpy()
    checks = {
        "review": (rows["purpose"] == "review").to_numpy(),
        "before_plan": before(issued, terms.since),
        "after_plan": after(issued, terms.until),
        "came_with_it": issued.to_numpy() < came,
        "revoked": rows["revoked_on"].notna().to_numpy() & (not terms.pays_revoked),
        **here(panel, ids),
        "gone": gone(panel, ids, terms.gone_kinds),
    }
    return np.select(list(checks.values()), list(checks), default="").astype(object)


def before(days: pd.Series, bound: date | None) -> Mask:
    if bound is None:
        return np.zeros(len(days), dtype=bool)
    return np.asarray((days < pd.Timestamp(bound)).to_numpy(dtype=bool))


def after(days: pd.Series, bound: date | None) -> Mask:
    if bound is None:
        return np.zeros(len(days), dtype=bool)
    return np.asarray((days > pd.Timestamp(bound)).to_numpy(dtype=bool))


def here(panel: Panel, ids: pd.Series) -> dict[str, Mask]:
    """Why a firm is no firm of the city: it left (and has not come back), or never registered."""
    firms = panel.firms.reindex(ids)
    out, came = firms["city_out_on"].to_numpy(), firms["city_in_on"].to_numpy()
    left = ~np.isnat(out) & ~(came > out)
    return {"left": left, "elsewhere": (firms["registered_in_city"] == 0).to_numpy(dtype=bool)}


def gone(panel: Panel, ids: pd.Series, kinds: tuple[str, ...]) -> Mask:
    """Whether an event of these kinds has ended the firm."""
    events = panel.tables["events"]
    ended = events[(events["kind"].isin(kinds) & events["ended_on"].isna()).to_numpy()]
    return np.asarray(ids.isin(ended["firm_id"]).to_numpy(dtype=bool))


def _again(ids: pd.Series, state: NDArray[np.object_]) -> Mask:
    """Claims behind a firm's first one; a certain claim goes before one that lacks a fact."""
    claims = np.flatnonzero((state == DUE) | (state == PENDING))
    frame = pd.DataFrame({"firm": ids.to_numpy()[claims], "sure": state[claims] != DUE})
    order = frame.sort_values("sure", kind="stable")
    later = order.groupby("firm").cumcount().reindex(frame.index).to_numpy() > 0
    found = np.zeros(len(ids), dtype=bool)
    found[claims[later]] = True
    return found


def _frame(panel: Panel, columns: Mapping[str, object]) -> pd.DataFrame:
    """A frame of claims; the year is the recognition's, the district the firm's."""
    frame = pd.DataFrame(columns).reset_index(drop=True)
    frame["district"] = panel.firms["district"].reindex(frame["firm_id"]).fillna("").to_numpy()
    frame["year"] = frame["on"].dt.year.astype("float64")
    return frame[list(COLUMNS)]
