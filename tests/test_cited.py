"""Which features the law of the ladder asks about, by the editions of the day."""

from __future__ import annotations

from datetime import date

import numpy as np

from features.catalogue import BUILT_IN
from features.facts import LADDER
from model.cited import cited
from policy.loading import standing

DAY = date(2025, 6, 30)
ASKED = {
    "rd_ratio",
    "rd_expense",
    "revenue",
    "main_share",
    "niche_share",
    "debt_ratio",
    "class1_ip",
}
NOT_ASKED = {
    "inventory_turnover",
    "receivable_days",
    "quick_ratio",
    "cash_ratio",
    "age",
    "tax_paid",
}


def names(day: date) -> set[str]:
    found = cited(BUILT_IN, day)
    return {spec.name for spec, asked in zip(BUILT_IN, found, strict=True) if asked}


def test_criteria_decide_what_is_cited() -> None:
    found = names(DAY)
    assert found >= ASKED
    assert not found & NOT_ASKED


def test_an_edition_is_unknown_before_its_day() -> None:
    """The editions of 2026 ask for the rank in the niche; those before them do not."""
    assert "niche_rank" not in names(DAY)
    assert "niche_rank" in names(date(2026, 6, 30))


def test_before_the_first_edition_nothing_tells_features_apart() -> None:
    first = min(use.start for use in standing().uses if use.tier in LADDER)
    assert cited(BUILT_IN, date(first.year - 1, 1, 1)).all()
    assert not cited(BUILT_IN, first).all()


def test_every_metric_that_features_could_tell_is_told_by_a_cited_one() -> None:
    """Of the columns that the editions of the day read and features use, each is in a cited one."""
    law = standing()
    editions = [law.select(tier, DAY) for tier in LADDER]
    read = {
        name.partition("[")[0]
        for edition in editions
        for metric in edition.metrics
        for name in law.metrics[metric].inputs
    }
    used = frozenset().union(*(spec.expr.sources for spec in BUILT_IN))
    found = cited(BUILT_IN, DAY)
    told = frozenset().union(
        *(spec.expr.sources for spec, asked in zip(BUILT_IN, found, strict=True) if asked)
    )
    # Equity raised is a feature only in units of all assets, which no criterion asks for.
    assert (read & used) - told == {"equity_raised_qualified_3y"}
    assert found.dtype == np.bool_
