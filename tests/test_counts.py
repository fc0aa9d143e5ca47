"""Numbers of outcomes, against exact convolution and against draws made one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from benchmarks.calibration_shapes import SHAPES, simulate
from model.calibration import Calibration, calibrate
from model.counts import Count, count, number
from tidu.errors import NotAvailable

Array = np.ndarray


def exact(chance: Array) -> Array:
    """Distribution of the number of outcomes, one firm after the other."""
    found = np.ones(1)
    for p in chance:
        found = np.convolve(found, [1 - p, p])
    return found


@settings(max_examples=50)
@given(st.integers(1, 120), st.floats(-5, 2), st.floats(0, 2), st.integers(0, 2**32 - 1))
def test_without_shared_doubt_it_is_poisson_binomial(
    n: int, level: float, spread: float, seed: int
) -> None:
    chance = expit(level + spread * np.random.default_rng(seed).standard_normal(n))
    found, law = number(chance, 0.0), exact(chance)
    half = np.cumsum(law) - law / 2
    low, high = int((half < 0.05).sum()), int((half <= 0.95).sum()) - 1
    assert found.expected == pytest.approx(chance.sum())
    assert abs(found.low - low) <= 1
    assert abs(found.high - max(high, low)) <= 1


@pytest.mark.parametrize(("n", "level", "shared"), [(800, -2.0, 0.3), (100, -3.0, 0.2)])
def test_nine_in_ten_of_drawn_years_lie_inside(n: int, level: float, shared: float) -> None:
    rng = np.random.default_rng(2)
    chance = expit(level + rng.standard_normal(n))
    found = number(chance, shared)
    each = expit(logit(chance) + shared * rng.standard_normal((3000, 1)))
    drawn = (rng.random((3000, n)) < each).sum(axis=1)
    assert 0.88 <= ((found.low <= drawn) & (drawn <= found.high)).mean() <= 0.93
    alone = number(chance, 0.0)
    assert found.high - found.low > alone.high - alone.low


def test_nobody_and_sure_firms_are_counted() -> None:
    assert number(np.ones(7), 0.0) == Count(7, 7.0, 7, 7)
    assert number(np.zeros(7), 0.5) == Count(7, 0.0, 0, 0)


def fitted(seed: int, years: int = 6) -> tuple[Calibration, float, Array]:
    """A calibration on cohorts whose levels differ, the next year's level and its scores."""
    rng = np.random.default_rng(seed)
    score, _, truth = simulate(SHAPES["logistic"], 500 * (years + 1), 60 * (years + 1), rng)
    year = np.repeat(np.arange(years + 1), 500)
    shock = 0.25 * rng.standard_normal(years + 1)
    chance = expit(logit(truth) + shock[year])
    label = (rng.random(len(chance)) < chance).astype(float)
    past = year < years
    dates = (np.datetime64("2015-06-30") + 365 * year).astype("datetime64[D]")
    firms = np.arange(len(score)).astype(str)
    found = calibrate(score[past], label[past], firms[past], dates[past])
    return found, float(label[~past].sum()), score[~past]


def test_counts_of_the_next_year_are_covered() -> None:
    """All firms, and the best fifty: levels and curve are estimated, not given."""
    held = []
    for seed in range(12):
        calibration, realised, score = fitted(seed)
        found = count(calibration, score)
        held.append(found.low <= realised <= found.high)
        assert found.low < found.expected < found.high
    assert np.mean(held) >= 0.75  # the proof counts many


def test_what_is_shared_is_at_least_the_year_and_larger_where_the_curve_is_thin() -> None:
    calibration, _, score = fitted(1)
    assert calibration.year is not None
    assert calibration.shared(score) > calibration.year
    assert calibration.shared(np.sort(score)[-3:]) > calibration.shared(score)


def test_the_parts_make_the_range() -> None:
    """At a knot, the interval's half width is that of both parts together."""
    calibration, _, _ = fitted(3)
    assert calibration.year is not None
    assert calibration.bends is not None
    at = len(calibration.scores) // 2
    curve = sum(bend[at] ** 2 for bend in calibration.bends)
    half = 1.6448536 * np.sqrt(curve + calibration.year**2)
    assert calibration.high[at] - calibration.logit[at] == pytest.approx(half, rel=0.1)
    assert Calibration.from_json(calibration.as_json()) == calibration


def test_a_bundle_of_old_says_that_it_cannot_count() -> None:
    data = fitted(1)[0].as_json()
    del data["year"], data["bends"]
    old = Calibration.from_json(data)
    assert count(old, np.empty(0)) == Count(0, 0.0, 0, 0)
    with pytest.raises(NotAvailable):
        count(old, np.zeros(3))
