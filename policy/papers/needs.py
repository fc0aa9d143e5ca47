"""Which papers prove what an edition asks, and for which fiscal years: read from its criteria.

A criterion, a labelled part of one, or an indicator of the score names its papers. The years that a
paper is needed for are those to which the inputs that it bears out reach back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from features.schema import register
from policy.conditions import Condition, Leaf, ScoreTest, walk
from policy.law import Law
from policy.papers.catalogue import Paper
from policy.papers.materials import Need, Place
from policy.rules import (
    Bands,
    Best,
    Criterion,
    Each,
    Edition,
    Indicator,
    Options,
    Points,
    Purpose,
    Rule,
)

__all__ = ["Mention", "asked_by", "indicators", "lags", "mentions", "needs", "scored_by"]

_CALL = re.compile(r"(\w+)\(([^)]*)\)")


@dataclass(frozen=True)
class Mention:
    """A place that names a paper: a criterion, or (``node``, ``line``) a part or an indicator.

    ``inputs`` are the inputs there that the paper bears out; without any, all of the place.
    """

    paper: str
    place: Place
    inputs: frozenset[str]
    node: Condition | None = None
    line: Indicator | None = None


def mentions(
    edition: Edition, purpose: Purpose, law: Law, papers: Mapping[str, Paper]
) -> tuple[Mention, ...]:
    """Every place that names a paper for a purpose, in the order of the edition.

    A criterion is a place of its own only for papers that none of its parts or indicators names.
    """
    found: dict[Mention, None] = {}
    for number, criterion in enumerate(edition.criteria):
        if purpose in criterion.purposes:
            inner = [*_inner(edition, criterion, number)]
            named = {name for _, _, _, names in inner for name in names}
            own = tuple(name for name in criterion.papers if name not in named)
            place = Place(criterion.address, criterion.clause, criterion.zh, criterion.en, number)
            read = frozenset(_metrics(edition, criterion.conditions()))
            for at, node, line, names in [(place, None, None, own), *inner]:
                metrics = read if node is None and line is None else _read(edition, node, line)
                inputs = frozenset().union(*(law.metrics[m].inputs for m in metrics))
                for name in names:
                    borne = frozenset(filter(papers[name].bears_out, inputs))
                    found[Mention(name, at, borne or inputs, node, line)] = None
    return tuple(found)


Inner = tuple[Place, Condition | None, Indicator | None, tuple[str, ...]]


def _inner(edition: Edition, criterion: Criterion, number: int) -> Iterator[Inner]:
    for node in criterion.conditions():
        label = node.label
        if label.papers:
            place = Place(
                f"{criterion.address}/{label.id}" if label.id else criterion.address,
                label.clause or criterion.clause,
                label.zh or criterion.zh,
                label.en or criterion.en,
                number,
            )
            yield place, node, None, label.papers
        if isinstance(node, ScoreTest):
            for line in indicators(edition, node.group):
                address = f"{criterion.address}/{line.id}"
                place = Place(address, line.clause, line.zh, line.en, number, indicator=True)
                yield place, None, line, line.papers


def indicators(edition: Edition, group: str) -> tuple[Indicator, ...]:
    """The indicators of a group of the score, or of all groups (``total``)."""
    groups = edition.score.groups if edition.score is not None else ()
    return tuple(line for g in groups if group in (g.id, "total") for line in g.indicators)


def _read(edition: Edition, node: Condition | None, line: Indicator | None) -> frozenset[str]:
    if line is not None:
        return frozenset(scored_by(line.rule))
    return frozenset(_metrics(edition, walk(node))) if node is not None else frozenset()


def _metrics(edition: Edition, nodes: Iterable[Condition]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Leaf):
            yield node.metric
        elif isinstance(node, ScoreTest):
            for line in indicators(edition, node.group):
                yield from scored_by(line.rule)


def scored_by(rule: Rule) -> Iterator[str]:
    """The metrics that give the points of an indicator."""
    if isinstance(rule, Bands | Points):
        yield rule.metric
    elif isinstance(rule, Best):
        yield from (bands.metric for bands in rule.of)
    else:
        roots = [o.when for o in rule.options] if isinstance(rule, Options) else _of(rule)
        yield from (n.metric for root in roots for n in walk(root) if isinstance(n, Leaf))


def _of(rule: Each) -> Sequence[Condition]:
    return rule.of


def needs(found: Sequence[Mention], papers: Mapping[str, Paper]) -> tuple[Need, ...]:
    """Gather by paper, in the order in which the papers are listed."""
    gathered = []
    for name, paper in papers.items():
        own = [mention for mention in found if mention.paper == name]
        if own:
            read = frozenset().union(*(mention.inputs for mention in own))
            years = {"": (), "newest": (0,)}.get(paper.fiscal_year, lags(read))
            places = tuple(dict.fromkeys(mention.place for mention in own))
            gathered.append(Need(paper, places, years))
    return tuple(gathered)


def lags(inputs: Iterable[str]) -> tuple[int, ...]:
    """The fiscal years back from the data year that yearly inputs span, those between included.

    Without any it is the data year.

    >>> lags({"revenue", "revenue[-2]", "founded_on", "held(little_giant)"}), lags({"founded_on"})
    ((0, 1, 2), (0,))
    """
    yearly = register().tables["annual"].columns
    back = set()
    for name in inputs:
        column, _, rest = name.partition("[")
        if "(" not in name and column in yearly:
            back.add(int(rest.strip("]-")) if rest else 0)
    return tuple(range(min(back), max(back) + 1)) if back else (0,)


def asked_by(found: Sequence[Mention], paper: str, calls: Sequence[str]) -> frozenset[str]:
    """What the places that name a paper ask for by look-ups: tiers by ``held``, boards."""
    read = {name for mention in found if mention.paper == paper for name in mention.inputs}
    matches = (_CALL.match(name) for name in read)
    words = (m[2] for m in matches if m is not None and m[1] in calls)
    return frozenset(word.strip() for listed in words for word in listed.split(","))
