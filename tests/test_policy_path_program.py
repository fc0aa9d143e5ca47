"""The exact search of paths against exhaustive search, and its conditions against the formulas."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy.calendar import Moment
from policy.formula import Formula, evaluate, parse
from policy.path.affine import Affine, Unknown, quantity
from policy.path.leaf import compared, varies
from policy.path.program import Program, find, ties
from policy.path.tree import NO, YES, Every, Linear, Node, Points, Some, held, simplified

MOMENT = Moment(date(2026, 6, 1), 2025)


# ---------------------------------------------------------------------------- the search


@st.composite
def programs(draw: st.DrawFn) -> Program:
    n = draw(st.integers(1, 4))
    halves = tuple(i for i in range(n) if draw(st.booleans()))
    small = st.integers(1, 5)
    high = np.array(draw(st.lists(small, min_size=n, max_size=n)), dtype=float)
    unit = np.array(draw(st.lists(st.integers(1, 3), min_size=n, max_size=n)), dtype=float)
    parts = draw(st.lists(trees(n + len(halves), 2), min_size=1, max_size=3))
    return Program(high, unit, np.ones(n, dtype=bool), Every(tuple(parts)), halves)


def trees(size: int, depth: int) -> st.SearchStrategy[Node]:
    def linear(slope: list[int], level: int, strict: bool) -> Node:
        return Linear(np.array(slope, dtype=float), float(level), strict)

    slopes = st.lists(st.integers(-3, 5) | st.just(0), min_size=size, max_size=size)
    leaves: st.SearchStrategy[Node] = st.builds(
        linear, slopes, st.integers(-14, 2), st.booleans()
    ) | st.sampled_from([YES, NO])
    if depth == 0:
        return leaves
    inner = trees(size, depth - 1)
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    option = st.tuples(st.integers(1, 5).map(lambda n: n * 5.0), inner)
    options = st.lists(option, min_size=1, max_size=3).map(tuple)
    slope = st.none() | st.lists(st.integers(0, 2), min_size=size, max_size=size).map(
        lambda values: np.array(values, dtype=float)
    )
    points = st.builds(
        Points,
        st.integers(1, 50).map(float),
        st.lists(options, min_size=1, max_size=3).map(tuple),
        slope,
    )
    return leaves | st.builds(Every, several) | st.builds(Some, several) | points


def exhaustive(program: Program) -> tuple[tuple[int, float], set[tuple[int, ...]]] | None:
    """Try every point; return the best count and total, and all sets of fields that reach it."""
    found: dict[tuple[int, float], set[tuple[int, ...]]] = {}
    for point in itertools.product(*(range(int(high) + 1) for high in program.high)):
        change = np.array(point, dtype=float)
        if program.holds(change):
            fields = tuple(int(i) for i in np.flatnonzero(change))
            key = (len(fields), round(float((change / program.unit).sum()), 9))
            found.setdefault(key, set()).add(fields)
    return min(found.items()) if found else None


@settings(max_examples=300)
@given(programs())
def test_the_search_finds_what_exhaustive_search_finds(program: Program) -> None:
    best, expected = find(program), exhaustive(program)
    if expected is None:
        assert best is None
        return
    assert best is not None
    assert program.holds(best.change)
    assert (len(best.fields), round(best.total, 9)) == expected[0]
    others = ties(program, best, most=100)
    assert {best.fields, *(other.fields for other in others)} == expected[1]
    assert all(program.holds(other.change) for other in others)


@settings(max_examples=200)
@given(programs())
def test_what_the_box_decides_changes_no_answer(program: Program) -> None:
    simple = simplified(program.condition, program.box)
    for point in itertools.product(*(range(int(high) + 1) for high in program.high)):
        x = program.point(np.array(point, dtype=float))
        assert held(simple, x) == held(program.condition, x)


@settings(max_examples=100)
@given(programs())
def test_without_any_one_field_a_best_change_does_not_hold(program: Program) -> None:
    best = find(program)
    for field in best.fields if best else ():
        assert find(program.only(set(best.fields) - {field})) is None  # type: ignore[union-attr]


def test_a_margin_leaves_so_much_to_spare() -> None:
    condition = Linear(np.array([1.0, -0.5]), -10.0)
    plain = Program(np.array([40.0, 40.0]), np.ones(2), np.zeros(2, dtype=bool), condition)
    best = find(plain)
    assert best is not None
    assert best.change == pytest.approx([10.0, 0.0])
    spared = find(
        Program(plain.high, plain.unit, plain.integer, condition, margin=np.array([2.0, 2.0]))
    )
    assert spared is not None
    assert spared.change == pytest.approx([13.0, 0.0])


# ---------------------------------------------------------------------------- tests of metrics

FORMULAS = (
    "a",
    "100 * a / b",
    "a + 2 * b - c",
    "100 * (a + a[-1]) / (b + b[-1])",
    "growth(a)",
    "growth(a[-1])",
    "cagr(a, 2)",
    "mean(growth(a), growth(a[-1]))",
    "mean(a, b, c)",
    "total(a, a[-1]) / total(b, b[-1])",
    "least(100 * a / b, c)",
    "most(100 * a / b, 100 * a[-1] / b[-1])",
    "first(gone, 100 * a / (a + b))",
    "first(100 * a / b, c) - 5",
    "3 - a / b",
    "a * 2 / 4 + c / 2",
)


def wakes(formula: Formula, start: Callable[[str], np.ndarray]) -> bool:
    """Whether a change may make an alternative known that is not: nothing over nothing.

    Such a change is not searched for; like every answer it is judged anew.
    """
    for arg in formula.args[:-1] if formula.op == "first" else ():
        read = all(not np.isnan(start(name)).any() for name in arg.inputs)
        if read and np.isnan(evaluate(arg, start, MOMENT)).any():
            return True
    return any(wakes(arg, start) for arg in formula.args)


numbers = st.integers(-20, 200).map(lambda n: n / 4)


@settings(max_examples=400)
@given(
    st.sampled_from(FORMULAS),
    st.lists(numbers, min_size=3, max_size=3),
    st.lists(st.integers(0, 80).map(lambda n: n / 4), min_size=3, max_size=3),
    st.integers(-40, 160).map(lambda n: n / 2),
    st.sampled_from([">=", ">", "<=", "<"]),
)
@example("100 * a / b", [1.0, 20.0, 0.0], [9.0, 0.0, 0.0], 50.0, ">=")
@example("mean(growth(a), growth(a[-1]))", [100.0, 1.0, 1.0], [10.0, 0.0, 0.0], 5.0, ">=")
@example("100 * a / b", [5.0, -1.0, 0.0], [3.0, 2.0, 0.0], 10.0, ">=")
def test_a_condition_holds_where_the_metric_passes(
    text: str, levels: list[float], change: list[float], bound: float, sign: str
) -> None:
    """Over two open years: a[-1] shows half of the change, a[-2] none."""
    slopes = {"": 1.0, "[-1]": 0.5, "[-2]": 0.0}
    box = np.full(3, 20.0)

    def cell(name: str) -> Affine | Unknown:
        base, _, lag = name.partition("[")
        if base == "basis":
            return Affine(1.0, np.zeros(3))
        if base == "gone":
            return Unknown()
        at = "abc".index(base)
        slope = np.zeros(3)
        slope[at] = slopes["[" + lag if lag else ""] * (-1.0 if base == "c" else 1.0)
        return Affine(levels[at], slope)

    formula = parse(text)
    part = quantity(formula, cell, MOMENT, 3)
    x = np.array(change)

    def column(name: str) -> np.ndarray:
        value = cell(name)
        if isinstance(value, Unknown):
            return np.array([np.nan])
        return np.array([value.level + value.slope @ x])

    before = evaluate(formula, lambda n: column_at(cell, n, np.zeros(3)), MOMENT)
    if np.isnan(before[0]):
        assert not varies(part)
        return
    if wakes(formula, lambda n: column_at(cell, n, np.zeros(3))):
        return
    after = float(np.ravel(evaluate(formula, column, MOMENT))[0])
    if abs(after - bound) < 1e-7:
        return  # closer than floats tell apart; the verdict's decimals decide
    node = compared(part, sign, bound, box)  # type: ignore[arg-type]
    assert node is not None
    expected = {">=": after >= bound, ">": after > bound, "<=": after <= bound, "<": after < bound}
    assert held(node, x) == expected[sign]
    assert held(simplified(node, box), x) == expected[sign]


def column_at(cell: object, name: str, x: np.ndarray) -> np.ndarray:
    value = cell(name)  # type: ignore[operator]
    return np.array([np.nan if isinstance(value, Unknown) else value.level + value.slope @ x])


def test_a_strict_bound_that_is_met_exactly_asks_for_a_change() -> None:
    """By hand: 18 after 20 is -10 %, 18 after 18 is nothing: -5 % in the mean, not above it."""
    levels = {"a": 18.0, "a[-1]": 18.0, "a[-2]": 20.0, "basis": 0.0, "basis[-1]": 0.0}

    def cell(name: str) -> Affine:
        return Affine(levels.get(name, 0.0), np.array([float(name == "a")]))

    part = quantity(parse("mean(growth(a), growth(a[-1]))"), cell, MOMENT, 1)
    node = compared(part, ">", -5.0, np.array([2.0]))
    assert node is not None
    assert not held(node, np.array([0.0]))
    assert held(node, np.array([0.01]))
    unit = np.array([1.0])
    found = find(Program(np.array([2.0]), unit, np.array([False]), Every((node,)), ()))
    assert found is not None
    assert found.change[0] > 0.0


def test_what_moves_in_two_directions_is_not_made_up() -> None:
    """A mean of two quotients is no quotient of sums: no condition is better than a wrong one."""

    def cell(name: str) -> Affine:
        return Affine(10.0, np.eye(2)["ab".index(name[0])] * (0.5 if "[" in name else 1.0))

    part = quantity(parse("mean(a / b, a[-1] / b[-1])"), cell, MOMENT, 2)
    assert compared(part, ">=", 1.5, np.full(2, 5.0)) is None
