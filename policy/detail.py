"""Verdicts in full: each criterion with value, threshold, gap, clause and papers.

For all firms at once as arrays, which a snapshot stores, or for one firm as JSON; both fill the
same sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any as Anything

import numpy as np
from numpy.typing import NDArray

from policy.conditions import Leaf, walk
from policy.gaps import gaps
from policy.law import Batch
from policy.layout import HIGH, guards, named_gap, ranges_of, sheet, shown_conditions
from policy.logic import MET, Status
from policy.rules import Edition, Purpose
from policy.scores import indicator
from policy.sheet import Reading
from policy.values import Inputs, Values
from policy.verdict import Judge

__all__ = ["Marks", "detail", "figures", "marks"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Marks:
    """What fills a sheet for n firms: ``lines`` (n, lines), ``points`` (n, ranges, 2)."""

    status: Status
    lines: NDArray[np.int8]
    points: Floats


def detail(
    edition: Edition, values: Values, firm: int, purpose: Purpose = "new"
) -> dict[str, Anything]:
    """Return the verdict of one firm as JSON: status, criteria with their parts, score lines."""
    inputs: Inputs = values.inputs.take([firm])
    own = Values(values.law, inputs)
    found, shown = marks(Judge(own, edition), purpose), figures(own, [edition])
    batch = Batch(edition.tier, inputs.day.year, purpose, inputs.day, inputs.data_year, edition.id)
    read = Reading(
        int(found.status[0]),
        found.lines[0].tolist(),
        [(low, high) for low, high in found.points[0].tolist()],
        lambda name: float(shown[name][0]),
    )
    filled = sheet(values.law, edition, batch).filled(read)
    return {"firm_id": str(inputs.firm_ids[0]), **filled}


def marks(judged: Judge, purpose: Purpose = "new") -> Marks:
    """Judge every line of an edition's sheet for all firms."""
    edition, values = judged.edition, judged.values
    assert edition is not None, "a sheet is of an edition"
    verdict = judged.verdict(purpose)
    lines = []
    for i, criterion in enumerate(edition.criteria):
        lines.append(verdict.criteria[:, i])
        lines += [judged.holds(test) for test in shown_conditions(criterion.test)]
    points = np.zeros((len(values), 0, 2))
    ranges = [
        verdict.scores[which] if isinstance(which, str) else
        indicator(which[1], values, judged.holds)
        for which in ranges_of(edition)
    ]  # fmt: skip
    if ranges:
        points = np.stack([np.stack([r.low, r.high], axis=1) for r in ranges], axis=1)
    return Marks(verdict.status, np.stack(lines, axis=1), points)


def figures(values: Values, editions: Iterable[Edition]) -> Mapping[str, Floats]:
    """The figures that the sheets of these editions read, each once, by name."""
    nobody = np.full(len(values), np.nan)
    found = {"audited": np.asarray(values.inputs.columns.get("audited", nobody))}
    for edition in editions:
        for criterion in edition.criteria:
            for test in walk(criterion.test):
                if isinstance(test, Leaf):
                    metric = values.law.metrics[test.metric]
                    _read(values, test, not guards(test, metric, criterion), found)
    return found


def _read(values: Values, leaf: Leaf, sought: bool, found: dict[str, Floats]) -> None:
    metric = values.law.metrics[leaf.metric]
    low, high = values.low(metric.name), values.high(metric.name)
    found.setdefault(metric.name, low)
    if metric.ranged:
        found.setdefault(HIGH + metric.name, high)
    name = named_gap(leaf)
    if leaf.op == "one_of" or not sought or name in found:
        return
    worst = low if leaf.op in ("at_least", "above") else high
    missing = gaps(worst, leaf.op, values.bound(leaf.bound), metric.step)
    # The decimals decided at the bound, where the binary value may lie below it.
    found[name] = np.where(values.tested(leaf) == MET, 0.0, missing)
