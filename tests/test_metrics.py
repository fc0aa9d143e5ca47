"""Metrics against scikit-learn, and ties against every order of the tied firms."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from model import metrics

Array = np.ndarray

both = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40).filter(
    lambda rows: 0 < sum(y for y, _ in rows) < len(rows)
)


def split(rows: list[tuple[bool, int]]) -> tuple[Array, Array]:
    label, score = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    return label, score


@given(both)
def test_auc_and_average_precision_are_those_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    label, score = split(rows)
    assert metrics.auc(label, score) == pytest.approx(roc_auc_score(label, score))
    expected = average_precision_score(label, score)
    assert metrics.average_precision(label, score) == pytest.approx(expected)


@given(both, st.integers(1, 45), st.randoms(use_true_random=False))
def test_without_ties_ndcg_is_that_of_scikit_learn(
    rows: list[tuple[bool, int]], k: int, random: object
) -> None:
    label, _ = split(rows)
    score = np.arange(len(label), dtype=float)
    random.shuffle(score)  # type: ignore[attr-defined]
    expected = ndcg_score(label[None, :], score[None, :], k=k)
    assert metrics.ndcg_at(label, score, k) == pytest.approx(expected)


def orders(label: Array, score: Array) -> list[Array]:
    """Labels in every order that the scores allow, by brute force."""
    rows = range(len(label))
    return [label[list(p)] for p in permutations(rows) if (np.diff(score[list(p)]) <= 0).all()]


small = st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=2, max_size=6).filter(
    lambda rows: any(y for y, _ in rows)
)


@given(small, st.integers(1, 7))
def test_tied_firms_count_by_the_mean_over_all_their_orders(
    rows: list[tuple[bool, int]], k: int
) -> None:
    label, score = split(rows)
    lists = orders(label, score)
    top = [order[:k] for order in lists]
    discount = 1 / np.log2(np.arange(2, 2 + k))
    best = discount[: int(min(label.sum(), k))].sum()
    ndcg = np.mean([(t * discount[: len(t)]).sum() / best for t in top])
    assert metrics.precision_at(label, score, k) == pytest.approx(np.mean([t.mean() for t in top]))
    recall = np.mean([t.sum() for t in top]) / label.sum()
    assert metrics.recall_at(label, score, k) == pytest.approx(recall)
    assert metrics.ndcg_at(label, score, k) == pytest.approx(ndcg)


@given(both, st.randoms(use_true_random=False))
def test_no_metric_can_be_won_by_the_order_of_rows(
    rows: list[tuple[bool, int]], random: object
) -> None:
    label, score = split(rows)
    probability = 1 / (1 + np.exp(-score))
    order = list(range(len(label)))
    random.shuffle(order)  # type: ignore[attr-defined]
    here = metrics.summary(label, score, probability)
    there = metrics.summary(label[order], score[order], probability[order])
    assert flat(here) == pytest.approx(flat(there), nan_ok=True)


def flat(value: object) -> list[float]:
    if isinstance(value, dict):
        return [x for v in value.values() for x in flat(v)]
    return [float(value)]  # type: ignore[arg-type]


def test_calibration_error_by_hand() -> None:
    probability = np.repeat([0.1, 0.3, 0.5, 0.8], 10)
    label = np.concatenate([np.r_[np.ones(k), np.zeros(10 - k)] for k in (1, 5, 5, 8)])
    assert metrics.calibration_error(label, probability, bins=4) == pytest.approx(0.2 / 4)
    assert metrics.brier(label, probability) == pytest.approx(((probability - label) ** 2).mean())


@pytest.mark.parametrize("label", [np.zeros(5), np.ones(5)])
def test_one_class_has_no_order_to_judge(label: Array) -> None:
    found = metrics.summary(label, np.arange(5.0), np.full(5, 0.5))
    assert np.isnan(float(str(found["auc"])))
    assert np.isnan(float(str(found["ap"]))) == (label.sum() == 0)


def test_an_empty_list_is_unknown_not_an_error() -> None:
    nothing = np.zeros(0)
    assert all(np.isnan(x) for x in flat(metrics.summary(nothing, nothing, nothing)))


def test_parts_combine_by_weight() -> None:
    parts = [(1.0, {"auc": 0.5, "p_at": {"20": 0.0}}), (3.0, {"auc": 0.9, "p_at": {"20": 0.4}})]
    combined = metrics.combined(parts)
    assert combined["auc"] == pytest.approx(0.8)
    assert combined["p_at"] == {"20": pytest.approx(0.3)}
