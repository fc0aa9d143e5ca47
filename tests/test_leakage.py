"""Columns that know the future: planted ones are named, honest ones are left in peace."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from model.areas import gain
from model.leakage import Evidence, Finding, inspect
from tidu.errors import UsageError

Array = np.ndarray
HONEST = ("size", "margin", "debt")


def honest(seed: int, firms: int = 400) -> Evidence:
    """Firms whose qualities move slowly and drive the outcome; three columns show them, blurred."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=(firms, 3))
    fresh, before, label, groups, dates = [], [], [], [], []
    for year in range(3):
        earlier = quality + 0.2 * rng.normal(size=quality.shape)
        quality = 0.9 * quality + 0.3 * rng.normal(size=quality.shape)
        fresh.append(quality + 0.2 * rng.normal(size=quality.shape))
        before.append(earlier)
        odds = quality @ np.array([1.0, 0.7, -0.7]) - 1.5
        label.append((rng.random(firms) < 1 / (1 + np.exp(-odds))).astype(float))
        groups.append(np.array([f"F{i:04d}" for i in range(firms)]))
        dates.append(np.full(firms, np.datetime64(f"{2020 + year}-06-30")))
    columns = tuple(frozenset([name]) for name in HONEST)
    join = np.concatenate
    return Evidence(
        HONEST, columns, join(fresh), join(before), join(label), join(groups), join(dates)
    )


def planted(evidence: Evidence, name: str, now: Array, before: Array) -> Evidence:
    return replace(
        evidence,
        names=(*evidence.names, name),
        columns=(*evidence.columns, frozenset([name])),
        fresh=np.column_stack([evidence.fresh, now]),
        before=np.column_stack([evidence.before, before]),
    )


def flagged(evidence: Evidence) -> set[tuple[str, str]]:
    found = [f for f in inspect(evidence) if f.flagged]
    return {(column, f.test) for f in found for column in f.columns}


def ever(evidence: Evidence) -> Array:
    positive = set(evidence.groups[evidence.label == 1])
    return np.array([group in positive for group in evidence.groups])


def same_draw(evidence: Evidence, rng: np.random.Generator) -> Array:
    """One number a firm, the same at every date."""
    of = {group: rng.random() for group in np.unique(evidence.groups)}
    return np.array([of[group] for group in evidence.groups])


@pytest.mark.parametrize("seed", range(4))
def test_honest_columns_are_left_in_peace(seed: int) -> None:
    assert flagged(honest(seed)) == set()


def test_a_column_filled_in_after_the_outcome_is_named() -> None:
    rng = np.random.default_rng(1)
    evidence = honest(1)
    now = 1.2 * evidence.label + rng.normal(size=len(evidence.label))
    assert flagged(planted(evidence, "leak", now, rng.normal(size=len(now)))) == {("leak", "fresh")}


def test_a_mark_set_once_something_happened_is_named() -> None:
    evidence = honest(2)
    mark = same_draw(evidence, np.random.default_rng(2)) < np.where(ever(evidence), 0.6, 0.02)
    whole = planted(evidence, "mark", mark.astype(float), mark.astype(float))
    assert flagged(whole) == {("mark", "static")}


def test_two_sources_stitched_together_are_named_by_what_is_missing() -> None:
    rng = np.random.default_rng(3)
    evidence = honest(3)
    stitched = same_draw(evidence, rng) < np.where(ever(evidence), 0.6, 0.05)
    for name in ("rights", "standards"):
        now, before = rng.normal(size=(2, len(stitched)))
        evidence = planted(
            evidence, name, np.where(stitched, np.nan, now), np.where(stitched, np.nan, before)
        )
    found = [f for f in inspect(evidence) if f.flagged]
    assert [(f.columns, f.test) for f in found] == [(("rights", "standards"), "missing")]


def test_one_leak_does_not_hide_another() -> None:
    rng = np.random.default_rng(4)
    evidence = honest(4)
    copy = 1.5 * evidence.label + rng.normal(size=len(evidence.label))
    for name in ("first", "second"):
        now = copy + 0.05 * rng.normal(size=len(copy))
        evidence = planted(evidence, name, now, rng.normal(size=len(copy)))
    assert flagged(evidence) == {("first", "fresh"), ("second", "fresh")}


def test_noise_that_is_new_every_year_is_no_leak() -> None:
    rng = np.random.default_rng(5)
    evidence = honest(5)
    n = len(evidence.label)
    for i in range(5):
        evidence = planted(evidence, f"noise{i}", rng.normal(size=n), rng.normal(size=n))
    assert flagged(evidence) == set()


def test_the_same_evidence_gives_the_same_findings() -> None:
    assert inspect(honest(6)) == inspect(honest(6))


def brute_auc(label: Array, score: Array) -> float:
    pairs = product(score[label == 1], score[label == 0])
    return float(np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs]))


def test_the_gain_is_the_difference_of_areas_weighted_by_positives() -> None:
    rng = np.random.default_rng(7)
    label = (rng.random(80) < 0.3).astype(float)
    score, base = rng.integers(0, 6, (2, 80)).astype(float)
    dates = np.repeat([2020, 2021], 40)
    parts, weight = [], []
    for year in (2020, 2021):
        here = dates == year
        parts.append(brute_auc(label[here], score[here]) - brute_auc(label[here], base[here]))
        weight.append(label[here].sum())
    assert gain(label, score, base, dates)[0] == pytest.approx(np.average(parts, weights=weight))


def test_the_error_of_a_gain_is_that_of_redrawn_firms() -> None:
    rng = np.random.default_rng(8)
    values, errors = [], []
    for _ in range(300):
        label = (rng.random(300) < 0.3).astype(float)
        base = label + rng.normal(size=300)
        score = base + 0.5 * label + 0.5 * rng.normal(size=300)
        value, error = gain(label, score, base, np.zeros(300))
        values.append(value)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)


def test_dates_of_one_outcome_say_nothing() -> None:
    label, dates = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1, 1, 2, 2])
    assert gain(label, np.arange(4.0), -np.arange(4.0), dates) == (0.0, 0.0)


def test_evidence_must_be_of_one_shape() -> None:
    with pytest.raises(UsageError, match=r"must hold \(2, 1\)"):
        Evidence(
            ("a",), (frozenset("a"),), np.zeros((2, 1)), np.zeros((1, 1)), *([np.zeros(2)] * 3)
        )


def news(seed: int) -> Evidence:
    """A year in which the firms that will rise all earn more, and three figures show it."""
    rng = np.random.default_rng(seed)
    evidence = honest(seed)
    surge = 1.5 * evidence.label + rng.normal(size=len(evidence.label))
    for name in ("profit", "tax", "cash"):
        now = surge + 0.3 * rng.normal(size=len(surge))
        evidence = planted(evidence, name, now, rng.normal(size=len(surge)))
    return evidence


def test_news_that_other_figures_bear_out_is_no_leak() -> None:
    found = {f.columns[0]: f for f in inspect(news(9)) if f.test == "fresh"}
    for name in ("profit", "tax", "cash"):
        assert found[name].suspect
        assert not found[name].flagged


def test_a_gain_must_be_sure() -> None:
    sure = (0.05, 0.01)
    assert not Finding(("a",), "fresh", 0.05, 0.03, sure).flagged
    assert Finding(("a",), "fresh", 0.05, 0.02, sure).flagged
    assert not Finding(("a",), "fresh", 0.02, 0.001, sure).flagged
    assert not Finding(("a",), "fresh", 0.05, 0.02, (0.05, 0.03)).flagged
    assert not Finding(("a",), "fresh", 0.05, 0.02, (0.01, 0.001)).flagged
    # What is missing has no second look; the others are not flagged without one.
    assert Finding(("a",), "missing", 0.05, 0.02).flagged
    assert not Finding(("a",), "static", 0.05, 0.02).flagged
