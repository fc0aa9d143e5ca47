"""Laying out the sheet of an edition: criteria, the tests below them, lines of its score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy.conditions import Condition, Finding, Leaf, ScoreTest, walk
from policy.formula import CALENDAR
from policy.law import Batch, Law
from policy.rules import Criterion, Edition, Group, Indicator, Metric
from policy.sheet import JSON, Entry, Line, Sheet

__all__ = ["HIGH", "guards", "named_gap", "ranges_of", "sheet", "shown_conditions"]

SIGNS = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<", "one_of": "∈"}
UP = ("at_least", "above")
HIGH = "high "
"""Stands before a metric's name for the upper end of its range."""


def sheet(law: Law, edition: Edition, batch: Batch) -> Sheet:
    """Set out the lines of an edition for a batch."""
    entries, place = [], 0
    ranges = list(ranges_of(edition))
    numbers = {which: i for i, which in enumerate(ranges) if isinstance(which, str)}
    for criterion in edition.criteria:
        tests = shown_conditions(criterion.test)
        parts = tuple(
            _part(law, test, (place + i, numbers), criterion) for i, test in enumerate(tests, 1)
        )
        entries.append(Entry(_criterion(law, criterion), place, parts))
        place += 1 + len(parts)
    score = tuple(_indicator(*which) for which in ranges if not isinstance(which, str))
    read = (name for e in entries for x in e.parts for name in (x.low, x.high, x.gap) if name)
    figures = tuple(dict.fromkeys(["audited", *read]))
    return Sheet(_head(law, edition, batch), tuple(entries), score, figures)


def shown_conditions(condition: Condition) -> list[Condition]:
    """The tests below a condition in order; a labelled node comes before its own parts."""
    simple = isinstance(condition, Leaf | ScoreTest | Finding)
    own = [condition] if simple or condition.label.id else []
    return [*own, *(test for part in condition.parts for test in shown_conditions(part))]


def ranges_of(edition: Edition) -> Iterator[str | tuple[Group, Indicator]]:
    """Every range of points that a sheet shows: each line of the score, its groups, the total."""
    groups = edition.score.groups if edition.score else ()
    yield from ((group, line) for group in groups for line in group.indicators)
    if groups:
        yield from (*(group.id for group in groups), "total")


def named_gap(leaf: Leaf) -> str:
    """The name of a test's gap; tests of equal metric, operator and bound have the same.

    >>> from policy.conditions import Bound
    >>> named_gap(Leaf("rd_ratio_pct", "at_least", Bound(3.0)))
    'gap rd_ratio_pct at_least 3.0'
    """
    return f"gap {leaf.metric} {leaf.op} {leaf.bound.param or leaf.bound.number}"


def guards(leaf: Leaf, metric: Metric, criterion: Criterion) -> bool:
    """Whether a test only says whom a way is for: nobody is to lower a figure to come under it.

    Nor can anybody: a firm of twenty years does not get a way for those of five by losing fifteen.
    """
    if leaf is criterion.test:
        return False
    if leaf.op in UP:
        return metric.direction < 0
    others = (x for x in walk(criterion.test) if isinstance(x, Leaf) and x.metric == leaf.metric)
    aged = metric.low.op in CALENDAR
    return metric.direction > 0 or aged or any(other.op in UP for other in others)


def _head(law: Law, edition: Edition, batch: Batch) -> JSON:
    document = law.documents[edition.document]
    shown = ("id", "zh", "en", "unit", "value", "confidence", "set_by")
    parameters = [law.parameters[name] for name in sorted(edition.parameters)]
    return {
        "tier": edition.tier,
        "edition": edition.id,
        "edition_zh": edition.zh,
        "edition_en": edition.en,
        "document": document.number,
        "document_zh": document.zh,
        "document_en": document.en,
        "confidence": edition.confidence,
        "purpose": batch.purpose,
        "batch": batch.id,
        "day": batch.day.isoformat(),
        "data_year": batch.data_year,
        "parameters": [{name: getattr(p, name) for name in shown} for p in parameters],
    }


def _criterion(law: Law, criterion: Criterion) -> JSON:
    return {
        "id": criterion.id,
        "address": criterion.address,
        "zh": criterion.zh,
        "en": criterion.en,
        "clause": criterion.clause,
        "document": law.documents[criterion.document].number,
        "papers": list(criterion.papers),
        "confidence": criterion.confidence,
    }


def _part(
    law: Law, test: Condition, at: tuple[int, Mapping[str, int]], criterion: Criterion
) -> Line:
    """A test's line; ``at``: its place, and the numbers of the score's ranges by group."""
    label, (place, numbers) = test.label, at
    named = {"id": label.id, "clause": label.clause or criterion.clause}
    if isinstance(test, Leaf):
        sought = not guards(test, law.metrics[test.metric], criterion)
        return _leaf(law, test, (place, sought), named)
    if isinstance(test, ScoreTest):
        return _scored(law, test, (place, numbers[test.group]), named)
    words = {"zh": label.zh or criterion.zh, "en": label.en or criterion.en}
    if isinstance(test, Finding):
        return Line({**named, **words, "finding": test.id}, place, "finding")
    return Line({**named, "zh": label.zh, "en": label.en, "group": True}, place, "finding")


def _leaf(law: Law, leaf: Leaf, at: tuple[int, bool], named: JSON) -> Line:
    """A test's line; ``at``: its place, and whether its gap is shown."""
    (place, sought), metric = at, law.metrics[leaf.metric]
    words = {**named, "zh": leaf.label.zh or metric.zh, "en": leaf.label.en or metric.en,
             "metric": metric.name, "unit": metric.unit}  # fmt: skip
    high = HIGH + metric.name if metric.ranged else ""
    if leaf.op != "one_of":
        bound = _bound(law, leaf)
        told = None if bound is None else _coded(bound, metric)
        words |= {"operator": SIGNS[leaf.op], "threshold": told}
        gap = named_gap(leaf) if sought else ""
        return Line(words, place, "number", metric.name, high, gap, metric.codes)
    if metric.codes:
        codes = [_coded(code, metric) for code in leaf.codes]
        words |= {"operator": SIGNS["one_of"], "threshold": codes}
        return Line(words, place, "code", metric.name, high, codes=metric.codes)
    words |= {"operator": "=", "threshold": bool(leaf.codes[0])}  # a truth, not a number
    return Line(words, place, "truth", metric.name)


def _scored(law: Law, test: ScoreTest, at: tuple[int, int], named: JSON) -> Line:
    words = {
        **named,
        "zh": test.label.zh or "评价得分",
        "en": test.label.en or "Score",
        "score": test.group,
        "unit": "分",
        "operator": SIGNS["at_least"],
        "threshold": _bound(law, test),
    }
    return Line(words, at[0], "score", points=at[1])


def _bound(law: Law, test: Leaf | ScoreTest) -> float | None:
    """The number of a threshold; None while the city has not decided a parameter."""
    bound = test.bound
    return law.number(bound.param) if bound.param else float(bound.number or 0.0)


def _coded(value: float, metric: Metric) -> float | str | None:
    if not metric.codes:
        return value
    return metric.codes[int(value)] if 0 <= int(value) < len(metric.codes) else None


def _indicator(group: Group, line: Indicator) -> JSON:
    return {
        "group": group.id,
        "id": line.id,
        "zh": line.zh,
        "en": line.en,
        "clause": line.clause,
        "max": line.most,
        "papers": list(line.papers),
    }
