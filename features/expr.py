"""Formulas of the profile: small immutable expressions over columns and calendar lags.

An expression says what to compute; :mod:`features.cube` holds the numbers. Every operation works
on whole arrays, gives NaN where an operand is unknown, and can be written to JSON, so that a
bundle carries the formulas it was trained with.

>>> str(growth(col("revenue"), 1).sources)
"frozenset({'revenue'})"
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from features.operations import OPERATIONS, Array, compounded
from tidu.errors import Refused

__all__ = [
    "Array",
    "Expr",
    "Memory",
    "Numbers",
    "cagr",
    "change",
    "col",
    "comparable",
    "const",
    "evaluate",
    "fact",
    "first_known",
    "from_json",
    "growth",
    "highest",
    "log",
    "mean",
    "peer",
    "positive_years",
    "ratio",
    "spread",
    "to_json",
]


class Numbers(Protocol):
    """Where an expression finds its numbers: one value a row, NaN = unknown.

    ``complete`` says that the years before every row are rows, too: then a year before is
    :meth:`earlier`, a move, and not computed again.
    """

    complete: bool

    def lag(self, column: str, years: int) -> Array:
        """Values of an annual column, ``years`` calendar years before each row's own year."""

    def fact(self, name: str) -> Array:
        """A value per firm at the as-of date, made from its other tables."""

    def comparable(self, shift: int, years: int) -> Array:
        """1.0 where basis and currency agree between the lags ``shift`` and ``shift + years``."""

    def position(self, of: Expr, values: Array) -> Array:
        """Positions 0–100 among peers."""

    def earlier(self, values: Array, years: int) -> Array:
        """Of values a row, those of the rows ``years`` before."""


@dataclass(frozen=True)
class Expr:
    """An operation with its arguments: other expressions, then plain numbers or names."""

    op: str
    args: tuple[Expr, ...] = ()
    name: str = ""
    number: float = 0.0

    def __add__(self, other: Expr) -> Expr:
        return Expr("add", (self, other))

    def __sub__(self, other: Expr) -> Expr:
        return Expr("sub", (self, other))

    def __mul__(self, other: Expr | float) -> Expr:
        return Expr("mul", (self, other if isinstance(other, Expr) else const(other)))

    def __truediv__(self, other: Expr) -> Expr:
        return Expr("div", (self, other))

    def lag(self, years: int) -> Expr:
        """The same, ``years`` calendar years earlier."""
        return Expr("lag", (self,), number=years)

    @cached_property
    def hash(self) -> int:
        return hash((self.op, self.args, self.name, self.number))

    def __hash__(self) -> int:
        return self.hash

    @property
    def sources(self) -> frozenset[str]:
        """The annual columns it reads."""
        own = {self.name} if self.op == "col" else set()
        return frozenset(own.union(*(arg.sources for arg in self.args)))

    @property
    def facts(self) -> frozenset[str]:
        """The facts it reads."""
        own = {self.name} if self.op == "fact" else set()
        return frozenset(own.union(*(arg.facts for arg in self.args)))

    @cached_property
    def needs_accounts(self) -> bool:
        """Whether it is surely unknown where no accounts are, so that it can move by years."""
        if self.op in ("const", "fact", "lag", "peer"):
            return False
        parts = [arg.needs_accounts for arg in self.args]
        return any(parts) if self.op in ARITHMETIC else all(parts)

    @property
    def across_peers(self) -> bool:
        """Whether it needs a peer reference."""
        return self.op == "peer" or any(arg.across_peers for arg in self.args)


# Building blocks


def col(name: str) -> Expr:
    """An annual column of the row's own year."""
    return Expr("col", name=name)


def fact(name: str) -> Expr:
    """A fact of the firm at the as-of date (:mod:`features.facts`)."""
    return Expr("fact", name=name)


def const(value: float) -> Expr:
    return Expr("const", number=float(value))


def log(x: Expr) -> Expr:
    """Signed logarithm: sign(x)·ln(1 + |x|); keeps losses and orders of magnitude."""
    return Expr("log", (x,))


def ratio(top: Expr, bottom: Expr) -> Expr:
    """Percent of ``bottom``; unknown where it is not positive."""
    return Expr("ratio", (top, bottom))


def comparable(years: int) -> Expr:
    """1 where reporting basis and currency are those of ``years`` before, else unknown."""
    return Expr("comparable", number=years)


def growth(x: Expr, years: int) -> Expr:
    """Percent growth over ``years``; unknown after a non-positive base or a change of basis."""
    return Expr("growth", (x, x.lag(years), comparable(years)))


def cagr(x: Expr, years: int) -> Expr:
    """Percent growth a year over ``years``, compounded; unknown unless both ends are positive."""
    return Expr("cagr", (x, x.lag(years), comparable(years)), number=years)


def change(x: Expr, years: int) -> Expr:
    """Difference to ``years`` before, on the same basis."""
    return Expr("change", (x, x.lag(years), comparable(years)))


def first_known(*choices: Expr) -> Expr:
    """The first that is known: reported, else computed."""
    return Expr("first", choices)


def mean(*xs: Expr) -> Expr:
    """Mean of the known ones; unknown if fewer than two are known."""
    return Expr("mean", xs)


def spread(*xs: Expr) -> Expr:
    """Standard deviation of the known ones; unknown if fewer than two are known."""
    return Expr("spread", xs)


def highest(*xs: Expr) -> Expr:
    """Highest of the known ones."""
    return Expr("highest", xs)


def positive_years(*xs: Expr) -> Expr:
    """How many of ``xs``, from the first on, are positive in a row; unknown if the first is."""
    return Expr("streak", xs)


def peer(x: Expr) -> Expr:
    """Position 0–100 among firms of the same industry and size in the training years."""
    return Expr("peer", (x,))


# Computing

# Unknown as soon as one argument is.
ARITHMETIC = ("add", "sub", "mul", "div", "ratio", "growth", "cagr", "change")
OVERFLOWING = (*ARITHMETIC, "spread", "mean")
Memory = dict[tuple[Expr, int], Array]


def evaluate(expr: Expr, numbers: Numbers, memory: Memory, shift: int = 0) -> Array:
    """Compute ``expr`` for all rows, ``shift`` calendar years earlier.

    ``memory`` keeps what was computed for the next expression; the caller owns it. What overflows
    is unknown.
    """
    known = memory.get((expr, shift))
    if known is None:
        with np.errstate(all="ignore"):
            known = _compute(expr, numbers, memory, shift)
        if expr.op in OVERFLOWING:
            infinite = np.isinf(known)
            if infinite.any():
                known = np.where(infinite, np.nan, known)
        memory[(expr, shift)] = known
    return known


def _compute(expr: Expr, numbers: Numbers, memory: Memory, shift: int) -> Array:
    if shift and numbers.complete and expr.needs_accounts:
        return numbers.earlier(evaluate(expr, numbers, memory), shift)
    if expr.op in LEAVES:
        return _leaf(expr, numbers, shift)
    if expr.op == "lag":
        return evaluate(expr.args[0], numbers, memory, shift + int(expr.number))
    values = [evaluate(arg, numbers, memory, shift) for arg in expr.args]
    if expr.op == "peer":
        return numbers.position(expr.args[0], values[0])
    if expr.op == "cagr":
        now, then, same = values
        return compounded(now, then, same, expr.number)
    return OPERATIONS[expr.op](*values)


def _leaf(expr: Expr, numbers: Numbers, shift: int) -> Array:
    if expr.op == "col":
        return numbers.lag(expr.name, shift)
    if expr.op == "fact":
        return numbers.fact(expr.name)
    if expr.op == "comparable":
        return numbers.comparable(shift, int(expr.number))
    return np.asarray(expr.number)


# JSON

LEAVES = ("col", "fact", "const", "comparable")
# How many arguments an operation takes; the others take one or more.
ARGUMENTS = {
    **dict.fromkeys(LEAVES, 0),
    **dict.fromkeys(("lag", "log", "peer"), 1),
    **dict.fromkeys(("add", "sub", "mul", "div", "ratio"), 2),
    **dict.fromkeys(("growth", "cagr", "change"), 3),
}


def to_json(expr: Expr) -> list[object]:
    """Write as nested lists: operation, name or number where it has one, arguments."""
    args: list[object] = [to_json(arg) for arg in expr.args]
    return [expr.op, expr.name or expr.number, *args]


def from_json(data: object) -> Expr:
    """Read what :func:`to_json` wrote; anything else is refused."""
    ops = {*OPERATIONS, *LEAVES, "lag", "peer", "cagr"}
    if not isinstance(data, list) or len(data) < 2 or data[0] not in ops:
        raise Refused(f"A formula must be a list with a known operation, found {data!r}.")
    op, value, *args = data
    named = op in ("col", "fact")
    if not (isinstance(value, str) if named else type(value) in (int, float)):
        raise Refused(f"A formula's {op} must carry a {'name' if named else 'number'}: {data!r}.")
    if len(args) != ARGUMENTS.get(op, max(len(args), 1)):
        raise Refused(f"A formula's {op} must have its arguments, found {len(args)}: {data!r}.")
    name, number = (value, 0.0) if named else ("", float(value))
    return Expr(op, tuple(from_json(arg) for arg in args), name, number)
