"""One-off rewards A7-A11 and A15, worked by hand: who is paid, and relocation.

The amounts are read from the plan's rows, the hand-worked results are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_panels import panel_of
from reward_rows import (
    DAY,
    REVIEWED,
    SCHEME,
    TERMS,
    Row,
    event,
    moved,
    new,
    paid,
    review,
)

from policy.plan.claims import REASONS, Terms
from policy.plan.settlement import settle
from policy.plan.stacking import READINGS, SAME_YEAR
from tidu.clock import add_months


@dataclass(frozen=True)
class Case:
    """One firm; ``same`` and ``life``: what each reward pays in each reading (absent = 0)."""

    name: str
    titles: Sequence[Row]
    same: Mapping[str, float]
    life: Mapping[str, float] | None = None
    awards: Sequence[Row] = ()
    events: Sequence[Row] = ()
    firm: Row = field(default_factory=dict)
    terms: Terms = TERMS
    contingent: Mapping[str, float] = field(default_factory=dict)


CASES = [
    Case("a little giant", [new("A7", "2024-07-01")], {"A7": 200}),
    Case("a provincial firm", [new("A8", "2024-07-01")], {"A8": 50}),
    Case("a champion enterprise", [new("A9", "2024-07-01")], {"A9": 500}),
    Case("a champion product", [new("A10", "2022-07-01")], {"A10": 100}),
    Case("two titles in one year", [new("A8", "2024-03-01"), new("A7", "2024-09-01")], {"A7": 200}),
    Case(
        "the higher title first, in one year",
        [new("A7", "2024-03-01"), new("A8", "2024-09-01")],
        {"A7": 200},
    ),
    Case(
        "different years: both pay, or the difference",
        [new("A8", "2023-05-01"), new("A7", "2024-05-01")],
        {"A8": 50, "A7": 200},
        {"A8": 50, "A7": 150},
    ),
    Case(
        "a champion after a little giant after a provincial title",
        [new("A8", "2022-05-01"), new("A7", "2023-05-01"), new("A9", "2025-05-01")],
        {"A8": 50, "A7": 200, "A9": 500},
        {"A8": 50, "A7": 150, "A9": 300},
    ),
    Case(
        "a product, then an enterprise",
        [new("A10", "2022-05-01"), new("A9", "2025-05-01")],
        {"A10": 100, "A9": 500},
        {"A10": 100, "A9": 400},
    ),
    Case(
        "a product after a little giant pays nothing over a life",
        [new("A7", "2022-05-01"), new("A10", "2023-05-01")],
        {"A7": 200, "A10": 100},
        {"A7": 200},
    ),
    Case(
        "product and enterprise in one year", [new("A10", "2022-05-01"), new("A9", "2022-05-02")],
        {"A9": 500},
    ),
    Case(
        "paid in full", [new("A7", "2024-07-01")], {}, awards=[paid("A7奖励", "2025-05-01", 200)],
    ),
    Case(
        "paid in part", [new("A7", "2024-07-01")], {"A7": 80},
        awards=[paid("A7奖励", "2025-05-01", 120)],
    ),
    Case(
        "paid in two parts", [new("A7", "2024-07-01")], {"A7": 30},
        awards=[paid("A7奖励", "2025-05-01", 120), paid("A7", "2026-05-01", 50)],
    ),
    Case(
        "paid more: never negative", [new("A8", "2024-07-01")], {},
        awards=[paid("A8奖励", "2025-05-01", 70)],
    ),
    Case(
        "paid more for one year does not count in another, but does over a life",
        [new("A8", "2023-05-01"), new("A7", "2024-05-01")],
        {"A7": 200},
        {"A7": 130},
        awards=[paid("A8奖励", "2024-05-01", 70)],
    ),
    Case(
        "the lower one was paid, then the higher title of the same year",
        [new("A8", "2024-03-01"), new("A7", "2024-09-01")],
        {"A7": 150},
        awards=[paid("A8奖励", "2025-01-10", 50)],
    ),
    Case(
        "the provincial reward was paid before",
        [new("A8", "2023-05-01"), new("A7", "2024-05-01")],
        {"A7": 200},
        {"A7": 150},
        awards=[paid("A8奖励", "2024-05-01", 50)],
    ),
    Case(
        "paid for a title that is not on record, in its stated year",
        [new("A7", "2024-05-01")],
        {"A7": 150},
        awards=[paid("A8奖励", "2026-05-01", 50, 2024)],
    ),
    Case(
        "paid for a title that is not on record, in the year before the payment",
        [new("A7", "2024-05-01")],
        {"A7": 200},
        {"A7": 150},
        awards=[paid("A8奖励", "2024-05-01", 50)],
    ),
    Case("another item counts for nothing", [new("A7", "2024-05-01")], {"A7": 200},
         awards=[paid("稳岗补贴", "2025-05-01", 50)]),
    Case(
        "an amount that is not recorded: nothing until it is known",
        [new("A7", "2024-05-01")], {}, awards=[paid("A7奖励", "2025-05-01", None)],
        contingent={"A7": 200},
    ),
    Case("a review is not new", [review("A7", "2024-05-01")], {}),
    Case(
        "a review after an old recognition",
        [new("A7", "2021-05-01"), review("A7", "2024-05-01")], {},
    ),
    Case(
        "a review after a new one",
        [new("A7", "2022-05-01"), review("A7", "2025-05-01")], {"A7": 200},
    ),
    Case(
        "whether new or a review is not recorded",
        [new("A7", "2024-05-01", purpose=None)], {}, contingent={"A7": 200},
    ),
    Case("the day before the plan's time", [new("A7", "2021-12-31")], {}),
    Case("the first day of the plan's time", [new("A7", "2022-01-01")], {"A7": 200}),
    Case("after the last day", [new("A7", "2025-01-01")], {},
         terms=replace(TERMS, until=date(2024, 12, 31))),
    Case("on the last day", [new("A7", "2024-12-31")], {"A7": 200},
         terms=replace(TERMS, until=date(2024, 12, 31))),
    Case(
        "recognised again: not the first time",
        [new("A8", "2019-05-01"), new("A8", "2024-05-01")], {},
    ),
    Case(
        "recognised again, where the city pays that",
        [new("A8", "2019-05-01"), new("A8", "2024-05-01")], {"A8": 50},
        terms=replace(TERMS, first_only=False),
    ),
    Case(
        "one-off: recognised twice in the plan's time",
        [new("A8", "2022-05-01"), new("A8", "2025-06-01")], {"A8": 50},
        terms=replace(TERMS, first_only=False),
    ),
    Case("revoked before payment", [new("A7", "2024-05-01", revoked_on=date(2025, 3, 1))], {}),
    Case(
        "revoked, where the city pays it nevertheless",
        [new("A7", "2024-05-01", revoked_on=date(2025, 3, 1))], {"A7": 200},
        terms=replace(TERMS, pays_revoked=True),
    ),
    Case(
        "to be revoked later than today: nobody can know",
        [new("A7", "2024-05-01", revoked_on=date(2026, 12, 1))], {"A7": 200},
    ),
    Case(
        "the higher one revoked: the lower one of that year pays",
        [new("A8", "2024-03-01"), new("A7", "2024-09-01", revoked_on=date(2025, 3, 1))],
        {"A8": 50},
    ),
    Case("moved out", [new("A7", "2024-05-01")], {}, firm=moved(None, None, "2025-01-01")),
    Case(
        "moved out later than today", [new("A7", "2024-05-01")], {"A7": 200},
        firm=moved(None, None, "2026-12-01"),
    ),
    Case(
        "moved out and came back", [new("A7", "2024-05-01")], {"A7": 200},
        firm=moved("2023-06-01", 0, "2021-01-01"),
    ),
    Case("not of the city", [new("A7", "2024-05-01")], {}, firm={"registered_in_city": 0}),
    Case("closed", [new("A7", "2024-05-01")], {}, events=[event("closure", "2025-05-01")]),
    # Moving in: the title came along, so only A15 can pay it.
    Case(
        "11 months after moving in", [new("A7", "2021-05-01")], {},
        firm=moved("2025-12-22"), terms=REVIEWED,
    ),
    Case(
        "a day less than 12 months", [new("A7", "2021-05-01")], {},
        firm=moved("2025-11-23"), terms=REVIEWED,
    ),
    Case(
        "12 months to the day", [new("A7", "2021-05-01")], {"A15": 200},
        firm=moved("2025-11-22"), terms=REVIEWED,
    ),
    Case(
        "13 months", [new("A8", "2021-05-01")], {"A15": 50},
        firm=moved("2025-10-22"), terms=REVIEWED,
    ),
    Case(
        "12 months, but the city has recorded no review", [new("A7", "2021-05-01")], {},
        firm=moved("2025-11-22"), contingent={"A15": 200},
    ),
    Case(
        "of two titles brought along the higher one",
        [new("A8", "2020-05-01"), new("A7", "2021-05-01")],
        {"A15": 200}, firm=moved("2024-01-10"), terms=REVIEWED,
    ),
    Case("not moved as a whole", [new("A7", "2021-05-01")], {}, firm=moved("2024-01-10", 0),
         terms=REVIEWED),
    Case(
        "whether as a whole is not recorded", [new("A7", "2021-05-01")], {},
        firm=moved("2024-01-10", None), terms=REVIEWED, contingent={"A15": 200},
    ),
    Case(
        "the day of moving in is not recorded, the title is old", [new("A7", "2021-05-01")], {},
        firm=moved(None), terms=REVIEWED, contingent={"A15": 200},
    ),
    Case(
        "recognised after moving in", [new("A7", "2024-05-01")], {"A7": 200},
        firm=moved("2024-01-10"), terms=REVIEWED,
    ),
    Case(
        "a provincial title came along, the little giant was won here",
        [new("A8", "2021-05-01"), new("A7", "2025-08-01")],
        {"A15": 50, "A7": 200}, {"A15": 50, "A7": 150},
        firm=moved("2023-01-10"), terms=REVIEWED,
    ),
    Case(
        "the same, the city has recorded no review",
        [new("A8", "2021-05-01"), new("A7", "2025-08-01")],
        {"A7": 200}, {"A7": 200}, firm=moved("2023-01-10"), contingent={"A15": 50},
    ),
    Case(
        "abnormal within the year: it counts again from the end",
        [new("A7", "2021-05-01", expires_on=date(2027, 5, 1))], {},
        firm=moved("2025-01-10"), terms=REVIEWED,
        events=[event("abnormal_list", "2025-11-01", "2025-12-01")],
    ),
    Case(
        "the same, a year after the end",
        [new("A7", "2021-05-01")], {"A15": 200}, firm=moved("2024-01-10"), terms=REVIEWED,
        events=[event("abnormal_list", "2024-11-01", "2025-11-22")],
    ),
    Case(
        "abnormal still", [new("A7", "2021-05-01")], {}, firm=moved("2024-01-10"), terms=REVIEWED,
        events=[event("abnormal_list", "2024-11-01")],
    ),
    Case(
        "abnormal, but repaired", [new("A7", "2021-05-01")], {"A15": 200},
        firm=moved("2024-01-10"), terms=REVIEWED,
        events=[event("abnormal_list", "2024-11-01", repaired_on=date(2025, 2, 1))],
    ),
    Case(
        "abnormal only after the year", [new("A7", "2021-05-01")], {"A15": 200},
        firm=moved("2024-01-10"), terms=REVIEWED,
        events=[event("abnormal_list", "2025-01-10")],
    ),
    Case(
        "the title lapsed before the year was over",
        [new("A7", "2021-05-01", expires_on=date(2024, 6, 30))], {},
        firm=moved("2024-01-10"), terms=REVIEWED,
    ),
    Case(
        "the title lapsed on the day the year was over",
        [new("A7", "2021-05-01", expires_on=date(2025, 1, 10))], {"A15": 200},
        firm=moved("2024-01-10"), terms=REVIEWED,
    ),
    Case(
        "moved in and out again", [new("A7", "2021-05-01")], {},
        firm=moved("2024-01-10", 1, "2025-06-01"), terms=REVIEWED,
    ),
    Case(
        "relocation paid before", [new("A7", "2021-05-01")], {"A15": 50},
        firm=moved("2024-01-10"), terms=REVIEWED, awards=[paid("迁入奖励", "2026-02-01", 150)],
    ),
]  # fmt: skip


@cache
def settled_with(terms: Terms) -> pd.DataFrame:
    """All cases with these terms as one city, each its own firm."""
    cases = {case.name: case for case in CASES if case.terms == replace(terms, reading=SAME_YEAR)}
    panel = panel_of(
        DAY,
        {
            "firms": [{"firm_id": n, "district": "高新区"} | c.firm for n, c in cases.items()],
            "titles": [{"firm_id": n} | row for n, c in cases.items() for row in c.titles],
            "awards": [{"firm_id": n} | row for n, c in cases.items() for row in c.awards],
            "events": [{"firm_id": n} | row for n, c in cases.items() for row in c.events],
        },
    )
    return settle(panel, SCHEME, terms)


def positive(settled: pd.DataFrame, column: str) -> dict[str, float]:
    summed = settled.groupby("reward")[column].sum()
    return {str(reward): float(amount) for reward, amount in summed.items() if amount}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_worked_by_hand(case: Case, reading: str) -> None:
    city = settled_with(replace(case.terms, reading=reading))
    settled = city[(city["firm_id"] == case.name).to_numpy()]
    life = case.same if case.life is None else case.life
    expected = case.same if reading == SAME_YEAR else life
    assert positive(settled, "payable") == {k: float(v) for k, v in expected.items()}
    assert positive(settled, "contingent") == {k: float(v) for k, v in case.contingent.items()}


@pytest.mark.parametrize("reading", READINGS)
def test_who_gets_less_is_told_why(reading: str) -> None:
    settled = settled_with(replace(TERMS, reading=reading))
    less = settled[(settled["payable"] < settled["amount"]).to_numpy()]
    assert less["reason"].isin([reason for reason in REASONS if reason]).all()


# ------------------------------------------------------------------------------------- relocation


@settings(max_examples=25)
@given(st.dates(date(2022, 1, 1), date(2026, 11, 30)), st.integers(9, 15))
def test_a_relocation_pays_from_the_anniversary_on(came: date, months: int) -> None:
    day = add_months(came, months)
    tables = {
        "firms": [{"firm_id": "F1"} | moved(came.isoformat())],
        "titles": [{"firm_id": "F1"} | new("A7", "2021-05-01")],
    }
    settled = settle(panel_of(day, tables), SCHEME, REVIEWED)
    assert settled["payable"].sum() == (200.0 if day >= add_months(came, 12) else 0.0)


def test_what_is_not_on_record_is_not_normal() -> None:
    tables = {
        "firms": [{"firm_id": "F1"} | moved("2024-01-10")],
        "titles": [{"firm_id": "F1"} | new("A7", "2021-05-01")],
    }
    settled = settle(panel_of(DAY, tables, covered=["closure"]), SCHEME, REVIEWED)
    own = settled[(settled["reward"] == "A15").to_numpy()].iloc[0]
    assert (own["state"], own["reason"]) == ("pending", "normal_unknown")
    assert (own["payable"], own["contingent"]) == (0.0, 200.0)
