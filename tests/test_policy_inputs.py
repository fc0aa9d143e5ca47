"""From a panel to inputs: fiscal years, windows the day before, of and after, absence, repair."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from plan_panels import panel_of

from features.mapping import Coverage
from policy.inputs import of_panel
from policy.loading import standing
from policy.logic import MET, NAMES, NOT_APPLICABLE
from policy.values import Values
from policy.verdict import judge

DAY = date(2026, 6, 30)


def asked(name: str, day: date, tables: Any, covered: Any = None) -> float:
    """One input of the one firm."""
    tables = {"firms": [{"firm_id": "A"}], **tables}
    panel = panel_of(day, tables, **({} if covered is None else {"covered": covered}))
    return float(of_panel(standing(), panel, day.year - 1, names=[name]).columns[name][0])


def event(kind: str, on: date, **more: Any) -> dict[str, Any]:
    return {"events": [{"firm_id": "A", "kind": kind, "on": on, **more}]}


@pytest.mark.parametrize(
    ("day", "inside"),
    [(date(2026, 6, 29), 0.0), (date(2026, 6, 30), 1.0), (date(2029, 6, 29), 1.0),
     (date(2029, 6, 30), 0.0), (date(2029, 7, 1), 0.0)],
)  # fmt: skip
def test_an_event_of_three_years_counts_from_its_date(day: date, inside: float) -> None:
    assert asked("recent(tax_evasion, 36)", day, event("tax_evasion", DAY)) == inside


@pytest.mark.parametrize(
    ("day", "inside"),
    [(date(2024, 2, 28), 0.0), (date(2024, 2, 29), 1.0), (date(2027, 2, 27), 1.0),
     (date(2027, 2, 28), 0.0)],
)  # fmt: skip
def test_a_leap_day_ends_with_its_third_year(day: date, inside: float) -> None:
    start = date(2024, 2, 29)
    assert asked("recent(accident_major, 36)", day, event("accident_major", start)) == inside


@pytest.mark.parametrize(
    ("on", "day", "inside"),
    [
        (date(2024, 12, 31), date(2026, 6, 30), 0.0),
        (date(2025, 1, 1), date(2026, 6, 30), 1.0),
        (date(2026, 6, 30), date(2026, 6, 29), 0.0),
        (date(2026, 6, 30), date(2026, 6, 30), 1.0),
        (date(2026, 6, 30), date(2027, 12, 31), 1.0),
        (date(2026, 6, 30), date(2028, 1, 1), 0.0),
    ],
)
def test_an_event_of_last_year_or_this_year_counts_until_the_second_new_year(
    on: date, day: date, inside: float
) -> None:
    rows = event("accident_major", on)
    assert asked("since_new_year(accident_major, 1)", day, rows) == inside


def test_a_window_of_calendar_years_is_known_from_its_new_year_on() -> None:
    """Records that begin a day late leave the window open."""
    for start, found in ((date(2025, 1, 1), 0.0), (date(2025, 1, 2), float("nan"))):
        panel = panel_of(DAY, {"firms": [{"firm_id": "A"}]}, covered=())
        panel = replace(panel, coverage=(Coverage("data_fraud", start, DAY),))
        name = "since_new_year(data_fraud, 1)"
        got = of_panel(standing(), panel, 2025, names=[name]).columns[name][0]
        assert got == pytest.approx(found, nan_ok=True)


@pytest.mark.parametrize("end", ["ended_on", "repaired_on"])
@pytest.mark.parametrize(
    ("day", "inside"),
    [(date(2026, 6, 29), 0.0), (date(2026, 6, 30), 1.0), (date(2026, 9, 9), 1.0),
     (date(2026, 9, 10), 0.0), (date(2026, 9, 11), 0.0)],
)  # fmt: skip
def test_a_state_ends_with_removal_or_repair(end: str, day: date, inside: float) -> None:
    rows = event("abnormal_list", DAY, **{end: date(2026, 9, 10)})
    assert asked("open(abnormal_list)", day, rows) == inside


def test_exempt_and_repaired_records_never_enter() -> None:
    for more in ({"exempt_minor": True}, {"repaired_on": date(2026, 6, 30)}):
        rows = event("tax_evasion", date(2026, 1, 1), **more)
        assert asked("recent(tax_evasion, 36)", DAY, rows) == 0.0


def test_an_absent_record_is_unknown_without_coverage() -> None:
    for name in ("open(abnormal_list)", "recent(tax_evasion, 36)", "held(high_tech)", "banned()"):
        assert np.isnan(asked(name, DAY, {}, covered=()))
        assert asked(name, DAY, {}) == 0.0


@pytest.mark.parametrize(
    ("day", "held"),
    [(date(2023, 6, 30), 0.0), (date(2023, 7, 1), 1.0), (date(2026, 6, 30), 1.0),
     (date(2026, 7, 1), 0.0)],
)  # fmt: skip
def test_a_title_is_held_to_its_last_day(day: date, held: float) -> None:
    title = {"firm_id": "A", "tier": "little_giant", "issued_on": date(2023, 7, 1),
             "expires_on": date(2026, 6, 30)}  # fmt: skip
    assert asked("held(little_giant)", day, {"titles": [title]}) == held


@pytest.mark.parametrize(("day", "barred"), [(date(2026, 6, 30), 1.0), (date(2026, 7, 1), 0.0)])
def test_a_bar_holds_to_its_last_day(day: date, barred: float) -> None:
    title = {"firm_id": "A", "tier": "little_giant", "issued_on": date(2022, 7, 1),
             "revoked_on": date(2023, 6, 30), "ban_until": date(2026, 6, 30)}  # fmt: skip
    assert asked("banned()", day, {"titles": [title]}) == barred


def test_a_bar_counts_for_the_tiers_that_are_asked_for() -> None:
    title = {"firm_id": "A", "tier": "tech_sme", "issued_on": date(2025, 7, 1),
             "revoked_on": date(2026, 1, 1), "ban_until": date(2028, 12, 31)}  # fmt: skip
    rows = {"titles": [title]}
    assert asked("banned(tech_sme)", DAY, rows) == 1.0
    assert asked("banned(little_giant, tech_sme)", DAY, rows) == 1.0
    assert asked("banned(little_giant)", DAY, rows) == 0.0
    assert np.isnan(asked("banned(little_giant, tech_sme)", DAY, {}, covered=("title:tech_sme",)))
    assert asked("banned(tech_sme)", date(2029, 1, 1), rows) == 0.0


def test_what_a_look_up_asks_for_must_be_on_the_lists() -> None:
    metrics = standing().metrics
    assert metrics["banned(tech_sme)"].zh == "处于禁申期:科技型中小企业"
    assert metrics["since_new_year(data_fraud, 1)"].zh == "当年及前1年发生:数据造假"
    assert metrics["since_new_year(data_fraud, 1)"].en == (
        "This year or in 1 calendar years before: data_fraud"
    )
    for name in ("banned(giant)", "banned(tech_sme, giant)", "since_new_year(flood, 1)"):
        assert name not in metrics


def test_the_fiscal_year_is_that_of_the_batch_never_the_latest() -> None:
    years = [{"firm_id": "A", "year": y, "revenue": float(y)} for y in (2021, 2022, 2024)]
    panel = panel_of(DAY, {"firms": [{"firm_id": "A"}], "annual": years})
    columns = of_panel(standing(), panel, 2023).columns
    assert np.isnan(columns["revenue"][0])
    assert columns["revenue[-1]"][0] == 2022
    assert columns["revenue[-2]"][0] == 2021


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"st_award_level": "prov", "st_award_rank": 3, "st_award_date": date(2023, 1, 1)}, 1.0),
        ({"st_award_level": "prov", "st_award_rank": 4, "st_award_date": date(2024, 1, 1)}, 0.0),
        ({"st_award_level": "prov", "st_award_rank": 1, "st_award_date": date(2022, 12, 31)}, 0.0),
        ({"st_award_level": "muni", "st_award_rank": 1, "st_award_date": date(2024, 1, 1)}, 0.0),
        ({"st_award_level": "nat", "st_award_date": date(2024, 1, 1)}, float("nan")),
        ({"st_award_level": "none"}, 0.0),
        ({}, float("nan")),
    ],
)
def test_an_award_counts_by_level_rank_and_date(row: dict[str, Any], found: float) -> None:
    tables = {"annual": [{"firm_id": "A", "year": 2025, "revenue": 1.0, **row}]}
    assert asked("award(prov, 3, 3)", DAY, tables) == pytest.approx(found, nan_ok=True)


def test_months_on_a_board_count_from_the_first_quotation() -> None:
    rows = [
        {"firm_id": "A", "kind": "quoted", "on": date(2025, 6, 30), "board": "neeq_base"},
        {"firm_id": "A", "kind": "quoted", "on": date(2026, 1, 5), "board": "neeq_innov"},
    ]
    name = "months_on(neeq_base, neeq_innov)"
    assert asked(name, DAY, {"events": rows}) == 12
    assert asked(name, date(2026, 6, 29), {"events": rows}) == 11
    assert asked("months_on(neeq_base)", DAY, {"events": rows}) == 0


def test_the_size_class_is_a_range_where_a_figure_is_missing() -> None:
    firm = {"firm_id": "A", "industry_gb4754": "3911"}
    annual = {"firm_id": "A", "year": 2025, "employees": 1200.0}

    def classes(**more: float) -> tuple[float, float]:
        panel = panel_of(DAY, {"firms": [firm], "annual": [{**annual, **more}]})
        columns = of_panel(standing(), panel, 2025).columns
        return float(columns["size_low()"][0]), float(columns["size_high()"][0])

    assert classes(revenue=39_999.99) == (2, 2)
    assert classes(revenue=40_000.0) == (3, 3)
    assert classes() == (0, 3)
    assert classes(employees=999.0) == (0, 2)


@pytest.mark.parametrize(
    ("firm", "trade", "industry"),
    [
        ({"industry_gb4754": "3911"}, "industry", "industry"),
        ({"industry_gb4754": "C"}, "industry", "industry"),
        ({"industry_gb4754": "C3911"}, "industry", "industry"),
        ({"industry_gb4754": "5199"}, "wholesale", "wholesale"),
        ({"industry_gb4754": "F"}, None, None),  # wholesale or retail
        ({"industry_gb4754": "G"}, "logistics", None),
        ({"industry_gb4754": "7010"}, "real_estate", "real_estate"),
        ({"industry_gb4754": "7040"}, "real_estate_services", None),
        ({"industry_gb4754": "70"}, None, None),
        ({"industry_gb4754": "8411"}, "health", None),
        ({"industry_gb4754": "8511"}, "social_work", "other"),
        ({"industry_gb4754": "Q"}, None, None),  # health or social work
        ({"industry_gb4754": "7320"}, "research", "other"),
        ({"industry_300": "retail"}, "retail", "retail"),
        ({"industry_300": "other"}, None, "other"),  # five groups
        ({"industry_gb4754": "F", "industry_300": "retail"}, "retail", "retail"),
        ({"industry_gb4754": "6510", "industry_300": "other"}, "software", "other"),
        ({}, None, None),
    ],
)
def test_the_trade_group_is_that_of_the_code_or_of_the_size_classes_if_alone(
    firm: dict[str, str], trade: str | None, industry: str | None
) -> None:
    law = standing()
    columns = of_panel(law, panel_of(DAY, {"firms": [{"firm_id": "A", **firm}]}), 2025).columns
    for name, wanted, order in (
        ("trade()", trade, list(law.trades)), ("size_industry()", industry, list(law.sizes)),
    ):  # fmt: skip
        place = float("nan") if wanted is None else float(order.index(wanted))
        assert columns[name][0] == pytest.approx(place, nan_ok=True), name


def test_every_code_of_a_section_leads_to_a_group_and_every_size_class_to_some() -> None:
    law = standing()
    codes = {code for trade in law.trades.values() for code in trade.gb4754}
    # 70 falls apart into four-digit classes; F, K and Q hold groups of different scale.
    assert {f"{n:02d}" for n in range(1, 98)} - codes == {"70"}
    assert set("ABCDEFGHIJKLMNOPQRST") - codes == {"F", "K", "Q"}
    assert {trade.size for trade in law.trades.values()} - {""} == set(law.sizes)


def test_findings_count_in_their_batch_or_while_they_are_valid() -> None:
    def status(batch: str, valid_until: date | None) -> str:
        finding = {"firm_id": "A", "criterion": "2-2026/annex2:reputation", "batch": batch,
                   "finding": "met", "valid_until": valid_until}  # fmt: skip
        panel = panel_of(DAY, {"firms": [{"firm_id": "A"}], "attestations": [finding]})
        values = Values(standing(), of_panel(standing(), panel, 2025, "2026-little_giant"))
        edition = standing().edition("2-2026/annex2")
        names = [c.id for c in edition.criteria]
        return NAMES[judge(edition, values).criteria[0, names.index("reputation")]]

    assert status("2026-little_giant", None) == "met"
    assert status("2025-little_giant", None) == "manual"
    assert status("2025-little_giant", DAY) == "met"
    assert status("2025-little_giant", date(2026, 6, 29)) == "manual"


def test_accounts_in_another_currency_are_not_judged() -> None:
    rows = [{"firm_id": "A", "year": 2025, "revenue": 1.0, "currency": "KRW"},
            {"firm_id": "B", "year": 2025, "revenue": 1.0}]  # fmt: skip
    panel = panel_of(DAY, {"firms": [{"firm_id": "A"}, {"firm_id": "B"}], "annual": rows})
    verdict = judge(
        standing().edition("2-2026/annex2"), Values(standing(), of_panel(standing(), panel, 2025))
    )
    assert verdict.status[0] == NOT_APPLICABLE
    assert verdict.status[1] not in (NOT_APPLICABLE, MET)
