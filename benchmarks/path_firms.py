"""Firms near the bounds of the ladder, with accounts that add up, for paths."""

from __future__ import annotations

from datetime import date
from zlib import crc32

import numpy as np

from policy.inputs import names_of
from policy.law import Law
from policy.metrics import column_of
from policy.path.changes import Changes
from policy.path.changes_reading import released
from policy.path.finding import Paths
from policy.path.size import size_of
from policy.path.timing import ahead, needed
from policy.rules import Purpose
from policy.values import Inputs

__all__ = ["firms", "paths_of"]

DAY = date(2026, 3, 16)
UNKNOWN_SHARE = 0.03
LOWER = ("held(innovative_sme)", "held(srdi_provincial)")


def firms(law: Law, n: int, seed: int, day: date = DAY) -> Inputs:
    """Return ``n`` firms; each account identity holds, one cell in thirty is unknown."""
    rng = np.random.default_rng(seed)
    names = sorted(names_of(law) | needed(released()))
    # Each column draws on its own, so that a new one in the law changes no other firm.
    columns = {name: _plain(_own(seed, name), name, n) for name in names}
    for lag in range(4):
        _accounts(rng, columns, n, lag)
    for name, values in columns.items():
        hidden = _own(seed, "hidden " + name).random(n) < UNKNOWN_SHARE
        if column_of(name) is not None:
            columns[name] = np.where(hidden, np.nan, values)
    _states(seed, columns, n)
    columns["size_industry()"] = rng.integers(0, len(law.sizes), n).astype(float)
    columns["trade()"] = _own(seed, "trade()").integers(0, len(law.trades), n).astype(float)
    sizes = [size_of(law, {k: float(v[i]) for k, v in columns.items()}) for i in range(n)]
    for name in ("size_low()", "size_high()"):
        columns[name] = np.array([size[name] for size in sizes])
    ids = np.array([f"F{i:06d}" for i in range(n)], dtype=object)
    return Inputs(ids, day, day.year - 1, columns)


def _own(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(name.encode())])


def _plain(rng: np.random.Generator, name: str, n: int) -> np.ndarray:
    column = column_of(name)
    if column is None:
        return np.zeros(n)
    if column.dtype == "bool":
        return (rng.random(n) < 0.6).astype(float)
    if column.dtype == "code":
        return rng.integers(0, len(column.codes), n).astype(float)
    if column.dtype == "date":
        return rng.integers(14_000, 20_000, n).astype(float)
    if column.dtype == "int":
        return rng.integers(0, 6, n).astype(float)
    high = 100.0 if column.high is None else column.high
    return np.round(rng.uniform(0.0, high, n), 2)


def _accounts(rng: np.random.Generator, columns: dict[str, np.ndarray], n: int, lag: int) -> None:
    """Accounts of one year; a year earlier is a little smaller."""
    tag = f"[-{lag}]" if lag else ""
    if lag == 0:
        revenue = np.round(np.exp(rng.uniform(6.2, 9.8, n)), 2)
    else:
        before = columns["revenue" if lag == 1 else f"revenue[-{lag - 1}]"]
        revenue = np.round(before / rng.uniform(0.9, 1.25, n), 2)
    main = np.round(revenue * rng.uniform(0.6, 1.0, n), 2)
    rd = np.round(revenue * rng.uniform(0.005, 0.1, n), 2)
    profit = np.round(revenue * rng.uniform(-0.05, 0.15, n), 2)
    expenses = np.round(revenue * rng.uniform(0.05, 0.15, n), 2)
    cost = revenue - expenses - rd - profit
    assets = np.round(revenue * rng.uniform(0.6, 2.0, n), 2)
    debt = np.round(assets * rng.uniform(0.2, 0.95, n), 2)
    staff = np.maximum(3, np.round(revenue / rng.uniform(20, 120, n)))
    patents = rng.integers(0, 7, n).astype(float)
    made = {
        "revenue": revenue, "main_revenue": main, "other_operating_income": revenue - main,
        "main_product_revenue": np.round(main * rng.uniform(0.5, 1.0, n), 2),
        "high_tech_revenue": np.round(main * rng.uniform(0.3, 1.0, n), 2),
        "rd_expense": rd, "rd_invest": rd, "net_profit": profit, "net_profit_adj": profit,
        "operating_profit": profit, "profit_before_tax": profit, "cost_of_sales": cost,
        "gross_profit": revenue - cost, "selling_expense": expenses / 2,
        "admin_expense": expenses / 2, "financial_expense": np.zeros(n),
        "cost_expense_total": cost + expenses + rd, "total_assets": assets,
        "total_liabilities": debt, "net_assets": assets - debt, "employees": staff,
        "rd_staff": np.floor(staff * rng.uniform(0.02, 0.3, n)),
        "tech_staff": np.floor(staff * rng.uniform(0.3, 0.5, n)), "class1_ip": patents,
        "class1_ip_self": np.floor(patents * rng.random(n)), "class1_ip_top3_owner": patents,
        "class1_ip_effective": np.floor(patents * rng.random(n)),
        "class1_ip_high_value": (rng.random(n) < 0.1) * np.minimum(patents, 1.0),
        "niche_share_national_pct": np.round(rng.uniform(4, 20, n), 2),
        "srdi_platform_score": np.round(rng.uniform(40, 75, n), 2),
        "equity_raised_qualified_2y": np.where(rng.random(n) < 0.9, 0.0, 3000.0),
        "equity_raised_qualified_3y": np.where(rng.random(n) < 0.9, 0.0, 3000.0),
        "maker_contest_rank": np.where(rng.random(n) < 0.98, 5000.0, 40.0),
        "years_in_niche": np.round(rng.uniform(0, 12, n), 1),
    }  # fmt: skip
    led = columns.get("standards_led" + tag, np.zeros(n))
    made["standards_led_5y"] = np.minimum(led, rng.random(n) < 0.1)
    for name, values in made.items():
        if name + tag in columns:
            columns[name + tag] = values


def _states(seed: int, columns: dict[str, np.ndarray], n: int) -> None:
    """Titles, events and what an official knows: mostly in order."""
    for name in columns:
        rng = _own(seed, "state " + name)
        if name.startswith(("open(", "recent(", "since_new_year(", "banned(")):
            columns[name] = (rng.random(n) < 0.01).astype(float)
        elif name.startswith("held("):
            share = 0.9 if name in LOWER else 0.03
            columns[name] = (rng.random(n) < share).astype(float)
        elif name.startswith("basis"):
            columns[name] = np.zeros(n)
    columns["registered_in_city"] = np.ones(n)
    columns["prohibited_product"] = np.zeros(n)
    rng = _own(seed, "niche")
    columns["niche_start_on"] = np.where(
        rng.random(n) < 0.5, np.nan, rng.integers(17_000, 20_400, n)
    )


def paths_of(
    law: Law, inputs: Inputs, tier: str, purpose: Purpose = "new", changes: Changes | None = None
) -> Paths:
    """Paths without a panel: look-ups stay as they are."""
    plan = changes or released()
    stages = ahead(law, plan, (tier, purpose), inputs)
    return Paths(law, plan, (tier, purpose), inputs, stages)
