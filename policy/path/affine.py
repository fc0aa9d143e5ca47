"""Metrics as functions of changes: sums and quotients of affine parts, exactly as formulas say.

An input is ``level + slope · x`` for changes ``x``. Sums, multiples and quotients of such stay in
closed form, so that a test of a metric becomes a linear condition; what leaves that form (a mean of
two growth rates) is kept as a function with the affine parts it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policy.calendar import Moment
from policy.formula import Formula, evaluate

__all__ = ["Affine", "Grown", "Opaque", "Pick", "Quantity", "Ratio", "Unknown", "quantity"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that nobody knows, now or after a change."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``level + slope · x``."""

    level: float
    slope: Floats

    @property
    def fixed(self) -> bool:
        return not self.slope.any()

    def __add__(self, other: Affine) -> Affine:
        return Affine(self.level + other.level, self.slope + other.slope)

    def __sub__(self, other: Affine) -> Affine:
        return Affine(self.level - other.level, self.slope - other.slope)

    def times(self, factor: float) -> Affine:
        return Affine(self.level * factor, self.slope * factor)


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """``above / below``."""

    above: Affine
    below: Affine


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """Percent a year by which ``now`` exceeds ``before``, ``years`` years earlier."""

    now: Affine
    before: Affine
    years: float


@dataclass(frozen=True, slots=True, eq=False)
class Pick:
    """The least or the most of several quantities."""

    least: bool
    parts: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """Any other function, of rows of changes; it reads them only through ``through``."""

    of: Callable[[Floats], Floats]
    through: tuple[Affine, ...]


Quantity = Unknown | Affine | Ratio | Grown | Pick | Opaque
Cell = Callable[[str], Affine | Unknown]


def quantity(formula: Formula, cell: Cell, moment: Moment, size: int) -> Quantity:
    """Return what a formula says of inputs that change in ``size`` ways.

    A value unknown now stays unknown.
    """
    return _Reading({name: cell(name) for name in formula.inputs}, size, moment).read(formula)


@dataclass(frozen=True, slots=True)
class _Reading:
    inputs: Mapping[str, Affine | Unknown]
    size: int
    moment: Moment

    def read(self, formula: Formula) -> Quantity:
        if formula.op == "input":
            return self.inputs[formula.name]
        now = float(self.values(formula, np.zeros((1, self.size)))[0])
        if np.isnan(now):
            return Unknown()
        if formula.op == "first":
            found = (self.read(arg) for arg in formula.args)
            return next(part for part in found if not isinstance(part, Unknown))
        args = formula.args[:2] if formula.op == "grow" else formula.args
        parts = tuple(self.read(arg) for arg in args)
        if all(isinstance(part, Affine) and part.fixed for part in parts):
            return self.number(now)
        if formula.op in ("least", "most"):
            return Pick(formula.op == "least", parts)
        return self.combined(formula, parts)

    def number(self, value: float) -> Affine:
        return Affine(value, np.zeros(self.size))

    def combined(self, formula: Formula, parts: tuple[Quantity, ...]) -> Quantity:
        if len(parts) == 2 and formula.op in _PAIRS:
            found = _PAIRS[formula.op](*parts)
            if found is not None:
                return found
        if formula.op == "grow":
            now, before = parts
            if isinstance(now, Affine) and isinstance(before, Affine):
                return Grown(now, before, formula.number)
        if formula.op in ("total", "mean"):
            whole: Quantity | None = parts[0]
            for part in parts[1:]:
                whole = None if whole is None else _added(whole, part)
            share = 1.0 / len(parts) if formula.op == "mean" else 1.0
            scaled = None if whole is None else _multiplied(whole, self.number(share))
            if scaled is not None:
                return scaled
        through = [self.inputs[name] for name in sorted(formula.inputs)]
        return Opaque(
            lambda rows: self.values(formula, rows),
            tuple(part for part in through if isinstance(part, Affine) and not part.fixed),
        )

    def values(self, formula: Formula, rows: Floats) -> Floats:
        """Evaluate as the verdict does, at each of some changes."""

        def column(name: str) -> Floats:
            part = self.inputs[name]
            if isinstance(part, Unknown):
                return np.full(len(rows), np.nan)
            return np.asarray(part.level + rows @ part.slope)

        return np.broadcast_to(evaluate(formula, column, self.moment), (len(rows),))


def _added(a: Quantity, b: Quantity) -> Quantity | None:
    if isinstance(a, Affine) and isinstance(b, Affine):
        return a + b
    if isinstance(b, Ratio):
        a, b = b, a
    if isinstance(a, Ratio) and isinstance(b, Affine) and b.fixed:
        return Ratio(a.above + a.below.times(b.level), a.below)
    return None


def _subtracted(a: Quantity, b: Quantity) -> Quantity | None:
    if isinstance(b, Affine):
        return _added(a, b.times(-1.0))
    if isinstance(b, Ratio):
        return _added(a, Ratio(b.above.times(-1.0), b.below))
    return None


def _multiplied(a: Quantity, b: Quantity) -> Quantity | None:
    if isinstance(a, Affine) and a.fixed:
        a, b = b, a
    if not (isinstance(b, Affine) and b.fixed):
        return None
    if isinstance(a, Affine):
        return a.times(b.level)
    return Ratio(a.above.times(b.level), a.below) if isinstance(a, Ratio) else None


def _divided(a: Quantity, b: Quantity) -> Quantity | None:
    if not isinstance(b, Affine):
        return None
    if b.fixed and isinstance(a, Affine):
        return a.times(1.0 / b.level)
    if isinstance(a, Affine):
        return Ratio(a, b)
    if b.fixed and isinstance(a, Ratio):
        return Ratio(a.above, a.below.times(b.level))
    return None


_PAIRS: Mapping[str, Callable[[Quantity, Quantity], Quantity | None]] = {
    "add": _added,
    "sub": _subtracted,
    "mul": _multiplied,
    "div": _divided,
}
