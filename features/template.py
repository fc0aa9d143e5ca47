"""The import template [I/O]: an xlsx with one sheet per table, made from the register.

The first row of a sheet holds the Chinese headers with units, key columns marked; two more sheets
explain the fields (填写说明) and list the codes (代码). Text stays text: a credit code typed into
a column of numbers would lose its last digits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from features.dictionary import bounds
from features.schema import Column, Register, Table

__all__ = ["CODES_SHEET", "NOTES_SHEET", "write_template"]

NOTES_SHEET = "填写说明"
CODES_SHEET = "代码"

_LAST_ROW = 1_048_575
_TYPES = {
    "text": "文本",
    "int": "整数",
    "float": "数值",
    "bool": "是/否",
    "date": "日期(如2024-06-30)",
    "code": "单选(见“代码”)",
    "set": "多选(见“代码”),以分号隔开",
}
_NOTES_HEADER = ("表", "字段", "英文名", "含义", "单位", "类型", "范围", "是否必填", "其他可用表头")


def write_template(path: Path, register: Register) -> None:
    """Write the template to ``path``; the same register gives the same bytes."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": "数据导入模板", "created": datetime(2000, 1, 1, tzinfo=UTC)})
        style = _formats(book)
        tables = tuple(register.tables.values())
        sheets = {table.name: book.add_worksheet(table.zh) for table in tables}
        _write_notes(book.add_worksheet(NOTES_SHEET), tables, style)
        places = _write_codes(book.add_worksheet(CODES_SHEET), tables, style)
        for table in tables:
            _write_table(sheets[table.name], table, places, style)


def _formats(book: xlsxwriter.Workbook) -> dict[str, Any]:
    head = {"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter", "num_format": "@"}
    return {
        "head": book.add_format({**head, "bg_color": "#E8EEF4"}),
        "key": book.add_format({**head, "bg_color": "#FCE8C8"}),
        "text": book.add_format({"num_format": "@"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "number": book.add_format({"num_format": "General"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"}),
    }


def _write_table(
    sheet: Any, table: Table, places: dict[tuple[str, str], str], style: dict[str, Any]
) -> None:
    sheet.freeze_panes(1, len(table.key))
    for i, column in enumerate(table.columns.values()):
        cells = {"date": "date", "int": "number", "float": "number"}.get(column.dtype, "text")
        sheet.set_column(i, i, max(10, 2 * len(column.header)), style[cells])
        sheet.write_string(0, i, column.header, style["key" if column.key else "head"])
        allowed: str | list[str] | None = places.get((table.name, column.name))
        if column.dtype == "bool":
            allowed = ["是", "否"]
        # a cell of a set holds several codes, which a drop-down list cannot say
        if allowed is not None and column.dtype != "set":
            sheet.data_validation(1, i, _LAST_ROW, i, {"validate": "list", "source": allowed})


def _write_notes(sheet: Any, tables: tuple[Table, ...], style: dict[str, Any]) -> None:
    sheet.freeze_panes(1, 0)
    for i, (title, width) in enumerate(
        zip(_NOTES_HEADER, (10, 22, 22, 44, 8, 22, 14, 10, 44), strict=True)
    ):
        sheet.set_column(i, i, width)
        sheet.write_string(0, i, title, style["head"])
    rows = [_note(table, column) for table in tables for column in table.columns.values()]
    for r, row in enumerate(rows, start=1):
        for i, text in enumerate(row):
            sheet.write_string(r, i, text, style["wrap"])


def _note(table: Table, column: Column) -> tuple[str, ...]:
    meaning = f"{column.zh} {column.en}" + (f"。{column.note}" if column.note else "")
    return (
        table.zh,
        column.header,
        column.name,
        meaning,
        column.unit,
        _TYPES[column.dtype],
        bounds(column),
        "必填" if column.key else "可空(空白即未知)",
        "、".join(column.aliases),
    )


def _write_codes(
    sheet: Any, tables: tuple[Table, ...], style: dict[str, Any]
) -> dict[tuple[str, str], str]:
    """List the codes, one column of the sheet per coded field; return where each list stands."""
    coded = [c for table in tables for c in table.columns.values() if c.codes]
    zh = {table.name: table.zh for table in tables}
    places = {}
    for i, column in enumerate(coded):
        sheet.set_column(i, i, 22)
        sheet.write_string(0, i, f"{zh[column.table]}·{column.zh}", style["head"])
        for r, (code, known) in enumerate(column.codes.items(), start=1):
            sheet.write_string(r, i, known[0] if known else code, style["text"])
        letters = xlsxwriter.utility.xl_col_to_name(i)
        places[column.table, column.name] = (
            f"='{CODES_SHEET}'!${letters}$2:${letters}${len(column.codes) + 1}"
        )
    return places
