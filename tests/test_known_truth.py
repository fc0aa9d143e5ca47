"""The measures against known truth, by hand-made orders and by simulation; what the oracle sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.known_truth import Ranked
from benchmarks.known_truth_measures import calibrated, caught, list_length, ratio, spread
from benchmarks.known_truth_rows import TIERS, Town, raw, town, wide
from benchmarks.proofs_truth import calibration_counts, missed, rivals
from features.panel import History, Rows
from features.profile import Profile, observe, specs_for

DAY = date(2024, 6, 30)


@given(
    st.lists(st.floats(0, 1), min_size=5, max_size=60),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
)
def test_no_order_catches_more_than_the_hazard_itself(
    hazards: list[float], k: int, seed: int
) -> None:
    hazard = np.array(hazards)
    score = np.random.default_rng(seed).normal(size=len(hazard))
    ours, best = caught(hazard, score, k), caught(hazard, hazard, k)
    assert ours.precision <= best.precision + 1e-9
    assert ours.ndcg <= best.ndcg + 1e-9


def test_what_a_list_catches_is_the_sum_of_its_hazards() -> None:
    hazard = np.array([0.5, 0.1, 0.3, 0.0])
    found = caught(hazard, np.array([1.0, 4.0, 3.0, 2.0]), 2)
    assert found.precision == pytest.approx(0.1 + 0.3)
    assert found.ndcg == pytest.approx(0.1 + 0.3 / np.log2(3))


def test_equal_scores_share_their_places() -> None:
    hazard = np.array([0.9, 0.1, 0.5])
    assert caught(hazard, np.zeros(3), 1).precision == pytest.approx(0.5)


def test_a_list_is_as_long_as_the_year_has_positives_and_at_least_twenty() -> None:
    assert list_length(np.array([1.0] * 7 + [0.0] * 90)) == 20
    assert list_length(np.array([1.0] * 30 + [0.0] * 90 + [np.nan])) == 30


def test_ratios_are_of_sums_so_a_small_list_cannot_swing_them() -> None:
    best = [caught(np.array([h]), np.ones(1), 1) for h in (0.9, 0.1)]
    ours = [caught(np.array([h]), np.ones(1), 1) for h in (0.9, 0.0)]
    assert ratio(ours, best) == pytest.approx((0.9, 0.9))
    assert ratio(best, best) == (1.0, 1.0)


def test_the_interval_of_a_ratio_holds_it_and_narrows_with_cities() -> None:
    rng = np.random.default_rng(3)

    def cities(n: int) -> tuple[tuple[float, float], float]:
        best = {s: [caught(np.array([0.5]), np.ones(1), 1)] for s in range(n)}
        ours = {s: [caught(rng.uniform(0.3, 0.5, 1), np.ones(1), 1)] for s in range(n)}
        value = ratio([c[0] for c in ours.values()], [c[0] for c in best.values()])[0]
        return spread(ours, best)[0], value

    few, many = cities(8), cities(200)
    for (low, high), value in (few, many):
        assert low <= value <= high
    assert many[0][1] - many[0][0] < few[0][1] - few[0][0]


def test_a_perfect_chance_is_calibrated_and_a_doubled_one_is_not() -> None:
    rng = np.random.default_rng(1)
    chance = rng.beta(1, 12, 4_000)
    label = (rng.random(4_000) < chance).astype("float64")
    good = calibrated(label, chance)
    assert good["error holds"]
    assert good["slope holds"]
    assert good["skill holds"]
    assert good["slope"] == pytest.approx(1.0, abs=0.2)
    assert not calibrated(label, np.minimum(2.2 * chance, 0.99))["error holds"]
    steep = 1 / (1 + ((1 - chance) / chance) ** 2)
    assert not calibrated(label, steep)["slope holds"]
    assert not calibrated(label, rng.permutation(chance) ** 0.2)["skill holds"]


@pytest.fixture(scope="module")
def small() -> Town:
    return town(300, 5)


def test_every_fresh_firm_of_tidus_cohort_has_a_true_chance(small: Town) -> None:
    part = small.outcome(TIERS[0], DAY, date(2025, 6, 30))
    hazard = small.hazard(TIERS[0], DAY, part.firm_ids)
    assert len(part.index) > 50
    assert not np.isnan(hazard).any()
    assert 0 < hazard.sum() < len(hazard)


def test_the_oracle_sees_nothing_that_became_known_later(small: Town) -> None:
    """The same inputs when all that became known after the date is gone from the history."""
    cut = {name: _known_by(rows) for name, rows in small.history.rows.items()}
    without: History = replace(small.history, rows=cut)
    seen, blind = observe(small.history.as_of(DAY)), observe(without.as_of(DAY))
    profile = Profile.fit(specs_for(seen.cube.panel, "promotion"), [seen])
    np.testing.assert_array_equal(wide(seen, profile), wide(blind, profile))
    np.testing.assert_array_equal(raw(seen), raw(blind))
    assert wide(seen, profile).shape[1] > raw(seen).shape[1] / 2


def _known_by(rows: Rows) -> Rows:
    kept = rows.known <= np.datetime64(DAY)
    return Rows(rows.frame[kept].reset_index(drop=True), rows.key_id[kept], rows.known[kept])


def test_the_history_of_titles_and_applications_is_counted(small: Town) -> None:
    """The wide input tells firms with a refused application from those without."""
    from benchmarks.known_truth_rows import _applications

    panel = small.history.as_of(DAY)
    ids = observe(panel).firm_ids
    counts = _applications(panel, ids)[0]
    table = panel.tables["applications"]
    wanted = table[table["tier"] == TIERS[0]]["firm_id"].value_counts()
    for firm, count in zip(ids, counts, strict=True):
        assert count == wanted.get(firm, 0)


def _list(tier_positives: int, seed: int, **scores: np.ndarray) -> Ranked:
    hazard = scores["latent"]
    known = {"hazard": hazard, "label": (hazard > 0.5).astype("float64"), **scores}
    return Ranked(seed, 2024, TIERS[0], known | {"positives": np.array(tier_positives)})


def test_a_bar_that_is_not_reached_is_named() -> None:
    rng = np.random.default_rng(0)
    hazard = np.sort(rng.beta(1, 4, 200))[::-1]
    noisy = hazard + rng.normal(scale=0.6, size=200)
    common = {"latent": hazard, "observable": hazard, "logistic profile": noisy}
    good = [_list(600, s, tidu=hazard, alone=noisy, **common) for s in range(4)]
    assert missed(good) == []
    bad = [_list(600, s, tidu=-hazard, alone=hazard, **common) for s in range(4)]
    said = " ".join(missed(bad))
    assert "precision" in said
    assert "behind logistic" in said
    assert "alone" not in said  # where positives are many the tier alone is no rival
    rare = [_list(60, s, tidu=noisy, alone=hazard, **common) for s in range(4)]
    assert "behind alone" in " ".join(missed(rare))
    linear = [_list(600, 0, tidu=hazard, alone=hazard, **(common | {"logistic profile": hazard}))]
    assert "logistic 1.000, not below" in " ".join(missed(linear))


def test_a_rival_counts_with_its_better_input() -> None:
    hazard = np.linspace(1, 0, 100)
    scores = {"catboost raw": hazard, "catboost profile": -hazard, "tidu": hazard, "alone": hazard}
    lists = [_list(600, 1, latent=hazard, observable=hazard, **scores)]
    assert rivals(lists) == {"catboost": (1.0, 1.0)}


def test_tiers_without_lists_have_no_calibration() -> None:
    rng = np.random.default_rng(5)
    chance = rng.beta(1, 9, 400)
    label = (rng.random(400) < chance).astype(float)
    one = Ranked(1, 2025, TIERS[1], {"label": label, "chance": chance})
    counts = calibration_counts([one])
    assert counts[f"{TIERS[1]} error holds"]
    assert not [name for name in counts if not name.startswith(TIERS[1])]
