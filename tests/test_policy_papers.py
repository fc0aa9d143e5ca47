"""What our own tables prove, and the papers as data: every fault of a file is told."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from paper_rows import DAY, PLACE, T, year
from plan_panels import panel_of

from features.schema import register
from policy.papers.catalogue import parse_papers, released_papers
from policy.papers.filed import filed
from policy.papers.materials import STATES, Need, Terms, assess
from tidu.errors import DataError

FILE = "policy/data/papers.toml"
PAPERS = released_papers()


def proved(
    name: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    asked: frozenset[str] = frozenset(),
    covered: Sequence[str] = (),
) -> str:
    """The state of one paper of the package for firm A."""
    need = Need(PAPERS[name], (PLACE,), (0,) if PAPERS[name].fiscal_year else ())
    panel = panel_of(DAY, {"firms": [{"firm_id": "A"}]} | dict(tables), covered)
    on_file = filed(panel, panel.firm_ids, {name: PAPERS[name]}, lambda *_: asked)
    found = assess(panel.firm_ids, [need], on_file, Terms(DAY, T, {}))
    return STATES[found.states[0, 0]]


def title(tier: str, **more: Any) -> dict[str, Any]:
    row = {"firm_id": "A", "tier": tier, "issued_on": "2024-01-01"}
    return {"titles": [row | {"expires_on": "2026-12-31"} | more]}


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"events": [{"firm_id": "A", "kind": kind, "on": "2025-01-01"} | more]}


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("audit_report", year(audited=1.0), "held"),
    ("audit_report", year(audited=0.0), "missing"),
    ("audit_report", year(revenue=9.0), "missing"),
    ("audit_report", year(audit_report_code="沪25A"), "held"),
    ("audit_report", year(T - 1, audited=1.0), "expired"),
    ("platform_score_notice", year(srdi_platform_score=0.0), "held"),
    ("platform_score_notice", year(T - 1, srdi_platform_score=70.0), "expired"),
    ("provincial_indicator_proof", year(provincial_feature_score=3.0), "held"),
    ("award_certificate", year(st_award_level="prov", st_award_date="2024-03-01"), "held"),
    ("award_certificate", year(st_award_level="prov"), "missing"),
    ("award_certificate", year(st_award_level="muni", st_award_date="2024-03-01"), "missing"),
    ("title_certificate", title("srdi_provincial"), "held"),
    ("title_certificate", title("high_tech"), "missing"),
    ("title_certificate", title("srdi_provincial", expires_on="2026-05-10"), "held"),
    ("title_certificate", title("srdi_provincial", expires_on="2026-05-09"), "expired"),
    ("title_certificate", title("srdi_provincial", revoked_on="2026-05-09"), "missing"),
    ("title_certificate", title("srdi_provincial", expires_on=None), "held"),
    ("quotation_notice", event("quoted", board="neeq_base"), "held"),
    ("quotation_notice", event("quoted", board="regional"), "missing"),
    ("quotation_notice", event("quoted"), "missing"),
    ("quotation_notice", event("quoted", board="neeq_base", ended_on="2025-06-01"), "missing"),
    ("quotation_notice", event("guidance", board="neeq_base"), "missing"),
    ("patent_certificates", year(class1_ip=4.0), "missing"),
    ("niche_statement", year(years_in_niche=4.0), "missing"),
    (
        "award_payment_record",
        {"awards": [{"firm_id": "A", "item": "A7", "paid_on": "2025-01-01", "amount": 50.0}]},
        "held",
    ),
]


@pytest.mark.parametrize(("name", "tables", "expected"), CASES)
def test_the_record_of_an_issuing_act_proves_a_paper_and_a_filled_in_figure_does_not(
    name: str, tables: dict[str, Any], expected: str
) -> None:
    assert proved(name, tables, frozenset({"srdi_provincial", "neeq_base"})) == expected


def test_who_moved_in_again_after_leaving_has_moved_in() -> None:
    row = {"firm_id": "A", "whole_relocation": 1.0, "city_in_on": "2025-01-01"}
    for out, expected in ((None, "held"), ("2025-06-01", "missing"), ("2024-06-01", "held")):
        assert proved("relocation_proof", {"firms": [row | {"city_out_on": out}]}) == expected


def test_complete_records_of_the_unit_stand_for_a_report_and_partial_ones_do_not() -> None:
    kinds = ["abnormal_list", "dishonest_list", "tax_evasion", "data_fraud"]
    assert proved("credit_china_report", {}, covered=kinds) == "held"
    assert proved("credit_china_report", {}, covered=kinds[1:]) == "missing"


def test_the_register_knows_the_papers_by_the_labels_of_the_policy() -> None:
    codes = register().column("materials", "paper").codes
    assert {code: known[0] for code, known in codes.items()} == {
        name: paper.zh for name, paper in PAPERS.items()
    }


def test_every_paper_says_in_both_languages_what_it_is_and_who_issues_it() -> None:
    for known in PAPERS.values():
        assert known.zh != known.en
        assert known.issuer_zh != known.issuer_en
        assert known.en.isascii()
        assert known.issuer_en.isascii()
        assert known.valid_months is None or known.confidence != "L"


GOOD = """
[a]
zh = "甲"
en = "A"
issuer_zh = "单位"
issuer_en = "Issuer"
confidence = "H"
source = "…"
"""


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("zh2 = 1", "a.zh2"),
        ("fiscal_year = true", "a.fiscal_year"),
        ("valid_months = 0", "a.valid_months"),
        ("valid_months = 1.5", "a.valid_months"),
        ("valid_months = { params = 'x' }", "a.valid_months"),
        ("fiscal_year = 'each'\nvalid_months = 3", "a.valid_months"),
        ("evidence_of = ['umsatz']", "a.evidence_of"),
        ("evidence_of = ['@gruppe']", "a.evidence_of"),
        ("evidence_of = ['credit.umsatz']", "a.evidence_of"),
        ("from_data = [1]", "a.from_data[0]"),
        ("from_data = [{ table = 'anual' }]", "a.from_data[0].table"),
        ("from_data = [{ table = 'annual', year = 'jahr' }]", "a.from_data[0].year"),
        ("from_data = [{ table = 'annual', fill = [] }]", "a.from_data[0].fill"),
        ("from_data = [{ table = 'titles', on = 'tier' }]", "a.from_data[0].on"),
        (
            "from_data = [{ table = 'titles', where = { tier = 'x' } }]",
            "a.from_data[0].where.tier",
        ),
        (
            "from_data = [{ table = 'annual', where = { audited = 'ja' } }]",
            "a.from_data[0].where.audited",
        ),
        ("from_data = [{ covered = ['x'], years = 3 }]", "a.from_data[0].covered"),
        ("from_data = [{ covered = ['penalty'] }]", "a.from_data[0].years"),
    ],
)
def test_a_wrong_paper_is_refused_with_its_key(more: str, key: str) -> None:
    with pytest.raises(DataError, match="must describe papers, found 1 problem") as caught:
        parse_papers(tomllib.loads(GOOD + more), "city/papers.toml")
    (issue,) = caught.value.issues
    assert (issue.file, issue.column) == ("city/papers.toml", key)


def test_all_problems_of_all_papers_are_told_at_once() -> None:
    raw = {"a": {"zh": "甲"}, "b": 3}
    with pytest.raises(DataError, match="must describe papers") as caught:
        parse_papers(raw, FILE)
    keys = [issue.column for issue in caught.value.issues]
    assert {"a.en", "a.issuer_zh", "a.issuer_en", "a.confidence", "a.source", "b"} <= set(keys)
