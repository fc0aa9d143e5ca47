"""Verdicts at every boundary, against tables derived by hand from the documents."""

from __future__ import annotations

from collections import Counter

import pytest
from policy_cases import Case, cases, outcome

ALL = cases()
LEAST = 60


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_case_comes_out_as_the_document_says(case: Case) -> None:
    tier, criteria = outcome(case)
    wanted = case.raw.get("criteria", {})
    assert {name: criteria[name] for name in wanted} == wanted
    assert tier == case.raw["tier"], criteria


def test_every_table_holds_enough_cases() -> None:
    assert ALL
    short = {name: n for name, n in Counter(case.file for case in ALL).items() if n < LEAST}
    assert not short, f"at least {LEAST} cases per tier and edition"


def test_the_names_of_cases_are_unique() -> None:
    twice = [name for name, n in Counter(f"{c.file}:{c.raw['name']}" for c in ALL).items() if n > 1]
    assert not twice
