"""Calibration: monotone, an interval that holds the mean outcome, nothing it cannot survive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.calibration_shapes import SHAPES, simulate
from model.calibration import Calibration, calibrate
from tidu.errors import Refused

Array = np.ndarray


def plain(score: Array, label: Array) -> Calibration:
    firms = np.arange(len(score)).astype(str)
    return calibrate(score, label, firms, np.zeros(len(score), dtype="datetime64[D]"))


examples = st.integers(0, 2**32 - 1).flatmap(
    lambda seed: st.tuples(
        st.just(seed), st.integers(2, 400), st.sampled_from([1e-4, 1.0, 300.0]), st.booleans()
    )
)


def awkward(seed: int, n: int, scale: float, coarse: bool) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n) * scale
    if coarse:
        score = np.round(score / scale) * scale
    label = (rng.random(n) < rng.choice([0.02, 0.3, 0.9])).astype(float)
    return score, label


@settings(max_examples=60)
@given(examples)
def test_it_never_falls_and_lies_in_its_interval(drawn: tuple[int, int, float, bool]) -> None:
    score, label = awkward(*drawn)
    fitted = plain(score, label)
    at = np.linspace(score.min() - abs(score).max(), score.max() + abs(score).max(), 500)
    p, (low, high) = fitted.probability(at), fitted.interval(at)
    assert (np.diff(p) >= 0).all()
    assert (low <= p).all()
    assert (p <= high).all()
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert Calibration.from_json(fitted.as_json()) == fitted


@pytest.mark.parametrize(
    ("score", "label"),
    [
        (np.zeros(50), np.r_[np.ones(5), np.zeros(45)]),
        (np.arange(50.0), np.zeros(50)),
        (np.arange(50.0), np.ones(50)),
        (np.arange(50.0), np.r_[np.zeros(49), 1.0]),
        (np.arange(50.0), (np.arange(50) >= 25).astype(float)),
        (np.arange(50.0), (np.arange(50) < 25).astype(float)),
        (np.array([1.0]), np.array([1.0])),
        (np.r_[np.zeros(49), 1e6], np.r_[np.zeros(48), 1.0, 0.0]),
    ],
)
def test_odd_inputs_give_finite_chances(score: Array, label: Array) -> None:
    fitted = plain(score, label)
    p = fitted.probability(score)
    assert np.isfinite(p).all()
    assert (p > 0).all()
    assert (p < 1).all()
    assert abs(p.mean() - label.mean()) < 0.15 or len(label) == 1


def test_a_score_that_orders_nothing_says_the_base_rate() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=3000)
    label = (rng.random(3000) < 1 / (1 + np.exp(2 + score))).astype(float)  # the wrong way round
    p = plain(score, label).probability(np.array([-2.0, 0.0, 2.0]))
    assert p[2] - p[0] < 0.03
    assert p[1] == pytest.approx(label.mean(), rel=0.1)


@given(st.sampled_from([1e-5, 1e-2, 50.0, 1e4]), st.sampled_from([-1e5, 0.0, 7.0]))
@settings(max_examples=12)
def test_the_scale_of_the_score_is_of_no_account(scale: float, shift: float) -> None:
    score, label, _ = simulate(SHAPES["logistic"], 2000, 300, np.random.default_rng(1))
    one, two = plain(score, label), plain(score * scale + shift * scale, label)
    moved = score * scale + shift * scale
    np.testing.assert_allclose(one.probability(score), two.probability(moved), rtol=1e-3)
    for mine, theirs in zip(one.interval(score), two.interval(moved), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-2)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_bins_hold_their_true_mean(shape: str) -> None:
    """Two samples a shape; the proof `calibration` counts many, and the widths."""
    shares = []
    for seed in range(4):
        score, label, truth = simulate(SHAPES[shape], 4000, 400, np.random.default_rng(seed))
        shares.append(held(plain(score, label), score, truth))
    assert np.mean(shares) >= 0.85


def held(fitted: Calibration, score: Array, truth: Array) -> float:
    low, high = fitted.interval(score)
    bins = np.array_split(np.argsort(score), 20)
    return float(np.mean([low[b].mean() <= truth[b].mean() <= high[b].mean() for b in bins]))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("low"),
        lambda d: d["scores"].append(1.0),
        lambda d: d["logit"].reverse(),
        lambda d: d["low"].__setitem__(0, 99.0),
        lambda d: d["logit"].__setitem__(0, float("nan")),
        lambda d: d["bends"][0].append(0.0),
        lambda d: d.__setitem__("year", float("inf")),
        lambda d: d.pop("bends"),
    ],
)
def test_damaged_knots_are_refused(change: Callable[[dict[str, Any]], object]) -> None:
    data = plain(*awkward(1, 200, 1.0, False)).as_json()
    change(data)
    with pytest.raises(Refused):
        Calibration.from_json(data)
