"""Papers (材料) as data [I/O]: what each is, who issues it, how long it counts, what it bears out.

``from_data`` names rows of our own tables that are the record of the issuing act; where there is
one, nobody asks the firm again. :mod:`policy.papers.filed` applies these rules, this module reads
them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from features.schema import Column, register
from policy.formula import LOOKUPS
from tidu.errors import DataError, Issue

__all__ = ["Paper", "Proof", "parse_papers", "released_papers"]

FILE = "policy/data/papers.toml"

FiscalYear = Literal["", "each", "any", "newest"]

_YEARS = get_args(FiscalYear)
_TEXTS = ("zh", "en", "issuer_zh", "issuer_en", "confidence", "source")
_KNOWN = {*_TEXTS, "fiscal_year", "valid_months", "evidence_of", "from_data", "note"}
_ROWS = {"table", "where", "filled", "year", "on", "until", "ended", "named_by"}
_COVERAGE = {"covered", "years"}


@dataclass(frozen=True)
class Proof:
    """Rows that prove a paper, or (``covered``) records of events that are complete so far back.

    ``where`` and ``filled`` choose the rows; ``year``, ``on``, ``until`` and ``ended`` name the
    columns that hold fiscal year, day of issue, last valid day, and the day the proof ended.
    ``named_by`` is a column, then look-ups: it must hold what the criteria ask for by these.
    """

    table: str = ""
    where: tuple[tuple[str, tuple[object, ...]], ...] = ()
    filled: tuple[str, ...] = ()
    year: str = ""
    on: str = ""
    until: str = ""
    ended: str = ""
    named_by: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()
    years: int = 0


@dataclass(frozen=True)
class Paper:
    """One kind of paper. It is made for a fiscal year, or counts for months, or does not expire.

    ``fiscal_year`` says which of the years that the criteria reach back to it is needed for: each,
    any one of them, only the newest; "" if it is of no year.
    """

    id: str
    zh: str
    en: str
    issuer_zh: str
    issuer_en: str
    confidence: str
    source: str
    fiscal_year: FiscalYear = ""
    valid_months: int | None = None
    months_parameter: str = ""
    evidence_of: frozenset[str] = frozenset()
    proofs: tuple[Proof, ...] = ()
    note: str = ""

    def bears_out(self, given: str) -> bool:
        """Whether it is evidence of an input, by the input's canonical name.

        >>> paper = released_papers()["tax_returns"]
        >>> paper.bears_out("tax_paid[-1]"), paper.bears_out("recent(tax_evasion, 36)")
        (True, True)
        """
        name, _, arguments = given.partition("(")
        first = arguments.rstrip(")").partition(",")[0].strip()
        return not self.evidence_of.isdisjoint({name.partition("[")[0], f"{name}({first})"})

    def months(self, parameters: Mapping[str, object]) -> int | None:
        """For how many months it counts from its date; None: it does not expire by itself."""
        if not self.months_parameter:
            return self.valid_months
        found = parameters.get(self.months_parameter)
        return None if found is None else int(str(found))


@cache
def released_papers() -> Mapping[str, Paper]:
    """The papers of the package, read once."""
    path = resources.files("policy") / "data" / "papers.toml"
    return parse_papers(tomllib.loads(path.read_text(encoding="utf-8")), FILE)


def parse_papers(raw: Mapping[str, Any], file: str) -> Mapping[str, Paper]:
    """Read papers from parsed TOML; all problems are told at once, each with its key."""
    issues: list[Issue] = []
    papers = {}
    for name, spec in raw.items():
        found = [*_problems(spec)] if isinstance(spec, Mapping) else [("", "be a table", spec)]
        issues += [_issue(file, name, *problem) for problem in found]
        if not found:
            papers[name] = _paper(name, spec)
    if issues:
        raise DataError(f"{file} must describe papers, found {len(issues)} problems.", issues)
    return papers


def _issue(file: str, paper: str, key: str, must: str, found: object) -> Issue:
    return Issue(
        "error",
        "paper",
        f"A paper must {must}",
        f"Correct it; the head of {file} says what each key means.",
        file=file,
        column=f"{paper}.{key}".rstrip("."),
        value="" if found is None else str(found),
        zh="材料的定义不正确",
    )


Problem = tuple[str, str, object]


def _problems(spec: Mapping[str, Any]) -> Iterator[Problem]:
    for key in _TEXTS:
        if not (isinstance(spec.get(key), str) and spec[key].strip()):
            yield key, "say this in words", spec.get(key)
    for key in sorted(set(spec) - _KNOWN):
        yield key, "have known keys only", key
    if spec.get("confidence") not in ("H", "M", "L"):
        yield "confidence", "have a confidence of H, M or L", spec.get("confidence")
    if spec.get("fiscal_year", "") not in _YEARS:
        yield "fiscal_year", f"be of one of {_YEARS[1:]} or leave this out", spec["fiscal_year"]
    if "valid_months" in spec:
        yield from _months(spec)
    for name in spec.get("evidence_of", []):
        if not _inputs(name):
            yield "evidence_of", "bear out columns, look-ups or @groups of columns", name
    for number, rule in enumerate(spec.get("from_data", [])):
        for key, must, found in _rule_problems(rule):
            yield f"from_data[{number}].{key}".rstrip("."), must, found


def _inputs(name: str) -> frozenset[str]:
    """The names of inputs that an entry of ``evidence_of`` stands for; none if nobody knows it."""
    tables = register().tables
    columns = {**tables["firms"].columns, **tables["annual"].columns}
    if name.startswith("@"):
        return frozenset(c.name for c in tables["annual"].columns.values() if c.group == name[1:])
    table, _, column = name.rpartition(".")
    known = column in (tables[table].columns if table in tables else {} if table else columns)
    call = name.partition("(")[0] in LOOKUPS
    return frozenset({name} if known or call else ())


def _months(spec: Mapping[str, Any]) -> Iterator[Problem]:
    months = spec["valid_months"]
    if spec.get("fiscal_year"):
        yield "valid_months", "be of a fiscal year or count for months, not both", months
    named = isinstance(months, Mapping) and set(months) == {"param"}
    if not named and not (type(months) is int and months > 0):
        yield "valid_months", "count for a whole number of months or name a parameter", months


def _rule_problems(rule: Any) -> Iterator[Problem]:
    if not isinstance(rule, Mapping):
        yield "", "be proved by rules that are tables", rule
    elif "covered" in rule:
        kinds = register().column("events", "kind").codes
        yield from ((key, "have known keys only", key) for key in sorted(set(rule) - _COVERAGE))
        for kind in rule["covered"]:
            if kind not in kinds:
                yield "covered", "name kinds of events", kind
        if not (type(rule.get("years")) is int and rule["years"] > 0):
            yield "years", "say how many years the records must reach back", rule.get("years")
    elif rule.get("table") not in register().tables:
        yield "table", "be proved by a table of the column register", rule.get("table")
    else:
        yield from ((key, "have known keys only", key) for key in sorted(set(rule) - _ROWS))
        yield from _column_problems(rule, register().tables[rule["table"]].columns)


def _column_problems(rule: Mapping[str, Any], columns: Mapping[str, Column]) -> Iterator[Problem]:
    dates = [key for key in ("on", "until", "ended") if key in rule]
    named = [("where", name) for name in rule.get("where", {})]
    named += [("filled", name) for name in rule.get("filled", [])]
    named += [(key, rule[key]) for key in (*dates, "year") if key in rule]
    named += [("named_by", name) for name in rule.get("named_by", [])[:1]]
    for key, name in named:
        if name not in columns:
            yield key, f"name columns of {rule['table']}", name
    for key in dates:
        if rule[key] in columns and columns[rule[key]].dtype != "date":
            yield key, "name a date", rule[key]
    for name, wanted in rule.get("where", {}).items():
        spec = columns.get(name)
        values = wanted if isinstance(wanted, list) else [wanted]
        if spec is not None and spec.dtype == "code":
            strange = [value for value in values if value not in spec.codes]
            if strange:
                yield f"where.{name}", "name listed codes", strange
        elif spec is not None and not all(
            isinstance(value, bool | int | float) for value in values
        ):
            yield f"where.{name}", "compare numbers with numbers, codes with codes", values


def _paper(name: str, spec: Mapping[str, Any]) -> Paper:
    months = spec.get("valid_months")
    return Paper(
        id=name,
        **{key: spec[key] for key in _TEXTS},
        fiscal_year=spec.get("fiscal_year", ""),
        valid_months=months if isinstance(months, int) else None,
        months_parameter=months["param"] if isinstance(months, Mapping) else "",
        evidence_of=frozenset().union(*(_inputs(name) for name in spec.get("evidence_of", []))),
        proofs=tuple(_proof(rule, spec) for rule in spec.get("from_data", [])),
        note=spec.get("note", ""),
    )


def _proof(rule: Mapping[str, Any], spec: Mapping[str, Any]) -> Proof:
    where = {
        name: tuple(wanted) if isinstance(wanted, list) else (wanted,)
        for name, wanted in rule.get("where", {}).items()
    }
    return Proof(
        table=rule.get("table", ""),
        where=tuple(where.items()),
        filled=tuple(rule.get("filled", ())),
        year=rule.get("year", "year" if spec.get("fiscal_year") else ""),
        on=rule.get("on", ""),
        until=rule.get("until", ""),
        ended=rule.get("ended", ""),
        named_by=tuple(rule.get("named_by", ())),
        covered=tuple(rule.get("covered", ())),
        years=rule.get("years", 0),
    )
