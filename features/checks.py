"""What must hold of the rows of a table: keys, bounds, and rules across columns. Pure.

Keys are errors; bounds are as the mapping says; rules across columns are warnings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from features.draft import Draft, Finding
from features.mapping import Mapping
from features.schema import Column, register
from tidu.errors import Issue

__all__ = ["check_bounds", "check_codes", "check_duplicates", "check_keys", "check_rules"]

Level = Literal["error", "warning"]
Row = pd.DataFrame


def check_keys(draft: Draft) -> list[Issue]:
    """A key must be filled; rows without one are reported and dropped."""
    issues: list[Issue] = []
    good = np.ones(len(draft.frame), dtype=bool)
    for name in register().tables[draft.rule.table].key:
        if name not in draft.frame:
            continue
        missing = draft.frame[name].isna().to_numpy()
        at = np.flatnonzero(missing)
        if len(at):
            finding = Finding(
                "missing_key",
                f"{name} must be filled in every row: it is part of the key of {draft.rule.table}",
                "Fill it in, or delete the row.",
                "关键字段不能为空",
            )
            issues += draft.issues("error", finding, name, at)
            good &= ~missing
    draft.keep(good)
    return issues


def check_duplicates(draft: Draft) -> list[Issue]:
    """A key stands once within an import; a rule that folds repeats merges equal rows first."""
    key = list(register().tables[draft.rule.table].key)
    if draft.rule.dedupe:
        return _fold(draft, key)
    repeated = draft.frame.duplicated(key, keep="first").to_numpy()
    at = np.flatnonzero(repeated)
    if not len(at):
        return []
    groups = draft.frame.groupby(key, sort=False).ngroup().to_numpy()
    first = pd.Series(draft.rows).groupby(groups).transform("first").to_numpy()
    issues = []
    for row in pd.unique(first[at]):
        where = at[first[at] == row] if len(at) < 2_000 else np.empty(0, dtype="int64")
        if len(where):
            issues += draft.issues("error", _duplicate(key, int(row)), key[0], where)
    if len(at) >= 2_000:
        for i in at:
            issues += draft.issues("error", _duplicate(key, int(first[i])), key[0], np.array([i]))
    return issues


def _duplicate(key: list[str], row: int) -> Finding:
    return Finding(
        "duplicate_key",
        f"{', '.join(key)} together must stand once in a file; the same stand in row {row}",
        "Delete one of the two rows.",
        f"主键重复,与第{row}行相同",
    )


def _fold(draft: Draft, key: list[str]) -> list[Issue]:
    """Merge rows of one key: their known values must agree; the first known value stands."""
    frame, issues = draft.frame, []
    grouped = frame.groupby(key, sort=False, dropna=False)
    last = draft.rule.on_conflict == "last"
    for name in frame.columns.difference(key, sort=False):
        kept = grouped[name].transform("last" if last else "first")
        differs = (frame[name].notna() & (frame[name] != kept)).to_numpy(dtype=bool)
        at = np.flatnonzero(differs)
        if len(at):
            finding = Finding(
                "conflicting_rows",
                f"{name} must be the same in all rows of one {', '.join(key)}",
                "The last row stands."
                if last
                else 'Correct the rows, or set on_conflict = "last" in the mapping.',
                "同一主体各行的该字段应一致",
            )
            issues += draft.issues("warning" if last else "error", finding, name, at)
    first_rows = pd.Series(draft.rows).groupby(grouped.ngroup().to_numpy(), sort=True).first()
    merged = grouped.last() if last else grouped.first()
    draft.frame = merged.reset_index()[list(frame.columns)]
    draft.rows = first_rows.to_numpy()
    return issues


def check_bounds(draft: Draft, mapping: Mapping) -> list[Issue]:
    """Numbers within the bounds of their column; ``out_of_bounds`` says what becomes of others."""
    issues: list[Issue] = []
    for name in draft.frame.columns:
        spec = mapping.column(draft.rule.table, str(name))
        if spec is None or (spec.low is None and spec.high is None):
            continue
        values = draft.frame[name].to_numpy(dtype="float64")
        low = -np.inf if spec.low is None else spec.low
        high = np.inf if spec.high is None else spec.high
        at = np.flatnonzero((values < low) | (values > high))
        if not len(at):
            continue
        strict = spec.key or mapping.out_of_bounds == "error"
        level: Level = "error" if strict else "warning"
        issues += draft.issues(level, _outside(spec, mapping, strict), spec.name, at)
        if not strict and mapping.out_of_bounds == "unknown":
            draft.frame[name] = np.where((values < low) | (values > high), np.nan, values)
    return issues


def _outside(spec: Column, mapping: Mapping, strict: bool) -> Finding:
    low = "-∞" if spec.low is None else f"{spec.low:g}"
    high = "∞" if spec.high is None else f"{spec.high:g}"
    if strict:
        cure = "Correct the value, or empty the cell if it is unknown."
    elif mapping.out_of_bounds == "keep":
        cure = "It stands as reported."
    else:
        cure = "It becomes unknown."
    message = f"{spec.en} must lie within {low} and {high} {spec.unit}".rstrip()
    return Finding("out_of_bounds", message, cure, f"{spec.zh}应在{low}至{high}{spec.unit}之间")


def check_codes(draft: Draft, mapping: Mapping) -> list[Issue]:
    """Unified social credit codes carry a check character."""
    if "uscc" not in draft.frame:
        return []
    from features.uscc import check_uscc

    given = draft.frame["uscc"]
    known = given.notna().to_numpy()
    issues: list[Issue] = []
    strict = mapping.out_of_bounds == "error"
    for i in np.flatnonzero(known).tolist():
        errors, doubts = check_uscc(str(given.iat[i]))
        for found in (*errors, *doubts):
            level: Level = "error" if found.level == "error" and strict else "warning"
            finding = Finding(found.rule, found.message, found.cure, found.zh)
            issues += draft.issues(level, finding, "uscc", np.array([i]))
    twice = known & given.duplicated(keep=False).to_numpy()
    shared = Finding(
        "shared_uscc",
        "A unified social credit code must belong to one firm, found it under several ids",
        "Check whether these are one firm.",
        "同一信用代码对应多个企业编号,请核对",
    )
    return issues + draft.issues("warning", shared, "uscc", np.flatnonzero(twice))


@dataclass(frozen=True, slots=True)
class Rule:
    """A relation between columns; ``broken`` is true where it does not hold (unknown never is)."""

    table: str
    name: str
    columns: tuple[str, ...]
    message: str
    zh: str
    broken: Callable[[Row], pd.Series]


def _above(small: str, large: str, slack: float = 1.01) -> Callable[[Row], pd.Series]:
    return lambda f: (f[small] > f[large] * slack) & (f[large] >= 0)


def _balance(frame: Row) -> pd.Series:
    gap = (frame["total_assets"] - frame["total_liabilities"] - frame["net_assets"]).abs()
    return gap > frame["total_assets"].abs() * 0.01 + 1.0


RULES = (
    Rule(
        "annual",
        "balance_gap",
        ("total_assets", "total_liabilities", "net_assets"),
        "Total assets must equal liabilities plus net assets (within 1 %)",
        "资产总额应等于负债总额加净资产",
        _balance,
    ),
    Rule(
        "annual",
        "rd_above_revenue",
        ("rd_expense", "revenue"),
        "R&D expense must be plausible beside revenue (at most five times)",
        "研发费用超过营业收入五倍,请核对单位",
        lambda f: (f["rd_expense"] > f["revenue"] * 5) & (f["revenue"] > 0),
    ),
    Rule(
        "annual",
        "part_above_whole",
        ("main_revenue", "revenue"),
        "Main-business revenue must not exceed revenue",
        "主营业务收入不应超过营业收入",
        _above("main_revenue", "revenue"),
    ),
    Rule(
        "annual",
        "part_above_whole",
        ("current_assets", "total_assets"),
        "Current assets must not exceed total assets",
        "流动资产不应超过资产总额",
        _above("current_assets", "total_assets"),
    ),
    Rule(
        "annual",
        "part_above_whole",
        ("rd_staff", "employees"),
        "R&D staff must not exceed employees",
        "研发人员不应超过从业人员",
        _above("rd_staff", "employees", 1.0),
    ),
    Rule(
        "annual",
        "part_above_whole",
        ("class1_ip_self", "class1_ip"),
        "Self-developed class I rights must not exceed all of them",
        "Ⅰ类自主研发数不应超过Ⅰ类知识产权数",
        _above("class1_ip_self", "class1_ip", 1.0),
    ),
    Rule(
        "titles",
        "ends_before_start",
        ("expires_on", "issued_on"),
        "A title must expire after it was issued",
        "有效期应晚于认定日期",
        lambda f: f["expires_on"] < f["issued_on"],
    ),
    Rule(
        "materials",
        "ends_before_start",
        ("valid_until", "issued_on"),
        "A paper must be valid until a day after it was issued",
        "材料有效期应晚于出具日期",
        lambda f: f["valid_until"] < f["issued_on"],
    ),
    Rule(
        "events",
        "ends_before_start",
        ("ended_on", "on"),
        "An event must end after it began",
        "结束日期不应早于发生日期",
        lambda f: f["ended_on"] < f["on"],
    ),
)


def check_rules(draft: Draft, today: date) -> list[Issue]:
    """Relations across columns, and days that have not come yet: warnings, the values stand."""
    issues: list[Issue] = []
    for rule in RULES:
        if rule.table != draft.rule.table or not set(rule.columns) <= set(draft.frame.columns):
            continue
        at = np.flatnonzero(rule.broken(draft.frame).fillna(False).to_numpy(dtype=bool))
        finding = Finding(rule.name, rule.message, "Check the values; they stand.", rule.zh)
        issues += draft.issues("warning", finding, rule.columns[0], at)
    ahead = Finding(
        "date_ahead",
        "A date must not lie after the day of import",
        "Check the date; it stands and takes effect on that day.",
        "日期晚于导入日,请核对",
    )
    for name, spec in register().tables[draft.rule.table].columns.items():
        if spec.dtype == "date" and not spec.future and name in draft.frame:
            late = (draft.frame[name] > pd.Timestamp(today)).to_numpy(dtype=bool)
            issues += draft.issues("warning", ahead, name, np.flatnonzero(late))
    return issues
