"""Baselines of every evaluation report: the best single ratio and a logistic scorecard.

What an analyst would try in an afternoon. A model that is not ahead of them is not worth its keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from model import metrics
from model.forest import Floats

__all__ = ["BASELINES", "Baseline", "best_ratio", "scorecard"]

Baseline = Callable[[Floats, Floats, Floats, int], Floats]
"""From training values and labels (0 or 1), test values and a seed to scores of the test rows."""

LEAST_ROWS = 10
BOUNDS = (0.01, 0.99)
RARE = 0.01
"""A flag "not reported" enters the scorecard where it splits the firms at least this far."""


def best_ratio(train: Floats, label: Floats, test: Floats, seed: int) -> Floats:
    """Order by the one feature, up or down, with the best average precision in training."""
    del seed  # nothing is drawn
    best, chosen = -1.0, np.zeros(len(test))
    for j in range(train.shape[1]):
        column = _bare(train[:, j])
        known = column[~np.isnan(column)]
        if len(known) < LEAST_ROWS or np.ptp(known) == 0:
            continue
        middle = float(np.median(known))
        filled = np.where(np.isnan(column), middle, column)
        for sign in (1.0, -1.0):
            precision = metrics.average_precision(label, sign * filled)
            if precision > best:
                other = _bare(test[:, j])
                best, chosen = precision, sign * np.where(np.isnan(other), middle, other)
    return chosen


def scorecard(train: Floats, label: Floats, test: Floats, seed: int) -> Floats:
    """Logistic regression on clipped, standardised features, medians for the unknown, and flags."""
    del seed  # the solver draws nothing
    from sklearn.linear_model import LogisticRegression  # not in serving

    train, test = _bare(train), _bare(test)
    kept = (~np.isnan(train)).sum(axis=0) >= LEAST_ROWS
    if not kept.any() or len(np.unique(label)) < 2:
        return np.zeros(len(test))
    train, test = train[:, kept], test[:, kept]
    low, high = np.nanquantile(train, BOUNDS, axis=0)
    middle = np.nanmedian(train, axis=0)
    absent = np.isnan(train).mean(axis=0)
    flagged = (absent > RARE) & (absent < 1 - RARE)

    def shaped(values: Floats) -> Floats:
        unknown = np.isnan(values)
        filled = np.where(unknown, middle, np.clip(values, low, high))
        return np.column_stack([filled, unknown[:, flagged].astype(np.float64)])

    rows = shaped(train)
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread <= 1e-9 * np.maximum(1.0, np.abs(centre))] = np.inf
    fitted = LogisticRegression(max_iter=500).fit((rows - centre) / spread, label)
    return np.asarray(fitted.decision_function((shaped(test) - centre) / spread), dtype=np.float64)


def _bare(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {"best_ratio": best_ratio, "scorecard": scorecard}
)
