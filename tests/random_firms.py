"""Random firms for the law: figures around its bounds, look-ups yes or no."""

from __future__ import annotations

from datetime import date

import numpy as np

from policy.inputs import names_of
from policy.loading import standing
from policy.metrics import column_of
from policy.values import Inputs

DAY = date(2026, 6, 30)
FALLBACKS = ("debt_ratio_pct", "net_margin_pct", "years_in_niche", "net_assets_per_share")


def many(seed: int, n: int = 200, day: date = DAY) -> Inputs:
    """Random firms: figures around the bounds of the law, look-ups yes or no."""
    rng = np.random.default_rng(seed)
    columns = {}
    for name in sorted(names_of(standing())):
        column = column_of(name)
        if column is None or column.dtype == "bool":  # look-ups, bases, truths
            columns[name] = rng.integers(0, 2, n).astype(float)
        elif column.dtype == "code":
            columns[name] = rng.integers(0, len(column.codes), n).astype(float)
        elif column.dtype == "date":
            columns[name] = rng.integers(12_000, 20_000, n).astype(float)
        elif name in FALLBACKS:
            columns[name] = np.full(n, np.nan)
        else:
            columns[name] = np.round(np.exp(rng.uniform(0, 10, n)) - 1, 2)
    columns |= consistent(columns)
    columns["size_low()"] = columns["size_high()"] = rng.integers(0, 4, n).astype(float)
    columns["trade()"] = rng.integers(0, len(standing().trades), n).astype(float)
    ids = np.array([f"F{i:05d}" for i in range(n)], dtype=object)
    return Inputs(ids, day, day.year - 1, columns)


def consistent(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What bounds what by definition: figures that contradict it are no firm's."""
    own = {"total_assets": columns["net_assets"] + columns["total_liabilities"]}
    own["invention_patents"] = np.maximum(
        columns["invention_patents"], columns["invention_patents_applied"]
    )
    rights = ("", "_self", "_high_value", "_effective", "_top3_owner")
    own["class1_ip"] = np.maximum.reduce([columns[f"class1_ip{name}"] for name in rights])
    raised = ("equity_raised_qualified_3y", "equity_raised_qualified_2y")
    own[raised[0]] = np.maximum.reduce([columns[name] for name in raised])
    parts = ("cost_of_sales", "selling_expense", "admin_expense", "financial_expense")
    costs = np.sum([columns[name] for name in parts], axis=0)
    own["cost_expense_total"] = np.maximum(columns["cost_expense_total"], costs)
    own["main_revenue"] = np.minimum(columns["main_revenue"], columns["revenue"])
    for lag in ("", "[-1]", "[-2]"):
        adjusted, whole = (columns[f"{name}{lag}"] for name in ("net_profit_adj", "net_profit"))
        own[f"net_profit_adj{lag}"] = np.minimum(adjusted, whole)
    for lag in ("", "[-1]", "[-2]", "[-3]"):
        spent, invested = (columns[f"{name}{lag}"] for name in ("rd_expense", "rd_invest"))
        own[f"rd_invest{lag}"] = np.maximum(spent, invested)
    return {name: np.round(column, 2) for name, column in own.items()}
