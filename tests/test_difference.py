"""Attribution of a difference: against all 24 orders, and the properties that define it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.shortlist.attribution import FACTORS, UNITS, World, fractions, mixtures, parts
from serving.shortlist.difference import SEVERAL, Difference, cause, differ

FIRMS = [f"F{i}" for i in range(7)]
VALUES = st.lists(st.integers(-50, 50), min_size=16, max_size=16)
LISTS = st.lists(
    st.lists(st.sampled_from(FIRMS), unique=True, max_size=5), min_size=16, max_size=16
)


def by_all_orders(values: Sequence[int]) -> list[Fraction]:
    """Walk from before to after in each of the 24 orders; every factor pays for its own step."""
    paid = [Fraction(0)] * 4
    for order in permutations(range(4)):
        world = 0
        for factor in order:
            paid[factor] += values[world | 1 << factor] - values[world]
            world |= 1 << factor
    return [each / 24 for each in paid]


def shares(values: Sequence[int]) -> tuple[Fraction, ...]:
    return fractions(parts(np.array(values, dtype=np.int64)[:, None])[:, 0])


def given_lists(lists: Sequence[Sequence[str]]) -> Difference:
    place = {world: i for i, world in enumerate(mixtures())}
    return differ(lambda world: lists[place[world]])


@given(VALUES)
def test_parts_are_the_mean_over_all_orders_and_add_up(values: list[int]) -> None:
    found = shares(values)
    assert list(found) == by_all_orders(values)
    assert sum(found) == values[-1] - values[0]


@given(VALUES, st.integers(0, 3))
def test_a_factor_that_never_matters_has_no_part(values: list[int], factor: int) -> None:
    plain = [values[world & ~(1 << factor)] for world in range(16)]
    assert shares(plain)[factor] == 0


@given(VALUES, st.permutations(range(4)))
def test_renaming_the_factors_renames_the_parts(values: list[int], order: list[int]) -> None:
    renamed = [0] * 16
    for world in range(16):
        moved = sum(1 << order[i] for i in range(4) if world >> i & 1)
        renamed[moved] = values[world]
    before, after = shares(values), shares(renamed)
    assert [after[order[i]] for i in range(4)] == list(before)


@given(VALUES, VALUES)
def test_parts_of_a_sum_are_the_sums_of_parts(one: list[int], two: list[int]) -> None:
    both = shares([a + b for a, b in zip(one, two, strict=True)])
    assert list(both) == [a + b for a, b in zip(shares(one), shares(two), strict=True)]


@given(LISTS)
def test_every_entry_and_exit_adds_up_exactly(lists: list[list[str]]) -> None:
    found = given_lists(lists)
    before, after = lists[0], lists[-1]
    assert [m.firm_id for m in found.entered] == [f for f in after if f not in before]
    assert [m.firm_id for m in found.left] == [f for f in before if f not in after]
    assert [m.firm_id for m in found.stayed] == [f for f in after if f in before]
    for move, total in [(m, UNITS) for m in found.entered] + [(m, -UNITS) for m in found.left]:
        held = [int(move.firm_id in firms) for firms in lists]
        assert move.parts is not None
        assert [Fraction(p, UNITS) for p in move.parts] == by_all_orders(held)
        assert sum(move.parts) == total
    for move in found.stayed:
        at = [
            firms.index(move.firm_id) + 1 if move.firm_id in firms else len(firms) + 1
            for firms in lists
        ]
        assert move.parts is not None
        assert [Fraction(p, UNITS) for p in move.parts] == by_all_orders(at)
        assert (move.before, move.after) == (at[0], at[-1])
    summary = found.summary()
    totals = summary["totals"]
    assert sum(totals[f] for f in FACTORS) == UNITS * (len(after) - len(before))
    assert sum(c["entered"] for c in summary["causes"]) == summary["entered"]
    assert sum(c["left"] for c in summary["causes"]) == summary["left"]


@pytest.mark.parametrize("factor", range(4))
def test_one_factor_alone_has_the_whole_part(factor: int) -> None:
    def listed(world: World) -> list[str]:
        return ["B", "A"] if world[factor] else ["A", "C"]

    found = differ(listed)
    whole = [0, 0, 0, 0]
    whole[factor] = UNITS
    assert [(m.firm_id, m.parts) for m in found.entered] == [("B", tuple(whole))]
    assert [(m.firm_id, m.parts) for m in found.left] == [("C", tuple(-p for p in whole))]
    assert [(m.firm_id, m.parts) for m in found.stayed] == [("A", tuple(whole))]
    assert cause(found.entered[0]) == cause(found.left[0]) == FACTORS[factor]


def test_equal_parts_are_the_cause_of_several() -> None:
    found = differ(lambda world: ["A"] if world[0] and world[1] else [])
    assert found.entered[0].parts == (12, 12, 0, 0)
    assert cause(found.entered[0]) == SEVERAL
    assert found.summary()["causes"][-1] == {"cause": SEVERAL, "entered": 1, "left": 0}


def test_a_world_that_cannot_be_known_is_not_asked_for() -> None:
    def listed(world: World) -> list[str]:
        assert len(set(world)) == 1
        return ["A", "B"] if world[0] else ["B", "C"]

    found = differ(listed, attributed=False)
    assert not found.known
    assert (found.summary()["entered"], found.summary()["totals"]) == (1, None)
    assert [m.parts for m in (*found.entered, *found.left, *found.stayed)] == [None] * 3


def test_worlds_must_be_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="found 3"):
        parts(np.zeros((3, 1), dtype=np.int64))
