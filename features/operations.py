"""The operations of formulas on whole arrays: NaN in, NaN out; no operation knows a column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["OPERATIONS", "Array", "compounded"]

Array = np.ndarray


def compounded(now: Array, then: Array, same: Array, years: float) -> Array:
    """Percent growth a year, compounded; unknown unless both ends are positive."""
    base = np.where((now > 0) & (then > 0), then, np.nan)
    return np.asarray(100.0 * ((now / base) ** (1.0 / years) - 1.0) * same)


def _ratio(top: Array, bottom: Array) -> Array:
    return np.asarray(100.0 * top / np.where(bottom > 0, bottom, np.nan))


def _growth(now: Array, then: Array, same: Array) -> Array:
    return np.asarray(100.0 * (now / np.where(then > 0, then, np.nan) - 1.0) * same)


def _change(now: Array, then: Array, same: Array) -> Array:
    return np.asarray((now - then) * same)


def _first(*choices: Array) -> Array:
    result = choices[0]
    for other in choices[1:]:
        result = np.where(np.isnan(result), other, result)
    return result


def _mean(*xs: Array) -> Array:
    total, count = _sums(xs)
    return np.where(count >= 2, total / np.maximum(count, 1), np.nan)


def _spread(*xs: Array) -> Array:
    total, count = _sums(xs)
    center = total / np.maximum(count, 1)
    squares = sum(np.where(np.isnan(x), 0.0, x - center) ** 2 for x in xs)
    return np.where(count >= 2, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)


def _sums(xs: tuple[Array, ...]) -> tuple[Array, Array]:
    known = [~np.isnan(x) for x in xs]
    total = sum(np.where(k, x, 0.0) for k, x in zip(known, xs, strict=True))
    return np.asarray(total), np.asarray(sum(k.astype(np.int8) for k in known))


def _highest(*xs: Array) -> Array:
    result = xs[0]
    for other in xs[1:]:
        result = np.fmax(result, other)
    return result


def _streak(*xs: Array) -> Array:
    going = ~np.isnan(xs[0])
    count = np.zeros(len(xs[0]))
    for x in xs:
        going = going & (x > 0)
        count += going
    return np.where(np.isnan(xs[0]), np.nan, count)


def _divide(top: Array, bottom: Array) -> Array:
    return top / np.where(bottom == 0, np.nan, bottom)


OPERATIONS: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": _divide,
    "log": lambda x: np.copysign(np.log1p(np.abs(x)), x),
    "ratio": _ratio,
    "growth": _growth,
    "change": _change,
    "first": _first,
    "mean": _mean,
    "spread": _spread,
    "highest": _highest,
    "streak": _streak,
}
