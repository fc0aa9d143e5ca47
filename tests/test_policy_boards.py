"""Boards: what bars a firm, day by day; the market it stands on; figures known only as a bound."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from plan_panels import panel_of

from policy.conditions import Bound, Leaf
from policy.inputs import of_panel
from policy.loading import DATA, standing
from policy.logic import NAMES
from policy.parsing import Reader
from policy.problems import Problems
from policy.situation import Situation
from policy.values import Inputs, Values
from tidu.clock import add_months
from tidu.errors import NotFound

DAY = date(2026, 6, 30)
EXCLUSIONS = tomllib.loads((DATA / "exclusions_boards.toml").read_text(encoding="utf-8"))["groups"]


def asked(name: str, day: date, events: list[dict[str, Any]], covered: Any = None) -> float:
    """One input of the one firm."""
    tables = {"firms": [{"firm_id": "A"}], "events": [{"firm_id": "A"} | e for e in events]}
    panel = panel_of(day, tables, **({} if covered is None else {"covered": covered}))
    return float(of_panel(standing(), panel, day.year - 1, names=[name]).columns[name][0])


# ------------------------------------------------------------------------------ what bars a firm


@pytest.mark.parametrize("group", EXCLUSIONS)
def test_every_group_is_sound_whether_or_not_an_edition_includes_it(group: str) -> None:
    table, law, problems = EXCLUSIONS[group], standing(), Problems("exclusions_boards.toml")
    reader = Reader(law.metrics, frozenset(law.parameters), problems)
    for i, raw in enumerate(table["criteria"]):
        criterion = reader.criterion(raw, f"criteria[{i}]", ("edition", table["document"]))
        assert criterion.document in law.documents
        assert criterion.papers
        assert criterion.source
    problems.refuse("The group")


WINDOWS = [
    ("recent(crime, 36)", 36), ("recent(crime, 24)", 24), ("recent(major_violation, 36)", 36),
    ("recent(major_violation, 24)", 24), ("recent(csrc_penalty, 12)", 12),
    ("recent(false_statements, 36)", 36), ("recent(false_statements, 24)", 24),
    ("recent(controller_change, 24)", 24), ("recent(controller_change, 36)", 36),
    ("recent(report_overdue, 36)", 36),
]  # fmt: skip


def windows() -> set[str]:
    tests = [c["test"] for group in EXCLUSIONS.values() for c in group["criteria"]]
    return {t["metric"] for t in tests if t.get("metric", "").startswith("recent(")}


def test_the_windows_are_those_of_the_rules() -> None:
    assert windows() == {name for name, _ in WINDOWS}


@pytest.mark.parametrize(("name", "months"), WINDOWS)
def test_an_event_bars_to_the_day_before_its_date_comes_round(name: str, months: int) -> None:
    kind, on = name.partition("(")[2].partition(",")[0], date(2024, 3, 15)
    rows, end = [{"kind": kind, "on": on}], add_months(on, months)
    days = [(date(2024, 3, 14), 0.0), (on, 1.0), (end, 0.0)]
    days += [(end.replace(day=14), 1.0), (end.replace(day=16), 0.0)]
    for day, inside in days:
        assert asked(name, day, rows) == inside, day
    assert np.isnan(asked(name, end, [], covered=()))


@pytest.mark.parametrize(
    "kind",
    ["investigation", "judgment_debtor", "equity_dispute", "material_dispute", "fund_occupation"],
)
def test_a_state_bars_from_its_first_day_until_the_day_it_ends(kind: str) -> None:
    on, end = date(2026, 3, 15), date(2026, 5, 20)
    rows = [{"kind": kind, "on": on, "ended_on": end}]
    days = [(date(2026, 3, 14), 0.0), (on, 1.0), (date(2026, 5, 19), 1.0), (end, 0.0)]
    for day, inside in days:
        assert asked(f"open({kind})", day, rows) == inside, day
    assert np.isnan(asked(f"open({kind})", DAY, [], covered=()))


# ---------------------------------------------------------------------- the market it stands on


def quoted(on: date, board: str | None, kind: str = "quoted") -> dict[str, Any]:
    return {"kind": kind, "on": on, "board": board}


def test_a_firm_stands_on_the_board_of_its_newest_quotation() -> None:
    rows = [quoted(date(2024, 1, 8), "neeq_base"), quoted(date(2025, 6, 3), "neeq_innov")]
    name = "on_board(neeq_innov)"
    assert asked(name, date(2025, 6, 2), rows) == 0.0
    assert asked(name, date(2025, 6, 3), rows) == 1.0
    back = [*rows, quoted(date(2026, 5, 6), "neeq_base")]
    assert asked(name, DAY, back) == 0.0
    assert asked("on_board(neeq_base, neeq_innov)", DAY, back) == 1.0
    gone = [*rows, quoted(date(2026, 6, 30), None, "delisted")]
    assert asked(name, date(2026, 6, 29), gone) == 1.0
    assert asked(name, DAY, gone) == 0.0
    listed = [*rows, quoted(date(2026, 6, 1), "bse", "listed")]
    assert asked(name, DAY, listed) == 0.0
    assert asked("on_board(bse)", DAY, listed) == 1.0


def test_no_record_of_a_market_is_unknown_without_coverage() -> None:
    assert asked("on_board(neeq_innov)", DAY, []) == 0.0
    assert np.isnan(asked("on_board(neeq_innov)", DAY, [], covered=()))
    assert np.isnan(asked("on_board(neeq_innov)", DAY, [], covered=("quoted",)))
    assert np.isnan(asked("on_board(neeq_innov)", DAY, [quoted(date(2025, 6, 3), None)]))


# ------------------------------------------------------------------- figures known as a bound


def judged(metric: str, bound: float, **figures: float) -> str:
    names = {k.replace("__", "[-").rstrip("_") + ("]" if "__" in k else ""): v
             for k, v in figures.items()}  # fmt: skip
    columns = {name: np.array([float(value)]) for name, value in names.items()}
    values = Values(standing(), Inputs(np.array(["F"], dtype=object), DAY, 2025, columns))
    return NAMES[values.tested(Leaf(metric, "at_least", Bound(bound)))[0]]


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({"net_profit_adj": 1500, "net_profit": 1500}, "met"),
        ({"net_profit_adj": 1499.99, "net_profit": 1600}, "unmet"),
        ({"net_profit_adj": 1600, "net_profit": 1499.99}, "unmet"),
        ({"net_profit_adj": 1500}, "met"),
        ({"net_profit_adj": 1499.99}, "unmet"),
        ({"net_profit": 1499.99}, "unmet"),  # the lower of both cannot reach the bound
        ({"net_profit": 1500}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_net_profit_is_the_lower_of_both_and_at_most_either(
    figures: dict[str, float], found: str
) -> None:
    assert judged("net_profit_lower", 1500, **figures) == found


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({"rd_invest": 2000, "rd_invest__1": 3000}, "met"),
        ({"rd_invest": 2000, "rd_invest__1": 2999.99}, "unmet"),
        ({"rd_expense": 2000, "rd_expense__1": 3000}, "met"),
        ({"rd_expense": 2000, "rd_invest__1": 3000}, "met"),
        ({"rd_expense": 2000, "rd_expense__1": 2999.99}, "unknown"),  # some may be capitalised
        ({"rd_invest": 5000}, "met"),  # whatever the other year brought
        ({"rd_invest": 4999.99}, "unknown"),
    ],
)
def test_rd_expense_bounds_rd_investment_from_below(figures: dict[str, float], found: str) -> None:
    assert judged("rd_invest_total_2y", 5000, **figures) == found


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({"invention_patents_applied": 7, "invention_patents": 40}, "met"),
        ({"invention_patents_applied": 6, "invention_patents": 40}, "unmet"),
        ({"invention_patents": 6}, "unmet"),
        ({"invention_patents": 7}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_patents_applied_are_at_most_all_patents(figures: dict[str, float], found: str) -> None:
    assert judged("applied_invention_patents", 7, **figures) == found


def test_net_assets_are_assets_less_liabilities_where_not_recorded() -> None:
    both = {"total_assets": 9000, "total_liabilities": 4000}
    assert judged("net_assets_year_end", 5000, **both) == "met"
    assert judged("net_assets_year_end", 5000, **both, net_assets=4999.99) == "unmet"
    assert judged("net_assets_year_end", 5000, total_assets=9000) == "unknown"


@pytest.mark.parametrize(
    ("firm", "code"),
    [({"industry_300": "software", "industry_gb4754": "3911"}, "software"),
     ({"industry_gb4754": "6513"}, "software"), ({"industry_gb4754": "3911"}, "industry")],
)  # fmt: skip
def test_the_industry_follows_the_trade_code_where_it_is_not_given(
    firm: dict[str, Any], code: str
) -> None:
    panel = panel_of(DAY, {"firms": [{"firm_id": "A"} | firm]})
    found = of_panel(standing(), panel, 2025, names=["industry_300"]).columns["industry_300"][0]
    codes = standing().metrics["industry_300"].codes
    assert codes[int(found)] == code


# ------------------------------------------------------------------------- from rows to a verdict


def accounts(year: int, **more: Any) -> dict[str, Any]:
    own = {"net_profit": 2600.0, "net_profit_adj": 2500.0, "weighted_roe_pct": 9.0}
    return {"firm_id": "A", "year": year, "audit_opinion": "unqualified"} | own | more


def bse(**tables: Any) -> dict[str, str]:
    """The verdicts of the one firm of Beijing's board, by criterion."""
    rows: dict[str, Any] = {
        "firms": [{"firm_id": "A", "negative_list": "none"}],
        "annual": [
            accounts(2025, net_assets=9000.0, share_capital=4000.0, market_cap_est=3.0),
            accounts(2024, net_profit_adj=-100.0),
            accounts(2023, net_profit_adj=-100.0),
        ],
        "events": [{"firm_id": "A"} | quoted(date(2025, 6, 30), "neeq_innov")],
        "attestations": [],
    }
    found = Situation(standing(), panel_of(DAY, rows | tables)).verdict("bse")
    names = [criterion.id for criterion in found.edition.criteria]
    status = {name: NAMES[code] for name, code in zip(names, found.criteria[0], strict=True)}
    return status | {"tier": NAMES[found.status[0]]}


def test_a_firm_of_the_innovation_layer_is_judged_from_its_rows() -> None:
    found = bse()
    manual = {"offering", "holders_after", "public_float"}
    assert {name for name, status in found.items() if status == "manual"} == manual
    assert found.pop("tier") == "met_pending"
    assert {status for name, status in found.items() if name not in manual} == {"met"}


def test_what_the_rows_do_not_hold_is_open_and_what_they_hold_against_it_bars() -> None:
    assert bse(firms=[{"firm_id": "A"}])["permitted_industry"] == "unknown"
    assert bse(firms=[{"firm_id": "A", "negative_list": "gem"}])["permitted_industry"] == "met"
    barred = bse(firms=[{"firm_id": "A", "negative_list": "bse;gem"}])
    assert (barred["permitted_industry"], barred["tier"]) == ("unmet", "unmet")
    late = bse(events=[{"firm_id": "A"} | quoted(date(2025, 7, 1), "neeq_innov")])
    assert (late["innovation_layer"], late["quoted_12_months"]) == ("met", "unmet")


@pytest.mark.parametrize(
    ("tier", "day", "edition"),
    [
        ("bse", date(2021, 11, 15), "bse-listing/2.1"),
        ("star", date(2021, 4, 16), "star/2021"),
        ("star", date(2024, 4, 29), "star/2021"),
        ("star", date(2024, 4, 30), "star/2024"),
    ],
)
def test_the_day_selects_the_edition_of_a_board(tier: str, day: date, edition: str) -> None:
    assert standing().select(tier, day).id == edition


@pytest.mark.parametrize(
    ("tier", "opened"), [("bse", date(2021, 11, 15)), ("star", date(2021, 4, 16))]
)
def test_a_board_has_no_edition_before_its_first_and_no_review(tier: str, opened: date) -> None:
    law = standing()
    with pytest.raises(NotFound, match=f"from {opened}"):
        law.select(tier, opened - timedelta(days=1))
    with pytest.raises(NotFound, match="Tiers in data"):
        law.select(tier, DAY, "review")


# ----------------------------------------------------------------------- conditions with a name


def conditions(**named: Any) -> tuple[Reader, Problems]:
    law, problems = standing(), Problems("x.toml")
    return Reader(law.metrics, frozenset(law.parameters), problems, named), problems


def test_a_named_condition_is_read_where_it_is_used() -> None:
    small = {"metric": "revenue", "below": 2000}
    reader, problems = conditions(small=small, other={"not": {"use": "small"}})
    assert reader.condition({"use": "small"}, "test") == reader.condition(small, "test")
    assert reader.condition({"use": "other"}, "test") == reader.condition({"not": small}, "test")
    assert not problems.found


@pytest.mark.parametrize(
    ("named", "key"),
    [
        ({}, "test.use"),
        ({"b": {"metric": "revenue", "below": 1}}, "test.use"),
        ({"a": {"any": [{"use": "a"}]}}, "conditions.a.any[0].use"),
        ({"a": {"not": {"use": "b"}}, "b": {"not": {"use": "a"}}}, "conditions.b.not.use"),
    ],
)
def test_a_name_that_is_not_there_or_uses_itself_is_refused(
    named: dict[str, Any], key: str
) -> None:
    reader, problems = conditions(**named)
    reader.condition({"use": "a"}, "test")
    assert [(issue.column, issue.rule) for issue in problems.found] == [(key, "unknown_condition")]
