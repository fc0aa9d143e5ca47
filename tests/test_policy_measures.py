"""Measures of the plan: whom each is for, which gap it closes, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_measures import DAY, Row, city, credit, gaps, titled
from plan_panels import ground_of, panel_of, plan

from features.facts import LADDER
from features.schema import register
from policy.loading import standing
from policy.logic import MANUAL, MET, NOT_APPLICABLE, UNKNOWN, UNMET
from policy.plan.files import load_plans
from policy.plan.fitting import closing, fit, fitting, plan_order
from policy.plan.ground import eligible, next_tier, support
from policy.plan.grounded import footing
from policy.plan.measures import run
from policy.plan.products import run as run_product
from policy.plan.rows import Row as PlanRow
from policy.plan.tags import tags
from policy.situation import Situation

Figures = Mapping[str, Mapping[str, Any]]


def test_every_support_says_whom_it_is_for_and_what_it_gives() -> None:
    supports = [row for row in plan().values() if support(row)]
    assert len(supports) >= 55
    for row in supports:
        detail = support(row) or {}
        assert {"closes", "channel_zh", "channel_en", "benefit_zh", "benefit_en"} <= set(detail), (
            row.id
        )
        assert ("note_zh" in detail) == ("note_en" in detail), row.id


def test_the_ten_programmes_all_have_supports() -> None:
    programmes = {row.programme for row in plan().values() if support(row)}
    assert programmes == {
        "cultivation", "innovation", "digital", "finance", "quality", "market", "platform", "green",
        "factors", "service",
    }  # fmt: skip


@pytest.mark.parametrize("row", [r.id for r in plan().values() if r.kind in ("measure", "product")])
def test_every_measure_and_product_runs(row: str) -> None:
    for panel in (panel_of(DAY, {}), city()):
        result = (run if plan()[row].kind == "measure" else run_product)(
            plan()[row], ground_of(panel, {})
        )
        assert result.totals
        assert {"firm_id"} <= set(result.table)


def status_of(row: str, panel: Any, figures: Figures = {}) -> dict[str, int]:  # noqa: B006  read only
    found = eligible(plan()[row], ground_of(panel, figures))
    return {firm: int(code) for firm, code in zip(panel.firm_ids, found, strict=True)}


def test_scopes() -> None:
    panel = city()
    assert status_of("F6", panel) == {"A": MET, "B": MET, "C": MET, "D": UNMET, "E": UNMET}
    assert status_of("F3", panel) == {"A": MET, "B": MET, "C": UNMET, "D": UNMET, "E": UNMET}
    assert status_of("B5", panel) == {"A": MET, "B": MET, "C": MET, "D": MET, "E": UNMET}
    assert set(status_of("C4", panel).values()) == {MET}
    unrecorded = city(covered=["title:innovative_sme"])
    assert status_of("F3", unrecorded)["C"] == UNKNOWN


def test_a_firm_that_left_or_closed_qualifies_for_nothing() -> None:
    panel = city(
        firms=[{"firm_id": "A", "city_out_on": date(2025, 1, 1)}, {"firm_id": "B"}],
        events=[{"firm_id": "B", "kind": "dissolved", "on": date(2025, 1, 1)}],
    )
    for row in plan().values():
        if support(row):
            assert not (eligible(row, ground_of(panel, {}))[:2] == MET).any(), row.id


def test_own_conditions() -> None:
    panel = city()
    figures = {"irreplaceable_ip": {"A": 1.0, "B": 0.0, "D": 1.0}}
    found = status_of("F5", panel, figures)
    assert found == {"A": MET, "B": UNMET, "C": UNKNOWN, "D": UNMET, "E": UNMET}
    # Someone who already has the title a measure leads to does not need it.
    figures = {"chief_quality_officer": {"A": 1.0, "B": 0.0}}
    found = status_of("E1", panel, figures)
    assert (found["A"], found["B"], found["C"]) == (UNMET, MET, UNKNOWN)


def test_renewals_and_the_bridge_look_at_loans_that_fall_due_and_at_a_finding() -> None:
    def finding(firm: str, row: str, what: str) -> Row:
        return {"firm_id": firm, "criterion": row, "batch": "2026", "finding": what,
                "attested_on": date(2026, 10, 1)}  # fmt: skip

    panel = city(
        credit=[
            credit("A", date(2027, 2, 22)), credit("B", date(2027, 2, 23)),
            credit("C", date(2026, 11, 22)), credit("D", date(2026, 12, 1)),
        ],
        attestations=[finding("A", "D20", "met"), finding("C", "D20", "unmet")],
    )  # fmt: skip
    expected = {"A": MET, "B": UNMET, "C": UNMET, "D": UNMET, "E": UNMET}
    assert status_of("D20", panel) == expected
    assert status_of("D5", panel) == {"A": MANUAL, "B": UNMET, "C": MANUAL, "D": UNMET, "E": UNMET}
    table = run_product(plan()["D20"], ground_of(panel, {})).table
    # 95 % of the amount due, at most the fund's cap.
    assert table[["firm_id", "status", "basis", "high"]].to_numpy().tolist() == [
        ["A", "met", 800.0, 760.0]
    ]


def small_plan() -> dict[str, PlanRow]:
    def row(row_id: str, closes: list[str], **detail: Any) -> PlanRow:
        parts = {"measure": {"reach": "sme", "closes": closes} | detail}
        return PlanRow(row_id, "甲", "a", "…", "all", "digital", "measure", {}, parts)

    rows = [
        row("C10", ["digital_level"]),
        row("C2", ["digital_level"]),
        row("B1", ["reputation"], recurs="yearly"),
        row("B2", ["reputation"]),
        row("D1", [], recurs="yearly", deadline_month=5, deadline_day=31),
        row("D2", []),
        row("D3", [], deadline_of="loan_maturing_on"),
        row("K1", ["rd_ratio_pct", "digital_level"]),
    ]
    return {row.id: row for row in rows}


def test_what_blocks_comes_first_then_what_is_open_then_the_nearer_deadline() -> None:
    panel = city(credit=[credit("B", date(2027, 1, 15))])
    found = {
        "little_giant": gaps(
            {f: [MET, UNMET, MANUAL] for f in "A"} | {"B": [MET, UNMET, MANUAL]}
            | {f: [MET] * 3 for f in "CDE"}
        ),
    }  # fmt: skip
    ground = ground_of(panel, {}, gaps=found.get)
    table = fitting(small_plan(), ground, firms=np.array([1]))
    assert table["row"].tolist() == ["C2", "C10", "K1", "B1", "B2", "D3", "D1", "D2"]
    assert table["place"].tolist() == list(range(1, 9))
    assert table["closes"].tolist() == ["digital"] * 3 + ["fame"] * 2 + [""] * 3
    assert table["tier"].unique().tolist() == ["little_giant"]
    days = dict(zip(table["row"], table["deadline"], strict=True))
    assert days["B1"] == pd.Timestamp(2026, 12, 31)
    assert days["D1"] == pd.Timestamp(2027, 5, 31)
    assert days["D3"] == pd.Timestamp(2027, 1, 15)
    assert pd.isna(days["D2"])


def test_the_next_tier_is_the_rung_above_the_highest_valid_title() -> None:
    panel = city()
    assert next_tier(panel).tolist() == [4, 3, 2, 1, 0]
    champion = city(titles=[titled("A", "single_champion")])
    ground = ground_of(champion, {}, gaps=lambda _: gaps({firm: [UNMET] * 3 for firm in "ABCDE"}))
    table = fitting(small_plan(), ground)
    top = table[(table["firm_id"] == "A").to_numpy()]
    assert (top["blocks"] == 0).all()
    assert (top["tier"] == "").all()


codes = st.sampled_from([UNMET, UNKNOWN, MANUAL, MET, NOT_APPLICABLE])


@settings(max_examples=25)
@given(
    st.lists(st.lists(codes, min_size=3, max_size=3), min_size=5, max_size=5),
    st.sampled_from(LADDER),
)
def test_as_counted_firm_by_firm(statuses: list[list[int]], tier: str) -> None:
    panel = city()
    known = gaps(dict(zip("ABCDE", statuses, strict=True)))
    rows = small_plan()
    found = fit(rows, ground_of(panel, {}, gaps=lambda _: known), tier)
    for i, firm in enumerate(statuses):
        for j, row in enumerate(found.rows):
            own = [
                s
                for s, tag in zip(firm, known.tags, strict=True)
                if tag & set(support(row)["closes"])
            ]  # type: ignore[index]
            assert found.blocks[i, j] == own.count(UNMET)
            assert found.opens[i, j] == own.count(UNKNOWN) + own.count(MANUAL)
    table = fitting(rows, ground_of(panel, {}, gaps=lambda _: known), tier)
    for _, own_rows in table.groupby("firm_id"):
        keys = [
            (0 if b else 1 if o else 2, d if pd.notna(d) else pd.Timestamp.max, plan_order(r))
            for b, o, d, r in own_rows[["blocks", "opens", "deadline", "row"]].itertuples(
                index=False
            )
        ]
        assert keys == sorted(keys)


def test_the_measures_of_the_plan_speak_to_criteria() -> None:
    known = gaps({"A": [UNMET, UNMET, MANUAL]})
    rows = [plan()[name] for name in ("C7", "B3", "F3", "D1")]
    assert closing(rows, known).tolist() == [
        [False, True, False], [True, False, False], [False, False, True], [False] * 3
    ]  # fmt: skip


def test_what_a_measure_closes_is_known() -> None:
    """Each name is a column, a metric of the law, or what some criterion goes by."""
    law = standing()
    columns = register().tables
    known = {tag for e in law.editions.values() for c in e.criteria for tag in tags(c, e)}
    for row in plan().values():
        for name in (support(row) or {}).get("closes", ()):
            column = name in columns["annual"].columns or name in columns["firms"].columns
            assert column or name in known or name in law.metrics, (row.id, name)


def test_whatever_a_firm_can_work_on_has_a_measure() -> None:
    """What is left is exclusions, titles, time in the niche, size, and what an official finds."""
    law = standing()
    closed = {name for row in plan().values() for name in (support(row) or {}).get("closes", ())}
    for tier in LADDER[:4]:
        edition = law.select(tier, DAY)
        alone = {c.id for c in edition.criteria if not tags(c, edition) & closed}
        for worked_on in (
            "rd_amount",
            "rd_ratio",
            "ip",
            "debt",
            "platform_score",
            "score_or_direct",
        ):
            assert worked_on not in alone, (edition.id, worked_on)


def test_a_score_is_raised_by_way_of_its_indicators() -> None:
    edition = standing().edition("63-2022/annex2")
    criterion = edition.criterion("score_or_direct")
    assert criterion is not None
    found = tags(criterion, edition)
    assert {"digital_level", "main_share_pct", "rd_institution_level", "award"} <= found
    assert "digital_level" not in tags(edition.criteria[0], edition)


def test_on_the_law_itself() -> None:
    """What fits a provincial firm on its way to a little giant, judged by the edition in force."""
    panel = city(
        annual=[
            {"firm_id": "B", "year": 2025, "revenue": 9000.0, "rd_expense": 200.0,
             "total_assets": 100.0, "total_liabilities": 80.0, "class1_ip_effective": 9.0},
            {"firm_id": "B", "year": 2024, "revenue": 8000.0, "rd_expense": 100.0},
        ]
    )  # fmt: skip
    situation = Situation(standing(), panel)
    ground = footing(situation, load_plans()["2025"]).ground
    for row in plan().values():
        if row.kind in ("measure", "product"):
            (run if row.kind == "measure" else run_product)(row, ground)
    table = fitting(plan(), ground, firms=np.array([situation.number("B")]))
    verdict = situation.verdict("little_giant")
    found = dict(zip([c.id for c in verdict.edition.criteria], verdict.criteria[1], strict=True))
    assert found["rd_ratio"] == found["debt"] == UNMET
    for blocks, opens, closes in table[["blocks", "opens", "closes"]].itertuples(index=False):
        names = closes.split(";") if closes else []
        assert [found[name] for name in names[:blocks]] == [UNMET] * blocks
        assert all(found[name] in (UNKNOWN, MANUAL) for name in names[blocks:])
        assert len(names) == blocks + opens
    fits = table[(table["status"] == "met").to_numpy()]
    first = fits[(fits["blocks"] > 0).to_numpy()]
    assert first["place"].tolist() == list(range(1, len(first) + 1))
    assert {"B6", "D18"} <= set(first["row"])
    # Whether it takes part in a major project is not on record: it may fit, behind all that do.
    maybe = table[(table["status"] != "met").to_numpy()]
    assert "B3" in set(maybe["row"])
    assert maybe["place"].min() > fits["place"].max()
