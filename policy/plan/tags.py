"""Tags of a criterion: what a measure may name to say that it helps to meet it.

The metrics it tests, the findings it needs, and its own id. A criterion that asks for points is met
by way of the indicators that give them, so their metrics are its tags, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy.conditions import Condition, Finding, Leaf, ScoreTest, walk
from policy.rules import Best, Criterion, Each, Edition, Indicator, Options, Rule

__all__ = ["tags"]


def tags(criterion: Criterion, edition: Edition) -> frozenset[str]:
    """The tags of a criterion of an edition.

    A column of an earlier year counts as the column, a look-up by its name alone as well: measures
    say ``award``, whatever level and rank a text asks for.
    """
    found = {criterion.id}
    for node in walk(criterion.test):
        found |= _named(node)
        if isinstance(node, ScoreTest):
            for indicator in _indicators(edition, node.group):
                found |= set(_of_rule(indicator.rule))
    return frozenset(found | {name.partition("(")[0].partition("[")[0] for name in found})


def _named(node: Condition) -> set[str]:
    if isinstance(node, Leaf):
        return {node.metric}
    return {node.id} if isinstance(node, Finding) else set()


def _indicators(edition: Edition, group: str) -> Iterator[Indicator]:
    for part in edition.score.groups if edition.score is not None else ():
        if group in ("total", part.id):
            yield from part.indicators


def _of_rule(rule: Rule) -> Iterator[str]:
    if isinstance(rule, Best):
        for bands in rule.of:
            yield bands.metric
    elif isinstance(rule, Options | Each):
        for condition in _conditions(rule):
            for node in walk(condition):
                yield from _named(node)
    else:
        yield rule.metric


def _conditions(rule: Options | Each) -> list[Condition]:
    return list(rule.of) if isinstance(rule, Each) else [option.when for option in rule.options]
