"""One-off rewards A7-A11 and A15: worked by hand, against a slow oracle, and by properties.

The amounts are read from the plan's rows, the hand-worked results are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_panels import panel_of

from policy.plan.budgets import by_district, by_year, ceilings
from policy.plan.claims import REASONS, Reward, Terms
from policy.plan.relocation import Relocation
from policy.plan.settlement import Scheme, if_recognised, settle
from policy.plan.stacking import LIFETIME, READINGS, SAME_YEAR
from tidu.clock import add_months

DAY = date(2026, 11, 22)
AMOUNT = {"A7": 200.0, "A8": 50.0, "A9": 500.0, "A10": 100.0}
TIER = {
    "A7": "little_giant",
    "A8": "srdi_provincial",
    "A9": "single_champion",
    "A10": "single_champion_product",
}
SCHEME = Scheme(
    tuple(Reward(row, (tier,), AMOUNT[row], (f"{row}奖励",)) for row, tier in TIER.items()),
    Relocation("A15", ("A7", "A8"), 12, ("closure", "abnormal_list"), ("迁入奖励",)),
)
TERMS = Terms(since=date(2022, 1, 1), gone_kinds=("closure", "dissolved"))
REVIEWED = replace(TERMS, reviewed=frozenset({"A15"}))

Row = dict[str, Any]


def new(reward: str, day: str, **more: Any) -> Row:
    return {"tier": TIER[reward], "issued_on": date.fromisoformat(day), "purpose": "new"} | more


def review(reward: str, day: str) -> Row:
    return new(reward, day, purpose="review")


def paid(item: str, day: str, amount: float | None, year: int | None = None) -> Row:
    return {"item": item, "paid_on": date.fromisoformat(day), "amount": amount, "year": year}


def event(kind: str, day: str, ended: str | None = None, **more: Any) -> Row:
    end = date.fromisoformat(ended) if ended else None
    return {"kind": kind, "on": date.fromisoformat(day), "ended_on": end} | more


def moved(day: str | None, whole: int | None = 1, out: str | None = None) -> Row:
    return {
        "city_in_on": date.fromisoformat(day) if day else None,
        "whole_relocation": whole,
        "city_out_on": date.fromisoformat(out) if out else None,
    }


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


# ------------------------------------------------------------------------------- the slow oracle


def oracle(rows: Sequence[Row], awards: Sequence[Row], reading: str, terms: Terms) -> float:
    """What one firm that never moved is owed, step by step from the wording."""
    claims: dict[str, Row] = {}
    held: set[str] = set()
    for row in sorted(rows, key=lambda row: row["issued_on"]):
        reward = next(row_id for row_id, tier in TIER.items() if tier == row["tier"])
        before = reward in held
        held.add(reward)
        if row["purpose"] != "new" or (terms.first_only and before) or reward in claims:
            continue
        if row["issued_on"] < (terms.since or date.min):
            continue
        if row.get("revoked_on") and row["revoked_on"] <= DAY and not terms.pays_revoked:
            continue
        claims[reward] = row
    spent: dict[int, float] = {}
    for award in awards:
        reward = award["item"].removesuffix("奖励")
        own = claims.get(reward)
        year = own["issued_on"].year if own else award["year"] or award["paid_on"].year - terms.lag
        spent[year] = spent.get(year, 0.0) + award["amount"]
    if reading == LIFETIME:
        highest = max((AMOUNT[reward] for reward in claims), default=0.0)
        return max(0.0, highest - sum(spent.values()))
    owed = 0.0
    for year in {row["issued_on"].year for row in claims.values()}:
        of_year = [AMOUNT[r] for r, row in claims.items() if row["issued_on"].year == year]
        owed += max(0.0, max(of_year) - spent.get(year, 0.0))
    return owed


days = st.dates(date(2020, 1, 1), DAY)
titles = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(list(TIER.values())),
        "issued_on": days,
        "purpose": st.sampled_from(["new", "new", "review"]),
        "revoked_on": st.none() | st.none() | days,
    }
)
awards = st.fixed_dictionaries(
    {
        "item": st.sampled_from([f"{row}奖励" for row in TIER]),
        "paid_on": st.dates(date(2022, 1, 1), DAY),
        "amount": st.sampled_from([20.0, 50.0, 100.0, 120.0, 200.0, 500.0, 600.0]),
        "year": st.none() | st.integers(2021, 2026),
    }
)
firms = st.tuples(
    st.lists(titles, max_size=5, unique_by=lambda row: (row["tier"], row["issued_on"])),
    st.lists(awards, max_size=4, unique_by=lambda row: (row["item"], row["paid_on"])),
)
some_terms = st.builds(
    Terms,
    since=st.none() | st.just(date(2022, 1, 1)),
    first_only=st.booleans(),
    pays_revoked=st.booleans(),
    lag=st.integers(0, 2),
)


def city_of(firms: Sequence[tuple[Sequence[Row], Sequence[Row]]]) -> Any:
    ids = [f"F{i:03d}" for i in range(len(firms))]
    pairs = list(zip(ids, firms, strict=True))
    return panel_of(
        DAY,
        {
            "firms": [{"firm_id": f, "district": f"D{i % 3}"} for i, f in enumerate(ids)],
            "titles": [{"firm_id": firm} | row for firm, (rows, _) in pairs for row in rows],
            "awards": [{"firm_id": firm} | row for firm, (_, rows) in pairs for row in rows],
        },
    )


@settings(max_examples=25)
@given(st.lists(firms, min_size=12, max_size=30), some_terms)
def test_as_the_oracle_says(city: list[tuple[list[Row], list[Row]]], terms: Terms) -> None:
    panel = city_of(city)
    found = {}
    for reading in READINGS:
        settled = settle(panel, SCHEME, replace(terms, reading=reading))
        totals = settled.groupby("firm_id")["payable"].sum().reindex(panel.firm_ids, fill_value=0.0)
        expected = [oracle(rows, awards, reading, terms) for rows, awards in city]
        assert totals.tolist() == pytest.approx(expected)
        found[reading] = totals
        # Each line alone: never negative, never more than its amount.
        assert ((settled["payable"] >= 0) & (settled["payable"] <= settled["amount"])).all()
        # One sum, whichever way it is cut.
        years = by_year(settled, 50.0)
        assert years["amount"].sum() == pytest.approx(totals.sum())
        assert by_district(settled)["amount"].sum() == pytest.approx(totals.sum())
        assert (years["city"] + years["county"]).sum() == pytest.approx(totals.sum())
    assert (found[LIFETIME] <= found[SAME_YEAR]).all()


@settings(max_examples=25)
@given(firms, awards, some_terms, st.sampled_from(READINGS))
def test_a_further_award_never_raises_what_is_payable(
    firm: tuple[list[Row], list[Row]], more: Row, terms: Terms, reading: str
) -> None:
    rows, before = firm
    keys = {(row["item"], row["paid_on"]) for row in before}
    after = before if (more["item"], more["paid_on"]) in keys else [*before, more]
    terms = replace(terms, reading=reading)
    first = settle(city_of([(rows, before)]), SCHEME, terms)["payable"].sum()
    then = settle(city_of([(rows, after)]), SCHEME, terms)["payable"].sum()
    assert then <= first


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


# ---------------------------------------------------------------------------------------- budgets


def test_the_budget_falls_in_the_year_after_and_arrears_in_the_current_one() -> None:
    panel = city_of([([new("A8", "2023-05-01")], []), ([new("A7", "2026-05-01")], [])])
    table = by_year(settle(panel, SCHEME, TERMS), 60.0, {2026: {"D0": 5.0}, 2027: {"D1": 100.0}})
    assert table["pay_year"].tolist() == [2026, 2027]
    assert table["amount"].tolist() == [50.0, 200.0]
    assert table["city"].tolist() == [30.0, 120.0]
    assert table["county"].tolist() == [20.0, 80.0]
    assert table["short"].tolist() == [15.0, 0.0]


def test_without_a_share_the_parts_are_unknown_and_the_sum_is_not() -> None:
    table = by_year(settle(city_of([([new("A8", "2023-05-01")], [])]), SCHEME, TERMS), None)
    assert table["amount"].tolist() == [50.0]
    assert table[["city", "county", "short"]].isna().all(axis=None)


def test_the_ceilings_of_the_plan() -> None:
    targets = {"little_giant": 100.0, "provincial": 500.0, "champion": 30.0}
    amounts = {
        "little_giant": 200.0,
        "provincial": 50.0,
        "champion": 500.0,
        "champion_product": 100.0,
    }
    table = ceilings(targets, amounts).set_index("ceiling")["amount"]
    assert table.to_dict() == {
        "little_giant": 20_000.0,
        "provincial_rest": 20_000.0,
        "provincial_all": 25_000.0,
        "champion": 15_000.0,
        "champion_product": 3_000.0,
    }


def test_a_city_without_titles_owes_nothing() -> None:
    settled = settle(panel_of(DAY, {}), SCHEME, TERMS)
    assert len(settled) == 0
    assert len(by_year(settled, 50.0)) == len(by_district(settled)) == 0


def test_what_entrants_would_cost() -> None:
    panel = city_of([([new("A8", "2023-05-01")], []), ([], [])])
    entrants = {"little_giant": np.array([True, True])}
    after = if_recognised(panel, entrants, date(2027, 6, 1))
    for reading, more in ((SAME_YEAR, 400.0), (LIFETIME, 350.0)):
        terms = replace(TERMS, reading=reading)
        cost = settle(after, SCHEME, terms)["payable"].sum()
        assert cost - settle(panel, SCHEME, terms)["payable"].sum() == more
