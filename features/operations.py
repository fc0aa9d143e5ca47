"""The operations of formulas on whole arrays: NaN in, NaN out; no operation knows a column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["OPERATIONS", "Array", "compounded"]

Array = np.ndarray


def compounded(now: Array, then: Array, same: Array, years: float) -> Array:
    """Percent growth a year, compounded; unknown unless both ends are positive."""
    rate = 100.0 * ((now / then) ** (1.0 / years) - 1.0) * same
    return _unknown_where(rate, (now <= 0) | (then <= 0))


def _unknown_where(fresh: Array, barred: Array) -> Array:
    """``fresh``, an array nobody else holds, unknown where ``barred``: cheaper than a copy."""
    result = np.asarray(fresh)
    np.putmask(result, barred, np.nan)
    return result


def _ratio(top: Array, bottom: Array) -> Array:
    return _unknown_where(100.0 * top / bottom, bottom <= 0)


def _growth(now: Array, then: Array, same: Array) -> Array:
    return _unknown_where(100.0 * (now / then - 1.0) * same, then <= 0)


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
    return _unknown_where(top / bottom, bottom == 0)


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
