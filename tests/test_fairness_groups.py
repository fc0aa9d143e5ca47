"""The groups of fairness checks: read off a panel, unknown where nothing is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from plan_panels import panel_of

from model.fairness_groups import DIMENSIONS, dimensions, groups_of

DAY = date(2025, 6, 30)
INDUSTRY = {"industry_300": "industry", "industry_gb4754": "3484"}


def groups(firm: dict[str, object], accounts: dict[str, object] | None = None) -> dict[str, str]:
    tables: dict[str, list[dict[str, object]]] = {"firms": [{"firm_id": "F1", **firm}]}
    if accounts is not None:
        tables["annual"] = [{"firm_id": "F1", "year": 2024, **accounts}]
    found = groups_of(panel_of(DAY, tables), np.array(["F1"], dtype=object))
    return {name: str(values[0]) for name, values in found.items()}


def test_every_dimension_is_answered() -> None:
    assert tuple(dimensions()) == DIMENSIONS
    assert tuple(groups({})) == DIMENSIONS


def test_what_is_not_known_is_no_group() -> None:
    assert set(groups({}).values()) == {""}


@pytest.mark.parametrize(
    ("founded", "band"),
    [
        (date(2025, 6, 30), "0–4"),
        (date(2020, 7, 2), "0–4"),
        (date(2020, 6, 28), "5–9"),
        (date(2015, 6, 28), "10–19"),
        (date(2005, 6, 28), "≥20"),
        (date(1950, 1, 1), "≥20"),
    ],
)
def test_age_is_counted_to_the_day(founded: date, band: str) -> None:
    assert groups({"founded_on": founded})["age"] == band


@pytest.mark.parametrize(
    ("accounts", "size"),
    [
        ({"employees": 10, "revenue": 100}, "micro"),
        ({"employees": 100, "revenue": 1_000}, "small"),
        ({"employees": 500, "revenue": 10_000}, "medium"),
        ({"employees": 2_000, "revenue": 60_000}, "large"),
        # Twenty people and unknown revenue may be micro or small; with few people it is micro.
        ({"employees": 100}, ""),
        ({"employees": 10}, "micro"),
        ({}, ""),
    ],
)
def test_size_is_the_class_of_the_law_where_one_alone_is_left(
    accounts: dict[str, object], size: str
) -> None:
    assert groups(INDUSTRY, accounts)["size"] == size


def test_district_and_ownership_are_as_given() -> None:
    found = groups({"district": "临澜区", "ownership": "民营"})
    assert (found["district"], found["ownership"]) == ("临澜区", "民营")


def test_groups_follow_the_firms_asked_for() -> None:
    firms = [{"firm_id": f"F{i}", "district": f"D{i}", **INDUSTRY} for i in range(4)]
    accounts = [
        {"firm_id": "F2", "year": 2024, "employees": 2_000, "revenue": 60_000},
        {"firm_id": "F3", "year": 2024, "employees": 5, "revenue": 60},
    ]
    panel = panel_of(DAY, {"firms": firms, "annual": accounts})
    found = groups_of(panel, np.array(["F3", "F2"], dtype=object))
    assert list(found["district"]) == ["D3", "D2"]
    assert list(found["size"]) == ["micro", "large"]
