"""Forecasts of targets: exact without chance, right on average, honest about their width."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.plan.forecast import (
    Flow,
    Forecast,
    Part,
    Period,
    Rate,
    Shock,
    Trend,
    drift,
    expected,
    reaching,
    shares,
    simulate,
    summary,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# -------------------------------------------------------------------------- exact without chance

certain = st.sampled_from([0.0, 1.0])


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.25, 0.5, 1.0])), min_size=1),
    st.integers(0, 50),
    certain,
    certain,
    st.lists(certain, max_size=40),
    st.sampled_from([None, 1, 2, 3]),
)
@settings(max_examples=60)
def test_without_shocks_and_with_certain_chances_it_is_arithmetic(
    parts: list[tuple[int, float]],
    rest: int,
    renewed: float,
    lost: float,
    chances: list[float],
    validity: int | None,
) -> None:
    """Everybody with chance 1 enters in the first period; nobody else ever does."""
    periods = tuple(Period(length, due) for due, length in parts)
    stock = sum(due for due, _ in parts) + rest
    flow = Flow(
        stock, periods, Rate(renewed), Rate(lost), chances=np.array(chances), validity=validity
    )
    groups = [due for due, _ in parts] + [rest]
    for j in range(len(periods)):
        groups = [0 if lost else n for n in groups]
        staying = groups[j] * int(renewed) + (int(sum(chances)) if j == 0 else 0)
        groups[j] = 0
        groups[len(parts) if validity is None else min(j + validity, len(parts))] += staying
    found = simulate(flow, float(sum(groups)), rng(), 50)
    assert (found.mean, found.low, found.high) == (sum(groups),) * 3 == (expected(flow),) * 3
    assert found.chance == 1.0
    assert simulate(flow, sum(groups) + 1.0, rng(), 50).chance == 0.0


def test_by_hand() -> None:
    """100 in stock, 20 expire of which 16 are renewed, 1 of 4 unsure enter: 97 on average."""
    flow = Flow(100, (Period(1.0, 20),), Rate(0.8), chances=np.full(4, 0.25))
    assert expected(flow) == pytest.approx(100 - 20 + 16 + 1)
    # Half a year with 40 % of a year's entries: 1 - 0.75^0.4 each.
    half = replace(flow, periods=(Period(0.5, 20, share=0.4),))
    assert expected(half) == pytest.approx(96 + 4 * (1 - 0.75**0.4))
    losing = replace(flow, loss=Rate(0.1), periods=(Period(0.5, 20),))
    left = 0.9**0.5
    assert expected(losing) == pytest.approx(80 * left + 20 * left * 0.8 + 1)


# ------------------------------------------------------------------------------ right on average


def chances(n: int, seed: int = 5) -> np.ndarray:
    return rng(seed).beta(0.6, 4.0, n)


def flows() -> list[Flow]:
    two = (Period(0.5, 15, (8, 12, 9, 11), 0.4), Period(1.0, 30, (22, 28, 25, 25)))
    years = Flow(200, two, Rate(0.8), Rate(0.05))
    firms = replace(years, chances=chances(300), validity=3)
    unsure = replace(firms, shock=Shock(0.3))
    return [years, replace(years, shock=Shock(0.3)), firms, unsure]


@pytest.mark.parametrize("which", range(4))
def test_the_mean_is_the_expectation(which: int) -> None:
    flow = flows()[which]
    found = simulate(flow, None, rng(which), 20_000)
    error = float(found.samples.std()) / np.sqrt(len(found.samples))
    assert found.mean == pytest.approx(expected(flow), abs=5 * error)


def test_a_shock_keeps_every_chance() -> None:
    """Chances near one cannot rise much: the factor keeps the mean all the same."""
    for p in (0.02, 0.3, 0.9, 0.99):
        flow = Flow(0, (Period(1.0),), shock=Shock(0.25), chances=np.full(500, p))
        found = simulate(flow, None, rng(3), 20_000)
        error = float(found.samples.std()) / np.sqrt(20_000)
        assert found.mean == pytest.approx(500 * p, abs=5 * error)


def test_the_relative_spread_of_a_large_count_is_the_shock() -> None:
    flow = Flow(0, (Period(1.0),), shock=Shock(0.3), chances=np.full(20_000, 0.05))
    samples = simulate(flow, None, rng(2), 20_000).samples
    assert samples.std() / samples.mean() == pytest.approx(np.sqrt(exp(0.3**2) - 1), rel=0.05)


def test_groups_of_chances_change_nothing() -> None:
    """Beyond some hundred chances firms are drawn in groups: mean and spread stay."""
    p = chances(3_000)
    flow = Flow(0, (Period(1.0),), chances=p)
    samples = simulate(flow, None, rng(4), 20_000).samples
    assert samples.mean() == pytest.approx(p.sum(), rel=0.005)
    assert samples.std() == pytest.approx(np.sqrt((p * (1 - p)).sum()), rel=0.03)


# ------------------------------------------------------------------------------------- its width


def width(found: Forecast) -> float:
    return found.high - found.low


@pytest.mark.parametrize("which", [0, 2])
def test_a_shared_year_makes_the_interval_wider(which: int) -> None:
    flow = flows()[which]
    alone = simulate(replace(flow, shock=Shock(0.0)), None, rng(1))
    widths = [width(simulate(replace(flow, shock=Shock(s)), None, rng(1))) for s in (0.2, 0.5)]
    assert width(alone) < widths[0] < widths[1]


def test_less_evidence_makes_the_interval_wider() -> None:
    flow = replace(flows()[0], renewal=Rate(0.8, 1_000), loss=Rate(0.05, 1_000))
    vague = replace(flow, renewal=Rate(0.8, 5), loss=Rate(0.05, 20), shock=Shock(0.2, 2))
    sure = replace(flow, shock=Shock(0.2))
    assert width(simulate(vague, None, rng(1))) > 1.3 * width(simulate(sure, None, rng(1)))


def city(years: int, sd: float, trend: float, draw: np.random.Generator) -> tuple[Flow, int]:
    """A city with unknown level, renewal and loss: what its history tells, and how it goes on.

    A year's shock hits both of its halves; the half of the forecast is the second of a year.
    """
    rate = exp(draw.uniform(np.log(8), np.log(150)))
    renewal, loss = draw.uniform(0.65, 0.95), draw.uniform(0.005, 0.05)
    time = np.arange(years + 2) - (years - 1) / 2
    level = rate * np.exp(trend * time + sd * draw.standard_normal(years + 2) - sd**2 / 2)
    first, second = draw.poisson(level / 2), draw.poisson(level / 2)
    full, half = (first + second)[:years], second[:years]
    due, stock = (int(0.4 * rate), int(0.9 * rate)), int(4 * rate)
    shock = Shock(0.25, 2).after(full)
    middle = (years - 1) / 2
    periods = (
        Period(0.5, due[0], tuple(half), ahead=years - middle),
        Period(1.0, due[1], tuple(full), ahead=years + 1 - middle),
    )
    flow = Flow(
        stock,
        periods,
        Rate(0.8, 10).after(draw.binomial(80, renewal), 80),
        Rate(0.03, 30).after(draw.binomial(600, loss), 600),
        shock,
        trend=Trend.of(full, shock, 0.03),
    )
    alive = draw.binomial([*due, stock - sum(due)], [(1 - loss) ** t for t in (0.5, 1.5, 1.5)])
    truth = draw.binomial(alive[0], renewal * (1 - loss)) + draw.binomial(alive[1], renewal)
    truth += alive[2] + draw.binomial(second[years], 1 - loss) + first[-1] + second[-1]
    return flow, int(truth)


def covered(years: int, sd: float | None, trend: float, cities: int = 600) -> float:
    """The share of cities whose future lies in the interval; without ``sd`` it varies as the prior.

    With three years little is known of the shock but the prior.
    """
    draw, inside = rng(years), 0
    for _ in range(cities):
        own = exp(np.log(0.25) + 0.5 * draw.standard_normal()) if sd is None else sd
        flow, truth = city(years, own, trend * draw.standard_normal(), draw)
        found = simulate(flow, None, draw, 1_000)
        inside += bool(found.low <= truth <= found.high)
    return inside / cities


@pytest.mark.slow
@pytest.mark.parametrize("years", [3, 4, 6, 10])
@pytest.mark.parametrize("trend", [0.0, 0.03])
def test_nine_of_ten_histories_end_inside_the_interval(years: int, trend: float) -> None:
    assert 0.87 <= covered(years, None, trend) <= 0.945


@pytest.mark.slow
@pytest.mark.parametrize(("years", "sd", "low", "high"), [
    (3, 0.25, 0.89, 0.95), (6, 0.25, 0.89, 0.95), (10, 0.25, 0.89, 0.95),
    # Far from the prior a short history leaves the interval too wide or too narrow.
    (3, 0.1, 0.9, 0.99), (10, 0.1, 0.9, 0.975), (3, 0.4, 0.82, 0.94), (10, 0.4, 0.86, 0.94),
])  # fmt: skip
def test_a_shock_unlike_the_prior_is_learned_from_the_history(
    years: int, sd: float, low: float, high: float
) -> None:
    assert low <= covered(years, sd, 0.0) <= high


# ------------------------------------------------------------------------------------ districts


def split_flow(which: int) -> Flow:
    """A flow in three districts, one of them empty; the chances' firms belong to them in turn."""
    flow = flows()[which]
    due = [period.expiring for period in flow.periods]
    east = Part(flow.stock // 4, tuple(n // 3 for n in due), 30.0)
    west = Part(flow.stock - east.stock, tuple(n - n // 3 for n in due), 70.0)
    parts = {"东": east, "西": west, "空": Part(0)}
    n = 0 if flow.chances is None else len(flow.chances)
    return replace(flow, parts=parts, part=np.arange(n) % 2)


@pytest.mark.parametrize("which", range(4))
def test_districts_add_up_in_every_draw_and_change_nothing_of_the_city(which: int) -> None:
    flow = split_flow(which)
    found = simulate(flow, None, rng(which), 20_000)
    np.testing.assert_array_equal(sum(found.parts.values()), found.samples)
    whole = simulate(replace(flow, parts={}, part=None), None, rng(50 + which), 20_000)
    error = float(np.hypot(found.samples.std(), whole.samples.std())) / np.sqrt(20_000)
    assert found.mean == pytest.approx(expected(flow), abs=5 * error)
    assert found.samples.std() == pytest.approx(whole.samples.std(), rel=0.03)


def test_a_district_is_expected_to_do_as_its_own_firms_and_past_say() -> None:
    """By hand: what expires, what is renewed, whose chances, and the share of past entries."""
    past = Flow(40, (Period(1.0, 10, (20, 20)),), Rate(0.5),
                parts={"东": Part(30, (10,), 30.0), "西": Part(10, (0,), 10.0)})  # fmt: skip
    found = simulate(past, None, rng(1), 20_000).parts
    east = (30 + 30.5 / 42 + 0.27) / 41  # the share: entries seen, one entry spread by stock
    assert found["东"].mean() == pytest.approx(30 - 10 + 5 + 20 * east, abs=0.3)
    assert found["西"].mean() == pytest.approx(10 + 20 * (1 - east), abs=0.3)
    firms = replace(past, chances=np.array([0.5, 0.5, 1.0]), part=np.array([0, 0, 1]))
    found = simulate(firms, None, rng(2), 20_000).parts
    assert found["东"].mean() == pytest.approx(30 - 10 + 5 + 1.0, abs=0.1)
    assert found["西"].mean() == pytest.approx(10 + 1.0, abs=0.1)


def test_shares_are_as_uncertain_as_few_entries_leave_them() -> None:
    few, many = (shares([3.0 * k, 1.0 * k], [1.0, 1.0], rng(1), 20_000) for k in (1, 100))
    assert few.sum(axis=1) == pytest.approx(np.ones(20_000))
    assert few[:, 0].mean() == pytest.approx(3.5 / 5, abs=0.01)
    assert few[:, 0].std() > 5 * many[:, 0].std()


def test_districts_that_reach_their_number_are_counted() -> None:
    sure = Flow(5, (), parts={"东": Part(2), "西": Part(3), "南": Part(0)})
    found = reaching(sure, 2.0, rng(), 50)
    assert (found.mean, found.low, found.high, found.chance) == (2.0, 2.0, 2.0, 0.0)
    open_ = Flow(2, (Period(1.0, 0, (4, 4, 4)),),
                 parts={"东": Part(2, (), 0.0), "西": Part(0, (), 12.0)})  # fmt: skip
    found = reaching(open_, 2.0, rng(3), 20_000)
    assert found.parts["东"].min() == 1.0
    assert 0.8 < found.parts["西"].mean() < 1.0
    np.testing.assert_array_equal(sum(found.parts.values()), found.samples)


# ---------------------------------------------------------------------------------------- trend


def test_a_trend_goes_on_and_few_years_say_little_of_it() -> None:
    calm = Shock(0.05)
    growing = [float(round(100 * 1.2**t)) for t in range(8)]
    long = Trend.of(growing, calm, 0.05)
    short = Trend.of(growing[-3:], calm, 0.05)
    assert 0.12 < long.mean < np.log(1.2) + 0.01
    assert 0.0 < short.mean < long.mean
    assert short.sd > long.sd
    assert abs(Trend.of([50.0] * 8, calm, 0.05).mean) < 1e-9
    assert Trend.of(growing, calm, 0.0) == Trend(0.0, 0.0)
    assert Trend.of([100.0], calm, 0.05) == Trend(0.0, 0.05)


def test_the_mean_follows_the_trend() -> None:
    flow = Flow(0, (Period(1.0, 0, (80, 100, 120), ahead=2.0),), trend=Trend(0.1, 0.05))
    assert expected(flow) == pytest.approx(100 * exp(0.2))
    found = simulate(flow, None, rng(4), 40_000)
    error = float(found.samples.std()) / np.sqrt(40_000)
    assert found.mean == pytest.approx(expected(flow), abs=5 * error)


# --------------------------------------------------------------------------------- the estimates


def test_a_shrunken_rate_lies_between_prior_and_history() -> None:
    prior = Rate(0.8, 10)
    assert prior.after(0, 0) == prior
    assert prior.after(3, 10) == Rate(0.55, 20)
    assert Rate(0.8, 10).after(300, 1000).mean == pytest.approx(0.3, abs=0.01)


def test_a_short_history_says_little_of_the_shock_and_a_long_one_much() -> None:
    prior = Shock(0.25, 2)
    for nothing in ((), (10,), (0, 0, 0, 0, 0)):
        np.testing.assert_array_equal(prior.after(nothing).chances, prior.chances)
    wild, calm = (10, 90, 20, 70, 15, 80), (50, 51, 49, 50, 50, 50)
    assert prior.after(wild).typical > 1.5 * prior.typical
    assert prior.after(calm).typical < 0.7 * prior.typical
    assert prior.after(calm[:2]).typical > prior.after(calm).typical
    assert prior.chances.sum() == pytest.approx(1.0)


def test_a_long_history_finds_the_shock() -> None:
    draw = rng(12)
    for sd in (0.1, 0.3, 0.5):
        counts = draw.poisson(400 * np.exp(sd * draw.standard_normal(200) - sd**2 / 2))
        assert Shock(0.25, 2).after(counts).typical == pytest.approx(sd, rel=0.2)


def test_a_drawn_shock_is_spread_as_its_chances() -> None:
    for shock in (Shock(0.25, 2), Shock(0.25, 2).after((10, 90, 20))):
        drawn = shock.draw(rng(6), 40_000)
        assert np.sqrt((drawn**2).mean()) == pytest.approx(shock.typical, rel=0.02)


def test_what_never_happened_may_still_happen() -> None:
    flow = Flow(0, (Period(1.0, 0, (0, 0, 0, 0, 0)),))
    found = simulate(flow, 1.0, rng(1))
    assert found.low == 0
    assert 0 < (found.chance or 0.0) < 0.3


def test_firms_without_a_chance_are_left_out_and_counted_or_take_the_default() -> None:
    some = np.array([1.0, np.nan, np.nan, 0.0])
    flow = Flow(10, (Period(1.0),), chances=some)
    found = simulate(flow, None, rng(), 100)
    assert (found.mean, found.unknown) == (11.0, 2)
    assert expected(flow) == 11.0
    filled = simulate(replace(flow, default=1.0), None, rng(), 100)
    assert (filled.mean, filled.unknown) == (13.0, 0)


def test_nobody_enters_twice() -> None:
    flow = Flow(0, (Period(1.0),) * 5, shock=Shock(0.4), chances=np.full(50, 0.7))
    assert simulate(flow, None, rng(), 2_000).samples.max() <= 50


def test_the_same_randomness_gives_the_same_forecast() -> None:
    flow = flows()[3]
    one, two = (simulate(flow, 250.0, rng(9)) for _ in range(2))
    np.testing.assert_array_equal(one.samples, two.samples)
    assert one.chance == two.chance


# ------------------------------------------------------------------------------- yearly values


def test_a_straight_line_goes_on() -> None:
    assert drift([1.0, 3.0, 5.0, 7.0], 2.0, rng(), 100) == pytest.approx(np.full(100, 11.0))


def test_the_interval_of_a_drift_covers() -> None:
    draw, inside = rng(8), 0
    for _ in range(500):
        steps = draw.normal(2.0, 1.5, 8)
        values = 50 + np.cumsum(steps)
        found = summary(drift(list(values[:6]), 2.0, draw, 800), None)
        inside += bool(found.low <= values[7] <= found.high)
    assert 0.85 <= inside / 500 <= 0.95


def test_a_goal_may_be_to_fall() -> None:
    samples = np.array([0.8, 0.9, 1.1, 1.2])
    assert summary(samples, 1.0, at_most=True).chance == summary(samples, 1.0).chance == 0.5


def test_certainty_is_not_drawn() -> None:
    assert Rate(0.3, inf).draw(rng(), 3).tolist() == [0.3] * 3
    assert Shock(0.2, inf).draw(rng(), 3).tolist() == [0.2] * 3
