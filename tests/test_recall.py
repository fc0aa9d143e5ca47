"""The length of a list that holds nine in ten: the bound holds whatever the scores are worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.recall import Length, length, realised, shares
from tidu.errors import UsageError

Array = np.ndarray


def cohort(rng: np.random.Generator, worth: float, n: int = 300) -> tuple[Array, Array]:
    known = rng.standard_normal(n)
    label = (rng.random(n) < 1 / (1 + np.exp(2.5 - 1.5 * known))).astype(float)
    return worth * known + rng.standard_normal(n), label


@pytest.mark.parametrize("worth", [0.0, 1.0, 5.0])
def test_the_next_outcome_is_missed_one_time_in_ten(worth: float) -> None:
    """Exact by exchangeability: the mean miss lies between α - 1/(n + 1) and α, ties aside."""
    rng = np.random.default_rng(1)
    missed, firms = [], []
    for _ in range(150):
        past = [cohort(rng, worth) for _ in range(2)]
        score, label = (np.concatenate(part) for part in zip(*past, strict=True))
        found = length(shares(score, label, np.repeat([0, 1], 300)))
        mine, came = cohort(rng, worth)
        many = found.firms(300)
        assert many is not None
        listed = np.argsort(np.argsort(-mine)) < many
        missed.append(1 - listed[came == 1].mean())
        firms.append(many)
    assert 0.07 <= np.mean(missed) <= 0.105
    # A score that orders nothing needs nine tenths of all firms, a good one far fewer.
    assert np.mean(firms) > 250 if worth == 0 else np.mean(firms) < (250 if worth == 1 else 190)


@given(st.integers(0, 400), st.floats(0.02, 0.5), st.integers(0, 2**32 - 1))
def test_the_bound_is_met_and_no_shorter_list_meets_it(n: int, missed: float, seed: int) -> None:
    """The definition of the risk control, by trying every length."""
    share = np.random.default_rng(seed).permutation(np.arange(1, n + 1) / max(n, 1))
    found = length(share, missed)
    candidates = [s for s in np.sort(share) if ((share > s).sum() + 1) / (n + 1) <= missed + 1e-9]
    assert found == Length(min(candidates) if candidates else None, missed, n)
    assert (found.firms(50) is None) == (n + 1 < 1 / missed - 1e-6)


def test_shares_by_hand() -> None:
    score = np.array([9.0, 8.0, 8.0, 1.0, 5.0, 6.0])
    label = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
    dates = np.array([1, 1, 1, 1, 2, 2])
    np.testing.assert_allclose(shares(score, label, dates), [0.25, 0.75, 1.0])
    assert shares(score, np.zeros(6), dates).size == 0
    assert shares(np.empty(0), np.empty(0), np.empty(0)).size == 0


def test_lengths_round_up_and_come_back_from_json() -> None:
    found = length(np.linspace(0.01, 0.3, 30))
    assert found.share == pytest.approx(0.28)
    assert [found.firms(of) for of in (0, 1, 100, 101)] == [0, 1, 28, 29]
    assert Length.from_json(found.as_json()) == found
    few = length(np.full(8, 0.1))
    assert few == Length(None, 0.1, 8)
    assert few.firms(1000) is None
    assert length(np.full(9, 0.1)).firms(1000) == 100


def test_what_a_list_came_to_hold() -> None:
    score, label = np.arange(100.0), (np.arange(100) >= 88).astype(float)
    found = realised(length(np.full(20, 0.09)), score, label)
    assert found["firms"] == 9
    assert found["recall"] == pytest.approx(9 / 12)
    assert realised(Length(None, 0.1, 3), score, label)["recall"] is None
    assert realised(length(np.full(20, 0.09)), score, np.zeros(100))["recall"] is None


@pytest.mark.parametrize("odd", [(0.0, 0.1, 9), (1.5, 0.1, 9), (0.5, 0.0, 9), (0.5, 0.1, -1)])
def test_what_is_no_length_is_refused(odd: tuple[float, float, int]) -> None:
    with pytest.raises(UsageError):
        Length(*odd)
