"""Rewards of the plan: each row with what it pays, to whom, and what the city has yet to decide.

The one-off rewards of titles are settled together (:mod:`policy.plan.one_off`); the other rows
stand alone. What is not decided is listed, and never in a total.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.panel import Panel
from features.schema import fold
from policy.plan.claims import DUE, PENDING, REASONS
from policy.plan.grants import GRANT_REASONS, Grant, Grants, granted
from policy.plan.one_off import form_of, notes_of, one_off, stacking, terms_of
from policy.plan.recorded import or_no_data
from policy.plan.result import Note, PlanRow, Result
from policy.plan.scopes import in_scope
from policy.plan.settings import Settings
from policy.plan.supports import diagnosis, electricity, institutions, matched, rent

__all__ = ["grants_of", "reason", "run", "unnamed"]

UNDECIDED = Note("标准待定,由市里确定", "The amount is for the city to decide")

Rows = Mapping[str, PlanRow]


def reason(code: str) -> Note:
    """What a reason code of a reward's table says.

    >>> reason("settled").en
    'paid before'
    """
    return Note(*{**REASONS, **GRANT_REASONS}[code])


def unnamed(rows: Rows, panel: Panel) -> pd.DataFrame:
    """Items of ``awards`` that no row of the plan names: item, payments, amount.

    What is not recognised is not netted; a spelling added to its row makes it count.
    """
    known = set()
    for row in rows.values():
        detail = row.details.get("reward", {})
        texts = [row.id, row.zh, *detail.get("spellings", ()), *detail.get("matched", ())]
        for grant in detail.get("grants", ()):
            texts += grant.get("spellings", ())
        known |= {fold(text) for text in texts}
    awards = panel.tables["awards"]
    other = awards[[fold(item) not in known for item in awards["item"]]]
    return other.groupby("item", as_index=False).agg(
        payments=("item", "size"), amount=("amount", "sum")
    )


def run(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    """The consequence of a row of kind reward; ``rows`` are all rows of the plan."""
    result = _FORMS[form_of(row)](row, rows, panel, settings)
    return or_no_data(result, row, panel)


def grants_of(row: PlanRow, settings: Settings) -> Grants:
    """The grants of a row of form ``grants``."""
    detail = row.details["reward"]
    return Grants(
        row.id,
        tuple(_grant(raw, settings) for raw in detail["grants"]),
        detail["combine"],
        bool(detail.get("first", False)),
        str(detail.get("since_column", "")),
        int(detail.get("months", 0)),
        (row.zh, *detail.get("spellings", ())),
    )


def _grant(raw: Mapping[str, Any], settings: Settings) -> Grant:
    return Grant(
        raw["id"],
        raw["zh"],
        raw["en"],
        settings.number(raw["amount"]),
        tuple(raw.get("events", ())),
        tuple(raw.get("boards", ())),
        tuple(raw.get("dates", ())),
        raw.get("column", ""),
        raw.get("is", raw.get("has", "")),
        raw.get("attested", ""),
        tuple(raw.get("spellings", ())),
    )


def _granted(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    scope = in_scope(panel, row.details["reward"].get("reach", row.scope))
    table = granted(panel, grants_of(row, settings), scope, terms_of(rows, settings))
    due = (table["state"] == DUE).to_numpy()
    totals = {
        "firms": float(table.loc[due, "firm_id"].nunique()),
        "amount": _summed(table.loc[due, "payable"]),
        "pending_firms": float((table["state"] == PENDING).sum()),
    }
    used = settings.used(row.details["reward"], {"param": "reward_since"})
    return _result(row, table, totals, used)


def _rent(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    del rows
    detail = row.details["reward"]
    monthly, discount = settings.number(detail["rent"]), settings.number(detail["discount"])
    decided = monthly is not None and discount is not None
    a_month = (monthly or 0.0) * (discount or 0.0) / 100.0 if decided else None
    table = rent(panel, in_scope(panel, row.scope), int(detail["months"]), a_month)
    running = table["running"].to_numpy(dtype=bool)
    totals = {"firms": float(running.sum()), "amount": _summed(table["amount"])}
    return _result(row, table, totals, settings.used(detail))


def _electricity(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    del rows
    detail = row.details["reward"]
    table = electricity(panel, in_scope(panel, row.scope), settings.number(detail["rate"]))
    known = table["kwh"].notna()
    totals = {
        "firms": float(len(table)),
        "kwh": float(table["kwh"].sum()),
        "use_unknown": float((~known).sum()),
        "amount": _summed(table.loc[known.to_numpy(), "amount"]),
    }
    return _result(row, table, totals, settings.used(detail))


def _institution(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    detail = row.details["reward"]
    yuan = settings.number(detail["yuan_per_person"]) or 0.0
    spellings = (row.id, row.zh, *detail["spellings"])
    since = terms_of(rows, settings).since
    table = institutions(panel, detail["column"], yuan, spellings, since)
    totals = {
        "institutions": float(table["institution"].nunique()),
        "persons": float(table["persons"].sum()),
        "amount": float(table["amount"].sum()),
        "payable": _summed(table["payable"]),
    }
    return _result(row, table, totals, settings.used({"param": "reward_since"}))


def _match(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    del rows
    detail = row.details["reward"]
    spellings = (row.id, row.zh, *detail["spellings"])
    table = matched(panel, detail["matched"], settings.number(detail["rate"]), spellings)
    totals = {
        "institutions": float(table["firm_id"].nunique()),
        "awarded": float(table["awarded"].sum()),
        "amount": _summed(table["payable"]),
    }
    return _result(row, table, totals, settings.used(detail))


def _service(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    del rows
    detail = row.details["reward"]
    scope = in_scope(panel, row.scope)
    table = diagnosis(panel, scope, detail["activity"], settings.number(detail["cost"]))
    totals = {
        "firms": float(table["firms"].sum()),
        "diagnosed": _summed(table["diagnosed"]),
        "amount": _summed(table["amount"]),
    }
    return _result(row, table, totals, settings.used(detail))


def _result(
    row: PlanRow,
    table: pd.DataFrame,
    totals: Mapping[str, float | None],
    used: Mapping[str, object],
) -> Result:
    notes = notes_of(row)
    if any(value is None for name, value in used.items() if name != "reward_since"):
        notes.append(UNDECIDED)
    return Result(row.id, row.kind, table, totals, tuple(notes), used)


def _summed(amounts: pd.Series) -> float | None:
    """A sum of which a part is not known is not known either."""
    values = amounts.to_numpy(dtype="float64")
    return None if np.isnan(values).any() else float(values.sum())


_FORMS: Mapping[str, Callable[[PlanRow, Rows, Panel, Settings], Result]] = {
    "title": one_off,
    "relocation": one_off,
    "stacking": stacking,
    "grants": _granted,
    "rent": _rent,
    "electricity": _electricity,
    "institution": _institution,
    "match": _match,
    "service": _service,
}
