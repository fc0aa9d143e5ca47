"""Targets as a whole: names behind figures, districts, deadlines, forecasts, a successor plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from plan_footing import footing_of
from plan_panels import EVERYTHING, panel_of
from plan_targets import (
    AFTER,
    DAY,
    TARGETS,
    Record,
    accounts,
    day,
    finding,
    found,
    giants,
    held,
    titled,
    whole_city,
)

from policy.plan.counting import ADDS_UP
from policy.plan.files import load_plans
from policy.plan.labels import WORDS
from policy.plan.outlook_history import Window, windows
from policy.plan.rows import Row
from policy.plan.targets import completion, names, target
from tidu.errors import DataError, NotAvailable


@pytest.mark.parametrize("row", TARGETS)
def test_every_figure_opens_its_names_and_districts_add_up(row: str) -> None:
    result = found(row, whole_city())
    assert result.measured is not None
    assert result.value is not None
    assert set(result.measured.city) <= set(WORDS)
    table = result.table.set_index("district")
    for figure, value in result.measured.city.items():
        listed = names(result, figure)
        counts = result.measured.records[result.measured.behind[figure]].sum()
        assert len(listed) == counts
        if figure in ("weighted", "mean") or "_" in figure or value is None:
            continue
        if result.unit[0] == "家" or figure in ("firms", "reached", "no_data"):
            assert len(listed) == value, figure
            parts = [names(result, figure, place) for place in result.measured.districts.index]
            assert sorted(n for part in parts for n in part) == sorted(listed)
            assert table.loc[["甲", "乙", "丙"], figure].sum() == value
            assert [float(len(p)) for p in parts] == result.measured.districts[figure].tolist()


@pytest.mark.parametrize("row", TARGETS)
def test_before_the_deadline_there_is_a_forecast_and_after_it_never(row: str) -> None:
    before = found(row, whole_city(), rng=np.random.default_rng(1))
    assert not before.past
    if row not in ("D6", "D19"):  # members and fees have no history of whole years here
        assert before.forecast is not None
        low, mean, high = (before.totals[n] for n in ("forecast_low", "forecast", "forecast_high"))
        assert low is not None
        assert mean is not None
        assert high is not None
        # The mean of what is rare may lie above nineteen of twenty futures.
        assert low <= float(np.median(before.forecast.samples)) <= high
        assert 0.0 <= (before.forecast.chance or 0.0) <= 1.0
        assert "forecast_year_shock_pct" in before.parameters
    after = found(row, whole_city(AFTER), rng=np.random.default_rng(1))
    assert after.past
    assert after.forecast is None
    assert "forecast" not in after.totals
    assert after.day == date(2025, 12, 31)
    assert after.value is not None
    assert any("期末完成值" in note.zh for note in after.notes)


def test_the_final_value_speaks_of_the_deadline() -> None:
    """What came, ended or was revoked after the deadline changes nothing."""
    titles = [
        titled("A", "little_giant", "2023-05-01"),
        titled("B", "little_giant", "2023-05-01", revoked_on="2026-01-05"),
        titled("C", "little_giant", "2026-01-05"),
        titled("D", "little_giant", "2022-12-31"),
        titled("E", "little_giant", "2022-12-30"),
        titled("F", "little_giant", "2023-05-01"),
    ]
    firms: list[Record] = [{"firm_id": f} for f in "ABCDEF"]
    firms[5]["city_out_on"] = day("2026-02-01")
    panel = panel_of(AFTER, {"firms": firms, "titles": titles})
    result = found("G4", panel)
    assert "".join(names(result, "value")) == "ABDF"
    assert (result.value, result.completion_pct, result.remaining) == (4.0, 4.0, 96.0)
    assert result.deadline == result.day == date(2025, 12, 31)
    on_the_day = found("G4", panel_of(date(2025, 12, 31), {"firms": firms, "titles": titles}))
    assert not on_the_day.past
    assert on_the_day.value == 4.0


def test_a_yearly_target_past_the_horizon_shows_the_plans_last_year() -> None:
    activities = [
        held("listing_training", "甲", "2025-05-01", firms_attending=70),
        held("listing_training", "甲", "2026-05-01", firms_attending=900),
    ]
    result = found("D10", panel_of(AFTER, {"activities": activities}))
    assert (result.value, result.deadline) == (70.0, date(2025, 12, 31))


def test_accounts_of_the_horizons_own_year_count_for_it() -> None:
    firms = [{"firm_id": "A", "district": "甲"}]
    titles = [titled("A", "srdi_municipal", "2023-05-01")]
    annual = [accounts("A", 2025, class1_ip_self=2), accounts("A", 2024, class1_ip_self=0)]
    tables = {"firms": firms, "titles": titles, "annual": annual}
    assert found("G14", panel_of(AFTER, tables)).value == 1.0
    assert found("G14", panel_of(date(2025, 6, 30), tables)).value == 0.0


@pytest.mark.parametrize("row", TARGETS)
def test_what_is_expected_of_the_districts_adds_up_to_the_city(row: str) -> None:
    result = found(row, whole_city(), rng=np.random.default_rng(1))
    if result.forecast is None:
        return
    parts = result.forecast.parts
    city, *places = result.table.to_dict("records")
    assert city["forecast"] == result.forecast.mean
    known = [line for line in places if not np.isnan(line["forecast"])]
    assert {line["district"] for line in known} == set(parts)
    if load_plans()["2025"].row(row).form in ADDS_UP:
        assert sum(parts.values()) == pytest.approx(result.forecast.samples)
        assert sum(line["forecast"] for line in known) == pytest.approx(city["forecast"])
    for line in known:
        assert line["forecast_low"] <= line["forecast_high"]
        assert np.isnan(line["chance_of_goal"]) == np.isnan(line["task"])


def test_a_district_s_task_has_a_chance_of_its_own() -> None:
    tasks = {"G1": {"甲": 0.0, "乙": 1e6}}
    result = found("G1", whole_city(), rng=np.random.default_rng(1), tasks=tasks)
    chance = result.table.set_index("district")["chance_of_goal"]
    assert (chance["甲"], chance["乙"]) == (1.0, 0.0)
    assert np.isnan(chance["丙"])


def test_districts_that_will_hold_enough_are_expected_by_their_own_past() -> None:
    """甲 has held both this year, 乙 holds one each autumn and lacks two, 丙 never held any."""
    autumn = [held("exchange", "乙", f"{y}-10-01", events_held=1) for y in range(2018, 2024)]
    spring = [held("exchange", "甲", f"{y}-04-01", events_held=2) for y in range(2018, 2025)]
    firms = [{"firm_id": place, "district": place} for place in "甲乙丙"]
    panel = panel_of(DAY, {"firms": firms, "activities": [*autumn, *spring]})
    result = found("K7", panel, rng=np.random.default_rng(1))
    assert result.forecast is not None
    means = {place: float(samples.mean()) for place, samples in result.forecast.parts.items()}
    # One a year is a Poisson count: two come once in four years.
    assert means["甲"] == 1.0
    assert 0.0 < means["丙"] < 0.05 < 0.15 < means["乙"] < 0.35
    assert result.totals["chance_of_goal"] == pytest.approx(0.0, abs=0.02)
    late = found("K7", panel_of(date(2024, 12, 31), {"firms": firms, "activities": spring}),
                 rng=np.random.default_rng(1))  # fmt: skip
    assert late.totals["forecast"] == late.value == 1.0


def test_members_of_a_pool_come_as_in_the_past_and_stay_while_their_finding_is_valid() -> None:
    """Four a year for three years; two of the twelve end by date, none is renewed or lost."""
    firms = [{"firm_id": f"P{i:02d}", "district": "甲乙"[i % 2]} for i in range(12)]
    ends = {0: date(2024, 12, 31), 1: date(2025, 6, 30)}
    findings = [
        finding(f"P{i:02d}", "pool:listing_reserve", attested_on=date(2021 + i // 4, 3, 1),
                valid_until=ends.get(i), batch=f"{2021 + i // 4}") for i in range(12)
    ]  # fmt: skip
    titles = [titled(f["firm_id"], "srdi_municipal", "2022-05-01") for f in firms]
    tables = {"firms": firms, "titles": titles, "attestations": findings}
    sure = {
        "renewal_prior_weight": 1e9, "renewal_prior_pct": 0, "loss_prior_weight": 1e9,
        "loss_prior_pct": 0, "forecast_trend_prior_pct": 0,
    }  # fmt: skip
    panel = panel_of(date(2023, 12, 31), tables)
    result = found("D6", panel, rng=np.random.default_rng(1), parameters=sure)
    assert result.value == 12.0
    # Records begin in the spring of 2021: two whole years of four, two years ahead.
    assert result.totals["forecast"] == pytest.approx(12 - 2 + 2 * 4, abs=0.3)
    assert result.forecast is not None
    assert set(result.forecast.parts) == {"甲", "乙"}
    young = panel_of(date(2021, 12, 31), tables)
    assert found("D6", young, rng=np.random.default_rng(1)).forecast is None


def test_a_forecast_knows_what_expires_and_what_comes() -> None:
    """Five a year for five years, each valid three, all renewed or none: the stock says which."""
    titles = []
    for year in range(2019, 2024):
        for i in range(5):
            firm = f"{year}{i}"
            titles.append(titled(firm, "little_giant", f"{year}-03-01"))
            if year < 2021:
                again = titled(firm, "little_giant", f"{year + 3}-03-01", purpose="review")
                titles.append(again)
    firms = [{"firm_id": t["firm_id"]} for t in titles if t["purpose"] == "new"]
    panel = panel_of(date(2023, 12, 31), {"firms": firms, "titles": titles})
    sure = {"renewal_prior_weight": 0, "loss_prior_weight": 1e9, "loss_prior_pct": 0}
    result = found("G4", panel, rng=np.random.default_rng(1), parameters=sure)
    assert result.value == 25.0
    # All ten that could be renewed were; two years bring about five each.
    assert result.totals["forecast"] == pytest.approx(35.0, abs=0.5)
    low, high = result.totals["forecast_low"], result.totals["forecast_high"]
    assert low is not None
    assert high is not None
    assert 25 <= low <= 35 <= high <= 47


def test_chances_of_a_model_take_the_place_of_history() -> None:
    titles = [titled("A", "little_giant", "2023-05-01")]
    firms = [{"firm_id": f} for f in "ABCD"]
    panel = panel_of(date(2024, 12, 31), {"firms": firms, "titles": titles})
    sure = {
        "renewal_prior_weight": 1e9, "renewal_prior_pct": 100, "loss_prior_weight": 1e9,
        "loss_prior_pct": 0, "forecast_year_shock_pct": 0,
    }  # fmt: skip
    chances = {"G4": np.array([0.5, 1.0, 0.0, 1.0])}  # A is in already
    result = found("G4", panel, rng=np.random.default_rng(1), parameters=sure, chances=chances)
    assert result.totals["forecast"] == pytest.approx(3.0, abs=0.01)


def test_a_successor_plan_is_data(tmp_path: Any) -> None:
    folder = tmp_path / "next"
    folder.mkdir()
    (folder / "plan.toml").write_text(
        'id = "2028"\nzh = "后续方案"\nen = "Next"\ndocument = "后续方案"\nhorizon = 2028-12-31\n'
        "starts_on = 2026-01-01\nbasis = 'cumulative'\n",
        encoding="utf-8",
    )
    (folder / "goals.toml").write_text(
        '[[rows]]\nid = "T1"\nzh = "小巨人"\nen = "Giants"\nquote = "q"\nscope = "nat"\n'
        'kind = "target"\nnumbers = { goal = 150 }\n[rows.target]\nform = "titles"\n'
        'unit_zh = "家"\nunit_en = "firms"\ntiers = ["little_giant"]\n',
        encoding="utf-8",
    )
    plan = load_plans(tmp_path)["2028"]
    panel = panel_of(
        AFTER, {"firms": [{"firm_id": "A"}], "titles": [titled("A", "little_giant", "2021-05-01")]}
    )
    result = target(plan.row("T1"), footing_of(panel, plan=plan))
    assert (result.value, result.goal, result.deadline) == (1.0, 150.0, date(2028, 12, 31))
    assert not result.past


def test_completion() -> None:
    assert completion(None, 5.0) is None
    assert completion(5.0, None) is None
    assert completion(7.0, 5.0) == 140.0
    assert completion(2.0, 1.0, at_most=True) == 50.0
    assert completion(0.0, 1.0, at_most=True) == 100.0


def test_windows_are_parts_of_calendar_years_that_meet() -> None:
    parts = windows(date(2023, 12, 31), date(2026, 6, 30))
    assert [w.end for w in parts] == [date(2024, 12, 31), date(2025, 12, 31), date(2026, 6, 30)]
    assert sum(w.length for w in parts) == pytest.approx(2.5, abs=0.01)
    assert windows(DAY, DAY) == ()
    leap = Window(date(2024, 2, 29), date(2024, 12, 31)).in_year(2023)
    assert leap == Window(date(2023, 2, 28), date(2023, 12, 31))


def test_a_parameter_that_nobody_decided_stops_the_figure_that_needs_it() -> None:
    with pytest.raises(NotAvailable, match="target_basis must be decided"):
        found("G4", giants(), parameters={"target_basis": None})


def test_an_unknown_form_is_refused() -> None:
    footing = footing_of(giants())
    row = footing.plan.row("G4")
    strange: Row = replace(row, details={"target": {**row.detail, "form": "guess"}})
    with pytest.raises(DataError, match="form of target G4 must be one of"):
        target(strange, footing)


def test_everything_is_covered_in_these_panels_unless_said() -> None:
    assert "title:little_giant" in EVERYTHING
