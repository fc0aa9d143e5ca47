"""Verdict and path as people read them on the command line."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from policy_cases import asked, cases

from policy.detail import detail
from policy.layout import shown_conditions
from policy.loading import standing
from serving.commands.casework import path_text
from serving.commands.policy import policy_command
from serving.commands.verdict_table import criteria_table, places


def lines(file: str, name: str, lang: int = 0) -> dict[str, list[str]]:
    """The columns of each line of a case's table, by its words."""
    (case,) = [c for c in cases() if c.file == file and c.raw["name"] == name]
    edition, values, purpose = asked(case)
    found: dict[str, Any] = detail(edition, values, 0, purpose)
    rows = [line.split("  ") for line in criteria_table(found, edition, lang).splitlines()[3:]]
    told = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    return {row[0]: row[1:] for row in reversed(told)}


def test_figures_are_written_out_and_never_rounded_onto_their_bound() -> None:
    above = lines("tech_sme_2017", "a direct condition does not lift the limit of revenue")
    assert above["年销售收入"][:4] == ["不符合", "20000.01", "≤20000万元", "-0.01"]
    wide = lines("gem_2026", "value and revenue: revenue just below")
    assert wide["2 营业收入"][1:3] == ["29999.99", "≥40000万元"]


def test_what_must_not_be_the_case_is_said_by_its_own_words_alone() -> None:
    listed = lines("single_champion_2023", "on the list of serious dishonesty")
    assert listed["未被列入严重失信主体名单"] == ["不符合", "-", "-", "-", "第三条"]
    assert listed["未被列入经营异常名录"] == ["符合", "-", "-", "-", "第三条"]


def test_an_open_score_shows_its_range_and_what_is_missing_at_most() -> None:
    name = "technical staff not on record: at most 20 + 20 + 18 = 58"
    assert lines("tech_sme_2017", name)["1 评价得分"][1:4] == ["38–58", "≥60分", "≤22"]
    name = "employees not on record: neither the size nor the share of staff is known"
    unknown = lines("tech_sme_2017", name)["1 科技人员指标得分不为零"]
    assert unknown[:4] == ["数据缺失", "0–20", "≥4分", "≤4"]


def test_grades_are_told_in_words_and_other_documents_named() -> None:
    asked_for = lines("bse", "audit opinion: adverse")["· 审计意见"]
    assert asked_for[1:3] == ["否定意见", "至多带强调事项段的无保留意见"]
    assert asked_for[-1] == "证监会令第210号 第十条"
    english = lines("bse", "audit opinion: adverse", 1)["· Audit opinion"]
    assert english[2] == "at most emphasis"


def test_the_list_of_editions_names_them_and_parameters_are_spelled_as_in_the_citys_file() -> None:
    listed = CliRunner().invoke(policy_command, ["list"]).output
    assert sum("内部口径" in line for line in listed.splitlines()) == 3
    spelled = CliRunner().invoke(policy_command, ["parameters"]).output
    (row,) = [line for line in spelled.splitlines() if line.startswith("reward_first_only")]
    assert " true " in row


@pytest.mark.parametrize(
    ("status", "alone", "beside"),
    [("met", "已符合", "可判定条件均符合,待核实"),
     ("reachable", "可达", "可判定条件可达,其余待核实"),
     ("blocked", "路径所含变动无法达到", "路径所含变动无法达到")],
)  # fmt: skip
def test_a_path_that_leaves_something_to_proof_does_not_say_that_all_is_met(
    status: str, alone: str, beside: str
) -> None:
    words = {"zh": "企业估值", "en": "Valuation"}
    left = {"text": words, "clause": "通行口径"}
    path = {"status": status, "batch_year": 2026, "changes": [], "warning": words, "pending": []}
    path |= {kind: [] for kind in ("by_time", "short", "blocked")}
    found = {"firm": {"firm_id": "A", "name": None}, "edition_zh": "独角兽企业", "document": "-"}
    found |= {"model": {"before": None, "note": words}, "path": path}
    assert path_text(found, "zh").splitlines()[1] == f"{alone}  2026"
    path["pending"] = [left]
    assert path_text(found, "zh").splitlines()[1] == f"{beside}  2026"


def test_alternatives_are_numbered_and_what_holds_together_shares_a_number() -> None:
    """By hand: profit in both years with the mean return, or in one with its own, at value 2."""
    law = standing()
    (listing,) = [c for c in law.edition("bse-listing/2.1").criteria if c.id == "standards"]
    first = ["1", "1", "1.1", "1.1", "1.1", "1.2", "1.2"]
    assert [number for number, _ in places(listing.test)][:7] == first
    for edition in law.editions.values():
        for criterion in edition.criteria:
            told = list(places(criterion.test))
            assert len(told) == len(shown_conditions(criterion.test))


def test_what_must_not_hold_is_told_as_such() -> None:
    shown = lines("star_2024", "R&D: below 5 % but 8000 together")
    assert shown["2 非:划型行业"][:3] == ["符合", "工业", "=软件和信息技术服务业"]


def test_what_paths_cannot_change_is_not_called_impossible() -> None:
    """A limited company can become a joint-stock company; paths just hold no such change."""
    words = {"zh": "股份有限公司", "en": "A joint-stock company"}
    path: dict[str, Any] = {"status": "blocked", "batch_year": None, "changes": []}
    path |= {kind: [] for kind in ("pending", "by_time", "short")} | {"warning": words}
    path["blocked"] = [{"text": words, "clause": "第十条"}]
    found = {"firm": {"firm_id": "A", "name": None}, "edition_en": "ChiNext", "document": "-"}
    found |= {"model": {"before": None, "note": words}, "path": path}
    assert "no change that paths know: A joint-stock company (第十条)" in path_text(found, "en")
