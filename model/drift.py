"""How the level of an outcome moves from year to year, and where it may stand next.

Each cohort's offset from the curve is a slow level (a random walk: quotas, policy, the economy)
plus the shock of its own year plus chance. Both spreads are unknown and averaged over by how well
they predict the offsets seen (a local level model, Durbin and Koopman 2012, ch. 2).
"""

from __future__ import annotations

import numpy as np

from features.expr import Array

__all__ = ["next_level"]

# In logits a year, before data speak; half-normal.
PRIOR = 0.15
FIRST = 0.3
GRID = np.linspace(0.0, 4 * PRIOR, 25)


def next_level(offset: Array, variance: Array, years: Array, ahead: float) -> tuple[float, float]:
    """Mean and variance of the offset ``ahead`` years after the last cohort.

    ``offset`` (logits), its chance ``variance`` and the cohort's ``years`` stand in order of time.
    """
    walk, shock = (g.ravel() for g in np.meshgrid(GRID, GRID, indexing="ij"))
    mean, spread = np.zeros(len(walk)), np.full(len(walk), FIRST**2)
    log = -0.5 * ((walk / PRIOR) ** 2 + (shock / PRIOR) ** 2)
    for i, (seen, chance) in enumerate(zip(offset, variance, strict=True)):
        step = years[i] - years[i - 1] if i else 0.0
        spread = spread + walk**2 * step
        total = spread + shock**2 + chance
        log = log - 0.5 * (np.log(total) + (seen - mean) ** 2 / total)
        gain = spread / total
        mean, spread = mean + gain * (seen - mean), spread * (1 - gain)
    spread = spread + walk**2 * ahead + shock**2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    center = float(weight @ mean)
    return center, float(weight @ (spread + (mean - center) ** 2))
