"""Supports by time, use, head or match: rent, electricity, training, matched awards, diagnosis.

Each function takes a panel and numbers, and returns a table with a row per recipient; an amount is
NaN where the city has not decided the rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel
from features.schema import fold
from policy.logic import MET, Status
from policy.plan.settlement import payments
from tidu.clock import add_months

__all__ = [
    "YUAN",
    "diagnosis",
    "electricity",
    "inclusive",
    "institutions",
    "matched",
    "months_within",
    "rent",
]

YUAN = 10_000.0
"""Yuan in a 万元."""

Floats = NDArray[np.float64]


def rent(panel: Panel, scope: Status, months: int, monthly: float | None) -> pd.DataFrame:
    """Per firm in a park: the window of the discount and this year's part of it.

    ``monthly`` is the discount a month (万元). The window runs from the first day in a park; a firm
    that has left the park has no more of it.
    """
    entries = _in_park(panel, scope)
    day = panel.as_of
    until = [add_months(on.date(), months) for on in entries["on"]]
    ends = np.array(until, dtype="datetime64[s]")
    running = ends > np.datetime64(day)
    in_year = [months_within(on.date(), months, day.year) for on in entries["on"]]
    number = np.array(in_year, dtype="float64")
    amount = number * (np.nan if monthly is None else monthly)
    return entries.assign(
        until=ends,
        running=running,
        months_this_year=number,
        amount=np.where(number > 0, amount, 0.0),
    )


def months_within(start: date, months: int, year: int) -> int:
    """How many of ``months`` from ``start`` begin in a calendar year.

    >>> [months_within(date(2024, 11, 15), 36, year) for year in (2023, 2024, 2026, 2027, 2028)]
    [0, 2, 12, 10, 0]
    """
    first = start.year * 12 + start.month - 1
    return max(0, min(first + months, year * 12 + 12) - max(first, year * 12))


def electricity(panel: Panel, scope: Status, rate_yuan: float | None) -> pd.DataFrame:
    """Per firm in a park: the newest known use and the subsidy on it (元 a kWh)."""
    entries = _in_park(panel, scope)
    annual = panel.tables["annual"]
    known = annual[annual["electricity_kwh"].notna().to_numpy()].sort_values("year")
    newest = known.drop_duplicates("firm_id", keep="last").set_index("firm_id")
    used = newest[["year", "electricity_kwh"]].reindex(entries["firm_id"])
    kwh = used["electricity_kwh"].to_numpy(dtype="float64")
    rate = np.nan if rate_yuan is None else rate_yuan
    return entries.assign(
        year=used["year"].to_numpy(dtype="float64"), kwh=kwh, amount=kwh * rate / YUAN
    )


def _in_park(panel: Panel, scope: Status) -> pd.DataFrame:
    events = panel.tables["events"]
    entered = events[((events["kind"] == "park_entry") & events["ended_on"].isna()).to_numpy()]
    first = entered.sort_values(["firm_id", "on"]).drop_duplicates("firm_id")
    status = pd.Series(scope, index=panel.firm_ids)
    inside = first["firm_id"].map(status).eq(MET).to_numpy()
    rows = first.loc[inside, ["firm_id", "on"]].reset_index(drop=True)
    return rows.assign(district=_district(panel, rows["firm_id"]))


def _district(panel: Panel, ids: pd.Series) -> NDArray[np.object_]:
    return panel.firms["district"].reindex(ids).fillna("").to_numpy(dtype=object)


def institutions(
    panel: Panel, column: str, yuan: float, spellings: Sequence[str], since: date | None
) -> pd.DataFrame:
    """Per institution and year: persons trained, the subsidy (万元), less what was paid before."""
    held = panel.tables["activities"]
    counted = held[(held[column] > 0).to_numpy()]
    if since is not None:
        counted = counted[(counted["on"] >= pd.Timestamp(since)).to_numpy()]
    keyed = pd.DataFrame(
        {
            "institution": counted["institution"].fillna(""),
            "year": counted["on"].dt.year,
            "persons": counted[column],
        }
    )
    table = keyed.groupby(["institution", "year"]).sum().reset_index()
    table["amount"] = table["persons"] * yuan / YUAN
    paid = payments(panel, {fold(text): column for text in spellings})
    return table.assign(payable=_less_paid(table, "institution", paid))


def _less_paid(table: pd.DataFrame, key: str, paid: pd.DataFrame) -> Floats:
    """Amounts less payments, the oldest year first; a payment without amount leaves NaN."""
    unclear = set(paid.loc[paid["amount"].isna().to_numpy(), "firm_id"])
    sums = paid.groupby("firm_id")["amount"].sum()
    spent = sums.reindex(table[key], fill_value=0.0).to_numpy(dtype="float64")
    total = table["amount"].groupby(table[key]).cumsum()
    left = (total - spent).clip(lower=0.0)
    rest = left - left.groupby(table[key]).shift(fill_value=0.0)
    return np.asarray(rest.mask(table[key].isin(unclear)).to_numpy(dtype="float64"))


def matched(
    panel: Panel, items: Sequence[str], rate_pct: float | None, spellings: Sequence[str]
) -> pd.DataFrame:
    """Per recipient of a provincial award: the award and the city's match, less what was paid."""
    awards = payments(panel, {fold(text): "award" for text in items})
    awards = awards.sort_values(["firm_id", "paid_on"], ignore_index=True)
    rate = np.nan if rate_pct is None else rate_pct / 100.0
    table = awards[["firm_id", "paid_on"]].assign(
        awarded=awards["amount"], amount=awards["amount"] * rate
    )
    paid = payments(panel, {fold(text): "match" for text in spellings})
    return table.assign(payable=_less_paid(table, "firm_id", paid))


def diagnosis(panel: Panel, scope: Status, kind: str, cost: float | None) -> pd.DataFrame:
    """Per district: firms to diagnose a year and what that costs, done this year, left to do."""
    firms = pd.DataFrame({"firm_id": panel.firm_ids[scope == MET]})
    firms["district"] = _district(panel, firms["firm_id"])
    due = firms.groupby("district").size()
    held = panel.tables["activities"]
    now = (held["kind"] == kind) & (held["on"].dt.year == panel.as_of.year)
    done = held[now.to_numpy()].groupby("district")["firms_attending"].sum()
    places = sorted({*due.index, *done.index})
    table = pd.DataFrame({"district": places})
    table["firms"] = table["district"].map(due).fillna(0).astype("int64")
    # Without any report of this kind nothing is known, and not that nothing was done.
    reported = bool((held["kind"] == kind).any())
    table["diagnosed"] = table["district"].map(done).fillna(0.0 if reported else np.nan)
    table["left"] = (table["firms"] - table["diagnosed"]).clip(lower=0)
    return table.assign(amount=table["firms"] * (np.nan if cost is None else cost))


def inclusive(
    panel: Panel, scope: Status, cap: float, bank_share_pct: float
) -> tuple[pd.DataFrame, Mapping[str, float | None]]:
    """Three effects of inclusive finance: unsecured credit, shared risk, the price of guarantees.

    Shares and means rest on the firms whose figures are known; None where there is none.
    """
    credit = panel.tables["credit"].sort_values("year")
    newest = credit.drop_duplicates("firm_id", keep="last")
    status = pd.Series(scope, index=panel.firm_ids)
    rows = newest[newest["firm_id"].map(status).eq(MET).to_numpy()].sort_values("firm_id")
    columns = ["firm_id", "year", "loan_balance", "unsecured_balance"]
    table = rows[[*columns, "guarantee_balance", "guarantee_fee_pct"]].reset_index(drop=True)
    guaranteed = table["guarantee_balance"]
    table["bank_risk"] = guaranteed * bank_share_pct / 100.0
    table["over_cap"] = np.where(guaranteed.isna(), np.nan, guaranteed > cap)
    loans = table.dropna(subset=["loan_balance", "unsecured_balance"])
    fees = table.dropna(subset=["guarantee_balance", "guarantee_fee_pct"])
    weights = fees["guarantee_balance"]
    return table, {
        "firms": float(len(table)),
        "unsecured_pct": _percent(loans["unsecured_balance"].sum(), loans["loan_balance"].sum()),
        "guarantee_balance": float(guaranteed.sum()) if guaranteed.notna().any() else None,
        "bank_risk": float(table["bank_risk"].sum()) if guaranteed.notna().any() else None,
        "mean_fee_pct": _percent(
            (weights * fees["guarantee_fee_pct"] / 100.0).sum(), weights.sum()
        ),
        "over_cap": float(np.nansum(table["over_cap"])),
    }


def _percent(part: float, whole: float) -> float | None:
    return float(100.0 * part / whole) if whole > 0 else None
