"""One-off rewards A7-A11 against a slow oracle, step by step from the wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reward_rows import (
    AMOUNT,
    DAY,
    SCHEME,
    TIER,
    Row,
    city_of,
)

from policy.plan.budgets import by_district, by_year
from policy.plan.claims import Terms
from policy.plan.settlement import settle
from policy.plan.stacking import LIFETIME, READINGS, SAME_YEAR


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
