"""A smooth curve of a chance over a score, with what is not known about it.

The logit is a line in the score plus a Gaussian process over its normal rank, which bends where the
data say so (Rasmussen & Williams 2006, alg. 3.1–3.2). How far and how sharply it may bend is not
chosen but averaged over, weighted by evidence: few outcomes give a line and a wide range, many give
their own shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import ndtri

from features.expr import Array

__all__ = ["Cells", "cells", "posterior"]

CELLS = 64
FARTHEST = 5.0
# Prior standard deviations, in logits: of the level, and of the slope for one deviation of score.
LEVEL, SLOPE = 2.0, 3.0
BENDS = (0.25, 0.5, 1.0, 1.6)
BEND_PRIOR = 1.0
LENGTHS = (0.35, 0.8, 1.8)
MOST_STEPS = 60


@dataclass(frozen=True)
class Cells:
    """Examples pooled by score: equal steps of normal rank, so that both tails are resolved."""

    score: Array
    place: Array
    rank: Array
    count: Array
    positives: Array


def cells(score: Array, label: Array) -> Cells:
    """Pool examples into at most 64 cells; equal scores share one."""
    distinct, index = np.unique(score, return_inverse=True)
    ties = np.bincount(index)
    rank = ndtri((np.cumsum(ties) - ties / 2) / len(score))
    width = max((rank[-1] - rank[0]) / CELLS, 1e-12)
    _, cell = np.unique(np.floor((rank - rank[0]) / width).clip(0, CELLS - 1), return_inverse=True)
    count = np.bincount(cell, weights=ties)

    def pooled(values: Array) -> Array:
        return np.asarray(np.bincount(cell, weights=values * ties) / count)

    scale = float(score.std()) or 1.0
    place = ((distinct - score.mean()) / scale).clip(-FARTHEST, FARTHEST)
    positives = np.bincount(cell, weights=np.bincount(index, weights=label))
    # Rounding may not move a pooled score out of its order.
    middle = np.maximum.accumulate(pooled(distinct - distinct[0]) + distinct[0])
    return Cells(middle, pooled(place), pooled(rank), count, positives)


def posterior(data: Cells, weight: float) -> tuple[Array, Array]:
    """Mean and covariance of the logit over cells; ``weight`` is the worth of one example."""
    n, y = data.count * weight, data.positives * weight
    base = (y.sum() + 0.5) / (n.sum() + 1.0)
    offset = float(np.log(base / (1 - base)))
    found = [(*_laplace(k, n, y, offset), prior) for k, prior in _kernels(data)]
    log = np.array([evidence + prior for _, _, evidence, prior in found])
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    means = np.array([mean for mean, *_ in found])
    mean = chance @ means
    # What one shape leaves open, and how far the shapes that evidence allows lie apart.
    covariance = sum(c * inner for c, (_, inner, *_) in zip(chance, found, strict=True))
    apart = (means - mean) * np.sqrt(chance)[:, None]
    return offset + mean, np.asarray(covariance + apart.T @ apart)


def _kernels(data: Cells) -> Iterator[tuple[Array, float]]:
    """Prior covariances of the logit with their log prior: the line alone, and with each bend."""
    line = LEVEL**2 + SLOPE**2 * np.outer(data.place, data.place)
    line[np.diag_indices_from(line)] += 1e-8
    yield line, 0.0
    apart = np.abs(data.rank[:, None] - data.rank[None, :])
    for length in LENGTHS:
        steps = np.sqrt(3.0) * apart / length
        for bend in BENDS:
            prior = -0.5 * (bend / BEND_PRIOR) ** 2 - np.log(len(LENGTHS))
            yield line + bend**2 * (1 + steps) * np.exp(-steps), float(prior)


def _laplace(kernel: Array, n: Array, y: Array, offset: float) -> tuple[Array, Array, float]:
    """Mean, covariance and log evidence of a binomial Gaussian process."""
    a = np.zeros(len(n))
    best = _height(kernel, a, n, y, offset)
    for _ in range(MOST_STEPS):
        f = kernel @ a
        p = _expit(offset + f)
        root = np.sqrt(n * p * (1 - p))
        lower = cholesky(np.eye(len(n)) + root[:, None] * kernel * root, lower=True)
        b = root**2 * f + y - n * p
        aim = b - root * cho_solve((lower, True), root * (kernel @ b))
        step, height = 1.0, -np.inf
        while step > 1e-4:
            height = _height(kernel, a + step * (aim - a), n, y, offset)
            if height >= best:
                break
            step /= 2
        if height < best + 1e-9:
            break
        a, best = a + step * (aim - a), height
    half = solve_triangular(lower, root[:, None] * kernel, lower=True)
    covariance = kernel - half.T @ half
    # Rounding may not leave a negative variance.
    covariance[np.diag_indices_from(covariance)] = np.maximum(np.diag(covariance), 1e-12)
    return kernel @ a, covariance, best - float(np.log(np.diag(lower)).sum())


def _height(kernel: Array, a: Array, n: Array, y: Array, offset: float) -> float:
    f = kernel @ a
    logit = offset + f
    return float(-0.5 * a @ f + y @ logit - n @ np.logaddexp(0.0, logit))


def _expit(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -700, 700))))
