"""Hypothesis strategies made from the column register: values, frames, small sets of tables.

Frames come as reading hands them to the vault: canonical columns, text as ``str``, numbers
and yes/no as float64, dates as datetime64[s], missing as missing, and the two clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from features.schema import SET_SEPARATOR, Column, Table, register
from features.uscc import ALPHABET, check_character

FIRST_DAY = date(2014, 1, 1)
LAST_DAY = date(2024, 12, 31)
YEARS = (FIRST_DAY.year, LAST_DAY.year)
MONEY = 1e7

# What a consistent record keeps: a part is not above its whole, and an end is not before its start.
PARTS = {
    "main_revenue": "revenue",
    "main_product_revenue": "revenue",
    "high_tech_revenue": "revenue",
    "rd_expense": "rd_invest",
    "rd_staff": "employees",
    "tech_staff": "employees",
    "current_assets": "total_assets",
    "noncurrent_assets": "total_assets",
    "current_liabilities": "total_liabilities",
    "noncurrent_liabilities": "total_liabilities",
    "inventories": "current_assets",
    "receivables": "current_assets",
    "cash": "current_assets",
    "class1_ip_self": "class1_ip",
    "class1_ip_high_value": "class1_ip",
    "class1_ip_effective": "class1_ip",
    "class1_ip_top3_owner": "class1_ip",
    "unsecured_balance": "loan_balance",
}
ENDS = {"expires_on": "issued_on", "revoked_on": "issued_on", "ended_on": "on", "repaired_on": "on"}
MOMENTS = ("on", "issued_on", "paid_on")

firm_ids = st.integers(0, 99_999).map("F{:05d}".format)
uscc_codes = st.text(ALPHABET, min_size=9, max_size=9).map(
    lambda tail: (first := f"91310115{tail}") + check_character(first)
)
_words = st.text(
    "甲乙丙丁科技有限公司精密机械ABCxyz019·()“”=+-@,; ", min_size=1, max_size=12
).filter(lambda s: bool(s.strip()))
_SPECIAL_TEXTS: dict[str, st.SearchStrategy[str]] = {
    "firm_id": firm_ids,
    "uscc": uscc_codes,
    "currency": st.sampled_from(["CNY", "KRW", "NOK"]),
    "industry_gb4754": st.from_regex(r"[0-9]{4}", fullmatch=True),
    "main_product_8code": st.from_regex(r"[0-9]{8}([0-9]{2})?", fullmatch=True),
    "batch": st.sampled_from(["2023-1", "2023-2", "2024-1"]),
    "district": st.sampled_from(["东城区", "高新区", "滨海县"]),
}


def values(column: Column) -> st.SearchStrategy[object]:
    """Values a cell of ``column`` may hold, missing aside."""
    made: dict[str, Callable[[], st.SearchStrategy[object]]] = {
        "text": lambda: _SPECIAL_TEXTS.get(column.name, _words),
        "int": lambda: _numbers(column),
        "float": lambda: _numbers(column),
        "bool": lambda: st.sampled_from([0.0, 1.0]),
        "date": lambda: st.dates(FIRST_DAY, LAST_DAY),
        "code": lambda: st.sampled_from(list(column.codes)),
        "set": lambda: _sets(list(column.codes) or ["a", "b"]),
    }
    return made[column.dtype]()


def _numbers(column: Column) -> st.SearchStrategy[float]:
    if column.name == "year":
        return st.integers(*YEARS).map(float)
    low = -MONEY if column.low is None else column.low
    high = max(MONEY, low) if column.high is None else column.high
    if column.dtype == "int":
        return st.integers(int(low), int(high)).map(float)
    return st.floats(min(low, high), high, allow_nan=False, allow_infinity=False)


def _sets(known: list[str]) -> st.SearchStrategy[str]:
    some = st.lists(st.sampled_from(known), unique=True, min_size=1)
    return some.map(lambda codes: SET_SEPARATOR.join(sorted(codes, key=known.index)))


def cells(column: Column) -> st.SearchStrategy[object]:
    """Values of ``column`` and, where it is nullable, missing ones."""
    return st.none() | values(column) if column.nullable else values(column)


def typed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of ``frame`` the dtypes of the contract."""
    kinds = {"int": "float64", "float": "float64", "bool": "float64", "date": "datetime64[s]"}
    dtypes = {c: kinds.get(table.columns[c].dtype, "str") for c in frame}
    return frame.astype(dtypes)


@st.composite
def frames(
    draw: st.DrawFn,
    table: Table,
    firms: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    max_rows: int = 8,
) -> pd.DataFrame:
    """Rows of ``table`` with distinct keys; ``columns`` beside the key, else a few drawn ones.

    ``firms`` restricts firm ids; every row carries ``known_on`` and ``known_inferred``.
    """
    key = [table.columns[name] for name in table.key]
    ids = st.sampled_from(list(firms)) if firms is not None else firm_ids
    row_key = st.tuples(*(ids if c.name == "firm_id" else values(c) for c in key))
    keys = draw(st.lists(row_key, unique=True, max_size=max_rows))
    others = [name for name in table.columns if name not in table.key]
    if columns is None:
        columns = draw(st.lists(st.sampled_from(others), unique=True, max_size=6)) if others else []
    data: dict[str, list[object]] = {c.name: [k[i] for k in keys] for i, c in enumerate(key)}
    for name in columns:
        cell = cells(table.columns[name])
        data[name] = draw(st.lists(cell, min_size=len(keys), max_size=len(keys)))
    frame = typed(table, pd.DataFrame(data, columns=list(data)))
    delays = draw(st.lists(st.integers(0, 700), min_size=len(keys), max_size=len(keys)))
    return with_clocks(_consistent(frame), delays)


@st.composite
def table_sets(
    draw: st.DrawFn, names: Sequence[str] = ("annual", "titles", "events"), max_firms: int = 4
) -> dict[str, pd.DataFrame]:
    """Draw ``firms`` and the named tables: all ids are of firms that exist, parts fit wholes."""
    tables = register().tables
    ids = draw(st.lists(firm_ids, unique=True, min_size=1, max_size=max_firms))
    firms = pd.DataFrame({"firm_id": ids})
    for name in ("founded_on", "district", "uscc"):
        cell = cells(tables["firms"].columns[name])
        firms[name] = draw(st.lists(cell, min_size=len(ids), max_size=len(ids)))
    firms = with_clocks(typed(tables["firms"], firms), [0] * len(ids))
    return {"firms": firms} | {n: draw(frames(tables[n], firms=ids)) for n in names}


def with_clocks(frame: pd.DataFrame, delays: Sequence[int]) -> pd.DataFrame:
    """Add when each row became known: that many days after the moment it speaks of."""
    moment = next((m for m in MOMENTS if m in frame), None)
    if moment:
        spoken = [stamp.date() for stamp in frame[moment]]
    elif "year" in frame:
        years = frame["year"].fillna(FIRST_DAY.year)
        spoken = [date(int(year), 12, 31) for year in years]
    else:
        spoken = [FIRST_DAY] * len(frame)
    known = [day + timedelta(days=n) for day, n in zip(spoken, delays, strict=True)]
    return frame.assign(
        known_on=pd.Series(known, index=frame.index, dtype="datetime64[s]"),
        known_inferred=np.array([n > 365 for n in delays], dtype=bool),
    )


def _consistent(frame: pd.DataFrame) -> pd.DataFrame:
    for part, whole in PARTS.items():
        if part in frame and whole in frame:
            frame[part] = frame[part].mask(frame[part] > frame[whole], frame[whole])
    for end, start in ENDS.items():
        if end in frame and start in frame:
            frame[end] = frame[end].mask(frame[end] < frame[start], frame[start])
    return frame
