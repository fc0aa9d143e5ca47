"""Formulas of metrics: a small language over inputs, parsed once, evaluated on whole arrays.

``100 * rd_expense / revenue``, ``cagr(revenue, 2)``, ``first(debt, reported)``. ``x[-1]`` is the
fiscal year before. NaN is unknown and stays unknown through every operation. Near a bound the
verdict engine asks again in decimals (:func:`exact`), so that 115 over 100 is growth of exactly 15.

>>> sorted(parse("growth(revenue)").inputs)
['basis', 'basis[-1]', 'revenue', 'revenue[-1]']
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policy.calendar import Moment, years_between
from tidu.errors import DataError

__all__ = ["CALENDAR", "LOOKUPS", "Formula", "evaluate", "exact", "parse"]

Floats = NDArray[np.float64]

LOOKUPS: Mapping[str, tuple[int, int]] = {
    "held": (1, 1),
    "ever": (1, 1),
    "open": (1, 1),
    "recent": (2, 3),
    "since_new_year": (2, 2),
    "banned": (0, 4),
    "has": (2, 2),
    "award": (3, 3),
    "months_on": (1, 4),
    "on_board": (1, 9),
    "months_since": (1, 1),
    "size_low": (0, 0),
    "size_high": (0, 0),
    "trade": (0, 0),
}
"""Questions to other tables, with the least and most arguments; policy.lookups answers."""

MOST_BACK = 3
_DIGITS = Context(prec=60, traps=[])
_ARITHMETIC: Mapping[type, str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
}
_GATHER = ("mean", "total", "most", "least", "first")
CALENDAR = ("years_since", "years_at_year_end", "fiscal_years")
"""Functions of a date: nothing but time moves them."""


@dataclass(frozen=True)
class Formula:
    """An operation over other formulas; ``input`` and ``number`` are the leaves."""

    op: str
    args: tuple[Formula, ...] = ()
    name: str = ""
    number: float = 0.0

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The canonical names of all inputs it reads."""
        own = {self.name} if self.op == "input" else set()
        return frozenset(own.union(*(arg.inputs for arg in self.args)))

    @property
    def plain(self) -> bool:
        """Whether it only reads an input, so that no arithmetic can blur its value."""
        return self.op == "input"


def parse(text: str) -> Formula:
    """Parse a formula; what is none is a :class:`DataError` that says where it goes wrong."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise _refusal(text, "an expression", str(error)) from None
    return _parsed(tree, text)


def _refusal(text: str, must: str, found: str) -> DataError:
    return DataError(
        f"A formula must be {must}, found {found} in {text!r}.", cure="See policy/formula.py."
    )


def _parsed(node: ast.expr, text: str) -> Formula:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Formula("number", number=float(str(node.value)))
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        parts = (_parsed(node.left, text), _parsed(node.right, text))
        return Formula(_ARITHMETIC[type(node.op)], parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return Formula("sub", (Formula("number"), _parsed(node.operand, text)))
    if isinstance(node, ast.Subscript):
        return shifted(_parsed(node.value, text), _years(node.slice, text))
    if isinstance(node, ast.Name) or (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ):
        return Formula("input", name=ast.unparse(node))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _call(node.func.id, node.args, text)
    raise _refusal(text, "built of names, numbers, + - * / and known functions", ast.unparse(node))


def _years(node: ast.expr, text: str) -> int:
    try:
        years = -int(ast.literal_eval(node))
    except (TypeError, ValueError):
        years = 0
    if not 1 <= years <= MOST_BACK:
        raise _refusal(text, f"of years back from [-1] to [-{MOST_BACK}]", ast.unparse(node))
    return years


def _call(name: str, args: list[ast.expr], text: str) -> Formula:
    if name in LOOKUPS:
        words = [ast.unparse(arg) for arg in args]
        least, most = LOOKUPS[name]
        if not least <= len(words) <= most:
            raise _refusal(text, f"{name} of {least} to {most} arguments", str(len(words)))
        return Formula("input", name=f"{name}({', '.join(words)})")
    if name == "growth" and len(args) == 1:
        return compounded(_parsed(args[0], text), 1)
    if name == "cagr" and len(args) == 2 and isinstance(args[1], ast.Constant):
        return compounded(_parsed(args[0], text), int(str(args[1].value)))
    if name in _GATHER and args:
        return Formula(name, tuple(_parsed(arg, text) for arg in args))
    if name in CALENDAR and len(args) == 1:
        return Formula(name, (_parsed(args[0], text),))
    raise _refusal(text, f"a call of {sorted([*LOOKUPS, *_GATHER, *CALENDAR])}", name)


def compounded(x: Formula, years: int) -> Formula:
    """Growth a year over ``years`` years in percent; unknown where bases of reporting differ."""
    basis = Formula("input", name="basis")
    back = min((_lag(name) for name in x.inputs), default=0)
    now = shifted(basis, back) if back else basis
    return Formula("grow", (x, shifted(x, years), now, shifted(now, years)), number=float(years))


def _lag(name: str) -> int:
    return int(name[name.index("[-") + 2 : -1]) if "[-" in name else 0


def shifted(formula: Formula, years: int) -> Formula:
    """The same, ``years`` fiscal years earlier; look-ups and calendars know no earlier."""
    if formula.op == "input":
        base, back = formula.name.partition("[")[0], _lag(formula.name) + years
        if "(" in base or back > MOST_BACK:
            raise _refusal(formula.name, f"a column at most {MOST_BACK} years back", str(back))
        return Formula("input", name=f"{base}[-{back}]")
    args = tuple(shifted(arg, years) for arg in formula.args)
    return Formula(formula.op, args, formula.name, formula.number)


def evaluate(formula: Formula, columns: Callable[[str], Floats], moment: Moment) -> Floats:
    """Evaluate on arrays; ``columns`` gives an input by its canonical name."""
    if formula.op == "input":
        return columns(formula.name)
    if formula.op == "number":
        return np.array(formula.number)
    args = [evaluate(arg, columns, moment) for arg in formula.args]
    if formula.op in CALENDAR:
        return years_between(args[0], moment.until(formula.op))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = _FLOATS[formula.op](formula, *args)
    return (
        np.where(np.isfinite(result), result, np.nan) if formula.op in ("div", "grow") else result
    )


def exact(formula: Formula, cell: Callable[[str], float], moment: Moment) -> Decimal:
    """Evaluate for one firm in decimals of sixty digits, taking inputs as they are written."""
    if formula.op == "input":
        return Decimal(repr(float(cell(formula.name))))
    if formula.op == "number":
        return Decimal(repr(formula.number))
    args = [exact(arg, cell, moment) for arg in formula.args]
    if formula.op in CALENDAR:
        years = years_between(np.array([float(args[0])]), moment.until(formula.op))
        return Decimal(repr(float(years[0])))
    return _DECIMALS[formula.op](formula, *args)


def _grow(formula: Formula, *args: Floats) -> Floats:
    now, before, basis, basis_before = args
    fits = (before > 0) & (now >= 0) & (basis == basis_before)
    ratio = np.where(fits, now, np.nan) / np.where(fits, before, 1.0)
    return np.asarray(100.0 * (ratio ** (1.0 / formula.number) - 1.0))


def _first(_: Formula, *args: Floats) -> Floats:
    found = args[0]
    for later in args[1:]:
        found = np.where(np.isnan(found), later, found)
    return found


_FLOATS: Mapping[str, Callable[..., Floats]] = {
    "add": lambda _, a, b: a + b,
    "sub": lambda _, a, b: a - b,
    "mul": lambda _, a, b: a * b,
    "div": lambda _, a, b: a / b,
    "mean": lambda _, *parts: sum(parts) / len(parts),
    "total": lambda _, *parts: sum(parts),
    "most": lambda _, *parts: np.maximum.reduce(np.broadcast_arrays(*parts)),
    "least": lambda _, *parts: np.minimum.reduce(np.broadcast_arrays(*parts)),
    "first": _first,
    "grow": _grow,
}


def _decimal_grow(formula: Formula, *args: Decimal) -> Decimal:
    now, before, basis, basis_before = args
    if any(arg.is_nan() for arg in args) or before <= 0 or now < 0 or basis != basis_before:
        return Decimal("NaN")
    ratio = _DIGITS.divide(now, before)
    root = _root(ratio, int(formula.number))
    return _DIGITS.multiply(Decimal(100), _DIGITS.subtract(root, Decimal(1)))


def _root(x: Decimal, degree: int) -> Decimal:
    if degree == 1 or x == 0:
        return x
    if degree == 2:
        return _DIGITS.sqrt(x)
    guess = Decimal(repr(float(x) ** (1.0 / degree)))
    for _ in range(6):  # Newton doubles the digits each time
        power = _DIGITS.power(guess, degree - 1)
        step = _DIGITS.divide(x, power)
        guess = _DIGITS.divide(
            _DIGITS.add(_DIGITS.multiply(guess, Decimal(degree - 1)), step), Decimal(degree)
        )
    return guess


def _decimal_div(_: Formula, a: Decimal, b: Decimal) -> Decimal:
    result = _DIGITS.divide(a, b)
    return result if result.is_finite() else Decimal("NaN")


def _ordered(choose: Any) -> Callable[..., Decimal]:
    def of(_: Formula, *parts: Decimal) -> Decimal:
        unknown = [part for part in parts if part.is_nan()]
        chosen: Decimal = unknown[0] if unknown else choose(parts)
        return chosen

    return of


def _summed(parts: tuple[Decimal, ...]) -> Decimal:
    whole = Decimal(0)
    for part in parts:
        whole = _DIGITS.add(whole, part)
    return whole


_DECIMALS: Mapping[str, Callable[..., Decimal]] = {
    "add": lambda _, a, b: _DIGITS.add(a, b),
    "sub": lambda _, a, b: _DIGITS.subtract(a, b),
    "mul": lambda _, a, b: _DIGITS.multiply(a, b),
    "div": _decimal_div,
    "mean": lambda _, *parts: _DIGITS.divide(_summed(parts), Decimal(len(parts))),
    "total": lambda _, *parts: _summed(parts),
    "most": _ordered(max),
    "least": _ordered(min),
    "first": lambda _, *parts: next((p for p in parts if not p.is_nan()), parts[0]),
    "grow": _decimal_grow,
}
