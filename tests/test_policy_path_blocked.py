"""What stands in the way of a path: what blocks it, what takes too long, what a panel ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from path_bounds import DAY, LAW, NUL, asked, giant, names
from plan_panels import panel_of

from policy.law import Batch
from policy.path.finding import paths
from policy.situation import Situation
from tidu.errors import NotFound


@pytest.mark.parametrize(
    ("column", "value", "criterion"),
    [
        ("open(abnormal_list)", 1, "not_abnormal"),
        ("held(srdi_provincial)", 0, "lower_title"),
        ("prohibited_product", 1, "permitted_product"),
        ("held(single_champion)", 1, "not_champion"),
    ],
)
def test_what_the_firm_cannot_change_blocks(column: str, value: float, criterion: str) -> None:
    path = giant(**{column: value}).of(0)
    assert path.status == "blocked"
    assert names(path.blocked) == {criterion}
    assert path.blocked[0].until is None
    assert path.changes == ()


def test_years_in_the_niche_come_by_time_and_say_when() -> None:
    path = giant(years_in_niche=2).of(0)
    assert (path.status, path.batch_year) == ("reachable", 2027)
    assert names(path.by_time) == {"niche_years"}
    assert path.by_time[0].until == date(2026, 12, 31)
    late = giant(years_in_niche=0).of(0)
    assert late.status == "blocked"
    assert [(names([e]), e.until) for e in late.blocked] == [({"niche_years"}, date(2028, 12, 31))]


def test_what_takes_longer_than_two_years_is_an_answer() -> None:
    path = giant(srdi_platform_score=45).of(0)  # five points a year
    assert path.status == "not_within_two_years"
    assert names(path.short) == {"platform_score"}
    assert path.changes == ()


def test_each_alone_but_not_together_names_all_that_are_open() -> None:
    """Growing out of the SMEs is no path: 1200 staff, and 40000 of revenue is large."""
    figures = {
        "revenue": 39_000, "revenue[-1]": 39_000, "revenue[-2]": 39_000, "main_revenue": 39_000,
        "rd_expense": 2_000, "rd_expense[-1]": 2_000, "employees": 1_200, "size_industry()": 1,
    }  # fmt: skip
    path = giant(**figures).of(0)
    assert path.status == "not_within_two_years"
    assert names(path.short) == {"revenue_growth"}
    smaller = giant(**{**figures, "employees": 900}).of(0)
    assert smaller.status == "reachable"


def test_without_any_figure_nothing_is_claimed() -> None:
    firm = giant()
    empty = {name: np.array([NUL]) for name in firm.now.columns}
    stages = tuple(
        replace(s, inputs=replace(s.inputs, columns=empty, findings={})) for s in firm.stages
    )
    path = replace(firm, stages=stages).of(0)
    assert (path.status, path.batch_year, path.changes) == ("unknown", None, ())
    assert path.pending


def test_a_batch_that_has_closed_is_no_coming_batch() -> None:
    closed = Batch("little_giant", 2026, "new", date(2026, 4, 25), 2025, "", date(2026, 4, 25),
                   date(2026, 5, 25))  # fmt: skip
    path = giant(law=replace(LAW, batches=(closed,))).of(0)
    assert path.batch_year == 2027
    assert set(asked(path)) == {"main_revenue"}  # growth goes on


def test_the_last_batch_of_an_edition_that_has_closed_leads_nowhere() -> None:
    """Key little giants were chosen from 2024 to 2026; the last selection ended in March 2026."""
    last = Batch("key_little_giant", 2026, "new", date(2026, 2, 9), 2025, "", date(2026, 2, 9),
                 date(2026, 3, 6))  # fmt: skip
    panel = panel_of(DAY, {"firms": [{"firm_id": "A"}]})
    with pytest.raises(NotFound, match="No batch for 'key_little_giant'"):
        paths(Situation(replace(LAW, batches=(last,)), panel), "key_little_giant")
    assert paths(Situation(LAW, panel), "key_little_giant").of(0).status == "blocked"


def city(**tables: Any) -> Situation:
    year = {
        "firm_id": "A", "revenue": 3000, "main_revenue": 2900, "rd_expense": 150,
        "total_assets": 5000, "total_liabilities": 2000, "net_assets": 3000, "employees": 60,
        "class1_ip": 3, "class1_ip_self": 3, "class1_ip_top3_owner": 3,
        "class1_ip_effective": 0, "years_in_niche": 5, "srdi_platform_score": 55,
        "st_award_level": "none", "rd_institution_level": "none",
    }  # fmt: skip
    base = {
        "firms": [{"firm_id": "A", "registered_in_city": 1, "prohibited_product": 0,
                   "industry_300": "industry"}],
        "annual": [{**year, "year": y} for y in (2022, 2023, 2024, 2025)],
        "titles": [{"firm_id": "A", "tier": "innovative_sme", "issued_on": date(2025, 1, 1)}],
    }  # fmt: skip
    return Situation(LAW, panel_of(DAY, base | tables))


def test_a_panel_gives_paths_and_the_days_on_which_events_end() -> None:
    path = paths(city(), "srdi_provincial").of(0)
    assert (path.status, path.batch_year) == ("reachable", 2027)
    assert asked(path) == {"class1_ip_effective": (0, 1)}
    assert names(path.pending) == {"niche_position"}

    fraud = {"firm_id": "A", "kind": "data_fraud", "on": date(2026, 5, 10)}
    path = paths(city(events=[fraud]), "srdi_provincial").of(0)
    assert path.status == "blocked"
    assert [(names([e]), e.until) for e in path.blocked] == [
        ({"no_data_fraud_3y"}, date(2029, 5, 10))
    ]
    old = {**fraud, "on": date(2024, 3, 1)}  # gone by June 2027
    path = paths(city(events=[old]), "srdi_provincial").of(0)
    assert (path.status, path.batch_year) == ("reachable", 2027)
    assert [(names([e]), e.until) for e in path.by_time] == [
        ({"no_data_fraud_3y"}, date(2027, 3, 1))
    ]


def test_a_bar_ends_the_day_after_its_last() -> None:
    title = {"firm_id": "A", "tier": "innovative_sme", "issued_on": date(2025, 1, 1)}
    for last, status in ((date(2027, 6, 29), "reachable"), (date(2029, 6, 30), "blocked")):
        rows = [{**title, "ban_until": last}]
        path = paths(city(titles=rows), "srdi_provincial").of(0)
        assert path.status == status
        listed = path.by_time if status == "reachable" else path.blocked
        assert [e.until for e in listed] == [date.fromordinal(last.toordinal() + 1)]


def test_an_accident_of_last_year_or_this_stands_until_the_second_new_year() -> None:
    accident = {"firm_id": "A", "kind": "accident_major", "on": date(2026, 5, 10)}
    high_tech = {"firm_id": "A", "tier": "high_tech", "issued_on": date(2025, 1, 1)}
    path = paths(city(events=[accident], titles=[high_tech]), "tech_sme").of(0)
    assert (path.status, path.batch_year) == ("reachable", 2028)
    assert [(names([e]), e.until) for e in path.by_time] == [
        ({"no_major_accident"}, date(2028, 1, 1))
    ]


def test_closed_years_are_the_panels_own() -> None:
    prepared = paths(city(), "srdi_provincial")
    later = prepared.stages[-1].inputs.columns
    assert later["revenue[-2]"][0] == prepared.now.columns["revenue"][0]
    assert prepared.stages[-1].inputs.data_year == 2027
