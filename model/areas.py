"""Two rankings of the same firms: how much more area under the ROC curve one has, how surely."""

from __future__ import annotations

import numpy as np

from features.expr import Array

__all__ = ["gain"]


def gain(label: Array, score: Array, base: Array, dates: Array) -> tuple[float, float]:
    """How much more AUC ``score`` has than ``base`` within dates, and the standard error of that.

    Dates weigh by their positives; ties count half. The error is that of DeLong, DeLong and
    Clarke-Pearson (1988). Dates of one outcome say nothing; without any other both are 0.
    """
    parts = []
    for day in np.unique(dates):
        here = dates == day
        y = label[here] == 1
        if not 0 < y.sum() < len(y):
            continue
        more = _placements(y, score[here])
        less = _placements(y, base[here])
        of_positives, of_others = (a - b for a, b in zip(more, less, strict=True))
        variance = sum(
            float(v.var(ddof=1)) / len(v) if len(v) > 1 else 0.25 for v in (of_positives, of_others)
        )
        parts.append((float(y.sum()), float(of_positives.mean()), variance))
    if not parts:
        return 0.0, 0.0
    weight, difference, variance_of = np.array(parts).T
    weight = weight / weight.sum()
    return float(weight @ difference), float(np.sqrt(weight**2 @ variance_of))


def _placements(positive: Array, score: Array) -> tuple[Array, Array]:
    """Per positive the share of others below it, per other the share of positives above it."""
    ours, theirs = score[positive], score[~positive]
    return _share_below(ours, theirs), 1 - _share_below(theirs, ours)


def _share_below(values: Array, among: Array) -> Array:
    ordered = np.sort(among)
    below = np.searchsorted(ordered, values, side="left")
    level = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + level) / (2 * len(among)))
