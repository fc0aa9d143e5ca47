"""The metrics: those that the data declares, and every numeric column under its own name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.schema import Column, register
from policy.formula import Formula, parse
from policy.problems import Problems
from policy.rules import Metric
from tidu.errors import DataError, NotFound

__all__ = ["Metrics", "column_of", "declared"]

NUMERIC = ("int", "float", "bool", "code", "date")
YEARS_AGO = {0: ("", ""), 1: ("上年", " a year before"), 2: ("前年", " two years before")}
ASKED = {
    "held": ("有效称号", "Valid title"),
    "ever": ("曾获称号", "Title ever held"),
    "open": ("现处于", "Now on"),
    "recent": ("近期发生", "Recent"),
    "since_new_year": ("当年及前{}年发生", "This year or in {} calendar years before"),
    "banned": ("处于禁申期", "Barred from applying"),
    "has": ("具备", "Has"),
    "award": ("科技奖励", "Science and technology award"),
    "months_on": ("挂牌月数", "Months quoted"),
    "on_board": ("现挂牌或上市于", "Now quoted or listed on"),
    "months_since": ("距今月数", "Months since"),
    "trade": ("行业组", "Trade group"),
}
LISTING = ("months_on", "on_board", "banned")
"""Look-ups whose every word is a code of the list; of the others the first alone is."""
LISTED = {
    "held": ("titles", "tier"),
    "ever": ("titles", "tier"),
    "open": ("events", "kind"),
    "recent": ("events", "kind"),
    "since_new_year": ("events", "kind"),
    "banned": ("titles", "tier"),
    "months_since": ("events", "kind"),
    "months_on": ("events", "board"),
    "on_board": ("events", "board"),
}


def column_of(name: str) -> Column | None:
    """The register's column behind an input's name, if it is one that holds numbers."""
    base = name.partition("[")[0]
    tables = register().tables
    if base.startswith("credit."):
        found = tables["credit"].columns.get(base.removeprefix("credit."))
    else:
        found = tables["annual"].columns.get(base) or tables["firms"].columns.get(base)
    return found if found is not None and found.dtype in NUMERIC else None


def declared(
    name: str,
    raw: Mapping[str, Any],
    problems: Problems,
    coded: Mapping[str, tuple[str, ...]] | None = None,
) -> Metric | None:
    """Read one metric of the data; ``coded`` names the codes of inputs that are no columns."""
    key = name
    known = ("zh", "en", "unit", "formula", "low", "high", "direction", "step", "note")
    problems.closed(raw, known, key)
    try:
        low = parse(str(raw["formula"] if "formula" in raw else raw["low"]))
        high = low if "formula" in raw else parse(str(raw["high"]))
    except DataError as error:
        problems.add(f"{key}.formula", error.message, error.cure, "formula")
        return None
    except KeyError as missing:
        problems.add(key, f"A metric must have {missing}.", "Write formula, or low and high.")
        return None
    for input_name in sorted(low.inputs | high.inputs):
        if not _answered(input_name):
            problems.add(
                f"{key}.formula",
                f"{input_name} must be a column or a look-up.",
                "See the data dictionary.",
                "unknown_input",
            )
    direction = raw.get("direction", 0)
    if direction not in (-1, 0, 1):
        problems.add(f"{key}.direction", f"direction must be -1, 0 or 1, found {direction!r}.", "")
    plain = column_of(low.name) if low.plain else None
    return Metric(
        name,
        problems.text(raw, "zh", key),
        problems.text(raw, "en", key),
        problems.text(raw, "unit", key, ""),
        low,
        high,
        int(direction),
        tuple(plain.codes) if plain else (coded or {}).get(low.name, ()),
        float(raw.get("step", _step(plain))),
    )


class Metrics:
    """All metrics by name; a column, or a look-up, is a metric without being declared."""

    def __init__(self, named: Mapping[str, Metric]) -> None:
        self._named = dict(named)
        self._implied: dict[str, Metric] = {}

    def __iter__(self) -> Any:
        return iter(self._named)

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except NotFound:
            return False
        return True

    def __getitem__(self, name: str) -> Metric:
        found = self._named.get(name) or self._implied.get(name)
        if found is None:
            found = self._implied[name] = _implied(name)
        return found


def _step(column: Column | None) -> float:
    return 1.0 if column is not None and column.dtype in ("int", "bool", "code", "date") else 0.01


def _answered(name: str) -> bool:
    if name.partition("[")[0] == "basis":
        return True
    if "(" in name:
        what, _, rest = name.partition("(")
        words = rest.rstrip(")").split(", ")
        if what not in LISTED or words == [""]:
            return True
        return set(_named(what, words)) <= set(register().column(*LISTED[what]).codes)
    return column_of(name) is not None


def _named(what: str, words: list[str]) -> list[str]:
    """The words of a look-up that must be codes of its list."""
    return words if what in LISTING else words[:1]


def _implied(name: str) -> Metric:
    try:
        formula: Formula | None = parse(name)
    except DataError:
        formula = None
    if formula is None or not formula.plain or not _answered(formula.name):
        raise NotFound(f"No metric {name!r}.", "Declare it in policy/data/metrics.")
    column = column_of(formula.name)
    if column is not None:
        back = int(formula.name.partition("[-")[2].rstrip("]") or 0)
        zh, en = YEARS_AGO.get(back, (f"{back}年前", f" {back} years before"))
        return Metric(
            name,
            zh + column.zh,
            column.en + en,
            column.unit,
            formula,
            formula,
            column.direction,
            tuple(column.codes),
            _step(column),
        )
    what, _, rest = formula.name.partition("(")
    zh, en = ASKED[what]
    words = rest.rstrip(")").split(", ")
    if what in LISTED and words[0]:
        codes = register().column(*LISTED[what]).codes
        named = _named(what, words)
        spelled = "、".join((codes[word] or (word,))[0] for word in named)
        zh, en = (text.format(*words[1:]) for text in (zh, en))
        zh, en = f"{zh}:{spelled}", f"{en}: {', '.join(named)}"
        if what == "recent":
            zh, en = f"{zh}({words[1]}个月内)", f"{en} ({words[1]} months)"
    elif words[0]:
        zh, en = f"{zh}:{'、'.join(words)}", f"{en}: {', '.join(words)}"
    return Metric(
        name, zh, en, "个月" if what.startswith("months") else "", formula, formula, 0, (), 1.0
    )
