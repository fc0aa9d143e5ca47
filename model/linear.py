"""The linear part of a served model: ridge-logistic weights on bounded features.

A sum of w·(t(x) - mean) holds up where positives are few and trees have little to split on. It is
Newton's method in numpy: the same rows give the same weights, and serving needs only the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.boosters import LinearTerm, Sample
from model.forest import Floats, Ints

__all__ = ["Ridge", "newton", "ridge", "rounded", "unit_term"]

BOUNDS = (0.01, 0.99)
"""Quantiles at which a feature is clipped: one firm's slip of a unit must not tilt the line."""
LEAST_ROWS = 20
STEPS = 50
TINY = 1e-10
DIGITS = 9
"""Of stored weights: a solver's last bits differ between processors, a bundle's hash must not."""


@dataclass(frozen=True, slots=True)
class Ridge:
    """Log-odds = base + Σ terms."""

    base: float
    terms: tuple[LinearTerm, ...]


def ridge(sample: Sample, l2: float, signs: Sequence[int] | None = None) -> Ridge:
    """Fit weights with penalty ``l2``/2·Σ(w·sd)²; with ``signs`` no weight goes against its own."""
    found = [unit_term(name, sample.values[:, j]) for j, name in enumerate(sample.names)]
    kept = [(j, term, spread) for j, (term, spread) in enumerate(found) if spread > 0]
    z = np.empty((len(sample.target), len(kept)))
    for k, (j, term, spread) in enumerate(kept):
        z[:, k] = term.effect(sample.values[:, j]) / spread
    bound = np.array([signs[j] if signs is not None else 0 for j, _, _ in kept], dtype=np.int64)
    weight = np.ones(len(z)) if sample.weight is None else sample.weight
    base, slopes = _bounded(z, sample.target, weight, l2, bound)
    terms = (
        LinearTerm(t.feature, rounded(slope / spread), t.mean, t.low, t.high, t.kind)
        for (_, t, spread), slope in zip(kept, slopes, strict=True)
        if slope
    )
    return Ridge(rounded(base), tuple(term for term in terms if term.weight))


def unit_term(name: str, column: Floats) -> tuple[LinearTerm, float]:
    """A term of weight 1, clipped, in logs where that is less skewed; and its spread."""
    known = column[np.isfinite(column)]
    if len(known) < LEAST_ROWS or np.ptp(known) == 0:
        return LinearTerm(name, 1.0, 0.0, 0.0, 0.0), 0.0
    low, high = (float(q) for q in np.quantile(known, BOUNDS))
    if low == high:  # a rare flag: more than 98 % of firms have one value
        low, high = float(known.min()), float(known.max())
    bare = LinearTerm(name, 1.0, 0.0, low, high)
    log = LinearTerm(name, 1.0, 0.0, low, high, "log")
    chosen = min((bare, log), key=lambda term: _skew(term.transform(known)))
    shaped = chosen.transform(known)
    mean, spread = float(shaped.mean()), float(shaped.std())
    if spread <= 1e-9 * max(1.0, abs(mean)):
        return bare, 0.0
    return LinearTerm(name, 1.0, mean, low, high, chosen.kind), spread


def _skew(shaped: Floats) -> float:
    centred = shaped - shaped.mean()
    spread = float(np.sqrt((centred**2).mean()))
    cubed = centred * centred * centred  # a power of arrays is many times slower
    return abs(float(cubed.mean())) / spread**3 if spread > 0 else 0.0


def _bounded(z: Floats, y: Floats, weight: Floats, l2: float, bound: Ints) -> tuple[float, Floats]:
    """Newton fits without the columns that would go against their sign, until none does."""
    slopes = np.zeros(z.shape[1])
    free = np.ones(z.shape[1], dtype=bool)
    while True:
        base, inner = newton(z[:, free], y, weight, l2)
        wrong = inner * bound[free] < 0
        if not wrong.any():
            slopes[free] = inner
            return base, slopes
        free[np.flatnonzero(free)[wrong]] = False


def newton(
    z: Floats, y: Floats, weight: Floats, l2: float, start: Floats | None = None
) -> tuple[float, Floats]:
    """Return base and slopes of the penalised fit to columns ``z``, beside ``start`` a row."""
    x = np.column_stack([np.ones(len(z)), z])
    penalty = np.full(x.shape[1], l2)
    penalty[0] = 0.0
    beta = np.zeros(x.shape[1])
    if start is None:
        rate = float(np.average(y, weights=weight))
        beta[0] = np.log(rate / (1.0 - rate))
    begun = np.zeros(len(z)) if start is None else start
    best = _cost(x @ beta + begun, y, weight, penalty, beta)
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta + begun, -30.0, 30.0)))
        slope = x.T @ (weight * (p - y)) + penalty * beta
        curve = (x.T * (weight * p * (1.0 - p))) @ x + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curve, slope)
        # A full step overshoots where few positives are nearly told apart: halve it until it helps.
        while (
            cost := _cost(x @ (beta - step) + begun, y, weight, penalty, beta - step)
        ) > best and np.abs(step).max() > TINY:
            step = step / 2
        if cost > best:
            break
        beta, best = beta - step, cost
        if np.abs(step).max() < TINY:
            break
    return float(beta[0]), beta[1:]


def _cost(odds: Floats, y: Floats, weight: Floats, penalty: Floats, beta: Floats) -> float:
    loss = weight * (np.logaddexp(0.0, odds) - y * odds)
    return float(loss.sum() + 0.5 * (penalty * beta * beta).sum())


def rounded(value: float) -> float:
    """To the digits that every processor agrees on."""
    return float(f"{value:.{DIGITS}g}")
