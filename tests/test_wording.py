"""Reasons in words: nothing is lost from either sum, and unknown is said to be unknown."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.spec import DIMENSIONS
from model.wording import Feature, Reasoned, contrast, explain
from tidu.errors import Refused

NAMES = list(DIMENSIONS)
FEATURES = tuple(
    Feature(f"f{i}", f"指标{i}", f"Feature {i}", "万元", NAMES[i % 4], "finance") for i in range(9)
)
EFFECTS = st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=9, max_size=9)


def firm(effects: list[float], base: float = -2.0) -> Reasoned:
    contributions = np.array(effects)
    score = base + float(contributions.sum())
    chance = [1 / (1 + math.exp(-s)) for s in (score, base)]
    slope = chance[1] * (1 - chance[1])
    values, peers = np.full(9, 1234.5), np.full(9, 88.0)
    return Reasoned(score, chance[0], base, chance[1], slope, contributions, values, peers)


@given(EFFECTS)
def test_named_reasons_and_the_rest_sum_to_score_and_chance(effects: list[float]) -> None:
    reasoned = firm(effects)
    found = explain(FEATURES, reasoned)
    named = [*found["positive"], *found["negative"], found["rest"]]
    for parts in (named, found["dimensions"]):
        total = sum(p["contribution"] for p in parts)
        assert total == pytest.approx(reasoned.score - reasoned.base, abs=1e-9)
        points = sum(p["points"] for p in parts)
        exact = 100 * (reasoned.probability - reasoned.base_probability)
        assert points == pytest.approx(exact, abs=1e-6)
    assert all(r["contribution"] > 0 for r in found["positive"])
    assert all(r["contribution"] < 0 for r in found["negative"])
    assert max(len(found["positive"]), len(found["negative"])) <= 4
    shown = len(found["positive"]) + len(found["negative"]) + found["rest"]["features"]
    assert shown == sum(e != 0 for e in effects)


@given(EFFECTS, EFFECTS)
def test_a_pair_differs_by_exactly_its_scores(ours: list[float], theirs: list[float]) -> None:
    a, b = firm(ours), firm(theirs)
    found = contrast(FEATURES, a, b)
    named = [*found["positive"], *found["negative"], found["rest"]]
    assert abs(sum(p["contribution"] for p in named) - (a.score - b.score)) <= 1e-9
    points = 100 * (a.probability - b.probability)
    assert sum(p["points"] for p in named) == pytest.approx(points, abs=1e-6)


def test_at_the_base_the_slope_of_the_calibration_speaks() -> None:
    reasoned = firm([1.0, -1.0, *[0.0] * 7])
    found = explain(FEATURES, reasoned)
    assert found["positive"][0]["points"] == pytest.approx(100 * reasoned.slope)
    assert found["negative"][0]["points"] == pytest.approx(-100 * reasoned.slope)


def test_a_reason_names_value_unit_and_peers_in_both_languages() -> None:
    reason = explain(FEATURES, firm([0.5, *[0.0] * 8]))["positive"][0]
    assert reason["text_zh"].startswith("指标0 1,234万元,高于88%的同行:评分+0.50,估计概率约+")
    assert reason["text_en"].startswith(
        "Feature 0 1,234 ×10k CNY, above 88 % of peers: score +0.50"
    )


def test_an_unknown_value_is_unknown_not_zero() -> None:
    unknown = replace(firm([0.5, *[0.0] * 8]), values=np.full(9, np.nan), peers=None)
    reason = explain(FEATURES, unknown)["positive"][0]
    assert reason["value"] is None
    assert reason["text_zh"].startswith("指标0未知:")
    assert "is unknown" in reason["text_en"]


def test_reasons_of_another_score_are_refused() -> None:
    with pytest.raises(Refused, match="must sum to"):
        explain(FEATURES, replace(firm([0.5] * 9), score=0.0))


def test_a_feature_without_labels_or_of_no_dimension_is_refused() -> None:
    with pytest.raises(Refused, match="zh and an en label"):
        Feature("f", "", "Feature")
    with pytest.raises(Refused, match="dimension"):
        Feature("f", "指标", "Feature", dimension="luck")
