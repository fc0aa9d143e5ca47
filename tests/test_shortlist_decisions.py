"""Decisions on a list: only clauses are cited, in codes and in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shortlist_rows import BODY, ROW

from serving.shortlist.arguments import NUMBERS_ZH
from serving.shortlist.decisions import (
    ONLY_CLAUSES,
    Decision,
    decision_of,
    examined,
    grounds_of,
)
from tidu.errors import Refused, UsageError

REFUSE = ["unmet:rd_amount", "unmet:not_dishonest", "exclusion:not_dishonest",
          "exclusion:no_group_conflict", "paper:audit_report"]  # fmt: skip
RETURN = ["unknown:revenue", "manual:reputation", "paper:audit_report", "paper:award",
          "paper:licence"]  # fmt: skip


def test_the_codes_are_those_of_the_firms_own_row() -> None:
    found = grounds_of(ROW)
    for use, codes in (("refuse", REFUSE), ("return", RETURN)):
        assert {c for c, g in found.items() if use in g["for"]} == set(codes)
        for code in codes:
            (cited,) = examined(Decision("F1", use, (code,)), ROW)
            assert cited["zh"]
            assert cited["en"]
    assert examined(Decision("F1", "refuse", ("unmet:rd_amount",)), ROW)[0]["clause"] == (
        "附件2 第三项"
    )
    assert examined(Decision("F1", "recommend", note="材料齐全"), ROW) == []


@pytest.mark.parametrize(
    ("decision", "ground"),
    [
        ("refuse", "unknown:revenue"),
        ("refuse", "paper:licence"),
        ("refuse", "paper:award"),
        ("refuse", "unmet:revenue"),
        ("refuse", "exclusion:rd_amount"),
        ("refuse", "score"),
        ("refuse", "排名靠后"),
        ("refuse", "rank:200"),
        ("refuse", "chance:low"),
        ("refuse", "shap:rd_expense"),
        ("refuse", "the firm is small"),
        ("return", "unmet:rd_amount"),
        ("recommend", "unmet:rd_amount"),
    ],
)
def test_any_other_ground_is_refused(decision: str, ground: str) -> None:
    with pytest.raises(Refused, match=ONLY_CLAUSES) as caught:
        examined(Decision("F1", decision, (ground,)), ROW)
    assert caught.value.cure


@pytest.mark.parametrize("decision", ["refuse", "return"])
def test_a_refusal_cites_something(decision: str) -> None:
    with pytest.raises(Refused, match="must cite at least one ground") as caught:
        examined(Decision("F1", decision), ROW)
    allowed = caught.value.details["allowed"]
    assert isinstance(allowed, list)
    assert set(allowed) == set(REFUSE if decision == "refuse" else RETURN)
    with pytest.raises(Refused, match="at least one") as empty:
        examined(Decision("F2", decision), BODY["items"][1])
    assert "nothing to cite" in empty.value.cure


@pytest.mark.parametrize(
    "note",
    ["分数太低", "综合 排名 靠后", "概\u200b率只有3%", "Score below the line", "SHAP值为负",
     "low RANK", "little chance", "probability 0.02", "ranked 200th", "估计概率低", "模型评价不高",
     "ｓｃｏｒｅ", "s c o r e", "s.h.a.p", "sc\u200bore", "r\u00adank", "s\u0441ore", "r\u0430nk",
     "sc0re", "śčore", "𝓻𝓪𝓷𝓴", "評分低", "機率小", "几率不大", "排在第200位", "第二百名",
     "不在前50名", "百分位低", "模型不看好", "算法判断不行", "AI判断不行", "贡献度为负", "沙普利值",
     "percentile 12", "long odds", "unlikely to pass", "the model says no", "not in the top 50",
     "p=0.03"],
)  # fmt: skip
@pytest.mark.parametrize("decision", ["refuse", "return", "recommend"])
def test_a_note_that_argues_with_a_number_is_refused(decision: str, note: str) -> None:
    grounds = {"refuse": ("unmet:rd_amount",), "return": ("paper:award",)}.get(decision, ())
    with pytest.raises(Refused, match=ONLY_CLAUSES) as caught:
        examined(Decision("F1", decision, grounds, note), ROW)
    assert caught.value.details["reason"] == ONLY_CLAUSES


@pytest.mark.parametrize(
    "note",
    ["请补交2025年审计报告", "Frank said the licence expired", "产品模型图缺失",
     "mechanics, by chancellor", "prank", "underscored", "研发占比3%,低于3.5%",
     "第二位股东的证明缺失", "The firm's cores are imported", "topology", "发明专利2件",
     "前三年审计报告", "product models A1 and A2"],
)  # fmt: skip
def test_a_plain_note_is_taken(note: str) -> None:
    assert examined(Decision("F1", "refuse", ("unmet:rd_amount",), note), ROW)


WRITTEN = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)


@given(WRITTEN, st.sampled_from(NUMBERS_ZH), WRITTEN)
def test_no_words_around_hide_an_argument(before: str, word: str, after: str) -> None:
    with pytest.raises(Refused):
        examined(Decision("F1", "refuse", ("unmet:rd_amount",), before + word + after), ROW)


@given(st.sampled_from(["score", "rank", "shap", "probability"]), st.data())
def test_no_signs_between_letters_hide_a_word(word: str, data: st.DataObject) -> None:
    signs = st.text(st.characters(categories=["P", "Z", "Cf", "Mn"]), max_size=3)
    spelled = "".join(letter + data.draw(signs) for letter in word)
    with pytest.raises(Refused):
        examined(Decision("F1", "refuse", ("unmet:rd_amount",), "低 " + spelled + " 低"), ROW)


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\ud800"])
def test_what_no_store_keeps_is_no_note(sign: str) -> None:
    with pytest.raises(UsageError, match="without control characters"):
        Decision("F1", "return", ("paper:award",), f"请{sign}补交")
    assert Decision("F1", "return", ("paper:award",), "请补交\n\t审计报告\r\n").note


def test_a_decision_is_well_formed() -> None:
    with pytest.raises(UsageError, match="one of recommend, refuse, return"):
        Decision("F1", "reject", ("a", "a"))
    with pytest.raises(Refused, match="on a firm of the list"):
        examined(Decision("F9", "recommend"), None)
    assert [decision_of(w) for w in ("推荐", "不推荐", "退回补正")] == [
        "recommend", "refuse", "return"]  # fmt: skip
