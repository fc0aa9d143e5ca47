"""The dossier of a tier: which papers prove what, who is asked for them, and for which years."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any as Anything

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_panels import EVERYTHING, panel_of

from features.panel import Panel
from policy.conditions import All, Any, Condition, Label, Leaf, walk
from policy.loading import DATA, LOCK, digests, load, standing
from policy.logic import MANUAL, MET, NOT_APPLICABLE, UNKNOWN, UNMET, every, some
from policy.papers.catalogue import released_papers
from policy.papers.demands import demanded
from policy.papers.dossier import Dossier, dossier, needed
from policy.papers.letter import LANGUAGES, letter_html, letter_of, subject_of
from policy.papers.materials import OPTIONAL, REQUIRED, STATES, Place
from policy.papers.needs import Mention, asked_by, indicators, lags, mentions
from policy.rules import Criterion, Edition, Purpose
from policy.situation import Situation
from tidu.errors import DataError

LAW = standing()
PAPERS = released_papers()
DAY = date(2026, 5, 10)
EDITIONS = list(LAW.editions.values())
PURPOSES: tuple[Purpose, ...] = ("new", "review")
JUDGED = list(dict.fromkeys((use.tier, use.purpose) for use in LAW.uses if use.covers(DAY)))
"""Every tier with every purpose for which some edition judges it at the day."""

# Papers of rows of the plan; as these name them the set gets smaller.
NAMED_ELSEWHERE = {"award_payment_record", "relocation_proof"}


# ---------------------------------------------------------------- what the data must name


def named(edition: Edition) -> Iterator[str]:
    for criterion in edition.criteria:
        yield from criterion.papers
        for node in criterion.conditions():
            yield from node.label.papers
    yield from (paper for line in indicators(edition, "total") for paper in line.papers)


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: e.id)
def test_every_criterion_and_every_indicator_names_a_paper_that_exists(edition: Edition) -> None:
    assert set(named(edition)) <= set(PAPERS)
    for criterion in edition.criteria:
        own = [*criterion.papers, *(p for n in criterion.conditions() for p in n.label.papers)]
        assert own, criterion.address
    for line in indicators(edition, "total"):
        assert line.papers, f"{edition.id}:{line.id}"


def test_every_paper_is_named() -> None:
    found = {paper for edition in EDITIONS for paper in named(edition)}
    assert set(PAPERS) - found <= NAMED_ELSEWHERE


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: e.id)
def test_every_criterion_and_indicator_is_proved_by_a_paper_of_the_list(
    edition: Edition, purpose: Purpose
) -> None:
    listed = needed(LAW, edition, purpose)
    proved = {place["id"] for item in listed for place in item["proves"]}
    for criterion in edition.criteria:
        within = {
            a for a in proved if a == criterion.address or a.startswith(criterion.address + "/")
        }
        assert bool(within) == (purpose in criterion.purposes), criterion.address
    lines = {line.id for line in indicators(edition, "total")}
    assert lines <= {address.rpartition("/")[2] for address in proved}


def test_a_paper_that_nobody_describes_is_refused_on_loading(tmp_path: Path) -> None:
    data = Path(shutil.copytree(DATA, tmp_path / "data"))
    file = "editions/little_giant_2026.toml"
    text = (data / file).read_text(encoding="utf-8").replace('"niche_statement"', '"note"')
    (data / file).write_text(text, encoding="utf-8")
    lines = [f'"{name}" = "{digest}"' for name, digest in digests(data).items()]
    (data / LOCK).write_text("[files]\n" + "\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match="All files of the law") as refused:
        load(None, data)
    found = [(issue.file, issue.column, issue.rule) for issue in refused.value.issues]
    assert found == [(file, "criteria.niche_years.papers", "unknown_paper")]


# ----------------------------------------------------------------------- for which years


def years(edition: str, purpose: Purpose, paper: str) -> list[int] | None:
    listed = needed(LAW, LAW.edition(edition), purpose)
    return next((item["years_back"] for item in listed if item["paper"] == paper), None)


def test_growth_over_two_years_needs_three_audit_reports() -> None:
    assert years("2-2026/annex2", "new", "audit_report") == [0, 1, 2]
    assert years("2-2026/annex2", "review", "audit_report") == [0, 1]
    assert years("2-2026/annex1", "new", "audit_report") == [0, 1]
    assert years("63-2022/annex3", "review", "audit_report") == [0, 1, 2]
    assert years("63-2022/annex2", "new", "audit_report") == [0, 1, 2]
    assert years("63-2022/annex1", "new", "audit_report") == [0, 1]
    assert years("138-2023/annex1", "new", "audit_report") == [0, 1, 2]
    assert years("115-2017", "review", "tax_returns") == [0]
    assert years("115-2017", "new", "audit_report") is None  # small firms need not be audited


def test_a_paper_reaches_back_only_as_far_as_what_it_bears_out() -> None:
    assert years("63-2022/annex3", "new", "social_insurance_list") == [0]
    assert years("63-2022/annex3", "new", "contest_certificate") == []
    assert years("2-2026/annex2", "new", "platform_score_notice") == [0]
    assert years("2-2026/annex2", "review", "platform_score_notice") == [0, 1]
    assert years("63-2022/annex3", "new", "platform_score_notice") is None
    assert lags(["rd_expense[-1]"]) == (1,)


def test_a_certificate_is_asked_for_by_the_titles_that_its_criteria_name() -> None:
    def titles(edition: str) -> frozenset[str]:
        found = mentions(LAW.edition(edition), "new", LAW, PAPERS)
        return asked_by(found, "title_certificate", ["held", "ever"])

    assert titles("2-2026/annex2") == {"srdi_provincial"}
    assert titles("2-2026/annex1") == {"innovative_sme", "tech_sme"}
    assert titles("115-2017") == {"high_tech"}
    assert titles("138-2023/annex1") == {"srdi_provincial", "little_giant"}
    assert "high_tech" in titles("63-2022/annex1")


@pytest.mark.parametrize("edition", ["bse-listing/2.1", "neeq-2023/innov"])
def test_a_notice_is_asked_for_by_the_boards_that_its_criteria_name(edition: str) -> None:
    found = mentions(LAW.edition(edition), "new", LAW, PAPERS)
    boards = asked_by(found, "quotation_notice", ["on_board", "months_on"])
    assert boards == {"neeq_base", "neeq_innov"}


def test_what_only_one_way_needs_is_optional_while_nothing_is_known() -> None:
    listed = {item["paper"]: item for item in needed(LAW, LAW.edition("2-2026/annex2"))}
    assert {name for name, item in listed.items() if item["optional"]} == {
        "award_certificate", "chain_position_statement", "main_product_catalogue",
    }  # fmt: skip
    assert listed["patent_certificates"]["proves"][0]["clause"] == "附件2 第四项"


# ------------------------------------------------------ an oracle: all ways through a criterion


PAPER = PAPERS["brand_proof"]
STATUSES = (UNMET, UNKNOWN, MANUAL, MET)


def leaves(draw: st.DrawFn, statuses: dict[Condition, int]) -> Condition:
    papers = ("brand_proof",) if draw(st.booleans()) else ()
    leaf = Leaf("revenue", "at_least", label=Label(id=str(len(statuses)), papers=papers))
    statuses[leaf] = draw(st.sampled_from(STATUSES))
    return leaf


@st.composite
def trees(draw: st.DrawFn) -> tuple[Condition, dict[Condition, int]]:
    statuses: dict[Condition, int] = {}

    def tree(depth: int) -> Condition:
        kind = draw(st.sampled_from(["leaf", "all", "any"])) if depth else "leaf"
        if kind == "leaf":
            return leaves(draw, statuses)
        parts = tuple(tree(depth - 1) for _ in range(draw(st.integers(2, 3))))
        papers = ("brand_proof",) if draw(st.integers(0, 5)) == 0 else ()
        label = Label(id=f"g{len(statuses)}", papers=papers)
        node = All(parts, label) if kind == "all" else Any(parts, label)
        codes = [np.array([statuses[part]], dtype=np.int8) for part in parts]
        statuses[node] = int((every if kind == "all" else some)(codes)[0])
        return node

    return tree(3), statuses


def ways(node: Condition, statuses: Mapping[Condition, int]) -> list[list[Condition]]:
    """Every way that is open: the nodes that one passes, one part of each choice."""
    if isinstance(node, Any):
        met = [part for part in node.parts if statuses[part] == MET]
        possible = [part for part in node.parts if statuses[part] != UNMET]
        chosen = met or possible or list(node.parts)
        return [[node, *way] for part in chosen for way in ways(part, statuses)]
    parts = [ways(part, statuses) for part in node.parts]
    return [[node, *(n for way in choice for n in way)] for choice in product(*parts)]


def fake_edition(criterion: Criterion) -> Edition:
    return Edition("e", "t", "d", "zh", "en", (criterion,), None, "H", "", "")


def stub(statuses: Mapping[Condition, int], root: Condition) -> Anything:
    """A judge that knows the statuses of the nodes."""

    class Values(SimpleNamespace):
        def __len__(self) -> int:
            return 1

    values = Values(law=LAW, inputs=SimpleNamespace(columns={}))
    return SimpleNamespace(
        values=values,
        holds=lambda node: np.array([statuses[node]], dtype=np.int8),
        criterion=lambda *_: np.array([statuses[root]], dtype=np.int8),
    )


@settings(max_examples=300, deadline=None)
@given(trees())
def test_a_paper_is_required_if_every_open_way_passes_its_place_and_optional_if_some_do(
    drawn: tuple[Condition, dict[Condition, int]],
) -> None:
    root, statuses = drawn
    criterion = Criterion("e:c", "c", "d", "第一项", "条件", "Condition", root)
    place = Place("e:c", "第一项", "条件", "Condition", 0)
    found = [
        Mention("brand_proof", place, frozenset(), node) for node in walk(root) if node.label.papers
    ]
    got = 0
    if found:
        judged, edition = stub(statuses, root), fake_edition(criterion)
        got = int(demanded(judged, edition, "new", PAPER, found)[0])
    passes = [any(node.label.papers for node in way) for way in ways(root, statuses)]
    assert got == (REQUIRED if all(passes) else OPTIONAL if any(passes) else 0)


# ------------------------------------------------------------------- firms before the real texts


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


# --------------------------------------------------------------------------------- the letter


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
