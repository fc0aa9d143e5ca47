"""Grants: subsidies for something that a firm has done, become or been found to have.

A grant is evidence (an event, a column, an official's finding) and an amount, which may be not
decided. Who qualifies is listed either way; what is paid is net of what was paid before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.panel import Panel
from features.schema import SET_SEPARATOR, fold
from policy.logic import MET, UNKNOWN, Status
from policy.plan.claims import DUE, NONE, PENDING, WAITING, Terms, gone, here
from policy.plan.settlement import payments
from tidu.clock import add_months

__all__ = ["BEST", "EACH", "GRANT_REASONS", "Grant", "Grants", "granted"]

BEST, EACH = "best", "each"
"""Of several grants of a row a firm gets its best one (listed first), or each."""

GRANT_REASONS: Mapping[str, tuple[str, str]] = {
    "title_unknown": ("称号情况未知,待核实", "whether the firm holds the title is not on record"),
    "first_unknown": ("此前年度未填,待核实是否首次", "earlier years are not on record: the first?"),
    "since_unknown": ("起始日期未填,待核实", "since when is not recorded"),
    "board_unknown": ("板块未填,待核实", "the board is not recorded"),
    "not_long": ("连续保持未满期", "not held long enough yet"),
    "undecided": ("标准待定,由市里确定", "the amount is for the city to decide"),
}

FOUND = ["firm_id", "grant", "on", "year", "state", "reason"]


@dataclass(frozen=True, slots=True)
class Grant:
    """Evidence of one kind: ``events``/``dates``, or ``column`` with a value, or ``attested``.

    ``value`` is what the column must hold, or contain if it is a set. ``amount`` None: not decided.
    """

    id: str
    zh: str
    en: str
    amount: float | None = None
    events: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    column: str = ""
    value: str | float = ""
    attested: str = ""
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grants:
    """A row's grants. ``first``: only the first year counts; ``months`` since ``since_column``."""

    row: str
    grants: tuple[Grant, ...]
    combine: str = BEST
    first: bool = False
    since_column: str = ""
    months: int = 0
    spellings: tuple[str, ...] = ()


def granted(panel: Panel, grants: Grants, scope: Status, terms: Terms) -> pd.DataFrame:
    """Who qualifies for what; ``scope`` says per ``panel.firm_ids`` whether the row is for it.

    Amounts are NaN where the city has decided none.
    """
    frames = [_found(panel, grants, grant, terms) for grant in grants.grants]
    filled = [frame for frame in frames if len(frame)]
    rows = pd.concat(filled, ignore_index=True) if filled else frames[0]
    rows = _in_scope(panel, rows, scope, terms)
    amounts = {
        grant.id: np.nan if grant.amount is None else grant.amount for grant in grants.grants
    }
    rows["amount"] = rows["grant"].map(amounts).astype("float64")
    rank = {grant.id: i for i, grant in enumerate(grants.grants)}
    order = rows.assign(rank=rows["grant"].map(rank)).sort_values(
        ["firm_id", "rank", "year"], ignore_index=True
    )
    if grants.combine == BEST:
        order = _best(order)
    return _netted(order.drop(columns="rank"), _paid(panel, grants), grants.combine)


def _found(panel: Panel, grants: Grants, grant: Grant, terms: Terms) -> pd.DataFrame:
    if grant.attested:
        rows = _attested(panel, grant)
    elif grant.column:
        rows = _held(panel, grants, grant)
    else:
        rows = _happened(panel, grant)
    rows["grant"] = grant.id
    since = terms.since
    if since is not None:
        early = rows["on"].lt(pd.Timestamp(since)) | (
            rows["on"].isna() & rows["year"].lt(since.year)
        )
        # What began before the plan but is held long enough only now counts now.
        early &= not grants.months
        rows["state"] = rows["state"].mask(early, NONE)
        rows["reason"] = rows["reason"].mask(early, "before_plan")
    return rows[FOUND].astype({"state": object, "reason": object})


def _rows(ids: pd.Series, on: pd.Series) -> pd.DataFrame:
    frame = pd.DataFrame({"firm_id": ids.to_numpy(), "on": on.to_numpy()})
    year = frame["on"].dt.year.astype("float64")
    return frame.assign(year=year, state=DUE, reason="")


def _attested(panel: Panel, grant: Grant) -> pd.DataFrame:
    findings = panel.tables["attestations"]
    met = (findings["criterion"] == grant.attested) & (findings["finding"] == "met")
    chosen = findings[met.to_numpy()]
    rows = _rows(chosen["firm_id"], chosen["attested_on"])
    rows["year"] = rows["year"].fillna(float(panel.as_of.year))
    return rows


def _happened(panel: Panel, grant: Grant) -> pd.DataFrame:
    """The first event of the kinds, or the first of the firm's own dates."""
    events = panel.tables["events"]
    kinds = events["kind"].isin(grant.events)
    if grant.boards:
        kinds &= events["board"].isin(grant.boards) | events["board"].isna()
    own = events.loc[kinds.to_numpy(), ["firm_id", "on", "board"]]
    parts = [own]
    for name in grant.dates:
        dated = panel.firms[name].dropna()
        parts.append(pd.DataFrame({"firm_id": dated.index, "on": dated.to_numpy()}))
    filled = [part for part in parts if len(part)]
    both = pd.concat(filled, ignore_index=True) if filled else own
    first = both.sort_values(["firm_id", "on"]).drop_duplicates("firm_id")
    rows = _rows(first["firm_id"], first["on"])
    if grant.boards:
        unknown = first["board"].isna().to_numpy()
        rows["state"] = rows["state"].mask(unknown, PENDING)
        rows["reason"] = rows["reason"].mask(unknown, "board_unknown")
    return rows


def _held(panel: Panel, grants: Grants, grant: Grant) -> pd.DataFrame:
    """The year in which the column first holds the value, or its newest year if that holds it."""
    annual = panel.tables["annual"]
    wanted = ["firm_id", "year", grant.column]
    columns = [*wanted, grants.since_column] if grants.since_column else wanted
    known = annual.loc[annual[grant.column].notna().to_numpy(), columns]
    known = known.sort_values(["firm_id", "year"])
    if isinstance(grant.value, str):
        marked = SET_SEPARATOR + known[grant.column].astype(str) + SET_SEPARATOR
        holds = marked.str.contains(SET_SEPARATOR + grant.value + SET_SEPARATOR, regex=False)
    else:
        holds = known[grant.column] == grant.value
    known = known.assign(holds=holds, earlier=known.groupby("firm_id").cumcount() > 0)
    if grants.since_column:
        return _long_enough(panel, known.drop_duplicates("firm_id", keep="last"), grants)
    first = known[known["holds"].to_numpy()].drop_duplicates("firm_id")
    rows = pd.DataFrame({"firm_id": first["firm_id"].to_numpy(), "on": pd.NaT})
    rows["on"] = rows["on"].astype("datetime64[s]")
    rows["year"] = first["year"].to_numpy(dtype="float64")
    # With no year before it nobody knows whether this was the first.
    unsure = grants.first & ~first["earlier"].to_numpy(dtype=bool)
    rows["state"] = np.where(unsure, PENDING, DUE).astype(object)
    rows["reason"] = np.where(unsure, "first_unknown", "").astype(object)
    return rows


def _long_enough(panel: Panel, newest: pd.DataFrame, grants: Grants) -> pd.DataFrame:
    """Held now, and for so many months; the day is the one on which they were complete."""
    held = newest[newest["holds"].to_numpy(dtype=bool)]
    since = held[grants.since_column]
    complete = [None if pd.isna(day) else add_months(day.date(), grants.months) for day in since]
    on = pd.Series(np.array(complete, dtype="datetime64[s]"), index=held.index)
    rows = _rows(held["firm_id"], on)
    rows["year"] = rows["year"].fillna(float(panel.as_of.year))
    undated = since.isna().to_numpy()
    early = (on > pd.Timestamp(panel.as_of)).to_numpy()
    rows["state"] = np.select([undated, early], [PENDING, WAITING], default=DUE)
    rows["reason"] = np.select([undated, early], ["since_unknown", "not_long"], default="")
    return rows


def _in_scope(panel: Panel, rows: pd.DataFrame, scope: Status, terms: Terms) -> pd.DataFrame:
    """Drop who the row is not for; a firm that is gone or elsewhere stays, with its reason."""
    status = pd.Series(scope, index=panel.firm_ids).reindex(rows["firm_id"])
    inside = status.isin([MET, UNKNOWN]).to_numpy()
    rows = rows[inside].reset_index(drop=True)
    unsure = (status[inside] == UNKNOWN).to_numpy() & (rows["state"] == DUE).to_numpy()
    rows["state"] = rows["state"].mask(unsure, PENDING)
    rows["reason"] = rows["reason"].mask(unsure, "title_unknown")
    away = {**here(panel, rows["firm_id"]), "gone": gone(panel, rows["firm_id"], terms.gone_kinds)}
    for reason, mask in away.items():
        rows["state"] = rows["state"].mask(mask, NONE)
        rows["reason"] = rows["reason"].mask(mask, reason)
    rows["district"] = panel.firms["district"].reindex(rows["firm_id"]).fillna("").to_numpy()
    return rows


def _best(rows: pd.DataFrame) -> pd.DataFrame:
    due = rows[(rows["state"] == DUE).to_numpy()]
    second = rows.index.isin(due.index[due.duplicated("firm_id").to_numpy()])
    return rows.assign(
        state=rows["state"].mask(second, NONE), reason=rows["reason"].mask(second, "lower")
    )


def _paid(panel: Panel, grants: Grants) -> pd.DataFrame:
    own = {fold(text): grant.id for grant in grants.grants for text in grant.spellings}
    shared = {fold(text): grants.grants[0].id for text in (grants.row, *grants.spellings)}
    return payments(panel, shared | own)


def _netted(rows: pd.DataFrame, paid: pd.DataFrame, combine: str) -> pd.DataFrame:
    paid = paid.rename(columns={"reward": "grant"})
    pot = ["firm_id"] if combine == BEST else ["firm_id", "grant"]
    spent = paid.groupby(pot)["amount"].agg(["sum", "size", "count"]).reset_index()
    rows = rows.merge(spent, on=pot, how="left")
    unknown = (rows["size"] > rows["count"]).to_numpy() & (rows["state"] == DUE).to_numpy()
    rows["state"] = rows["state"].mask(unknown, PENDING)
    rows["reason"] = rows["reason"].mask(unknown, "paid_unknown")
    due = (rows["state"] == DUE).to_numpy()
    keys = [rows[name] for name in pot]
    total = rows["amount"].where(due, 0.0).groupby(keys).cumsum()
    left = (total - rows["sum"].fillna(0.0)).clip(lower=0.0)
    payable = (left - left.groupby(keys).shift(fill_value=0.0)).where(due, 0.0)
    open_amount = due & rows["amount"].isna().to_numpy()
    settled = due & ~open_amount & (payable < rows["amount"]).to_numpy()
    reason = np.where(open_amount, "undecided", np.where(settled, "settled", rows["reason"]))
    columns = ["firm_id", "district", "grant", "on", "year", "amount", "state"]
    return rows[columns].assign(
        reason=reason.astype(object), payable=payable.where(~open_amount, np.nan)
    )
