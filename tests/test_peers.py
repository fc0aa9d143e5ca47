"""Positions among peers: by brute force, by fallback, and never by who else is scored."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scramble import history, random_tables
from features.expr import col
from features.peers import SMALLEST_GROUP, Groups, PeerReference, fit
from features.profile import Profile, observe, specs_for
from features.scrambling import scrambled

X = col("revenue")
Array = np.ndarray


def drawn(seed: int, n: int) -> tuple[Array, Groups]:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=n), 1)
    values[rng.random(n) < 0.1] = np.nan
    industry = rng.choice(np.array(["", "C1", "C2", "odd|name", "rare"], dtype=object), n,
                          p=[0.2, 0.4, 0.28, 0.1, 0.02])  # fmt: skip
    size = np.exp(rng.normal(size=n))
    size[rng.random(n) < 0.15] = np.nan
    return values, Groups(industry, size)


def size_class(size: float, edges: tuple[float, ...]) -> str:
    return "" if np.isnan(size) else str(sum(size >= edge for edge in edges))


def brute(
    value: float, own: tuple[str, str], values: Array, others: list[tuple[str, str]]
) -> float:
    """Mid-rank among the quantiles of the narrowest group with 30 known values."""
    if np.isnan(value):
        return float("nan")
    industry, size = own
    known = ~np.isnan(values)
    for want in ((industry, size), (industry, ""), ("", size), ("", "")):
        inside = [
            all(not w or w == o for w, o in zip(want, other, strict=True)) for other in others
        ]
        members = np.sort(values[np.array(inside) & known])
        if len(members) >= SMALLEST_GROUP or want == ("", ""):
            break
    grid = [float(np.quantile(members, i / 100)) for i in range(101)]
    below, upto = sum(q < value for q in grid), sum(q <= value for q in grid)
    return 100 * (below + upto) / 2 / 101


@settings(max_examples=6)
@given(st.integers(0, 10**6), st.integers(40, 250))
def test_positions_are_those_counted_one_by_one(seed: int, n: int) -> None:
    values, groups = drawn(seed, n)
    reference = fit([X], [values], groups)
    placed = reference.placed(groups).position(X, values)
    keys = [
        (str(i).replace("|", "/"), size_class(s, reference.size_edges))
        for i, s in zip(groups.industry, groups.size, strict=True)
    ]
    expected = [brute(v, k, values, keys) for v, k in zip(values, keys, strict=True)]
    np.testing.assert_allclose(placed, expected, atol=1e-9)
    assert np.nanmin(placed) >= 0
    assert np.nanmax(placed) <= 100


def test_a_strange_industry_falls_back_to_its_size_then_to_everyone() -> None:
    values = np.arange(300.0)
    groups = Groups(np.full(300, "C", dtype=object), values + 1)
    reference = fit([X], [values], groups)

    def place(industry: str, size: float, value: float) -> float:
        one = Groups(np.array([industry], dtype=object), np.array([size]))
        return float(reference.placed(one).position(X, np.array([value]))[0])

    assert place("Z", 10.0, 50.0) == pytest.approx(50, abs=1.5)  # among the smallest third
    assert place("C", 10.0, 50.0) == pytest.approx(50, abs=1.5)
    assert place("Z", np.nan, 150.0) == pytest.approx(50, abs=1.5)  # among everyone
    assert place("C", 10.0, -1.0) == 0
    assert place("C", 10.0, 1e9) == 100
    assert np.isnan(place("C", 10.0, np.nan))


def test_what_is_unknown_or_infinite_in_training_is_no_quantile() -> None:
    values = np.concatenate([np.arange(60.0), [np.inf, -np.inf, np.nan]])
    groups = Groups(np.full(63, "", dtype=object), np.full(63, np.nan))
    reference = fit([X], [values], groups)
    placed = reference.placed(groups).position(X, values)
    assert np.isfinite(placed[:60]).all()
    assert np.isnan(placed[62])
    nothing = fit([X], [np.full(63, np.nan)], groups)
    assert np.isnan(nothing.placed(groups).position(X, values)).all()


def test_a_reference_survives_json_exactly() -> None:
    values, groups = drawn(3, 300)
    reference = fit([X], [values], groups)
    again = PeerReference.from_json(json.loads(json.dumps(reference.as_json())))
    assert again == reference
    assert reference.knows(X)
    assert not reference.knows(col("net_profit"))


@pytest.mark.parametrize("seed", range(3))
def test_other_firms_never_move_a_firms_position(seed: int) -> None:
    """What-if on one firm is the same path: its profile alone is its profile in the crowd."""
    rng = np.random.default_rng(seed)
    tables, day = random_tables(rng), date(2021, 6, 30)
    panel = history(tables).as_of(day)
    trained = observe(history(tables).as_of(date(2020, 6, 30)))
    profile = Profile.fit(specs_for(panel, "growth"), [trained])
    crowd = profile.matrix(observe(panel))
    for firm in crowd.firm_ids[:5]:
        own = {
            n: t[t["firm_id"] == firm] for n, t in tables.items() if (t["firm_id"] == firm).any()
        }
        alone = profile.matrix(observe(history(own).as_of(day)))
        row = np.flatnonzero(crowd.firm_ids == firm)
        np.testing.assert_array_equal(alone.values, crowd.values[row])
        places = profile.positions(observe(history(own).as_of(day)))
        np.testing.assert_array_equal(places, profile.positions(observe(panel))[row])


def test_the_reference_is_of_the_training_observations_only() -> None:
    rng = np.random.default_rng(5)
    tables, day = random_tables(rng), date(2018, 6, 30)
    references = [
        Profile.fit(specs_for(seen.as_of(day), "listing"), [observe(seen.as_of(day))]).reference
        for seen in (history(tables), history(scrambled(tables, day, rng)))
    ]
    assert references[0] == references[1]
