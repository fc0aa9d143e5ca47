"""From the files' tables to documents, parameters, editions and selector; problems are noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from policy.conditions import Finding, Leaf, ScoreTest, walk
from policy.law import CitySettings
from policy.parsing import Reader
from policy.problems import Problems
from policy.rules import (
    Bands,
    Best,
    Criterion,
    Document,
    Each,
    Edition,
    Options,
    Parameter,
    Points,
    Rule,
    Score,
    Trade,
    Use,
)

__all__ = [
    "check_documents",
    "check_papers",
    "document",
    "edition",
    "of",
    "parameter",
    "sizes",
    "uses",
]

Tables = Mapping[str, dict[str, Any]]
EDITION = (
    "id",
    "tier",
    "document",
    "zh",
    "en",
    "confidence",
    "source",
    "include",
    "conditions",
    "criteria",
    "score",
    "note_zh",
    "note_en",
)


def of(tables: Tables, start: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """The files whose names begin so."""
    return ((name, table) for name, table in tables.items() if name.startswith(start))


def document(key: str, raw: Mapping[str, Any], p: Problems) -> Document:
    return Document(
        key,
        p.text(raw, "number", key),
        p.text(raw, "zh", key),
        p.text(raw, "en", key),
        raw.get("issued"),
        raw.get("in_force"),
        raw.get("confidence", "L"),
        p.text(raw, "source", key),
    )


def parameter(key: str, raw: Mapping[str, Any], p: Problems, city: CitySettings) -> Parameter:
    value = city.parameters.get(key, raw.get("value"))
    if isinstance(value, date):
        value = value.isoformat()
    return Parameter(
        key,
        p.text(raw, "zh", key),
        p.text(raw, "en", key),
        p.text(raw, "unit", key, ""),
        value,
        raw.get("confidence", "L"),
        p.text(raw, "source", key, ""),
        p.text(raw, "note", key, ""),
        tuple(raw.get("options", ())),
        "city" if key in city.parameters else "default",
    )


def edition(
    raw: Mapping[str, Any], reader: Reader, groups: Mapping[str, tuple[str, Any]]
) -> Edition:
    p = reader.problems
    p.closed(raw, EDITION, "")
    reader = replace(reader, named=raw.get("conditions", {}))
    names = {n: p.text(raw, n, "") for n in ("id", "tier", "document", "zh", "en", "source")}
    criteria: list[Criterion] = []
    for group in raw.get("include", ()):
        if group not in groups:
            p.add("include", f"{group!r} must be a group of exclusions.", "Declare it.")
            continue
        file, table = groups[group]
        inner = Reader(reader.metrics, reader.parameters, p.at(file))
        home = (names["id"], str(table.get("document", names["document"])))
        criteria += [
            inner.criterion(c, f"groups.{group}.criteria[{i}]", home)
            for i, c in enumerate(table.get("criteria", ()))
        ]
    home = (names["id"], names["document"])
    criteria += [
        reader.criterion(c, f"criteria[{i}]", home) for i, c in enumerate(raw.get("criteria", ()))
    ]
    ids = [c.id for c in criteria]
    for twice in sorted({i for i in ids if ids.count(i) > 1}):
        p.add(f"criteria.{twice}", f"{twice!r} must be given once.", "Rename one.")
    score = reader.score(raw["score"], "score") if "score" in raw else None
    metrics, parameters = _read_by(criteria, score)
    _check_scores(criteria, score, p)
    return Edition(
        **names,
        criteria=tuple(criteria),
        score=score,
        file=p.file,
        confidence=raw.get("confidence", "L"),
        note_zh=str(raw.get("note_zh", "")),
        note_en=str(raw.get("note_en", "")),
        metrics=frozenset(metrics),
        parameters=frozenset(parameters),
    )


def _read_by(criteria: Iterable[Criterion], score: Score | None) -> tuple[set[str], set[str]]:
    metrics: set[str] = set()
    parameters: set[str] = set()
    nodes = [node for c in criteria for node in c.conditions()]
    for rule in _rules(score):
        if isinstance(rule, Points | Bands):
            metrics.add(rule.metric)
        if isinstance(rule, Bands):
            parameters |= {bound.param for bound, _ in rule.steps}
        if isinstance(rule, Options):
            nodes += [node for option in rule.options for node in walk(option.when)]
        if isinstance(rule, Each):
            nodes += [node for part in rule.of for node in walk(part)]
    metrics |= {node.metric for node in nodes if isinstance(node, Leaf)}
    parameters |= {node.bound.param for node in nodes if isinstance(node, Leaf | ScoreTest)}
    return metrics, parameters - {""}


def _rules(score: Score | None) -> Iterable[Rule]:
    for group in score.groups if score else ():
        for line in group.indicators:
            yield from line.rule.of if isinstance(line.rule, Best) else (line.rule,)


def _check_scores(criteria: Iterable[Criterion], score: Score | None, p: Problems) -> None:
    known = {"total", *(g.id for g in score.groups)} if score else set()
    for criterion in criteria:
        for node in criterion.conditions():
            if isinstance(node, ScoreTest) and node.group not in known:
                p.add(
                    f"criteria.{criterion.id}", f"{node.group!r} must be a group of the score.", ""
                )
            if isinstance(node, Finding) and not (criterion.papers or node.label.papers):
                p.add(
                    f"criteria.{criterion.id}.papers",
                    "What an official finds must name a paper.",
                    "Name it.",
                )


def check_documents(edition: Edition, known: Mapping[str, Document], p: Problems) -> None:
    """The text of an edition, and every text that a criterion cites, must be one in the data."""
    cited = {"document": edition.document}
    cited |= {f"criteria.{c.id}.document": c.document for c in edition.criteria}
    for key, name in cited.items():
        if name not in known:
            cure = "Declare it in a file of documents."
            p.add(key, f"{name!r} must be a document.", cure, "document")


def check_papers(edition: Edition, known: Mapping[str, Any], p: Problems) -> None:
    """Every paper that an edition names must be one that the data describe."""
    places = [(f"criteria.{c.id}", c.papers) for c in edition.criteria]
    places += [
        (f"criteria.{c.id}.{node.label.id}".rstrip("."), node.label.papers)
        for c in edition.criteria
        for node in c.conditions()
    ]
    for group in edition.score.groups if edition.score else ():
        places += [(f"score.{group.id}.{line.id}", line.papers) for line in group.indicators]
    for key, papers in places:
        for name in papers:
            if name not in known:
                cure = "Describe it in policy/data/papers.toml, or correct the name."
                p.add(f"{key}.papers", f"{name!r} must be a paper.", cure, "unknown_paper")


def uses(tables: Tables, editions: Mapping[str, Edition], problems: Problems) -> list[Use]:
    found: list[Use] = []
    for file, table in of(tables, "selector"):
        p = problems.at(file)
        for i, raw in enumerate(table.get("use", ())):
            use = Use(
                p.text(raw, "tier", f"use[{i}]"),
                raw.get("purpose", "new"),
                raw["from"],
                raw.get("to"),
                str(raw.get("edition")),
                raw.get("confidence", "L"),
                str(raw.get("source", "")),
                str(raw.get("note", "")),
            )
            if use.edition not in editions:
                p.add(f"use[{i}].edition", f"{use.edition!r} must be an edition.", "Correct it.")
            for other in found:
                same = (use.tier, use.purpose) == (other.tier, other.purpose)
                if (
                    same
                    and use.start <= (other.end or date.max)
                    and other.start <= (use.end or date.max)
                ):
                    p.add(
                        f"use[{i}]",
                        f"{use.tier} ({use.purpose}) must have one edition a day, found"
                        f" {other.edition} and {use.edition} overlap.",
                        "Correct the dates.",
                        "overlap",
                    )
            found.append(use)
    return found


def sizes(raw: Mapping[str, Any], p: Problems) -> tuple[dict[str, Any], dict[str, Trade]]:
    """Size classes and trade groups; a code is in one group, a group in one line of classes."""
    classes = {
        industry: {name: tuple(map(float, bounds)) for name, bounds in lines.items()}
        for industry, lines in raw.get("classes", {}).items()
    }
    trades: dict[str, Trade] = {}
    owners: dict[str, str] = {}
    for name, own in raw.get("trades", {}).items():
        key = f"trades.{name}"
        p.closed(own, ("zh", "en", "size", "gb4754"), key)
        size = p.text(own, "size", key, "")
        if size and size not in classes:
            p.add(
                f"{key}.size",
                f"size must be one of {list(classes)}, found {size!r}.",
                "Correct it.",
            )
        codes = tuple(str(code) for code in own.get("gb4754", ()))
        for code in codes:
            if owners.setdefault(code, name) != name:
                p.add(
                    f"{key}.gb4754",
                    f"A code must be in one group, found {code} in {owners[code]} as well.",
                    "Drop it from one.",
                )
        trades[name] = Trade(name, p.text(own, "zh", key), p.text(own, "en", key), size, codes)
    return classes, trades
