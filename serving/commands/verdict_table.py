"""The verdict of a firm as a table for people: alternatives by number, figures in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any as Anything

from policy.conditions import All, Any, Condition, Finding, Leaf, Not, ScoreTest
from policy.logic import WORDS
from policy.rules import Edition
from serving.commands.edge import table

__all__ = ["criteria_table", "places"]

HEADS = (
    ("条件", "结论", "数值", "要求", "差距", "条款"),
    ("criterion", "status", "value", "required", "gap", "clause"),
)
GRADES = {"≥": ("至少", "at least "), "≤": ("至多", "at most ")}
SHOWN = 3
"""So many codes of a requirement stand in a table's cell."""
LEGEND = (
    "编号: 同号各行须同时符合,同级不同号符合其一即可",
    "Numbers: lines of one number hold together, numbers of one level are alternatives",
)
OPPOSITE = {"met": "unmet", "unmet": "met"}


def criteria_table(found: dict[str, Anything], edition: Edition, lang: int) -> str:
    """The verdict as a table; ``lang`` is 0 for Chinese, 1 for English.

    What must not be the case is said by the criterion's own words: a "no" beside "not on the list"
    would be read the other way round.
    """
    name = ("zh", "en")[lang]
    tests = {criterion.id: criterion.test for criterion in edition.criteria}
    rows, numbered = [], False
    for criterion in found["criteria"]:
        test = tests[criterion["id"]]
        own = {"metric": test.metric if isinstance(test, Leaf) else ""} | criterion
        if own["threshold"] is False:
            own |= {"value": None, "threshold": None}
        lines = [_row(own, criterion[name], lang)]
        for part, (number, negated) in zip(criterion["parts"], places(test), strict=False):
            words = f"{('非:', 'not: ')[lang]}{part[name]}" if negated else part[name]
            status = OPPOSITE.get(part["status"], part["status"]) if negated else part["status"]
            lines.append(_row(part | {"status": status}, f"  {number or '·'} {words}", lang))
            numbered |= bool(number)
        if criterion["document"] != found["document"]:
            for row in lines:
                row[HEADS[lang][-1]] = f"{criterion['document']} {row[HEADS[lang][-1]]}"
        rows += lines
    head = f"{found['edition_' + name]} {found['document']}  {WORDS[found['status']][lang]}"
    year = f"{('数据年度', 'data of')[lang]} {found['data_year']}"
    told = [head, year, table(rows, list(rows[0]))]
    return "\n".join([*told, LEGEND[lang]] if numbered else told)


def places(
    condition: Condition, number: tuple[str, ...] = (), negated: bool = False
) -> Iterator[tuple[str, bool]]:
    """The number of every line below a condition, as a sheet orders them, and if it must not hold.

    Alternatives count up, what holds together shares a number; where two choices must be made at
    once, each has a letter.
    """
    simple = isinstance(condition, Leaf | ScoreTest | Finding)
    if simple or condition.label.id:
        yield ".".join(number), negated
    choice = isinstance(condition, All if negated else Any) and len(condition.parts) > 1
    several = sum(isinstance(part, All if negated else Any) for part in condition.parts) > 1
    letters = iter("abcdefghij")
    for i, part in enumerate(condition.parts, 1):
        inner = (*number, str(i)) if choice else number
        if several and not choice and isinstance(part, All if negated else Any):
            inner = (*number, next(letters))
        yield from places(part, inner, negated ^ isinstance(condition, Not))


def _words(value: object, metric: str, lang: int) -> str:
    """A figure as people read it: truths in words, codes as the register or the law spells them.

    Of a long list the first few are shown, --json has them all.

    >>> _words(list("abc"), "x", 0), _words(list("abcdef"), "x", 1)
    ('a、b、c', 'a or b or c or 3 more')
    """
    from policy.loading import standing
    from policy.metrics import column_of

    if isinstance(value, list):
        told, joint = [_words(one, metric, lang) for one in value[:SHOWN]], ("、", " or ")[lang]
        rest = (f"等{len(value)}项", f" or {len(value) - SHOWN} more")[lang]
        return joint.join(told) + (rest if len(value) > SHOWN else "")
    if isinstance(value, bool):
        return (("是", "yes") if value else ("否", "no"))[lang]
    if isinstance(value, str):
        column, trades = column_of(metric), standing().trades if metric == "trade" else {}
        if value in trades:
            return (trades[value].zh, trades[value].en)[lang]
        spelled = column.codes.get(value, ()) if column is not None else ()
        return spelled[0] if spelled and not lang else value.replace("_", " ")
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float, bound: object = None) -> str:
    """To two decimals, or to all where these would put the value on the bound or on nothing.

    >>> _number(63135.416), _number(40000.0), _number(1999.999, 2000.0), _number(-0.001)
    ('63135.42', '40000', '1999.999', '-0.001')
    """
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    blurred = float(short) != value and float(short) in (0.0, bound)
    return f"{value:.12g}" if blurred else short


def _value(item: dict[str, Anything], metric: str, lang: int) -> str | None:
    """The firm's figure; where only a range is known, both its ends."""
    value, ends = item.get("value"), item.get("range")
    if value is None and ends and any(end is not None for end in ends):
        told = ["…" if end is None else _words(end, metric, lang) for end in ends]
        return "–".join(told)
    if isinstance(value, float):
        return _number(value, item.get("threshold"))
    return None if value is None else _words(value, metric, lang)


def _gap(item: dict[str, Anything]) -> str | None:
    """What is missing; at most so much, where the figure is a range or the verdict open."""
    missing = item.get("gap")
    if not missing:
        return None
    low, high = item.get("range") or (0, 0)
    return ("" if item["status"] == "unmet" and low == high else "≤") + _number(missing)


def _row(item: dict[str, Anything], words: str, lang: int) -> dict[str, object]:
    required = item.get("threshold")
    sign, metric = item.get("operator", ""), item.get("metric", "")
    if isinstance(required, list) and len(required) == 1:
        sign = "="
    if isinstance(required, str):  # grades of the register, which have no size
        sign = GRADES[sign][lang]
    asked = f"{sign}{_words(required, metric, lang)}{item.get('unit', '')}"
    cells = (
        words,
        WORDS[item["status"]][lang],
        _value(item, metric, lang),
        None if required is None else asked,
        _gap(item),
        item.get("clause", ""),
    )
    return dict(zip(HEADS[lang], cells, strict=True))
