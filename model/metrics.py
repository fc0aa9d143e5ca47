"""Metrics of a ranking and of probabilities, ties handled by expectation.

Where firms share a score their order is arbitrary, so every list metric is its mean over all
orders of the tied firms: no metric can be won by the order of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.expr import Array

__all__ = [
    "TOP",
    "Interval",
    "auc",
    "average_precision",
    "brier",
    "calibration_error",
    "combined",
    "gains_at",
    "lift",
    "ndcg_at",
    "precision_at",
    "recall_at",
    "reliability",
    "summary",
]

TOP = (20, 50, 100)
BINS = 10


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the range that resampling gives it."""

    value: float
    low: float
    high: float


def _steps(label: Array, score: Array) -> tuple[Array, Array]:
    """Counts and positives of each distinct score, best first."""
    _, group = np.unique(-score, return_inverse=True)
    return np.bincount(group), np.bincount(group, weights=label)


def auc(label: Array, score: Array) -> float:
    """Area under the ROC curve, ties counted half; NaN with a single class."""
    counts, positives = _steps(label, score)
    negatives = counts - positives
    total = positives.sum() * negatives.sum()
    if total == 0:
        return float("nan")
    below = negatives.sum() - np.cumsum(negatives)
    return float((positives * (below + negatives / 2)).sum() / total)


def average_precision(label: Array, score: Array) -> float:
    """Average precision, tied scores entering together (as scikit-learn does)."""
    counts, positives = _steps(label, score)
    if positives.sum() == 0:
        return float("nan")
    precision = np.cumsum(positives) / np.cumsum(counts)
    return float((precision * positives).sum() / positives.sum())


def gains_at(label: Array, score: Array, k: int) -> Array:
    """Expected label at each of the first ``k`` places: float (min(k, n),)."""
    counts, positives = _steps(label, score)
    return np.repeat(positives / counts, counts)[:k]


def precision_at(label: Array, score: Array, k: int) -> float:
    """Expected share of positives among the first ``k`` (of the list, if it is shorter)."""
    gains = gains_at(label, score, k)
    return float(gains.mean()) if len(gains) else float("nan")


def recall_at(label: Array, score: Array, k: int) -> float:
    """Expected share of all positives that stand among the first ``k``."""
    return float(gains_at(label, score, k).sum() / label.sum()) if label.sum() else float("nan")


def ndcg_at(label: Array, score: Array, k: int) -> float:
    """Normalised discounted cumulative gain of binary labels, ties by expectation."""
    gains = gains_at(label, score, k)
    discount = 1.0 / np.log2(np.arange(2, len(gains) + 2))
    best = discount[: int(min(label.sum(), len(gains)))].sum()
    return float((gains * discount).sum() / best) if best > 0 else float("nan")


def lift(label: Array, score: Array, share: float = 0.1) -> float:
    """How many times the base rate stands in the first ``share`` of the list."""
    k = max(1, round(share * len(label)))
    base = label.mean() if len(label) else 0.0
    return precision_at(label, score, k) / float(base) if base > 0 else float("nan")


def brier(label: Array, probability: Array) -> float:
    """Mean squared error of the probability."""
    return float(np.mean((probability - label) ** 2)) if len(label) else float("nan")


def calibration_error(label: Array, probability: Array, bins: int = BINS) -> float:
    """Expected calibration error over ``bins`` bins of equal count (Naeini et al. 2015).

    Firms of equal probability carry their mean outcome, so a bin's edge among them favours nobody.
    """
    if not len(label):
        return float("nan")
    _, tie = np.unique(probability, return_inverse=True)
    label = (np.bincount(tie, weights=label) / np.bincount(tie))[tie]
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [len(p) * abs(label[p].mean() - probability[p].mean()) for p in parts if len(p)]
    return float(sum(gaps) / len(order))


def reliability(label: Array, probability: Array, bins: int = BINS) -> list[dict[str, float]]:
    """Mean chance and observed rate of bins of equal count, lowest chance first."""
    order = np.argsort(probability, kind="stable")
    parts = [p for p in np.array_split(order, min(bins, len(order))) if len(p)]
    return [
        {"chance": float(probability[p].mean()), "rate": float(label[p].mean()), "n": len(p)}
        for p in parts
    ]


def summary(label: Array, score: Array, probability: Array | None = None) -> dict[str, object]:
    """All metrics of one list."""
    result: dict[str, object] = {
        "auc": auc(label, score),
        "ap": average_precision(label, score),
        "p_at": {str(k): precision_at(label, score, k) for k in TOP},
        "recall_at": {str(k): recall_at(label, score, k) for k in TOP},
        "ndcg_at": {str(k): ndcg_at(label, score, k) for k in TOP},
        "lift": lift(label, score),
    }
    if probability is not None:
        result["brier"] = brier(label, probability)
        result["ece"] = calibration_error(label, probability)
    return result


def combined(parts: Sequence[tuple[float, Mapping[str, object]]]) -> dict[str, object]:
    """Mean of several summaries, weighted; used over test dates, weighted by positives."""
    total = sum(weight for weight, _ in parts)

    def merge(values: list[object]) -> object:
        if isinstance(values[0], Mapping):
            return {k: merge([v[k] for v in values]) for k in values[0]}  # type: ignore[index]
        numbers = [(w, float(v)) for (w, _), v in zip(parts, values, strict=True)]  # type: ignore[arg-type]
        return sum(w * v for w, v in numbers if w > 0) / total if total else float("nan")

    first = parts[0][1]
    return {name: merge([part[name] for _, part in parts]) for name in first}
