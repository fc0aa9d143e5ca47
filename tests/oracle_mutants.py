"""An edition with one number moved by the least that counts: a comparison that sees it is sharp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from policy.conditions import All, Bound, Condition, Leaf, Not, ScoreTest
from policy.conditions import Any as Some
from policy.law import Law
from policy.rules import Bands, Best, Criterion, Each, Edition, Indicator, Option, Options, Purpose
from policy.scores import indicator
from policy.values import Values
from policy.verdict import Judge

__all__ = ["unseen"]


def unseen(law: Law, edition: Edition, values: Values, purposes: tuple[Purpose, ...]) -> list[str]:
    """The moved numbers that change nothing for any of these firms."""
    judged = Judge(values, edition)
    found = []
    for label, before, after in _criteria(law, edition):
        same = all(
            np.array_equal(judged.criterion(before, p), judged.criterion(after, p))
            for p in purposes
        )
        found += [label] if same else []
    for label, line, other in _lines(law, edition):
        one, two = (indicator(each, values, judged.holds) for each in (line, other))
        same = np.array_equal(one.low, two.low) and np.array_equal(one.high, two.high)
        found += [label] if same else []
    return found


def _criteria(law: Law, edition: Edition) -> Iterator[tuple[str, Criterion, Criterion]]:
    for criterion in edition.criteria:
        for part in ("test", "exempt", "applies"):
            condition = getattr(criterion, part)
            for label, other in _conditions(law, condition) if condition is not None else ():
                yield f"{criterion.id}: {label}", criterion, replace(criterion, **{part: other})


def _lines(law: Law, edition: Edition) -> Iterator[tuple[str, Indicator, Indicator]]:
    for group in edition.score.groups if edition.score else ():
        for line in group.indicators:
            for label, rule in _rules(law, line.rule):
                yield f"{group.id}.{line.id}: {label}", line, replace(line, rule=rule)


def _steps(law: Law, metric: str, number: float) -> tuple[float, float]:
    step = 1.0 if law.metrics[metric].step >= 1 else 0.01
    return round(number - step, 2), round(number + step, 2)


def _conditions(law: Law, condition: Condition) -> Iterator[tuple[str, Condition]]:
    if isinstance(condition, Leaf):
        yield from _leaf(law, condition)
    elif isinstance(condition, ScoreTest) and condition.bound.number is not None:
        line = condition.bound.number + 1
        yield f"{condition.group} at least {line}", replace(condition, bound=Bound(line))
    elif isinstance(condition, Not):
        for label, part in _conditions(law, condition.part):
            yield label, replace(condition, part=part)
    elif isinstance(condition, All | Some):
        for i, part in enumerate(condition.parts):
            before, after = condition.parts[:i], condition.parts[i + 1 :]
            if before or after:
                yield f"without {_name(part)}", replace(condition, parts=(*before, *after))
            for label, other in _conditions(law, part):
                yield label, replace(condition, parts=(*before, other, *after))


def _name(part: Condition) -> str:
    if isinstance(part, Leaf):
        return f"{part.metric} {part.op} {part.bound.number}"
    label: str = part.label.id
    return label or type(part).__name__


def _leaf(law: Law, leaf: Leaf) -> Iterator[tuple[str, Condition]]:
    if leaf.op == "one_of":
        for code in leaf.codes if len(leaf.codes) > 1 else ():
            yield (
                f"{leaf.metric} not {code:g}",
                replace(leaf, codes=tuple(c for c in leaf.codes if c != code)),
            )
    elif leaf.bound.number is not None:
        for number in _steps(law, leaf.metric, leaf.bound.number):
            yield f"{leaf.metric} {leaf.op} {number}", replace(leaf, bound=Bound(number))


def _rules(law: Law, rule: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(rule, Bands):
        yield from _bands(law, rule)
    elif isinstance(rule, Best):
        for i, part in enumerate(rule.of):
            for label, other in _rules(law, part):
                yield label, replace(rule, of=(*rule.of[:i], other, *rule.of[i + 1 :]))
    elif isinstance(rule, Options):
        yield from _options(law, rule)
    elif isinstance(rule, Each):
        yield "each brings less", replace(rule, points=rule.points - 1)
        for i, part in enumerate(rule.of):
            yield f"without {_name(part)}", replace(rule, of=(*rule.of[:i], *rule.of[i + 1 :]))
            for label, other in _conditions(law, part):
                yield label, replace(rule, of=(*rule.of[:i], other, *rule.of[i + 1 :]))


def _bands(law: Law, rule: Bands) -> Iterator[tuple[str, Bands]]:
    for i, (bound, points) in enumerate(rule.steps):
        before, after = rule.steps[:i], rule.steps[i + 1 :]
        for number in _steps(law, rule.metric, bound.number or 0.0):
            label = f"{rule.metric} {rule.op} {number} for {points}"
            yield label, replace(rule, steps=(*before, (Bound(number), points), *after))
        label = f"{points - 1} for {rule.metric} {rule.op} {bound.number}"
        yield label, replace(rule, steps=(*before, (bound, points - 1), *after))


def _options(law: Law, rule: Options) -> Iterator[tuple[str, Options]]:
    yield "otherwise more", replace(rule, otherwise=rule.otherwise + 0.5)
    for i, option in enumerate(rule.options):
        rest = (*rule.options[:i], *rule.options[i + 1 :])
        less = Option(option.points - 1, option.when)
        yield f"option of {option.points - 1}", replace(rule, options=(*rest, less))
        for label, when in _conditions(law, option.when):
            other = Option(option.points, when)
            yield f"option of {option.points}: {label}", replace(rule, options=(*rest, other))
