"""Quotation, ChiNext, main board and the regional proxy: dates, fiscal years, what must agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_panels import panel_of
from policy_cases import FINDINGS, number, table

from benchmarks.path_firms import paths_of
from policy.calendar import Moment, day_number
from policy.conditions import Condition, Finding, Leaf, walk
from policy.formula import evaluate, parse
from policy.loading import standing
from policy.logic import NAMES
from policy.path.result import Path
from policy.rules import Edition
from policy.situation import Situation
from policy.values import Inputs, Values
from policy.verdict import holds
from tidu.errors import NotFound

LAW = standing()
LAYERS = ("incubation", "regular", "cultivation")


@pytest.mark.parametrize(
    ("tier", "day", "edition"),
    [
        ("neeq_base", date(2023, 2, 17), "neeq-2023/base"),
        ("neeq_innov", date(2026, 6, 30), "neeq-2023/innov"),
        ("neeq_innov_at_quotation", date(2026, 6, 30), "neeq-2023/innov-at-quotation"),
        ("gem", date(2024, 4, 29), "gem-2023"),
        ("gem", date(2024, 4, 30), "gem-2024"),
        ("gem", date(2026, 3, 31), "gem-2024"),
        ("gem", date(2026, 4, 1), "gem-2026"),
        ("main", date(2024, 4, 30), "main-2024"),
    ],
)
def test_the_day_decides_which_edition_judges(tier: str, day: date, edition: str) -> None:
    assert LAW.select(tier, day).id == edition


@pytest.mark.parametrize(
    ("tier", "day"),
    [
        ("neeq_base", date(2023, 2, 16)),
        ("gem", date(2023, 2, 16)),
        ("main", date(2024, 4, 29)),
    ],
)
def test_before_its_first_edition_a_board_is_not_judged(tier: str, day: date) -> None:
    with pytest.raises(NotFound, match="is in force"):
        LAW.select(tier, day)


@given(start=st.dates(date(1980, 1, 1), date(2026, 12, 31)), year=st.integers(2020, 2026))
def test_complete_fiscal_years_are_those_that_begin_with_the_firm_there(
    start: date, year: int
) -> None:
    whole = sum(date(y, 1, 1) >= start for y in range(start.year, year + 1))
    column = np.array([day_number(start)])
    moment = Moment(date(year + 1, 6, 30), year)
    found = float(evaluate(parse("fiscal_years(founded_on)"), lambda _: column, moment)[0])
    for bound in (1, 2, 3):
        assert (found >= bound) == (whole >= bound)


def test_a_reform_to_a_joint_stock_company_counts_from_its_day() -> None:
    firm = {
        "firm_id": "A", "legal_form": "joint_stock", "founded_on": "2010-01-01",
        "shareholding_reform_on": "2026-05-31",
    }  # fmt: skip
    for day, status in ((date(2026, 5, 30), "unmet"), (date(2026, 5, 31), "met")):
        found = Situation(LAW, panel_of(day, {"firms": [firm]})).verdict("neeq_base")
        place = [c.id for c in found.edition.criteria].index("joint_stock")
        assert NAMES[found.criteria[0, place]] == status


# ------------------------------------------------------------------------ what must agree


def bare(edition: Edition, criterion: str) -> set[tuple[object, ...]]:
    """The bare tests of a criterion, whatever its texts say."""
    found = edition.criterion(criterion)
    assert found is not None
    return {
        (node.metric, node.op, node.bound, node.codes)
        for node in walk(found.test)
        if isinstance(node, Leaf)
    }


def shape(condition: Condition) -> object:
    """A condition without its texts."""
    if isinstance(condition, Leaf):
        return condition.metric, condition.op, condition.bound, condition.codes
    if isinstance(condition, Finding):
        return condition.id
    return type(condition).__name__, tuple(shape(part) for part in condition.parts)


def test_the_proxy_asks_for_the_very_standards_of_quotation() -> None:
    proxy = LAW.edition("regional-proxy/cultivation").criterion("finance")
    rule = LAW.edition("neeq-2023/base").criterion("finance")
    assert proxy is not None
    assert rule is not None
    assert shape(proxy.test) == shape(rule.test)


def test_each_layer_asks_for_all_that_the_layer_below_asks_for() -> None:
    below: dict[str, object] = {}
    for layer in LAYERS:
        edition = LAW.edition(f"regional-proxy/{layer}")
        own = {criterion.id: shape(criterion.test) for criterion in edition.criteria}
        assert below.items() <= own.items()
        assert len(own) > len(below)
        below = own


def test_entry_at_quotation_asks_for_all_that_quotation_asks_for() -> None:
    base = {c.id: shape(c.test) for c in LAW.edition("neeq-2023/base").criteria}
    both = {c.id: shape(c.test) for c in LAW.edition("neeq-2023/innov-at-quotation").criteria}
    assert base.items() < both.items()


def texts(edition: Edition) -> Iterator[tuple[str, str]]:
    yield edition.zh, edition.en
    for criterion in edition.criteria:
        yield criterion.zh, criterion.en
        for node in criterion.conditions():
            if node.label.zh or node.label.en:
                yield node.label.zh, node.label.en


@pytest.mark.parametrize("layer", LAYERS)
def test_every_text_of_the_proxy_says_that_it_is_one(layer: str) -> None:
    edition = LAW.edition(f"regional-proxy/{layer}")
    assert edition.confidence == "L"
    for zh, en in texts(edition):
        assert "内部口径" in zh
        assert "internal proxy" in en
    assert "内部口径" in edition.note_zh
    assert "Internal proxy" in edition.note_en


def test_the_first_sets_of_chinext_rose_in_2024_and_the_fourth_came_in_2026() -> None:
    before, after, now = (
        bare(LAW.edition(f"gem-{year}"), "standard") for year in (2023, 2024, 2026)
    )
    assert after <= now
    raised = {metric for metric, *_ in after - before}
    assert raised == {"net_profit_lower_total_2y", "net_profit_lower", "market_cap_est", "revenue"}
    added = {metric for metric, *_ in now - after}
    assert added == {
        "market_cap_est", "revenue", "revenue_cagr_3y_pct", "rd_invest_total_3y",
        "rd_invest_ratio_3y_pct",
    }  # fmt: skip


@given(
    now=st.floats(0, 3000).map(lambda x: round(x, 2)),
    before=st.floats(0, 3000).map(lambda x: round(x, 2)),
    recent=st.floats(0, 4000).map(lambda x: round(x, 2)),
    earlier=st.floats(0, 4000).map(lambda x: round(x, 2)),
)
def test_what_a_year_reaches_never_adds_to_the_standard_of_two(
    now: float, before: float, recent: float, earlier: float
) -> None:
    """Both figures are parts of those of two years: where all are known, the way is no other."""
    finance = LAW.edition("neeq-2023/base").criterion("finance")
    assert finance is not None
    (way,) = [n for n in walk(finance.test) if n.label.id == "research_equity"]
    cells = {"rd_invest": now, "rd_invest[-1]": before, "prof_equity_12m": recent}
    cells["prof_equity_24m"] = round(recent + earlier, 2)
    columns = {name: np.array([value]) for name, value in cells.items()}
    inputs = Inputs(np.array(["F"], dtype=object), date(2026, 6, 30), 2025, columns)
    two = Fraction(str(now)) + Fraction(str(before)) >= 1000
    wanted = two and cells["prof_equity_24m"] >= 2000
    assert NAMES[holds(way, Values(LAW, inputs))[0]] == ("met" if wanted else "unmet")


# ------------------------------------------------------------------------------- the way there


def way(file: str, tier: str, **changed: float) -> Path:
    """The path of a firm exactly at every bound of a table of cases, but for this."""
    raw = table(file)
    cells = {name: number(name, value) for name, value in raw["base"].items()} | changed
    columns = {name: np.array([value]) for name, value in cells.items()}
    findings = {
        name: np.array([FINDINGS[code]], dtype=np.int8) for name, code in raw["findings"].items()
    }
    inputs = Inputs(np.array(["F"], dtype=object), raw["day"], 2025, columns, findings)
    return paths_of(LAW, inputs, tier).of(0)


def test_a_firm_short_of_share_capital_pays_it_in() -> None:
    """By hand: 100 more shares are 100 more of net assets, which were 500 on 400."""
    path = way("neeq_base_2023", "neeq_base", share_capital=400.0, total_assets=1000.0,
               total_liabilities=500.0)  # fmt: skip
    assert path.status == "reachable"
    assert [(c.field, c.from_value, c.to_value) for c in path.changes] == [
        ("share_capital", 400.0, 500.0)
    ]


def test_a_quoted_firm_that_has_raised_too_little_places_shares() -> None:
    path = way("neeq_innov_2023", "neeq_innov", raised_since_quotation=600.0, total_assets=4000.0,
               total_liabilities=4000.0)  # fmt: skip
    assert path.status == "reachable"
    (change,) = path.changes
    assert (change.field, change.to_value - change.from_value) == ("placements_24m", 400.0)


def test_no_change_of_its_own_makes_a_limited_company_fit_or_ends_an_investigation() -> None:
    limited = way("neeq_base_2023", "neeq_base", legal_form=number("legal_form", "limited"))
    sued = way("neeq_base_2023", "neeq_base", **{"open(investigation)": 1.0})
    for path, criterion in ((limited, "joint_stock"), (sued, "not_investigated")):
        assert path.status == "blocked"
        assert [e.criterion for e in path.blocked] == [f"neeq-2023/base:{criterion}"]
