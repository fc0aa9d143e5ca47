"""A shortlist as a file: CSV, one workbook with a sheet a district, a page for print.

Text stays text: nothing in a cell becomes a formula or a link, whoever named the firm.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from model.wording import UNITS_EN
from serving.shortlist.words import chance_text, head_lines, place_text

__all__ = ["COLUMNS", "FORMATS", "MEDIA", "exported"]

FORMATS = ("csv", "xlsx", "html")

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
}

COLUMNS = {
    "place": ("序号", "Place"),
    "firm_id": ("企业编号", "Firm id"),
    "name": ("企业名称", "Name"),
    "district": ("区县", "District"),
    "industry": ("行业代码", "Industry"),
    "size": ("划型", "Size"),
    "chance": ("估计概率(90%区间)", "Chance (90 %)"),
    "p_top": ("属于前K家的概率", "Chance of belonging in the first K"),
    "places": ("名次区间(90%)", "Places (90 %)"),
    "verdict": ("判定", "Verdict"),
    "unmet": ("不符合的条款和差距", "Unmet clauses and gaps"),
    "open": ("数据缺失、待认定", "Data missing, to be found"),
    "papers": ("缺少或过期的材料", "Papers missing or out of date"),
    "reasons": ("主要原因", "Main reasons"),
    "measures": ("可用的支持措施", "Fitting measures"),
    "conflicts": ("同集团情况", "Same group"),
    "remarks": ("说明", "Remarks"),
}
"""Columns of every format with their heads in Chinese and English."""

SOURCE = {
    "shortlist_id": ("名单编号", "List id"),
    "as_of": ("基准日", "As of"),
    "snapshot_id": ("快照", "Snapshot"),
    "model_version": ("模型", "Model"),
    "edition": ("认定标准", "Edition"),
}
"""Last columns of CSV, which has no page in front: what every row rests on."""

SIZES = {
    "micro": ("微型", "micro"),
    "small": ("小型", "small"),
    "medium": ("中型", "medium"),
    "large": ("大型", "large"),
}
INCLUDED = ("指定列入", "listed because it had to be")
STALE = ("账目较旧", "scored on older accounts")
NO_DISTRICT = ("区县未知", "No district")

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for a formula at the beginning of a cell of a CSV file."""

SHEET_NAME = re.compile(r"[\[\]:*?/\\']")

WRAP = "unmet", "open", "papers", "reasons", "measures", "conflicts", "remarks"

Cells = dict[str, str | int]


def exported(body: Mapping[str, Any], form: str, lang: str) -> bytes:
    """The file of a list that was made or saved; the same list gives the same bytes."""
    rows = [_cells(row, lang) for row in body["items"]]
    if form == "csv":
        return _csv(body, rows, lang)
    if form == "xlsx":
        return _xlsx(body, rows, lang)
    return _html(body, rows, lang)


def _cells(row: Mapping[str, Any], lang: str) -> Cells:
    pick = 0 if lang == "zh" else 1
    verdict = row["verdict"] or {"unmet": (), "unknown": (), "manual": (), lang: ""}
    papers = row["papers"] or {"missing": (), "expired": ()}
    signs = row["reasons"]
    reasons = [r[f"text_{lang}"] for r in (*signs["positive"], *signs["negative"])]
    remarks = [s[lang] for s in row["statements"]]
    remarks += [INCLUDED[pick]] if row["included"] else []
    remarks += [STALE[pick]] if row["stale"] else []
    return {
        "place": row["place"],
        "firm_id": row["firm_id"],
        "name": row["name"] or "",
        "district": row["district"] or "",
        "industry": row["industry"] or "",
        "size": SIZES[row["size"]][pick] if row["size"] else "",
        "chance": chance_text(row),
        "p_top": "" if row["p_top"] is None else f"{row['p_top']:.0%}",
        "places": place_text(row),
        "verdict": verdict[lang],
        "unmet": "\n".join(_gap(c, lang) for c in verdict["unmet"]),
        "open": "\n".join(c[lang] for c in (*verdict["unknown"], *verdict["manual"])),
        "papers": "\n".join(p[lang] for p in (*papers["missing"], *papers["expired"])),
        "reasons": "\n".join(reasons),
        "measures": "\n".join(m[lang] for m in row["measures"]["items"]),
        "conflicts": "\n".join(c[lang] for c in row["conflicts"]),
        "remarks": "\n".join(remarks),
    }


def _gap(criterion: Mapping[str, Any], lang: str) -> str:
    """An unmet criterion with document, clause and what is missing in its own unit."""
    missing = [c for c in (criterion, *criterion["parts"]) if c["gap"] not in (None, 0.0)]
    word = "差" if lang == "zh" else "lacks"
    units = [UNITS_EN.get(c["unit"], c["unit"]) if lang == "en" else c["unit"] for c in missing]
    told = "; ".join(
        f"{word} {abs(c['gap']):.4g} {unit or ''}".rstrip()
        for c, unit in zip(missing, units, strict=True)
    )
    head = f"{criterion[lang]}({criterion['document']} {criterion['clause']})"
    return f"{head} {told}".rstrip()


# ----------------------------------------------------------------------------------------- csv


def _csv(body: Mapping[str, Any], rows: Sequence[Cells], lang: str) -> bytes:
    pick, out = 0 if lang == "zh" else 1, io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    about = {**body, "edition": (body["edition"] or {}).get("edition")}
    source = [_harmless(about.get(name) or "") for name in SOURCE]
    lines.writerow([words[pick] for words in (*COLUMNS.values(), *SOURCE.values())])
    for row in rows:
        lines.writerow([*(_harmless(row[name]) for name in COLUMNS), *source])
    return b"\xef\xbb\xbf" + out.getvalue().encode()  # spreadsheets read UTF-8 by its mark


def _harmless(value: str | int) -> str | int:
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA) else value


# ---------------------------------------------------------------------------------------- xlsx


def _xlsx(body: Mapping[str, Any], rows: Sequence[Cells], lang: str) -> bytes:
    import xlsxwriter

    pick, out = 0 if lang == "zh" else 1, io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False}  # fmt: skip
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        front = book.add_worksheet(("说明", "About")[pick])
        for line, words in enumerate(head_lines(body, lang)):
            front.write_string(line, 0, words, text)
        front.set_column(0, 0, 100)
        used: set[str] = {front.get_name().casefold(), "history"}  # a name that Excel keeps
        for title, own in _by_district(rows, pick):
            sheet = book.add_worksheet(_sheet_name(title, used))
            sheet.freeze_panes(1, 3)
            for column, (name, heads) in enumerate(COLUMNS.items()):
                sheet.write_string(0, column, heads[pick], bold)
                sheet.set_column(column, column, 40 if name in WRAP else 16)
                for line, row in enumerate(own, 1):
                    sheet.write(line, column, row[name], text)
    return out.getvalue()


def _by_district(rows: Sequence[Cells], pick: int) -> list[tuple[str, list[Cells]]]:
    """All rows first, then a sheet a district; within each the order of the list."""
    names = sorted({str(row["district"]) for row in rows})
    whole = (("全部", "All")[pick], list(rows))
    own = [
        (name or NO_DISTRICT[pick], [r for r in rows if r["district"] == name]) for name in names
    ]
    return [whole, *own]


def _sheet_name(title: str, used: set[str]) -> str:
    """A name that a workbook takes: 31 characters, none of its signs, none twice."""
    plain = SHEET_NAME.sub("_", title)[:31] or "_"
    name, number = plain, 1
    while name.casefold() in used:
        number += 1
        name = f"{plain[: 31 - len(str(number)) - 1]}_{number}"
    used.add(name.casefold())
    return name


# ---------------------------------------------------------------------------------------- html

STYLE = (
    "body{font:14px/1.5 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2em}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:4px 6px;"
    "vertical-align:top;text-align:left;white-space:pre-line;font-size:12px}"
    "thead{display:table-header-group}tr{break-inside:avoid}"
    "@page{size:A3 landscape;margin:12mm}"
)


def _html(body: Mapping[str, Any], rows: Sequence[Cells], lang: str) -> bytes:
    pick = 0 if lang == "zh" else 1
    first, *others = head_lines(body, lang)
    heads = "".join(f"<th>{escape(words[pick])}</th>" for words in COLUMNS.values())
    lines = "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(row[name]))}</td>" for name in COLUMNS) + "</tr>"
        for row in rows
    )
    notes = "".join(f"<p>{escape(line)}</p>" for line in others)
    page = (
        f'<!doctype html>\n<html lang="{("zh-CN", "en")[pick]}"><head><meta charset="utf-8">'
        f"<title>{escape(first)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(first)}</h1>{notes}<table><thead><tr>{heads}</tr></thead>"
        f"<tbody>\n{lines}\n</tbody></table></body></html>\n"
    )
    return page.encode()
