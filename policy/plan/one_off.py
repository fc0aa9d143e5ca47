"""The one-off rewards of titles (A7-A11, A15): the plan's rows as a scheme, settled together.

They share one pot (从高不重复). What lacks a fact or the city's review is listed beside a total,
never inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from features.panel import Panel
from policy.plan.budgets import by_year, ceilings
from policy.plan.claims import DUE, PENDING, UNREVIEWED, Reward, Terms
from policy.plan.relocation import Relocation
from policy.plan.result import Note, PlanRow, Result
from policy.plan.settings import Settings
from policy.plan.settlement import Scheme, settle
from policy.plan.stacking import LIFETIME, READINGS, SAME_YEAR
from tidu.errors import DataError

__all__ = [
    "REVIEW",
    "budget",
    "form_of",
    "notes_of",
    "one_off",
    "scheme_of",
    "stacking",
    "terms_of",
]

TERMS = {
    "reading": "reward_reading",
    "since": "reward_since",
    "until": "reward_until",
    "lag": "reward_lag_years",
    "first_only": "reward_first_only",
    "pays_revoked": "reward_pays_revoked",
}
REVIEW = Note(
    "须经公平竞争审查(公平竞争审查条例,国务院令第783号);市里登记审查结论前不计入合计",
    "Subject to the fair-competition review (State Council Decree 783); in no total before the "
    "city has recorded its review",
)

Rows = Mapping[str, PlanRow]


def terms_of(rows: Rows, settings: Settings) -> Terms:
    """What the city decided about the one-off rewards."""
    gone = _rule(rows).get("gone", ())
    chosen = {name: settings.parameters.get(setting) for name, setting in TERMS.items()}
    known: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    for name, value in known.items():
        must = _must(name, value)
        if must:
            raise DataError(
                f"The parameter {TERMS[name]} must be {must}, found {value!r}.",
                cure="Correct it in the city's settings.",
            )
    return Terms(**known, gone_kinds=tuple(gone), reviewed=settings.reviewed)


def _must(name: str, value: object) -> str:
    """What a parameter must be, if it is not."""
    if name == "reading":
        return "" if value in READINGS else f"one of {READINGS}"
    if name in ("since", "until"):
        return "" if isinstance(value, date) else "a date"
    if name == "lag":
        whole = isinstance(value, int | float) and value >= 0 and value == int(value)
        return "" if whole else "a whole number of years"
    return "" if value in (True, False) else "true or false"


def _rule(rows: Rows) -> Mapping[str, Any]:
    """The plan's rule of 从高不重复: over which rows it stands, and more."""
    rules = [row.details["reward"] for row in rows.values() if form_of(row) == "stacking"]
    return rules[0] if rules else {}


def scheme_of(rows: Rows, settings: Settings) -> Scheme:
    """The rewards that share a pot, by the plan's rows."""
    rewards, relocation = [], None
    for row in (rows[name] for name in _rule(rows).get("over", ()) if name in rows):
        detail = row.details.get("reward", {})
        spellings = (row.zh, *detail.get("spellings", ()))
        if form_of(row) == "title":
            amount = settings.number(row.numbers["amount"])
            if amount is not None:
                rewards.append(Reward(row.id, tuple(detail["tiers"]), amount, spellings))
        elif form_of(row) == "relocation":
            months = settings.number(detail["months"]) or 0.0
            relocation = Relocation(
                row.id, tuple(detail["pays_as"]), int(months), tuple(detail["abnormal"]), spellings
            )
    return Scheme(tuple(rewards), relocation)


def form_of(row: PlanRow) -> str:
    """How a row of kind reward is computed."""
    return str(row.details.get("reward", {}).get("form", ""))


def one_off(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    """All claims to one reward, and its totals."""
    settled = settle(panel, scheme_of(rows, settings), terms_of(rows, settings))
    table = settled[(settled["reward"] == row.id).to_numpy()].reset_index(drop=True)
    notes = notes_of(row)
    if form_of(row) == "relocation":
        notes.append(REVIEW)
    return Result(
        row.id,
        row.kind,
        table,
        _one_off_totals(table),
        tuple(notes),
        _one_off_settings(row, settings),
    )


def _one_off_totals(table: pd.DataFrame) -> dict[str, float | None]:
    payable = table["payable"] > 0
    state = table["state"]
    unreviewed = table["contingent"].where(state == UNREVIEWED, 0.0)
    return {
        "firms": float(table.loc[payable.to_numpy(), "firm_id"].nunique()),
        "amount": float(table["payable"].sum()),
        "pending_firms": float((state == PENDING).sum()),
        "pending_amount": float(table["contingent"].where(state == PENDING, 0.0).sum()),
        "unreviewed_firms": float((state == UNREVIEWED).sum()),
        "unreviewed_amount": float(unreviewed.sum()),
    }


def _one_off_settings(row: PlanRow, settings: Settings) -> dict[str, object]:
    values = settings.parameters
    return {name: values.get(name) for name in TERMS.values()} | settings.used(row.details)


def stacking(row: PlanRow, rows: Rows, panel: Panel, settings: Settings) -> Result:
    """Per firm: the sum of all claims, and what the rule leaves of it in each reading."""
    scheme = scheme_of(rows, settings)
    terms = terms_of(rows, settings)
    found = {}
    for reading in READINGS:
        settled = settle(panel, scheme, replace(terms, reading=reading))
        due = settled[(settled["state"] == DUE).to_numpy()]
        found[reading] = due.groupby("firm_id")[["amount", "payable"]].sum()
    table = found[SAME_YEAR].rename(columns={"amount": "unstacked", "payable": SAME_YEAR})
    table[LIFETIME] = found[LIFETIME]["payable"]
    table["claims"] = due.groupby("firm_id").size()
    table["chosen"] = table[terms.reading]
    table = table.reset_index()
    totals: dict[str, float | None] = {
        name: float(table[name].sum()) for name in ("unstacked", SAME_YEAR, LIFETIME, "chosen")
    }
    totals["firms"] = float((table["chosen"] > 0).sum())
    totals["firms_with_several"] = float((table["claims"] > 1).sum())
    totals |= {f"ceiling_{name}": amount for name, amount in most(row, rows, settings).items()}
    return Result(
        row.id, row.kind, table, totals, tuple(notes_of(row)), _one_off_settings(row, settings)
    )


def most(row: PlanRow, rows: Rows, settings: Settings) -> dict[str, float]:
    """The ceilings: every firm of the targets newly recognised, by the rows that the rule names."""
    firms, amounts = {}, {}
    for name, (target, reward) in row.details["reward"]["ceilings"].items():
        if target not in rows or reward not in rows:
            return {}
        firms[name] = settings.number(rows[target].numbers["goal"]) or 0.0
        amounts[name] = settings.number(rows[reward].numbers["amount"]) or 0.0
    table = ceilings(firms, amounts)
    return dict(zip(table["ceiling"], table["amount"], strict=True))


def notes_of(row: PlanRow) -> list[Note]:
    """What the row itself has to say."""
    detail = row.details["reward"]
    return [Note(detail["note_zh"], detail["note_en"])] if "note_zh" in detail else []


def budget(rows: Rows, panel: Panel, settings: Settings) -> pd.DataFrame:
    """The one-off rewards by year of payment and district, with the shares of both sides."""
    settled = settle(panel, scheme_of(rows, settings), terms_of(rows, settings))
    share = settings.number({"param": "reward_city_share_pct"})
    return by_year(settled, share, settings.budgets)
