"""One firm's verdict in full: each criterion with value, threshold, gap, clause and papers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any as Anything

import numpy as np

from policy.conditions import Condition, Finding, Leaf, ScoreTest, walk
from policy.gaps import gap
from policy.logic import MET, NAMES, NOT_APPLICABLE, UNMET
from policy.rules import Criterion, Edition, Metric, Purpose
from policy.scores import indicator
from policy.values import Inputs, Values
from policy.verdict import Judge, judge

__all__ = ["detail"]

UP = ("at_least", "above")
SIGNS = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<", "one_of": "∈"}


def detail(
    edition: Edition, values: Values, firm: int, purpose: Purpose = "new"
) -> dict[str, Anything]:
    """Return the verdict of one firm as JSON: status, criteria with their parts, score lines."""
    inputs: Inputs = values.inputs.take([firm])
    own = Values(values.law, inputs)
    verdict = judge(edition, own, purpose)
    judged = Judge(own, edition)
    criteria = [
        _criterion(criterion, judged, int(verdict.criteria[0, i]))
        for i, criterion in enumerate(edition.criteria)
    ]
    document = values.law.documents[edition.document]
    return {
        "firm_id": str(inputs.firm_ids[0]),
        "tier": edition.tier,
        "edition": edition.id,
        "edition_zh": edition.zh,
        "edition_en": edition.en,
        "document": document.number,
        "document_zh": document.zh,
        "confidence": edition.confidence,
        "purpose": purpose,
        "day": inputs.day.isoformat(),
        "data_year": inputs.data_year,
        "audited": _audited(inputs),
        "status": NAMES[int(verdict.status[0])],
        "criteria": criteria,
        "score": _score(edition, judged),
        "parameters": [_parameter(values, name) for name in sorted(edition.parameters)],
    }


def _audited(inputs: Inputs) -> bool | None:
    audited = inputs.columns.get("audited")
    return None if audited is None or np.isnan(audited[0]) else bool(audited[0])


def _parameter(values: Values, name: str) -> dict[str, Anything]:
    found = values.law.parameters[name]
    shown = ("id", "zh", "en", "unit", "value", "confidence", "set_by")
    return {field: getattr(found, field) for field in shown}


def _criterion(criterion: Criterion, judged: Judge, status: int) -> dict[str, Anything]:
    parts = list(_parts(criterion.test, judged, criterion))
    alone = parts[0] if len(parts) == 1 else {}
    law = judged.values.law
    return {
        "id": criterion.id,
        "address": criterion.address,
        "zh": criterion.zh,
        "en": criterion.en,
        "status": NAMES[status],
        "value": alone.get("value"),
        "operator": alone.get("operator", ""),
        "threshold": alone.get("threshold"),
        "gap": alone.get("gap") if status == UNMET else (0.0 if status == MET else None),
        "unit": alone.get("unit", ""),
        "clause": criterion.clause,
        "document": law.documents[criterion.document].number,
        "papers": list(criterion.papers),
        "confidence": criterion.confidence,
        "parts": parts if len(parts) > 1 and status != NOT_APPLICABLE else [],
    }


def _parts(
    condition: Condition, judged: Judge, criterion: Criterion
) -> Iterator[dict[str, Anything]]:
    """Yield the tests below a condition in order; a labelled node comes before its own parts."""
    label = condition.label
    status = NAMES[int(judged.holds(condition)[0])]
    named = {"id": label.id, "clause": label.clause or criterion.clause}
    if isinstance(condition, Leaf):
        sought = not _guards(condition, judged.values.law.metrics[condition.metric], criterion)
        yield named | _leaf(condition, judged, sought) | {"status": status}
    elif isinstance(condition, ScoreTest):
        yield named | _scored(condition, judged) | {"status": status}
    elif isinstance(condition, Finding):
        zh, en = label.zh or criterion.zh, label.en or criterion.en
        yield named | {"zh": zh, "en": en, "finding": condition.id, "status": status}
    else:
        if label.id:
            yield named | {"zh": label.zh, "en": label.en, "status": status, "group": True}
        for part in condition.parts:
            yield from _parts(part, judged, criterion)


def _leaf(leaf: Leaf, judged: Judge, sought: bool) -> dict[str, Anything]:
    values = judged.values
    metric = values.law.metrics[leaf.metric]
    low, high = float(values.low(leaf.metric)[0]), float(values.high(leaf.metric)[0])
    names = {"zh": leaf.label.zh or metric.zh, "en": leaf.label.en or metric.en}
    shown: dict[str, Anything] = {**names, "metric": metric.name, "unit": metric.unit}
    shown["value"] = _shown(low, metric) if low == high else None
    if metric.ranged and low != high:
        shown["range"] = [_shown(low, metric), _shown(high, metric)]
    if leaf.op == "one_of":
        if not metric.codes:  # a truth, not a number
            shown["value"] = None if math.isnan(low) else bool(low)
            return shown | {"operator": "=", "threshold": bool(leaf.codes[0]), "gap": None}
        codes = [_shown(code, metric) for code in leaf.codes]
        return shown | {"operator": SIGNS[leaf.op], "threshold": codes, "gap": None}
    bound = values.bound(leaf.bound)
    worst = low if leaf.op in UP else high
    missing: float | None = gap(worst, leaf.op, bound, metric.step)
    if int(judged.holds(leaf)[0]) == MET:
        missing = 0.0  # the decimals decided at the bound, where the binary value may lie below
    elif not sought:
        missing = None
    decided = None if math.isnan(bound) else _shown(bound, metric)
    return shown | {"operator": SIGNS[leaf.op], "threshold": decided, "gap": missing}


def _guards(leaf: Leaf, metric: Metric, criterion: Criterion) -> bool:
    """Whether a test only says whom a way is for: nobody is to lower a figure to come under it."""
    if leaf.op in UP:
        return metric.direction < 0
    others = (x for x in walk(criterion.test) if isinstance(x, Leaf) and x.metric == leaf.metric)
    return metric.direction > 0 or any(other.op in UP for other in others)


def _scored(test: ScoreTest, judged: Judge) -> dict[str, Anything]:
    scored, bound = judged.scores[test.group], judged.values.bound(test.bound)
    low, high = float(scored.low[0]), float(scored.high[0])
    return {
        "zh": test.label.zh or "评价得分",
        "en": test.label.en or "Score",
        "score": test.group,
        "unit": "分",
        "value": low if low == high else None,
        "range": [low, high],
        "operator": SIGNS["at_least"],
        "threshold": None if math.isnan(bound) else bound,
        "gap": gap(low, "at_least", bound, 1.0),
    }


def _score(edition: Edition, judged: Judge) -> list[dict[str, Anything]]:
    lines = []
    for group in edition.score.groups if edition.score else ():
        for line in group.indicators:
            points = indicator(line, judged.values, judged.holds)
            lines.append(
                {
                    "group": group.id,
                    "id": line.id,
                    "zh": line.zh,
                    "en": line.en,
                    "clause": line.clause,
                    "points": [float(points.low[0]), float(points.high[0])],
                    "max": line.most,
                    "papers": list(line.papers),
                }
            )
    return lines


def _shown(value: float, metric: Metric) -> float | str | bool | None:
    """A value as people write it: codes by name, truth as truth, unknown as none."""
    if math.isnan(value) or math.isinf(value):
        return None
    if metric.codes:
        return metric.codes[int(value)] if 0 <= int(value) < len(metric.codes) else None
    return value
