"""Papers of the law: every criterion names one, for which years, by an oracle of all ways."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any as Anything

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.conditions import All, Any, Condition, Label, Leaf, walk
from policy.loading import DATA, LOCK, digests, load, standing
from policy.logic import MANUAL, MET, UNKNOWN, UNMET, every, some
from policy.papers.catalogue import released_papers
from policy.papers.demands import demanded
from policy.papers.dossier import needed
from policy.papers.materials import OPTIONAL, REQUIRED, Place
from policy.papers.needs import Mention, asked_by, indicators, lags, mentions
from policy.rules import Criterion, Edition, Purpose
from tidu.errors import DataError

LAW = standing()
PAPERS = released_papers()
EDITIONS = list(LAW.editions.values())
PURPOSES: tuple[Purpose, ...] = ("new", "review")

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
