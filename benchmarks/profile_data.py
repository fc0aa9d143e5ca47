"""A synthetic panel for the profile benchmark: firms x years with gaps, unknowns, other bases."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from benchmarks.scramble import history
from features.catalogue import BUILT_IN
from features.panel import Panel
from features.schema import Column, register

__all__ = ["YEARS", "panel"]

DAY = date(2025, 12, 31)
YEARS = 8
FIRST_YEAR = 2017
KEPT = 0.91  # of the firm-years; the others are gaps
UNKNOWN = 0.12  # of the values, besides the columns that a firm never reports
NEVER = 0.1
OTHER_BASIS = 0.04
DIVISIONS = 40


def panel(rows: int, seed: int = 0) -> Panel:
    """A panel of about ``rows`` firm-years with every column that the built-in features read."""
    rng = np.random.default_rng(seed)
    n = round(rows / YEARS / KEPT)
    firm, year = np.repeat(np.arange(n), YEARS), np.tile(np.arange(YEARS), n)
    kept = rng.random(len(firm)) < KEPT
    firm, year = firm[kept], year[kept]
    ids = np.array([f"91350100M{i:08d}" for i in range(n)], dtype=object)
    size = (rng.normal(7.5, 1.5, n))[firm] + rng.normal(0.08, 0.05, n)[firm] * year
    columns: dict[str, object] = {"firm_id": pd.Series(ids[firm], dtype="str")}
    columns["year"] = (FIRST_YEAR + year).astype("int64")
    for name in sorted(frozenset().union(*(spec.expr.sources for spec in BUILT_IN))):
        never = (rng.random(n) < NEVER)[firm]
        unknown = never | (rng.random(len(firm)) < UNKNOWN)
        columns[name] = _values(register().column("annual", name), size, unknown, rng)
    columns["reporting_basis"] = _text(("consolidated", "parent"), OTHER_BASIS, len(firm), rng)
    columns["currency"] = _text(("CNY", "USD"), OTHER_BASIS / 8, len(firm), rng)
    annual = _known(pd.DataFrame(columns))
    divisions = np.array([f"{d}{d % 10}0" for d in range(13, 13 + DIVISIONS)], dtype=object)
    share = 1.0 / np.arange(1, DIVISIONS + 1)
    firms = pd.DataFrame({"firm_id": pd.Series(ids, dtype="str")})
    firms["industry_gb4754"] = pd.Series(
        rng.choice(divisions, n, p=share / share.sum()), dtype="str"
    )
    return history({"annual": annual, "firms": _known(firms)}).as_of(DAY)


def _known(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(known_on=pd.Timestamp(DAY).as_unit("s"), known_inferred=False)


def _values(
    spec: Column, size: np.ndarray, unknown: np.ndarray, rng: np.random.Generator
) -> pd.Series:
    n = len(size)
    if spec.dtype == "code":
        codes = np.array(list(spec.codes), dtype=object)[rng.integers(0, len(spec.codes), n)]
        return pd.Series(np.where(unknown, np.array(None), codes), dtype="str")
    if spec.dtype == "bool":
        values = (rng.random(n) < 0.4).astype("float64")
    elif spec.dtype == "int":
        values = np.floor(np.exp(rng.normal(0.3 * size, 1.0)))
    elif spec.unit == "%" or spec.name.endswith("_pct"):
        values = rng.normal(12.0, 20.0, n)
        unknown = unknown | (rng.random(n) < 0.5)  # ratios are reported by some, computed for all
    else:
        values = np.exp(size + rng.normal(-1.0, 0.8, n))
        if "profit" in spec.name or "retained" in spec.name or "cash_flow" in spec.name:
            values *= np.where(rng.random(n) < 0.25, -0.5, 0.2)
    values[unknown] = np.nan
    return pd.Series(values)


def _text(names: tuple[str, str], other: float, n: int, rng: np.random.Generator) -> pd.Series:
    return pd.Series(
        np.array(names, dtype=object)[(rng.random(n) < other).astype(int)], dtype="str"
    )
