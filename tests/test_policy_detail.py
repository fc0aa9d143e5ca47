"""A verdict in full: what is shown agrees with the verdict, and the gaps that are shown close."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from policy_cases import Case, asked, cases

from policy.detail import detail
from policy.logic import NAMES
from policy.metrics import column_of
from policy.values import Values
from policy.verdict import judge

ALL = cases()
SIGNED = {"≥": 1, ">": 1, "≤": -1, "<": -1}


def shown(case: Case) -> dict[str, Any]:
    edition, values, purpose = asked(case)
    return detail(edition, values, 0, purpose)


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {criterion["id"]: criterion for criterion in found["criteria"]}


FILES = sorted({case.file for case in ALL})


@pytest.mark.parametrize("file", FILES)
def test_what_is_shown_agrees_with_the_verdict(file: str) -> None:
    for case in (case for case in ALL if case.file == file):
        agrees(case)


def agrees(case: Case) -> None:
    edition, values, purpose = asked(case)
    verdict, found = judge(edition, values, purpose), shown(case)
    assert found["status"] == NAMES[verdict.status[0]]
    assert [c["status"] for c in found["criteria"]] == [NAMES[s] for s in verdict.criteria[0]]
    for criterion in found["criteria"]:
        assert criterion["zh"]
        assert criterion["en"]
        assert criterion["clause"]
        assert criterion["document"]

    metrics = values.law.metrics
    for part in (part for criterion in found["criteria"] for part in criterion["parts"]):
        if part.get("gap"):
            assert part["gap"] * SIGNED[part["operator"]] > 0, part
            if "metric" in part:  # no gap asks to make worse
                assert part["gap"] * metrics[part["metric"]].direction >= 0, part


def test_a_shown_gap_closes_the_criterion() -> None:
    """Adding the gap to a column that a criterion tests alone turns it to met."""
    closed = 0
    for case in ALL:
        if "unmet" not in case.raw.get("criteria", {}).values():
            continue
        edition, values, purpose = asked(case)
        every = by_name(shown(case))
        for at, criterion in enumerate(edition.criteria):
            found = every[criterion.id]
            name = getattr(criterion.test, "metric", "")
            if found["status"] != "unmet" or not found["gap"] or column_of(name) is None:
                continue
            columns = {**values.inputs.columns}
            if name not in columns:
                continue
            columns[name] = columns[name] + found["gap"]
            after = Values(values.law, replace(values.inputs, columns=columns))
            assert NAMES[judge(edition, after, purpose).criteria[0, at]] == "met", (case, found)
            closed += 1
    assert closed >= 5


def test_a_way_that_is_not_open_shows_no_gap() -> None:
    """Above 5000 the route of small firms is closed; nobody is told to lower revenue."""
    (case,) = [
        c for c in ALL
        if c.file == "little_giant_2022" and c.raw.get("criteria", {}).get("innovation") == "unmet"
        and c.raw.get("set", {}).get("revenue", 0) >= 10_000
    ][:1]  # fmt: skip
    parts = by_name(shown(case))["innovation"]["parts"]
    below = [p for p in parts if p.get("metric") == "revenue" and p["operator"] == "<"]
    assert below
    assert all(p["gap"] in (None, 0.0) for p in below)
    ratios = [p for p in parts if p.get("unit") == "%" and p["status"] == "unmet"]
    assert any(p["gap"] and p["gap"] > 0 for p in ratios)


def test_unknown_shows_neither_value_nor_gap() -> None:
    seen = 0
    for case in {case.file: case for case in ALL}.values():
        edition, values, purpose = asked(case)
        nothing = {name: np.full(1, np.nan) for name in values.inputs.columns}
        blank = Values(values.law, replace(values.inputs, columns=nothing, findings={}))
        found = detail(edition, blank, 0, purpose)["criteria"]
        lines = found + [part for criterion in found for part in criterion["parts"]]
        for line in (line for line in lines if line["status"] == "unknown"):
            assert line.get("value") is None, line
            assert line.get("gap") is None or "score" in line, line
            seen += 1
    assert seen > 200


def test_what_a_criterion_limits_by_itself_shows_by_how_much_it_is_passed() -> None:
    (case,) = [
        c for c in ALL
        if c.file == "tech_sme_2017" and c.raw.get("criteria", {}).get("employees") == "unmet"
    ][:1]  # fmt: skip
    found = by_name(shown(case))["employees"]
    assert found["gap"] == 500 - case.raw["set"]["employees"]


def test_no_way_for_young_firms_asks_an_old_one_to_grow_younger() -> None:
    (case,) = [
        c for c in ALL
        if c.file == "potential_unicorn_city"
        and c.raw["name"] == "valuation missing, nine years and a day: no band is left"
    ]  # fmt: skip
    parts = by_name(shown(case))["age_and_valuation"]["parts"]
    ages = [part for part in parts if part.get("metric") == "age_years"]
    assert [part["status"] for part in ages] == ["unmet", "unmet"]
    assert [part["gap"] for part in ages] == [None, None]
