"""How places move when outcomes are drawn anew, against draws made one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from model.rank_law import RankLaw, positions, rank_law
from model.recipes import RECIPES
from model.selection import Choice
from tidu.errors import Refused, UsageError

Array = np.ndarray
FIRMS = 400
# New position: four fifths of the old one, and spreads that keep all positions standard normal.
SHRUNK = RankLaw((-3.0, 3.0), (-2.4, 2.4), (0.6, 0.6), (0.6, 0.6))


def ranked(n: int) -> Array:
    return np.arange(1, n + 1)


def places(values: Array) -> Array:
    """Rank 1 for the highest value of each row."""
    return np.argsort(np.argsort(-values, axis=1), axis=1) + 1


def drawn(law: RankLaw, rank: Array, of: int, draws: int) -> Array:
    """Places of a list's members, each moved by itself: the law taken at its word."""
    rng = np.random.default_rng(7)
    at = ndtri(1 - (rank - 0.5) / of)
    shift = np.array(law.middle) - np.array(law.position)
    middle = at + np.interp(at, law.position, shift)
    noise = rng.standard_normal((draws, len(rank)))
    below, above = (np.interp(at, law.position, side) for side in (law.below, law.above))
    return places(middle + np.where(noise < 0, below, above) * noise)


LOPSIDED = RankLaw((-3.0, 0.0, 3.0), (-2.9, 0.0, 2.6), (0.2, 0.3, 0.6), (0.2, 0.5, 0.4))


@pytest.mark.parametrize("law", [SHRUNK, LOPSIDED])
@pytest.mark.parametrize("k", [1, 10, 100, 399])
def test_chances_of_the_top_are_those_of_many_draws(law: RankLaw, k: int) -> None:
    found = law.top(k, ranked(FIRMS), FIRMS)
    seen = (drawn(law, ranked(FIRMS), FIRMS, 4000) <= k).mean(axis=0)
    assert found.sum() == pytest.approx(k, abs=1e-6)
    # One place at an end is the expectation of a maximum: the roughest case, still near.
    assert np.abs(found - seen).max() < (0.09 if k in (1, FIRMS - 1) else 0.04)
    assert np.abs(found - seen).mean() < 0.01


@pytest.mark.parametrize("law", [SHRUNK, LOPSIDED])
def test_intervals_hold_nine_in_ten_draws(law: RankLaw) -> None:
    low, high = law.interval(ranked(FIRMS), FIRMS)
    moved = drawn(law, ranked(FIRMS), FIRMS, 2000)
    held = ((low <= moved) & (moved <= high)).mean(axis=0)
    assert 0.88 <= held.mean() <= 0.93
    assert held[:200].min() > 0.84


def test_a_district_is_a_list_of_its_own() -> None:
    """Its members pass each other and nobody else: chances and intervals are of its places."""
    rank = ranked(FIRMS)[3::8]
    moved = drawn(SHRUNK, rank, FIRMS, 4000)
    low, high = SHRUNK.interval(rank, FIRMS)
    held = ((low <= moved) & (moved <= high)).mean(axis=0)
    assert 0.87 <= held.mean() <= 0.95
    assert high.max() <= len(rank)
    for k in (5, 20):
        found = SHRUNK.top(k, rank, FIRMS)
        assert found.sum() == pytest.approx(k, abs=1e-6)
        assert np.abs(found - (moved <= k).mean(axis=0)).max() < 0.06


laws = st.builds(
    lambda mean, low, high: RankLaw((-2.0, 2.0), (-2.0 * mean, 2.0 * mean), low, high),
    st.floats(0.2, 1.0),
    st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
)


@settings(max_examples=40)
@given(laws, st.integers(0, 2**32 - 1), st.integers(1, 120), st.integers(0, 80))
def test_every_list_keeps_its_sums_and_bounds(law: RankLaw, seed: int, of: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    rank = rng.permutation(ranked(of))[: rng.integers(1, of + 1)]
    one, more = (law.top(n, rank, of) for n in (k, k + 1))
    assert ((one >= 0) & (one <= more + 1e-9) & (more <= 1)).all()
    assert one.sum() == pytest.approx(min(k, len(rank)), abs=1e-6)
    low, high = law.interval(rank, of)
    own = np.argsort(np.argsort(rank)) + 1
    assert ((low >= 1) & (low <= own) & (own <= high) & (high <= len(rank))).all()
    turned = rank[::-1]
    np.testing.assert_allclose(law.top(k, turned, of), one[::-1], atol=1e-9)
    np.testing.assert_array_equal(law.interval(turned, of)[0], low[::-1])


def test_without_noise_a_place_is_itself() -> None:
    still = RankLaw((-3.0, 3.0), (-3.0, 3.0), (0.0, 0.0), (0.0, 0.0))
    for rank in (ranked(100), ranked(300)[::7]):
        low, high = still.interval(rank, 300 if len(rank) < 100 else 100)
        np.testing.assert_array_equal(low, np.arange(1, len(rank) + 1))
        np.testing.assert_array_equal(high, low)
    np.testing.assert_allclose(still.top(10, ranked(100), 100), ranked(100) <= 10, atol=1e-3)


def test_the_law_of_a_known_noise_is_found() -> None:
    """Scores = what is known + noise of each draw: the new position given the old is normal."""
    rng = np.random.default_rng(3)
    known = rng.standard_normal(3000)
    fits = [0.9 * known + np.sqrt(1 - 0.81) * rng.standard_normal(3000) for _ in range(8)]
    found = rank_law(fits)
    at = np.linspace(-1.8, 1.8, 9)
    np.testing.assert_allclose(np.interp(at, found.position, found.middle), 0.81 * at, atol=0.08)
    spread = np.sqrt(1 - 0.81**2)
    for side in (found.below, found.above):
        np.testing.assert_allclose(np.interp(at, found.position, side), spread, rtol=0.12)


def test_it_covers_the_places_of_a_new_draw() -> None:
    """The noise grows to the top, as few firms stand there; the law was never told so."""
    rng = np.random.default_rng(5)
    known = rng.gumbel(size=1500)

    def fit() -> Array:
        return known + rng.standard_normal(1500) * (0.3 + 0.1 * known.clip(0, 3))

    held, top = [], []
    for _ in range(20):
        law, mine = rank_law([fit() for _ in range(6)]), fit()
        rank = places(mine[None])[0]
        low, high = law.interval(rank, 1500)
        chance = law.top(50, rank, 1500)
        for _ in range(6):
            after = places(fit()[None])[0]
            first = rank <= 200
            held.append(((low <= after) & (after <= high))[first].mean())
            top.append(((after <= 50).astype(float) - chance)[rank <= 50].mean())
    assert 0.88 <= np.mean(held) <= 0.92
    assert abs(np.mean(top)) < 0.03


def test_a_law_from_flat_draws_is_brought_to_what_halves_show() -> None:
    """Draws of too flat chances agree by half; two rankings by all firms agree by four fifths.

    The noise of halves is 2**0.7 times that of the whole, which is what is taken for granted.
    """
    rng = np.random.default_rng(11)
    known = rng.standard_normal(1500)
    noise = 0.25

    def fit(variance: float) -> Array:
        return known + np.sqrt(variance) * rng.standard_normal(1500)

    held: dict[int, list[float]] = {0: [], 2: []}
    for _ in range(6):
        flat, mine = [fit(1.0) for _ in range(6)], fit(noise)
        halves = [(fit(noise * 2**0.7), fit(noise * 2**0.7)) for _ in range(2)]
        rank = places(mine[None])[0]
        for splits, share in held.items():
            low, high = rank_law(flat, halves[:splits]).interval(rank, 1500)
            after = places(np.array([fit(noise) for _ in range(5)]))
            share.append(((low <= after) & (after <= high))[:, rank <= 200].mean())
    assert np.mean(held[0]) > 0.925
    assert 0.88 <= np.mean(held[2]) <= 0.92


def test_halves_that_agree_or_contradict_leave_a_sound_law() -> None:
    score = np.random.default_rng(2).standard_normal(200)
    fits = [score + 0.1 * np.sin(50 * score), score - 0.1 * np.cos(70 * score)]
    for other in (score, -score):
        law = rank_law(fits, [(score, other)])
        assert law.top(10, ranked(200), 200).sum() == pytest.approx(10)
    assert max(rank_law(fits, [(score, score)]).above) < max(rank_law(fits).above)


def test_fits_that_agree_leave_no_doubt() -> None:
    score = np.random.default_rng(0).standard_normal(200)
    law = rank_law([score, 3 * score])
    assert max(law.below + law.above) < 1e-6
    low, high = law.interval(ranked(200)[:50], 200)
    np.testing.assert_array_equal(low, ranked(50))
    np.testing.assert_array_equal(high, ranked(50))


def test_recipes_that_evidence_hardly_tells_apart_are_chosen_by_turns() -> None:
    """By the law of the difference of two normal lucks; without luck the best is chosen always."""
    one, other = RECIPES
    choice = Choice(one, "", {}, np.empty(0), ((one, 0.50), (other, 0.45)), 0.05)
    rng = np.random.default_rng(4)
    seen = np.mean([choice.again(rng) == one for _ in range(2000)])
    assert seen == pytest.approx(ndtr(0.05 / (0.05 * np.sqrt(2))), abs=0.03)
    sure = replace(choice, doubt=0.0)
    assert all(sure.again(rng) == one for _ in range(20))


def test_positions_are_the_quantiles_of_places() -> None:
    at = positions(np.array([1.0, 5.0, 3.0, 3.0]))
    np.testing.assert_allclose(ndtr(at), [0.125, 0.875, 0.625, 0.375])


def test_it_comes_back_from_json() -> None:
    assert RankLaw.from_json(LOPSIDED.as_json()) == LOPSIDED


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("below"),
        lambda d: d["position"].reverse(),
        lambda d: d["above"].__setitem__(0, -0.1),
        lambda d: d["middle"].__setitem__(0, float("nan")),
        lambda d: d["middle"].append(1.0),
        lambda d: d.update(middle="high"),
    ],
)
def test_damaged_knots_are_refused(change: Callable[[dict[str, list[float]]], object]) -> None:
    data = LOPSIDED.as_json()
    change(data)
    with pytest.raises(Refused):
        RankLaw.from_json(data)


@pytest.mark.parametrize("rank", [[], [0, 1], [1, 1], [1, 12]])
def test_a_list_of_no_cohort_is_refused(rank: list[int]) -> None:
    with pytest.raises(UsageError):
        SHRUNK.top(1, np.array(rank, dtype=int), 10)
    with pytest.raises(UsageError):
        SHRUNK.interval(np.array(rank, dtype=int), 10)


def test_a_law_needs_two_fits() -> None:
    with pytest.raises(UsageError):
        rank_law([np.arange(5.0)])
    with pytest.raises(UsageError):
        SHRUNK.top(-1, ranked(5), 5)
    assert replace(SHRUNK) == SHRUNK
