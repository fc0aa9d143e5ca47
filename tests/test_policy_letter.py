"""The one-time request letter: everything that is missing, once, in both languages, as text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html import unescape
from importlib import resources
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.papers.letter import LANGUAGES, Language, Letter, Subject, compose, letter_html

SUBJECT = Subject(
    firm_id="F00017",
    firm="Binhai Precision",
    tier=("专精特新“小巨人”企业", "little giant"),
    purpose="new",
    year=2026,
    document=("优质中小企业梯度培育管理办法", "Measures for gradient cultivation"),
    number="MIIT [2026] 2",
    edition=("附件2 认定标准", "annex 2"),
    edition_id="2-2026/annex2",
    day=date(2026, 4, 27),
    as_of=date(2026, 4, 26),
    snapshot="b1946ac92492d234",
    deadline=date(2026, 5, 20),
)
WORDS = tomllib.loads(
    (resources.files("policy") / "data" / "letter.toml").read_text(encoding="utf-8")
)


def copy(state: str, year: int | None = None, **more: Any) -> dict[str, Any]:
    return {"year": year, "state": state, "reason": None} | more


def paper(name: str, *copies: dict[str, Any], alternative: bool = False) -> dict[str, Any]:
    states = [c["state"] for c in copies]
    worst = next(s for s in ("missing", "expired", "held") if s in states)
    return {
        "paper": name, "zh": f"材料{name}", "en": f"Paper {name}", "issuer_zh": "单位",
        "issuer_en": "Unit", "state": worst, "copies": list(copies),
        "asked": "optional" if alternative else "required",
        "proves": [{"id": "e:c", "clause": f"art. {name}", "zh": "条件", "en": "Condition",
                    "score": False}],
    }  # fmt: skip


def point(status: str, *papers: str, clause: str = "art. 5") -> dict[str, Any]:
    return {"clause": clause, "zh": "事项", "en": "Point", "status": status, "papers": papers}


MISSING, HELD = copy("missing"), copy("held")
PAST = copy("expired", reason="validity", valid_until="2026-03-31")


def letter(
    papers: Sequence[dict[str, Any]],
    points: Sequence[dict[str, Any]] = (),
    language: Language = "zh",
    subject: Subject = SUBJECT,
) -> Letter:
    return compose(subject, papers, points, language)


papers_drawn = st.lists(
    st.tuples(st.sampled_from([MISSING, HELD, PAST]), st.booleans()), max_size=15
).map(lambda drawn: [paper(str(i), c, alternative=alt) for i, (c, alt) in enumerate(drawn)])


@settings(max_examples=60, deadline=None)
@given(papers_drawn, st.sampled_from(LANGUAGES))
def test_every_paper_that_is_not_held_is_asked_for_once_and_no_other(
    papers: list[dict[str, Any]], language: Language
) -> None:
    found = letter(papers, language=language)
    asked = [*found.items, *found.alternatives]
    assert [item.number for item in asked] == list(range(1, len(asked) + 1))
    wanted = [p for p in papers if p["state"] != "held"]
    assert {item.paper for item in asked} == {p[language] for p in wanted}
    assert {item.paper for item in found.alternatives} == {
        p[language] for p in wanted if p["asked"] == "optional"
    }
    page = letter_html(found)
    assert page.count('<td class="no">') == len(asked)
    assert (WORDS[language]["complete"] in page) == (not found.items)


@pytest.mark.parametrize(
    ("copies", "zh", "en"),
    [
        ([MISSING], "缺", "missing"),
        ([PAST], "2026年3月31日已过期", "out of date after 2026-03-31"),
        (
            [copy("held", 2025), copy("missing", 2024), copy("missing", 2023)],
            "缺2024、2023年度",
            "missing for 2024, 2023",
        ),
        (
            [
                copy("expired", 2025, reason="year", held_year=2022),
                copy("missing", 2024),
                copy("missing", 2023),
            ],
            "仅有2022年度\uff0c须2025年度\uff1b缺2024、2023年度",
            "only 2022 on file, 2025 needed; missing for 2024, 2023",
        ),
    ],
)
def test_the_situation_says_what_is_wrong(copies: list[Any], zh: str, en: str) -> None:
    for language, expected in zip(LANGUAGES, (zh, en), strict=True):
        (item,) = letter([paper("a", *copies)], language=language).items
        assert item.situation == expected


def test_what_is_to_be_verified_points_to_the_papers_by_number() -> None:
    papers = [
        paper("a", HELD),
        paper("b", MISSING, alternative=True),
        paper("c", MISSING),
        paper("d", PAST),
    ]
    points = [point("manual", "d", "b", "a"), point("unknown", "a"), point("unknown", "c")]
    zh = letter(papers, points).pending
    assert [p.state for p in zh] == ["待认定", "数据缺失", "数据缺失"]
    assert [p.evidence for p in zh] == [
        "见第2、3项、材料a\uff08已在册\uff09",
        "材料a\uff08已在册\uff09",
        "见第1项",
    ]
    assert letter(papers, points, "en").pending[0].evidence == "see no. 2, 3, Paper a (on file)"


def test_points_of_one_clause_state_and_evidence_stand_together() -> None:
    same = [point("unknown", "a") | {"zh": zh} for zh in ("增长率", "负债率")]
    other = [point("manual", "a"), point("unknown", "a", clause="art. 6")]
    found = letter([paper("a", MISSING)], [same[0], *other, same[1]]).pending
    assert [p.criteria for p in found] == [("增长率", "负债率"), ("事项",), ("事项",)]


def test_places_of_one_clause_stand_together() -> None:
    one = paper("a", MISSING)
    one["proves"] = [
        {"clause": "第二项", "zh": "营业收入", "en": "Revenue", "score": False},
        {"clause": "附件2 指标1", "zh": "占比", "en": "Share", "score": True},
        {"clause": "第三项", "zh": "研发", "en": "R&D", "score": False},
        {"clause": "第二项", "zh": "负债率", "en": "Debt", "score": False},
        {"clause": "附件2 指标7", "zh": "净利率", "en": "Margin", "score": True},
    ]
    (item,) = letter([one]).items
    expected = ["营业收入、负债率\uff08第二项\uff09", "研发\uff08第三项\uff09"]
    assert item.proves.split("\uff1b") == [*expected, "评价指标\uff08附件2 指标1、指标7\uff09"]


def test_the_head_names_firm_tier_batch_document_edition_and_days() -> None:
    zh = letter([], subject=replace(SUBJECT, purpose="review"))
    for part in ("小巨人", "复核", "2026年度批次", "MIIT [2026] 2", "附件2 认定标准"):
        assert part in zh.opening
    assert "2026年4月26日" in zh.opening
    assert "2026年5月20日" in zh.opening
    assert zh.day == "2026年4月27日"
    assert SUBJECT.snapshot in zh.footer
    assert SUBJECT.edition_id in zh.footer
    undated = letter([], subject=replace(SUBJECT, deadline=None))
    assert "____年__月__日" in undated.opening
    assert "F00017" in letter([], subject=replace(SUBJECT, firm="")).to


# -------------------------------------------------------------------------------- hostile text


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% for x in () %}",
    "{tier}{0}{firm.__class__}",
    "</style><b>粗",
    "甲&amp;乙<br>",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_firm_writes_is_text(text: str, language: Language) -> None:
    bad = paper("a", MISSING)
    bad["proves"][0] |= {"clause": text, "zh": text, "en": text}
    subject = replace(SUBJECT, firm=text, firm_id=text)
    page = letter_html(letter([bad], [point("manual", "a", clause=text)], language, subject))
    clean = letter_html(letter([paper("a", MISSING)], [point("manual", "a")], language))
    assert unescape(page).count(text) >= 5
    assert re.findall(r"<[^>]*>", page) == re.findall(r"<[^>]*>", clean)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone(language: Language) -> None:
    page = letter_html(letter([paper("a", MISSING)], [point("manual", "a")], language))
    assert not re.search(r"<script|<link|src=|href=|url\(|@import|://", page)
    assert "size: A4" in page
    assert f'lang="{WORDS[language]["lang"]}"' in page


# ------------------------------------------------------------------------------------ the words


def test_both_languages_say_the_same_with_the_same_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    zh, en = WORDS["zh"], WORDS["en"]
    assert list(zh) == list(en)
    for key in zh:
        assert blanks(zh[key]) == blanks(en[key]), key
        assert len(zh[key].split("|")) == len(en[key].split("|")), key


def test_the_english_page_holds_no_chinese_of_ours() -> None:
    page = letter_html(letter([paper("a", MISSING)], [point("manual", "a")], "en"))
    body = page[page.index("<body") :]
    assert not re.findall(r"[\u3000-\uffef]", body)
