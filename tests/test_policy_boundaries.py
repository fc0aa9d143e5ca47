"""Verdicts at every boundary, against tables derived by hand from the documents."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from oracle_mutants import unseen
from policy_cases import Case, asked, cases, outcome, table

from policy.loading import standing
from policy.logic import MANUAL
from policy.values import Inputs, Values

ALL = cases()
LEAST = 60

# Tables in which some number could be moved by its least step and no case would show it; the ladder
# and technology SMEs are held to every number by the second reading (test_policy_oracle).
BLUNT = {
    "gem_2023", "gem_2024", "gem_2026", "little_giant_2022", "main_2024", "neeq_base_2023",
    "neeq_innov_at_quotation_2023", "regional_cultivation_proxy", "srdi_municipal",
    "srdi_provincial_2022", "tech_sme_2017",
}  # fmt: skip


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


def together(file: str) -> Inputs:
    """The firms of all cases of a table, each on the table's own day."""
    firms = [asked(case)[1].inputs for case in ALL if case.file == file]
    names = {name for firm in firms for name in firm.columns}
    found = {name for firm in firms for name in firm.findings}
    whole = table(file)
    return Inputs(
        np.array([f"F{i:03d}" for i in range(len(firms))], dtype=object),
        whole["day"],
        int(whole.get("data_year", whole["day"].year - 1)),
        {n: np.concatenate([firm.columns.get(n, [np.nan]) for firm in firms]) for n in names},
        {n: np.concatenate([f.findings.get(n, [MANUAL]) for f in firms]) for n in found},
    )


@pytest.mark.parametrize("file", sorted({case.file for case in ALL} - BLUNT))
def test_a_number_moved_by_its_least_step_shows_in_some_case(file: str) -> None:
    law, edition = standing(), standing().edition(table(file)["edition"])
    assert not unseen(law, edition, Values(law, together(file)), ("new", "review"))
