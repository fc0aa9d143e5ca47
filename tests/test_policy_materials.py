"""Papers on file: held, out of date or missing, against the rule read aloud firm by firm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_rows import DAY, PLACE, T, paper
from plan_panels import panel_of

from policy.papers.filed import filed
from policy.papers.materials import STATES, Materials, Need, Terms, assess
from tidu.clock import add_months

# ------------------------------------------------------------------- an oracle, firm by firm


@dataclass(frozen=True)
class Sheet:
    """One paper in the hand of a firm."""

    firm: str
    paper: str
    issued: date
    until: date | None
    year: int | None


def out_of_date(sheet: Sheet, months: int | None, day: date) -> bool:
    return (sheet.until is not None and sheet.until < day) or (
        months is not None and add_months(sheet.issued, months) <= day
    )


def slowly(sheets: Sequence[Sheet], need: Need, months: int | None, day: date) -> str:
    """Read the rule of the papers aloud for the sheets of one firm."""
    mine = [s for s in sheets if s.paper == need.paper.id and s.issued <= day]
    valid = [s for s in mine if not out_of_date(s, months, day)]
    if not need.lags:
        return "held" if valid else "expired" if mine else "missing"
    answers = set()
    if need.paper.fiscal_year == "any":
        if any(s.year in {T - lag for lag in need.lags} for s in valid):
            return "held"
        return "expired" if any(s.year is not None for s in mine) else "missing"
    for lag in need.lags:
        if any(s.year == T - lag for s in valid):
            answers.add("held")
        elif any(_near(s.year, T - lag, newest=lag == min(need.lags)) for s in mine):
            answers.add("expired")
        else:
            answers.add("missing")
    return next(name for name in ("missing", "expired", "held") if name in answers)


def _near(year: int | None, wanted: int, *, newest: bool) -> bool:
    return year == wanted or (newest and year is not None)


NEEDS = (
    Need(paper("audit_report", fiscal_year="each"), (PLACE,), (0, 1, 2)),
    Need(paper("tax_returns", fiscal_year="each"), (PLACE,), (1,)),
    Need(paper("platform_score_notice", fiscal_year="any"), (PLACE,), (0, 1)),
    Need(paper("niche_statement", fiscal_year="newest"), (PLACE,), (0,)),
    Need(paper("valuation_report", valid_months=12), (PLACE,)),
    Need(paper("brand_proof"), (PLACE,)),
    Need(paper("credit_china_report", months_parameter="months"), (PLACE,)),
)
near = st.integers(-800, 5).map(lambda days: DAY + timedelta(days=days))
ends = st.none() | st.integers(-3, 400).map(lambda days: DAY + timedelta(days=days))
sheets = st.lists(
    st.builds(
        Sheet,
        st.sampled_from("ABC"),
        st.sampled_from([need.paper.id for need in NEEDS]),
        near,
        ends,
        st.none() | st.integers(T - 4, T + 1),
    ),
    max_size=14,
    unique_by=lambda s: (s.firm, s.paper, s.issued),
)


def seen(
    rows: Sequence[Sheet], needs: Sequence[Need] = NEEDS, months: int | None = 3, day: date = DAY
) -> Materials:
    firms = [{"firm_id": f} for f in "ABC"]
    held = [
        {
            "firm_id": s.firm, "paper": s.paper, "issued_on": s.issued,
            "valid_until": s.until, "fiscal_year": s.year, "document": "文1", "issuer": "甲",
        }
        for s in rows
    ]  # fmt: skip
    panel = panel_of(date(2026, 6, 1), {"firms": firms, "materials": held})
    papers = {need.paper.id: need.paper for need in needs}
    on_file = filed(panel, panel.firm_ids, papers, lambda *_: frozenset())
    return assess(panel.firm_ids, needs, on_file, Terms(day, T, {"months": months}))


@settings(max_examples=150, deadline=None)
@given(sheets, st.none() | st.integers(1, 24))
def test_the_arrays_say_what_the_rule_read_aloud_says(
    rows: list[Sheet], months: int | None
) -> None:
    found = seen(rows, months=months)
    for i, firm in enumerate(found.firm_ids):
        own = [s for s in rows if s.firm == firm]
        detail = {item["paper"]: item for item in found.detail(i)}
        for j, need in enumerate(NEEDS):
            expected = slowly(own, need, need.paper.months({"months": months}), DAY)
            assert STATES[found.states[i, j]] == expected, (firm, need.paper.id)
            assert detail[need.paper.id]["state"] == expected


@settings(max_examples=50, deadline=None)
@given(sheets, sheets)
def test_a_further_paper_never_makes_anything_worse(one: list[Sheet], more: list[Sheet]) -> None:
    known = {(s.firm, s.paper, s.issued) for s in one}
    both = one + [s for s in more if (s.firm, s.paper, s.issued) not in known]
    assert (seen(both).states >= seen(one).states).all()


# ------------------------------------------------------------------------- the day it ends


def state(rows: Sequence[Sheet], need: Need, day: date, **more: Any) -> str:
    return STATES[seen(rows, (need,), day=day, **more).states[0, 0]]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 30), "held"),
        (date(2026, 3, 31), "held"),
        (date(2026, 4, 1), "expired"),
    ],
)
def test_a_printed_last_day_still_counts(day: date, expected: str) -> None:
    row = Sheet("A", "brand_proof", date(2023, 4, 1), date(2026, 3, 31), None)
    assert state([row], NEEDS[5], day) == expected


@pytest.mark.parametrize(
    ("issued", "months", "day", "expected"),
    [
        (date(2025, 4, 10), 12, date(2026, 4, 9), "held"),
        (date(2025, 4, 10), 12, date(2026, 4, 10), "expired"),
        (date(2025, 4, 10), 12, date(2026, 4, 11), "expired"),
        (date(2026, 1, 31), 1, date(2026, 2, 27), "held"),
        (date(2026, 1, 31), 1, date(2026, 2, 28), "expired"),
        (date(2026, 4, 11), 12, date(2026, 4, 10), "missing"),
    ],
)
def test_months_run_to_the_day_before_the_anniversary(
    issued: date, months: int, day: date, expected: str
) -> None:
    row = Sheet("A", "credit_china_report", issued, None, None)
    assert state([row], NEEDS[6], day, months=months) == expected


def test_without_the_citys_number_of_months_a_report_does_not_expire_by_itself() -> None:
    row = Sheet("A", "credit_china_report", date(2010, 1, 1), None, None)
    found = seen([row], NEEDS[6:], months=None)
    assert STATES[found.states[0, 0]] == "held"
    (item,) = found.detail(0)
    assert item["valid_months"] is None
    assert item["months_parameter"] == "months"


def test_the_earlier_of_the_two_ends_counts() -> None:
    need, issued = NEEDS[4], date(2025, 5, 11)
    late = [Sheet("A", "valuation_report", issued, date(2030, 1, 1), None)]
    assert state(late, need, date(2026, 5, 10)) == "held"
    assert state(late, need, date(2026, 5, 11)) == "expired"
    soon = [Sheet("A", "valuation_report", issued, date(2025, 6, 1), None)]
    assert state(soon, need, date(2025, 6, 2)) == "expired"


def test_the_best_of_several_counts_and_is_shown() -> None:
    rows = [
        Sheet("A", "valuation_report", date(2024, 1, 1), None, None),
        Sheet("A", "valuation_report", date(2026, 1, 1), None, None),
        Sheet("A", "valuation_report", date(2023, 1, 1), None, None),
    ]
    (item,) = seen(rows, NEEDS[4:5]).detail(0)
    (copy,) = item["copies"]  # type: ignore[misc]
    assert (item["state"], copy["issued_on"]) == ("held", "2026-01-01")
    assert copy["valid_until"] == "2026-12-31"
    assert copy["seen_in"] == "materials"
    assert copy["document"] == "文1"


def test_an_older_year_is_named_and_a_year_in_between_is_asked_for() -> None:
    def rows(*years: int) -> list[Sheet]:
        return [Sheet("A", "audit_report", date(y + 1, 4, 1), None, y) for y in years]

    def shown(*years: int) -> tuple[str, list[tuple[int, str, int | None, str | None]]]:
        (item,) = seen(rows(*years), NEEDS[:1]).detail(0)
        copies: Any = item["copies"]
        return str(item["state"]), [
            (c["year"], c["state"], c.get("held_year"), c.get("reason")) for c in copies
        ]

    assert shown(2025, 2024, 2023)[0] == "held"
    assert shown(2024, 2023) == (
        "expired",
        [(2025, "expired", 2024, "year"), (2024, "held", 2024, None), (2023, "held", 2023, None)],
    )
    assert shown(2025, 2023) == (
        "missing",
        [(2025, "held", 2025, None), (2024, "missing", None, None), (2023, "held", 2023, None)],
    )
    assert shown()[0] == "missing"


def test_a_year_that_is_not_stated_proves_no_year() -> None:
    row = Sheet("A", "tax_returns", date(2025, 4, 1), None, None)
    assert state([row], NEEDS[1], DAY) == "missing"


def test_all_firms_at_once_are_counted() -> None:
    rows = [
        Sheet("A", "brand_proof", date(2020, 1, 1), None, None),
        Sheet("B", "brand_proof", date(2020, 1, 1), date(2021, 1, 1), None),
    ]
    found = seen(rows, NEEDS[5:6])
    assert found.states.dtype == np.int8
    assert found.counts() == {"brand_proof": {"missing": 1, "expired": 1, "held": 1}}
