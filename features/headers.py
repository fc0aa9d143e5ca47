"""Headers: names with units in brackets, matched to columns; units to factors. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from features.cells import MONEY
from features.schema import Column, Table, fold

__all__ = ["Scale", "resolve", "scale_for", "split_unit", "tidy"]

_UNIT = re.compile(r"^(?P<name>.+?)\s*[\[(【〔](?P<unit>[^()\[\]【】〔〕]+)[\])】〕]$")
PERCENT = {
    "%": 1.0,
    "pct": 1.0,
    "百分比": 1.0,
    "百分数": 1.0,
    "小数": 100.0,
    "比例": 100.0,
    "‰": 0.1,
}
TENS = {"": 1.0, "千": 1e3, "万": 1e4, "百万": 1e6, "亿": 1e8}
TECHNICAL = {
    "known_on": ("known_on", "知悉日期", "获知日期"),
    "withdrawn": ("withdrawn", "撤回标记"),
}
"""Columns that any table of our own template may carry beside those of the register."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit conversion, as a fraction: ``x / 10000`` is exact where ``x * 1e-4`` errs."""

    times: float = 1.0
    by: float = 1.0


def tidy(header: str) -> str:
    """Reduce a header to what two spellings of it share.

    >>> tidy(" 营业收入（万元） ")
    '营业收入(万元)'
    """
    return fold(header).strip("\u200b\ufeff*")


def split_unit(header: str) -> tuple[str, str]:
    """Split a unit in brackets from a header.

    >>> split_unit("营业收入（万元）"), split_unit("year")
    (('营业收入', '万元'), ('year', ''))
    """
    clean = unicodedata.normalize("NFKC", header).strip()
    matched = _UNIT.match(clean)
    return (matched["name"], matched["unit"].strip()) if matched else (clean, "")


def scale_for(unit: str, column: Column) -> Scale | None:
    """How to convert from ``unit`` to the unit of ``column``; None if that makes no sense.

    >>> from features.schema import register
    >>> scale_for("元", register().column("annual", "revenue"))
    Scale(times=1.0, by=10000.0)
    """
    unit = unit.removeprefix("单位:").removeprefix("人民币").strip()
    if not unit or unit == column.unit or column.dtype not in ("int", "float"):
        return Scale()
    if column.unit in MONEY and unit in MONEY:
        return Scale(MONEY[unit], MONEY[column.unit])
    if column.unit == "%" and unit.lower() in PERCENT:
        return Scale(PERCENT[unit.lower()])
    for prefix, times in TENS.items():
        if column.unit and unit == prefix + column.unit:
            return Scale(times)
        if column.unit.startswith(prefix) and prefix and unit == column.unit.removeprefix(prefix):
            return Scale(1.0, times)
    return None


def resolve(table: Table, headers: tuple[str, ...]) -> dict[int, str]:
    """Find the column of each header of our own template, by name, label or alias."""
    known = table.headers()
    for name, spellings in TECHNICAL.items():
        known.update({fold(s): name for s in spellings})
    found: dict[int, str] = {}
    for i, header in enumerate(headers):
        column = known.get(tidy(header)) or known.get(tidy(split_unit(header)[0]))
        if column is not None:
            found[i] = column
    return found
