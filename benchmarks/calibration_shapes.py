"""Simulated scores whose true chance is known: the logistic line and shapes that are none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["SHAPES", "simulate"]

Array = np.ndarray

# The logit of the true chance by the standardised score; the level is set by the base rate.
SHAPES: dict[str, Callable[[Array], Array]] = {
    "logistic": lambda z: 1.2 * z,
    "steep top": lambda z: 0.5 * z + 0.8 * np.maximum(z, 0) ** 2,
    "saturating": lambda z: 1.5 * np.tanh(1.2 * z),
    "step": lambda z: 2.0 * (z > 1.0) + 0.3 * z,
    "flat bottom": lambda z: 2.0 * np.maximum(z, -0.3),
}


def simulate(
    shape: Callable[[Array], Array], n: int, positives: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Scores, outcomes and true chances; about ``positives`` outcomes."""
    score = rng.normal(size=n)
    logit = shape(score)
    low, high = -20.0, 20.0
    for _ in range(60):
        level = (low + high) / 2
        too_many = (1 / (1 + np.exp(-logit - level))).sum() > positives
        low, high = (low, level) if too_many else (level, high)
    truth = 1 / (1 + np.exp(-logit - low))
    return score, (rng.random(n) < truth).astype(float), truth
