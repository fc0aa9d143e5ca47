"""Which papers prove what an edition asks, and for which fiscal years: read from its criteria.

A criterion, a part of one, or an indicator of the score names its papers. The years that a paper is
needed for are those to which the formulas of these places reach back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from features.schema import register
from policy.filed import Asked
from policy.materials import Need, Place
from policy.papers import Paper

__all__ = ["Mention", "asked_by", "gathered", "lags"]

Inputs = Callable[[str], frozenset[str]]
"""The canonical inputs of a metric, by its name."""

_CALL = re.compile(r"(\w+)\(([^,)]*)")


@dataclass(frozen=True)
class Mention:
    """A place of an edition that names papers, with the metrics that it tests."""

    place: Place
    papers: tuple[str, ...]
    metrics: frozenset[str]


def gathered(
    mentions: Sequence[Mention], papers: Mapping[str, Paper], inputs: Inputs
) -> tuple[Need, ...]:
    """Gather by paper, in the order in which the papers are listed."""
    found = []
    for name, paper in papers.items():
        own = [mention for mention in mentions if name in mention.papers]
        if own:
            read = frozenset().union(*(inputs(m) for mention in own for m in mention.metrics))
            years = {"": (), "newest": (0,)}.get(paper.fiscal_year, lags(read))
            places = tuple(dict.fromkeys(mention.place for mention in own))
            found.append(Need(paper, places, years))
    return tuple(found)


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


def asked_by(mentions: Sequence[Mention], inputs: Inputs) -> Asked:
    """What the places that name a paper ask for by look-ups: the tiers of ``held`` and ``ever``."""

    def asked(paper: str, calls: Sequence[str]) -> frozenset[str]:
        read = {
            name
            for mention in mentions
            if paper in mention.papers
            for metric in mention.metrics
            for name in inputs(metric)
        }
        matches = (_CALL.match(name) for name in read)
        return frozenset(m[2].strip() for m in matches if m is not None and m[1] in calls)

    return asked
