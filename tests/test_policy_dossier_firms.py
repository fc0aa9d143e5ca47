"""What papers firms are asked for, and the letter that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any as Anything

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_panels import EVERYTHING, panel_of

from features.panel import Panel
from policy.loading import standing
from policy.logic import MANUAL, NOT_APPLICABLE, UNKNOWN
from policy.papers.dossier import Dossier, dossier
from policy.papers.letter import LANGUAGES, letter_html, letter_of, subject_of
from policy.papers.materials import OPTIONAL, REQUIRED, STATES
from policy.rules import Purpose
from policy.situation import Situation

LAW = standing()
DAY = date(2026, 5, 10)
JUDGED = list(dict.fromkeys((use.tier, use.purpose) for use in LAW.uses if use.covers(DAY)))
"""Every tier with every purpose for which some edition judges it at the day."""
Rows = Sequence[Mapping[str, Anything]]


def panel(annual: Rows, covered: Sequence[str] = EVERYTHING, **tables: Rows) -> Panel:
    ids = sorted({str(row["firm_id"]) for row in annual})
    firms = [{"firm_id": i, "name": f"企业{i}", "registered_in_city": 1.0} for i in ids]
    return panel_of(DAY, {"firms": firms, "annual": annual} | tables, covered)


def of(rows: Panel, tier: str, purpose: Purpose = "new") -> Dossier:
    return dossier(Situation(LAW, rows), tier, purpose)


def asked(annual: Rows, tier: str = "little_giant", purpose: Purpose = "new") -> dict[str, int]:
    found = of(panel(annual), tier, purpose)
    return {n.paper.id: int(a) for n, a in zip(found.materials.needs, found.asked[0], strict=True)}


def year(value: int = 2025, **more: Anything) -> dict[str, Anything]:
    return {"firm_id": "A", "year": value} | more


def test_who_has_the_patents_is_not_asked_for_an_award_and_the_reverse() -> None:
    award = {"st_award_level": "nat", "st_award_rank": 3.0, "st_award_date": "2024-06-01"}
    both = ("patent_certificates", "award_certificate")

    def pair(**figures: Anything) -> tuple[int, int]:
        found = asked([year(**figures)])
        return found[both[0]], found[both[1]]

    assert pair() == (REQUIRED, OPTIONAL)
    rights = {f"class1_ip{part}": 4.0 for part in ("", "_self", "_top3_owner")}
    assert pair(**rights, class1_ip_effective=4.0) == (REQUIRED, 0)
    # Whether the four in use are its own is not on record: an award may still stand for them.
    assert pair(class1_ip_effective=4.0) == (REQUIRED, OPTIONAL)
    assert pair(**rights | {"class1_ip_self": 0.0}, class1_ip_effective=4.0) == (REQUIRED, OPTIONAL)
    assert pair(class1_ip_effective=1.0, **award) == (0, REQUIRED)
    assert pair(class1_ip_effective=1.0) == (REQUIRED, OPTIONAL)


def test_the_size_of_revenue_decides_which_proof_of_research_is_asked() -> None:
    def financing(revenue: float) -> int:
        found = asked([year(revenue=revenue)], purpose="review")
        return found["financing_proof"]

    assert financing(20_000.0) == 0
    assert financing(7_000.0) == 0
    assert financing(3_000.0) == OPTIONAL  # the direct conditions are other ways
    assert asked([year()], purpose="review")["financing_proof"] == OPTIONAL


def test_an_indicator_that_brings_no_points_needs_no_proof() -> None:
    rows = [year(digital_level=1.0, rd_staff=30.0, employees=100.0)]
    found = asked(rows, "srdi_municipal")
    assert found["digital_report"] == 0
    assert asked([year(digital_level=2.0)], "srdi_municipal")["digital_report"] == OPTIONAL


def test_a_score_in_either_of_two_years_is_enough_in_review() -> None:
    rows = panel([year(2024, srdi_platform_score=70.0), year(2025)])
    situation = Situation(LAW, rows)
    found = dossier(situation, "srdi_provincial", "review")
    place = [need.paper.id for need in found.materials.needs].index("platform_score_notice")
    assert STATES[found.materials.states[0, place]] == "held"
    found = dossier(situation, "srdi_provincial", "new")
    place = [need.paper.id for need in found.materials.needs].index("platform_score_notice")
    assert STATES[found.materials.states[0, place]] == "expired"


figures = st.none() | st.sampled_from([0.0, 1.0, 3.0, 50.0, 400.0, 6000.0, 20_000.0])
NAMES = (
    "revenue", "main_revenue", "rd_expense", "total_assets", "total_liabilities", "employees",
    "class1_ip_effective", "years_in_niche", "equity_raised_qualified_2y", "iso_cert", "own_brand",
    "info_system_core", "maker_contest_rank", "digital_level", "audited",
)  # fmt: skip
CAPS = {"iso_cert": 1.0, "own_brand": 1.0, "info_system_core": 1.0, "audited": 1.0}


@st.composite
def accounts(draw: st.DrawFn) -> list[dict[str, Anything]]:
    rows = []
    for firm in "ABC":
        for value in (2023, 2024, 2025):
            row: dict[str, Anything] = {"firm_id": firm, "year": value}
            for name in NAMES:
                figure = draw(figures)
                row[name] = None if figure is None else min(figure, CAPS.get(name, 1e6))
            rows.append(row)
    return rows


@settings(max_examples=25, deadline=None)
@given(accounts(), st.sampled_from(JUDGED), st.booleans())
def test_every_open_criterion_names_a_paper_that_the_firm_is_asked_for(
    rows: list[dict[str, Anything]], judged: tuple[str, Purpose], covered: bool
) -> None:
    tier, purpose = judged
    known = EVERYTHING if covered else ()
    situation = Situation(LAW, panel(rows, known))
    found = dossier(situation, tier, purpose)
    verdict = situation.verdict(tier, purpose)
    for firm in range(3):
        statuses = verdict.criteria[firm]
        open_ = [
            criterion.address
            for criterion, status in zip(found.edition.criteria, statuses, strict=True)
            if status in (UNKNOWN, MANUAL)
        ]
        points = found.open_points(firm)
        assert [point["id"] for point in points] == open_
        assert all(point["papers"] for point in points)
        listed = {paper["paper"]: paper for paper in found.papers_of(firm)}
        assert {name for point in points for name in point["papers"]} <= set(listed)
        assert all(paper["proves"] for paper in listed.values())
        for number, criterion in enumerate(found.edition.criteria):
            if statuses[number] == NOT_APPLICABLE and criterion.exempt is None:
                places = {p["id"] for paper in listed.values() for p in paper["proves"]}
                assert criterion.address not in places


@settings(max_examples=7, deadline=None)
@given(accounts(), st.sampled_from(JUDGED))
def test_all_firms_at_once_is_each_firm_alone(
    rows: list[dict[str, Anything]], judged: tuple[str, Purpose]
) -> None:
    tier, purpose = judged
    together = of(panel(rows), tier, purpose)
    for i, firm in enumerate("ABC"):
        alone = of(panel([row for row in rows if row["firm_id"] == firm]), tier, purpose)
        assert (together.asked[i] == alone.asked[0]).all()
        assert (together.materials.states[i] == alone.materials.states[0]).all()
        assert together.papers_of(i) == alone.papers_of(0)


def test_the_letter_of_a_firm_lists_what_is_missing_and_what_is_open() -> None:
    audit = {"paper": "audit_report", "issued_on": "2025-04-01", "fiscal_year": 2024.0}
    niche = {"paper": "niche_statement", "issued_on": "2026-04-01", "fiscal_year": 2025.0}
    held = [{"firm_id": "A"} | audit, {"firm_id": "A"} | niche]
    title = {"tier": "srdi_provincial", "issued_on": "2024-01-01", "expires_on": "2026-12-31"}
    titles = [{"firm_id": "A"} | title]
    rows = panel([year(revenue=9000.0)], materials=held, titles=titles)
    found = of(rows, "little_giant")
    subject = subject_of(found, rows, 0, "5f3a", date(2026, 5, 11))
    zh, en = (letter_of(found, 0, subject, language) for language in LANGUAGES)
    asked_for = {item.paper: item.situation for item in zh.items}
    assert asked_for["年度审计报告"] == "仅有2024年度\uff0c须2025年度\uff1b缺2023年度"
    assert "从事特定细分市场情况说明" not in asked_for
    assert "称号证书或认定文件" not in asked_for
    assert [item.paper for item in zh.alternatives] == [
        "科学技术奖励证书", "产业链关键环节或配套龙头企业证明", "主导产品所属目录及领域对照说明",
    ]  # fmt: skip
    assert "《优质中小企业梯度培育管理办法》\uff08工信部企业〔2026〕2号\uff09" in zh.opening
    assert "小巨人" in zh.opening
    assert "little giant" in en.opening
    assert any("享有较高知名度和影响力" in point.criteria for point in zh.pending)
    assert len(zh.items) == len(en.items)
    assert "企业A" in letter_html(zh)


@pytest.mark.parametrize(("tier", "purpose"), JUDGED)
def test_every_tier_and_purpose_has_its_letter_in_both_languages(
    tier: str, purpose: Purpose
) -> None:
    rows = panel([year()], ())
    found = of(rows, tier, purpose)
    for language in LANGUAGES:
        subject = subject_of(found, rows, 0, "5f3a", DAY)
        letter = letter_of(found, 0, subject, language)
        page = letter_html(letter)
        assert page.count('<td class="no">') == len(letter.items) + len(letter.alternatives)
        assert sum(len(point.criteria) for point in letter.pending) == len(found.open_points(0))
