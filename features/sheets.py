"""Which sheet holds which table: as the mapping says, or as our template is built. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from features.draft import Finding, Place
from features.headers import resolve, tidy
from features.mapping import Mapping, TableRule
from features.mapping_fields import near
from features.reading import Reading
from features.schema import Column, Table, fold, register
from features.sheet import Sheet
from tidu.errors import Issue

__all__ = ["assign_sheets", "blank_rows", "check_headers"]

# Sheets of the template that explain it and hold no data.
GUIDES = ("填写说明", "代码")
# Of tables that know the same headers, the first is meant: firm and year alone are accounts.
LIKELY = (
    "annual",
    "firms",
    "events",
    "titles",
    "applications",
    "attestations",
    "materials",
    "awards",
    "activities",
    "credit",
    "outcomes",
)


def assign_sheets(
    reading: Reading, mapping: Mapping, issues: list[Issue]
) -> list[tuple[Sheet, TableRule]]:
    """Find the sheet of each rule; our own template is recognised by its sheets and headers."""
    if mapping.template:
        return _template(reading, mapping, issues)
    pairs = []
    for rule in mapping.tables:
        found = [s for s in reading.sheets if not rule.sheet or fold(s.name) == fold(rule.sheet)]
        if rule.sheet and not found and len(reading.sheets) == 1 and not reading.sheets[0].name:
            found = [reading.sheets[0]]
        if found:
            pairs.append((found[0], rule))
            continue
        names = [s.name for s in reading.sheets]
        finding = Finding(
            "missing_sheet",
            f"The workbook must have the sheet {rule.sheet!r}, found {names}."
            f"{near(rule.sheet, names)}",
            "Rename the sheet, or correct the mapping.",
            f"缺少工作表“{rule.sheet}”",
        )
        issues.append(Place(reading.file).issue("error", finding))
    used = {id(sheet) for sheet, _ in pairs}
    unread = Finding(
        "unread_sheet",
        "The mapping reads no table from this sheet",
        "Describe it in the mapping, or delete it.",
        "映射文件未读取该工作表",
    )
    issues += [
        Place(reading.file, sheet.name).issue("warning", unread)
        for sheet in reading.sheets
        if id(sheet) not in used
    ]
    return pairs


def _template(
    reading: Reading, mapping: Mapping, issues: list[Issue]
) -> list[tuple[Sheet, TableRule]]:
    tables = register().tables
    pairs = []
    for sheet in reading.sheets:
        if not len(sheet.cells) or not any(sheet.headers) or sheet.name in GUIDES:
            continue
        table = _table_of(sheet)
        place = Place(reading.file, sheet.name)
        if table is None:
            issues.append(_no_table(sheet, place, single=len(reading.sheets) == 1))
            continue
        found = resolve(table, sheet.headers)
        given = next((r for r in mapping.tables if r.table == table.name), TableRule(table.name))
        issues += _twice(sheet, place, found)
        columns = {name: sheet.headers[i] for i, name in found.items()} | dict(given.columns)
        pairs.append((sheet, replace(given, columns=columns)))
        for key in table.key:
            if key not in columns and key not in given.constants and key != given.row_number:
                issues.append(_no_key(tables[table.name].columns[key], sheet, place))
    return pairs


def _table_of(sheet: Sheet) -> Table | None:
    """By the name of the sheet, else the table that knows most of the headers, key included."""
    tables = register().tables
    for named in tables.values():
        if fold(sheet.name) in (fold(named.name), fold(named.zh), fold(named.en)):
            return named
    best: tuple[int, bool] = (0, False)
    table: Table | None = None
    for name in LIKELY:
        found = set(resolve(tables[name], sheet.headers).values())
        score = (len(found), set(tables[name].key) <= found)
        if score > best:
            best, table = score, tables[name]
    return table if best[1] or best[0] >= max(2, len(sheet.headers) // 2) else None


def _no_table(sheet: Sheet, place: Place, *, single: bool) -> Issue:
    names = [*register().tables, *(t.zh for t in register().tables.values())]
    finding = Finding(
        "unknown_sheet",
        f"A sheet must hold a table of the template, found {sheet.name or 'these headers'!r}."
        f"{near(sheet.name, names)}",
        "Name the sheet after its table and keep the headers of the template;"
        " foreign files need a mapping.",
        "无法识别该工作表对应的数据表,请使用模板的表名和表头",
    )
    return place.issue("error" if single else "warning", finding)


def _no_key(spec: Column, sheet: Sheet, place: Place) -> Issue:
    hint = near(spec.zh, sheet.headers) or near(spec.name, sheet.headers)
    finding = Finding(
        "missing_key",
        f"The column {spec.zh} ({spec.name}) must be there: it is part of the key of"
        f" {spec.table}.{hint}",
        "Add the column.",
        f"缺少关键字段“{spec.zh}”",
    )
    return place.issue("error", finding, spec.zh)


def _twice(sheet: Sheet, place: Place, found: dict[int, str]) -> list[Issue]:
    seen: dict[str, int] = {}
    issues = []
    for i, name in found.items():
        if name in seen:
            finding = Finding(
                "duplicate_header",
                f"One column must hold {name}, found {sheet.headers[seen[name]]!r} and"
                f" {sheet.headers[i]!r}",
                "Delete or rename one of them.",
                f"“{sheet.headers[seen[name]]}”与“{sheet.headers[i]}”指同一字段,请保留一列",
            )
            issues.append(place.issue("error", finding, sheet.headers[i]))
        seen.setdefault(name, i)
    return issues


def check_headers(sheet: Sheet, place: Place) -> list[Issue]:
    """Headers stand once; a column with values has one."""
    seen: set[str] = set()
    issues = []
    if not any(sheet.headers):
        finding = Finding(
            "no_header",
            "The first row must hold the names of the columns, found it empty",
            "Delete empty rows above the header.",
            "第一行应为表头,现为空行",
        )
        return [place.issue("error", finding)]
    for i, header in enumerate(sheet.headers):
        name = tidy(header)
        if name and name in seen:
            finding = Finding(
                "duplicate_header",
                f"A header must stand once, found {header!r} again in column {i + 1}",
                "Delete or rename one of them.",
                f"表头“{header}”重复",
            )
            issues.append(place.issue("error", finding, header))
        if name:
            seen.add(name)
        elif not blank_rows(sheet.cells[[i]]).all():
            finding = Finding(
                "no_header",
                f"A column with values must have a header, column {i + 1} has none",
                "Name the column, or delete it.",
                f"第{i + 1}列有数据但没有表头",
            )
            issues.append(place.issue("warning", finding, f"column {i + 1}"))
    return issues


def blank_rows(cells: pd.DataFrame) -> np.ndarray:
    """Mask of the rows in which no cell holds anything."""
    blank = np.ones(len(cells), dtype=bool)
    for name in cells.columns:
        if not blank.any():
            break
        column = cells[name]
        empty = column.isna()
        if column.dtype == "str" or column.dtype == object:
            empty |= column.astype("str").str.strip() == ""
        blank &= empty.to_numpy(dtype=bool)
    return blank
