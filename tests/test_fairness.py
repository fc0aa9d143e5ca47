"""Fairness at fixed K: against enumeration and simulation, and what too little evidence may say."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from model.fairness import Compared, Listing, detectable, outcome, recall, selection, wilson
from model.fairness_report import Ranked, fairness, length
from tidu.errors import UsageError


def listing(group: list[str], selected: list[int], label: list[float] | None = None) -> Listing:
    n = len(group)
    known = np.full(n, np.nan) if label is None else np.array(label)
    return Listing(np.array(group, dtype=object), np.array(selected, bool), known, np.full(n, 0.5))


def by_group(rows: list[Compared]) -> dict[str, Compared]:
    return {row.group: row for row in rows}


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_expectation_and_spread_are_those_of_all_lists(a: int, b: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, a + b))
    group = ["a"] * a + ["b"] * b
    counts = [sum(i < a for i in chosen) for chosen in combinations(range(a + b), k)]
    chosen = [1] * k + [0] * (a + b - k)
    row = by_group(selection([listing(group, chosen)]))["a"]
    assert row.expected == pytest.approx(np.mean(counts))
    assert row.spread == pytest.approx(np.std(counts))
    assert row.count == min(a, k)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=2, max_size=30))
def test_counts_and_expectations_sum_to_the_list(firms: list[tuple[str, bool]]) -> None:
    rows = selection([listing([g for g, _ in firms], [int(s) for _, s in firms])])
    taken = sum(s for _, s in firms)
    assert sum(row.count for row in rows) == taken
    assert sum(row.expected for row in rows) == pytest.approx(taken)
    for row in rows:
        low, high = row.ratio[1:]
        if row.expected:
            assert low <= row.ratio[0] <= high


def test_years_are_strata() -> None:
    # Each year alone is at parity, though the group's share and the length differ widely.
    one = listing(["a"] * 90 + ["b"] * 10, [1] * 9 + [0] * 81 + [1] + [0] * 9)
    two = listing(["a"] * 10 + ["b"] * 90, [1] * 5 + [0] * 5 + [1] * 45 + [0] * 45)
    for row in selection([one, two]):
        assert row.count == pytest.approx(row.expected)
        assert row.ratio[0] == pytest.approx(1.0)


def test_recall_looks_at_the_promoted_alone() -> None:
    group = ["a", "a", "a", "b", "b", "b"]
    rows = by_group(recall([listing(group, [1, 1, 1, 0, 1, 0], [1, 0, 1, 1, 1, np.nan])]))
    assert (rows["a"].n, rows["a"].count) == (2, 2)
    assert (rows["b"].n, rows["b"].count) == (2, 1)
    assert rows["a"].expected == pytest.approx(1.5)


def test_the_ratio_is_to_the_others() -> None:
    # 30 of 100 against 20 of 100: half as often again.
    chosen = [1] * 30 + [0] * 70 + [1] * 20 + [0] * 80
    rows = by_group(selection([listing(["a"] * 100 + ["b"] * 100, chosen)]))
    assert rows["a"].ratio[0] == pytest.approx(1.5)
    assert rows["b"].ratio[0] == pytest.approx(1 / 1.5)
    assert rows["a"].rate[0] == 0.3


def draws(rng: np.random.Generator, factor: float, group: np.ndarray, k: int) -> Listing:
    """A list of K drawn one after the other, the group's firms ``factor`` times as likely."""
    keys = np.where(group == "a", np.log(factor), 0.0) + rng.gumbel(size=len(group))
    chosen = np.zeros(len(group), bool)
    chosen[np.argsort(-keys)[:k]] = True
    nothing = np.full(len(group), np.nan)
    return Listing(group, chosen, nothing, nothing)


def test_the_detectable_ratio_is_found_nine_times_in_ten() -> None:
    rng = np.random.default_rng(3)
    group = np.array(["a"] * 600 + [c for c in "bcde" for _ in range(600)], dtype=object)
    fair = selection([draws(rng, 1.0, group, 100) for _ in range(5)])
    least = by_group(fair)["a"].detectable
    assert 1.3 < least < 1.7
    found = 0
    for _ in range(200):
        rows = selection([draws(rng, least, group, 100) for _ in range(5)])
        found += by_group(rows)["a"].state == "disparity"
    # Within three standard errors of 0.9; drawing without replacement takes a little off.
    assert 0.82 <= found / 200 <= 0.965


def test_fair_lists_are_seldom_called_unfair() -> None:
    rng = np.random.default_rng(4)
    group = np.array([c for c in "abcde" for _ in range(300)], dtype=object)
    said = 0
    for _ in range(300):
        rows = selection([draws(rng, 1.0, group, 60) for _ in range(3)])
        said += any(row.state == "disparity" for row in rows)
    assert said / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize("count", [20, 22, 27, 30])
def test_the_p_value_is_near_the_exact_one(count: int) -> None:
    chosen = [1] * count + [0] * (100 - count) + [1] * (100 - count) + [0] * (200 + count)
    row = by_group(selection([listing(["a"] * 100 + ["b"] * 300, chosen)]))["a"]
    law = hypergeom(400, 100, 100)
    least = law.pmf(count)
    each = law.pmf(range(101))
    exact = each[each < least * (1 - 1e-9)].sum() + each[np.isclose(each, least)].sum() / 2  # mid-p
    assert row.p / 2 == pytest.approx(min(exact, 0.5), rel=0.12)  # Holm over two groups doubles it


def test_too_little_evidence_is_said_with_what_could_have_been_found() -> None:
    rows = selection([listing(["a"] * 10 + ["b"] * 10, [1, *[0] * 9] * 2)])
    assert {row.state for row in rows} == {"insufficient"}
    assert all(row.detectable > 2 for row in rows)


def test_much_evidence_of_parity_is_none_found() -> None:
    one = listing(["a"] * 4000 + ["b"] * 4000, ([1] * 2000 + [0] * 2000) * 2)
    assert {row.state for row in selection([one])} == {"none_found"}


def test_outcomes_are_held_against_chances() -> None:
    rng = np.random.default_rng(5)
    group = np.array(["a"] * 2000 + ["b"] * 2000 + ["c"] * 2000, dtype=object)
    chance = rng.beta(1, 9, len(group))
    odds = chance / (1 - chance) * np.where(group == "a", 2.0, 1.0)
    label = (rng.random(len(group)) < odds / (1 + odds)).astype(float)
    rows = by_group(outcome([Listing(group, np.zeros(len(group), bool), label, chance)]))
    assert rows["a"].state == "disparity"
    assert rows["a"].ratio[0] > 1.3
    assert sum(row.expected for row in rows.values()) == pytest.approx(label.sum())
    assert rows["b"].ratio[0] < 1


def test_spread_of_outcomes_is_that_of_redrawn_ones() -> None:
    rng = np.random.default_rng(6)
    group = np.array(["a"] * 100 + ["b"] * 400, dtype=object)
    chance = rng.beta(1, 5, len(group))
    away = []
    for _ in range(600):
        label = (rng.random(len(group)) < chance).astype(float)
        row = by_group(outcome([Listing(group, label > 0, label, chance)]))["a"]
        away.append((row.count - row.expected) / row.spread)
    assert np.std(away) == pytest.approx(1.0, abs=0.1)


def test_detectable_falls_with_evidence_and_without_any_there_is_none() -> None:
    assert detectable(100.0, 9.0) < detectable(25.0, 4.5) < detectable(4.0, 1.8)
    assert detectable(0.0, 0.0) == detectable(5.0, 0.0) == 1e3
    low, high = wilson(0, 0)[1:]
    assert (low, high) == (0.0, 1.0)


def test_lengths_must_agree() -> None:
    with pytest.raises(UsageError, match="one group, choice"):
        Listing(np.array(["a"]), np.array([True, False]), np.zeros(2), np.zeros(2))


def ranked(n: int = 60) -> Ranked:
    ids = np.array([f"F{i:03d}" for i in range(n)], dtype=object)
    group = np.array(["a", "b", ""] * (n // 3), dtype=object)
    label = (np.arange(n) % 4 == 0).astype(float)
    return Ranked(ids, np.zeros(n), np.full(n, 0.2), label, {"district": group})


def test_groups_have_english_names_where_they_have_any() -> None:
    owners = np.array(["民营", "国有", "校办"] * 20, dtype=object)
    report = fairness([replace(ranked(), groups={"ownership": owners})])
    dimensions = report["dimensions"]
    assert isinstance(dimensions, dict)
    rows = dimensions["ownership"]["questions"]["selection"]
    assert {row["zh"]: row["en"] for row in rows} == {
        "民营": "private", "国有": "state-owned", "校办": "校办"}  # fmt: skip


def test_the_report_counts_unknown_groups_and_fixes_k() -> None:
    report = fairness([ranked(), ranked()])
    assert report["k"] == [20, 20]
    dimensions = report["dimensions"]
    assert isinstance(dimensions, dict)
    assert list(dimensions) == ["district", "size", "ownership", "age"]
    assert dimensions["district"]["unknown"] == 40
    assert dimensions["ownership"]["unknown"] == 120
    assert dimensions["ownership"]["questions"]["selection"] == []
    rows = dimensions["district"]["questions"]["selection"]
    assert {row["en"] for row in rows} == {"a", "b"}
    assert [row["group"] for row in rows] == ["a", "b"]
    assert all("可检出比率" in row["state_zh"] for row in rows)


def test_ties_go_by_firm_id_and_a_list_needs_a_length() -> None:
    assert list(np.flatnonzero(ranked().selected(3))) == [0, 1, 2]
    assert length(np.array([1.0, np.nan, 0.0])) == 20
    with pytest.raises(UsageError, match="at least one firm"):
        ranked().selected(0)
