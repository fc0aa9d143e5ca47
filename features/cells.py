"""One cell of text to one value: numbers, dates, booleans, codes. Pure; the accepted forms only.

Blank means unknown. A cell that is none of the accepted forms raises :class:`CellError`, which
carries what must hold and the cure; its place is known to the caller.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from features.schema import fold

__all__ = [
    "BLANK",
    "MONEY",
    "CellError",
    "Number",
    "from_serial",
    "is_blank",
    "parse_bool",
    "parse_code",
    "parse_date",
    "parse_number",
    "parse_set",
    "refuse_excel_error",
]

BLANK = frozenset({"", "-", "--", "—", "——", "–", "―", "无", "n/a", "nan", "null"})
"""Spellings of *unknown*, after NFKC and in lower case."""

MONEY = {"元": 1.0, "千元": 1e3, "万元": 1e4, "百万元": 1e6, "千万元": 1e7, "亿元": 1e8}
SCALE = {"千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8, "万亿": 1e12}
FIRST_YEAR, LAST_YEAR = 1900, 2200

_PLAIN = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?(e[+-]?\d{1,4})?", re.ASCII)
_NUMBER = re.compile(
    r"(?P<digits>[^\s%‰元千百万亿]+?)\s*(?P<scale>万亿|千万|百万|亿|万|千)?(?P<yuan>元)?"
)
_EXCEL_ERROR = re.compile(
    r"#(REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|UNCALCULATED!)"
)
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?:[ T]0{1,2}:00(:00(\.0+)?)?)?",
    re.ASCII,
)
_MONTH = re.compile(r"\d{4}([-/.年]\d{1,2}月?)", re.ASCII)
TRUE = frozenset({"是", "yes", "1", "true", "y"})
FALSE = frozenset({"否", "no", "0", "false", "n"})


class CellError(ValueError):
    """A cell that cannot be read: a stable rule, what must hold (en, zh) and the cure."""

    def __init__(self, rule: str, message: str, cure: str, zh: str) -> None:
        super().__init__(message)
        self.rule, self.message, self.cure, self.zh = rule, message, cure, zh


@dataclass(frozen=True, slots=True)
class Number:
    """A number and how it was written: plain, in percent, or as an amount in 元 (亿, 万, 元)."""

    value: float
    form: Literal["plain", "percent", "scaled"] = "plain"


def _clean(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().strip("\u200b\ufeff")


def is_blank(text: str) -> bool:
    """Whether the cell says *unknown*.

    >>> [is_blank(t) for t in ("", " — ", "N/A", "无", "0")]
    [True, True, True, True, False]
    """
    return _clean(text).lower() in BLANK


def refuse_excel_error(text: str) -> None:
    """Raise where a cell holds what a failed formula shows."""
    if _EXCEL_ERROR.match(text.upper()):
        raise CellError(
            "excel_error",
            "A cell must hold a value, not the error of a formula",
            "Correct the formula, or empty the cell if the value is unknown.",
            "单元格是公式错误值,应为数据",
        )


def parse_number(text: str, unit: str = "") -> Number | None:
    """Read a number; ``unit`` may stand behind it. None is unknown.

    >>> parse_number("（１，２３４．５）"), parse_number("1.2亿")
    (Number(value=-1234.5, form='plain'), Number(value=120000000.0, form='scaled'))
    """
    clean = _clean(text).replace("\u2212", "-")
    if clean.lower() in BLANK:
        return None
    refuse_excel_error(clean)
    body, negative = clean, False
    if body.startswith("(") and body.endswith(")"):
        body, negative = body[1:-1].strip(), True
    sign = "-" if body.startswith("-") and body[1:].lstrip().startswith(("¥", "￥")) else ""
    body = sign + body.removeprefix(sign).lstrip().removeprefix("¥").lstrip()
    form: Literal["plain", "percent", "scaled"] = "plain"
    factor = 1.0
    if body.endswith("%"):
        body, form = body[:-1].rstrip(), "percent"
    elif unit and unit not in MONEY and body.endswith(unit):
        body = body.removesuffix(unit).rstrip()
    elif matched := _NUMBER.fullmatch(body):
        body = matched["digits"]
        if matched["scale"] or matched["yuan"]:
            form, factor = "scaled", SCALE.get(matched["scale"] or "", 1.0)
    value = _plain(body, negative)
    return Number((-value if negative else value) * factor, form)


def _plain(body: str, negative: bool) -> float:
    lower = body.lower()
    if lower.lstrip("+-") in ("inf", "infinity", "∞"):
        value = math.inf
    elif (
        not any(c.isdigit() for c in lower.partition("e")[0])  # "e5" alone is no number
        or not _PLAIN.fullmatch(lower)
        or (negative and lower[0] in "+-")
    ):
        raise CellError(
            "not_a_number",
            "A number is expected",
            "Write it like 1234.5, 1,234.5, (123), 12.3% or 1.2亿; leave it empty if unknown.",
            "应为数字",
        )
    else:
        value = float(lower.replace(",", ""))
    if math.isinf(value):
        raise CellError(
            "not_finite",
            "A number must be finite",
            "Correct the value, or empty the cell if it is unknown.",
            "数字必须有限,不能为无穷大",
        )
    return value


def parse_date(text: str) -> date | None:
    """Read a calendar day. None is unknown.

    >>> [parse_date(t).isoformat() for t in ("2024-03-01", "2024/3/1", "2024.3.1", "2024年3月1日")]
    ['2024-03-01', '2024-03-01', '2024-03-01', '2024-03-01']
    """
    clean = _clean(text)
    if clean.lower() in BLANK:
        return None
    refuse_excel_error(clean)
    compact = clean.replace(" 年", "年") if "年" in clean else clean
    matched = _DATE.fullmatch(compact.replace("年 ", "年").replace("月 ", "月"))
    if matched is None:
        if _MONTH.fullmatch(clean):
            raise CellError(
                "date_without_day",
                "A date must name a day, not only a month",
                "Write the day, like 2024-03-01; leave it empty if unknown.",
                "日期须精确到日,此处只有年月",
            )
        raise CellError(
            "not_a_date",
            "A date is expected",
            "Write it like 2024-03-01, 2024/3/1 or 2024年3月1日; leave it empty if unknown.",
            "应为日期",
        )
    year, month, day = (int(g) for g in matched.groups()[:11] if g is not None)
    try:
        found = date(year, month, day)
    except ValueError:
        raise CellError(
            "impossible_date",
            "A date must exist in the calendar",
            "Correct the day or the month.",
            "日期不存在",
        ) from None
    return _within(found)


def _within(found: date) -> date:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise CellError(
            "date_out_of_range",
            f"A date must lie within {FIRST_YEAR} and {LAST_YEAR}",
            "Correct the year.",
            f"日期应在{FIRST_YEAR}年至{LAST_YEAR}年之间",
        )
    return found


def from_serial(serial: float) -> date:
    """Read the day number that a spreadsheet stores (1900 system).

    >>> from_serial(45352.0).isoformat()
    '2024-03-01'
    """
    if not serial.is_integer() or not 60 < serial < 110_000:
        raise CellError(
            "not_a_date",
            "A date is expected; the number is no day of a spreadsheet",
            "Write it like 2024-03-01; leave it empty if unknown.",
            "应为日期",
        )
    return _within(date(1899, 12, 30) + timedelta(days=int(serial)))


def parse_bool(text: str) -> bool | None:
    """Read yes or no. None is unknown.

    >>> parse_bool("是"), parse_bool("N"), parse_bool("")
    (True, False, None)
    """
    clean = _clean(text).lower()
    if clean in BLANK:
        return None
    if clean in TRUE or clean in FALSE:
        return clean in TRUE
    refuse_excel_error(clean)
    raise CellError(
        "not_yes_no",
        "Yes or no is expected",
        "Write 是 or 否 (yes/no, 1/0, true/false); leave it empty if unknown.",
        "应为“是”或“否”",
    )


def parse_code(text: str, spellings: Mapping[str, str]) -> str | None:
    """Read a code by any of its spellings (folded → code). None is unknown."""
    code = spellings.get(fold(text))
    if code is not None or is_blank(text):
        return code
    refuse_excel_error(_clean(text))
    close = difflib.get_close_matches(fold(text), list(spellings), n=3, cutoff=0.5)
    near = list(dict.fromkeys(spellings[c] for c in close)) or sorted(set(spellings.values()))[:8]
    raise CellError(
        "unlisted_code",
        "The value must be one of the listed codes",
        f"Use a listed one, such as {', '.join(near)}; or add a recode to the mapping.",
        f"不在代码表内,可用的有:{'、'.join(near)}",
    )


def parse_set(text: str, spellings: Mapping[str, str]) -> str | None:
    """Read several codes; they are kept sorted and joined by ``;``. None is unknown."""
    parts = [part for part in re.split(r"[、,;|/,;]", text) if part.strip()]
    if is_blank(text) or not parts:
        return None
    if not spellings:
        return ";".join(sorted({part.strip() for part in parts}))
    codes = {parse_code(part, spellings) for part in parts}
    return ";".join(sorted(code for code in codes if code))
