"""Saved lists and decisions: only clauses are cited, nothing saved changes, every edit is found."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from serving import tables
from serving.shortlist.arguments import NUMBERS_ZH
from serving.shortlist.decisions import (
    ONLY_CLAUSES,
    Decision,
    decision_of,
    examined,
    grounds_of,
)
from serving.shortlist.kept import Lists
from serving.store import Store, database_url
from tidu.digest import canonical_json, of_bytes
from tidu.errors import NotFound, Refused, UsageError

CLAUSE = {"zh": "研发费用", "en": "R&D", "clause": "附件2 第三项", "document": "2号"}
ROW: dict[str, Any] = {
    "firm_id": "F1",
    "verdict": {
        "unmet": [
            {"id": "rd_amount", **CLAUSE, "exclusion": False},
            {"id": "not_dishonest", **CLAUSE, "exclusion": True},
        ],
        "unknown": [{"id": "revenue", **CLAUSE}],
        "manual": [{"id": "reputation", **CLAUSE}],
    },
    "papers": {
        "missing": [
            {"paper": "audit_report", "zh": "审计报告", "en": "Audit", "asked": "required"},
            {"paper": "award", "zh": "奖励", "en": "Award", "asked": "optional"},
        ],
        "expired": [{"paper": "licence", "zh": "执照", "en": "Licence", "asked": "required"}],
    },
    "conflicts": [
        {"kind": "control", "excludes": False, "zh": "同组", "en": "same group"},
        {"kind": "product", "excludes": True, "zh": "相近", "en": "similar", "clause": "117号 二",
         "document": "117号"},
    ],
}  # fmt: skip
BODY: dict[str, Any] = {
    "snapshot_id": "s1",
    "task": "promotion:little_giant@12",
    "items": [ROW, {"firm_id": "F2", "verdict": None, "papers": None, "conflicts": []}],
}
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


# --------------------------------------------------------------------------------------- store


def clock() -> datetime:
    return datetime(2026, 7, 1, 9, tzinfo=UTC)


POSTGRES = os.environ.get("TIDU_TEST_POSTGRES", "")
"""The URL of an empty database, where one is at hand."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = database_url(tmp_path)
    if request.param == "postgresql":
        if not POSTGRES:
            pytest.skip("no PostgreSQL is named by TIDU_TEST_POSTGRES")
        url = POSTGRES
        emptied(url)
    with Store.at(url, clock) as opened:
        yield opened


def emptied(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()


def forced(store: Store, statement: str) -> None:
    """Change a row as somebody with all rights would: without the triggers."""
    with store._engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            names = connection.execute(
                sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in list(names):
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            for table in ("shortlists", "decisions"):
                connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        connection.execute(sa.text(statement))


def test_a_list_is_read_as_it_was_saved(store: Store) -> None:
    lists = Lists(store)
    saved = lists.save(BODY, "li", "a1")
    found = lists.get("a1")
    assert found == saved
    assert found.body == BODY
    assert found.hash == of_bytes(canonical_json(BODY))
    assert (found.actor, found.at) == ("li", "2026-07-01T09:00:00.000000Z")
    (entry,) = store.history("shortlist:a1")
    assert (entry.action, entry.actor) == ("shortlist.save", "li")
    with pytest.raises(NotFound, match="'zz'"):
        lists.get("zz")


def test_an_id_is_used_once_and_a_failure_leaves_nothing(store: Store) -> None:
    lists = Lists(store)
    lists.save(BODY, "li", "a1")
    with pytest.raises(Refused):
        lists.save(BODY, "wang", "a1")

    def broken(*_: object) -> None:
        raise RuntimeError("after")

    with pytest.raises(RuntimeError, match="after"):
        lists.save(BODY, "li", "a2", broken)
    assert [item["shortlist_id"] for item in lists.page(None, 10)[0]] == ["a1"]
    assert store.audited() == 1


def test_pages_hold_every_list_once_newest_first(store: Store) -> None:
    lists = Lists(store)
    for number in range(7):
        lists.save(BODY, "li", f"a{number}")
    seen, before = [], None
    while True:
        items, before, total = lists.page(before, 3)
        assert total == 7
        seen += [item["shortlist_id"] for item in items]
        if before is None:
            break
    assert seen == [f"a{number}" for number in range(6, -1, -1)]


def test_decisions_append_and_all_are_kept(store: Store) -> None:
    lists = Lists(store)
    lists.save(BODY, "li", "a1")
    lists.save(BODY, "li", "a2")
    one = lists.decide("a1", Decision("F1", "return", ("paper:award",), "请补交"), "wang")
    two = lists.decide("a1", Decision("F1", "refuse", ("unmet:rd_amount",)), "li")
    lists.decide("a2", Decision("F2", "recommend"), "li")
    assert [found.seq for found in lists.decisions("a1")] == [1, 2]
    assert lists.decisions("a1") == [one, two]
    assert two.grounds[0]["clause"] == "附件2 第三项"
    assert len(lists.decisions("a2")) == 1
    with pytest.raises(Refused, match=ONLY_CLAUSES):
        lists.decide("a1", Decision("F1", "refuse", ("score",)), "li")
    assert len(lists.decisions("a1")) == 2
    assert store.audited() == 5


@pytest.mark.parametrize("table", ["shortlists", "decisions"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_edits(store: Store, table: str, verb: str) -> None:
    lists = Lists(store)
    lists.save(BODY, "li", "a1")
    lists.decide("a1", Decision("F2", "recommend"), "li")
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store._engine.begin() as connection:
        connection.execute(sa.text(verb.format(table)))
    assert lists.get("a1").actor == "li"


EDITS = (
    "UPDATE shortlists SET hash = 'x'",
    "UPDATE shortlists SET content = '{other}'",
    "UPDATE shortlists SET content = '{other}', hash = '{hash}'",
)


@pytest.mark.parametrize("edit", EDITS)
def test_a_changed_list_is_found(store: Store, edit: str) -> None:
    lists = Lists(store)
    lists.save(BODY, "li", "a1")
    other = b'{"items":[]}'
    text = edit.replace("{other}", other.decode()).replace("{hash}", of_bytes(other))
    if store._engine.dialect.name == "sqlite":
        text = text.replace("content = '", "content = CAST('").replace("]}'", "]}' AS BLOB)")
    forced(store, text)
    with pytest.raises(Refused, match="The list was edited"):
        lists.get("a1")


@pytest.mark.parametrize("column", ["actor", "at", "task", "snapshot_id"])
def test_who_saved_what_when_is_no_less_bound(store: Store, column: str) -> None:
    lists = Lists(store)
    lists.save(BODY, "li", "a1")
    lists.save(BODY, "li", "a2")
    forced(store, f"UPDATE shortlists SET {column} = 'wang' WHERE id = 'a1'")
    for look in (lambda: lists.get("a1"), lambda: lists.page(None, 10)):
        with pytest.raises(Refused, match=f"List a1 must stand .* another {column}") as caught:
            look()
        assert "edited" in caught.value.cure
    assert lists.get("a2").actor == "li"


@pytest.mark.parametrize("gone", ["a1", "a2", "a3"])
def test_a_deleted_list_is_missed(store: Store, gone: str) -> None:
    lists = Lists(store)
    for name in ("a1", "a2", "a3"):
        lists.save(BODY, "li", name)
    forced(store, f"DELETE FROM shortlists WHERE id = '{gone}'")
    for look in (lambda: lists.get(gone), lambda: lists.page(None, 10)):
        with pytest.raises(Refused, match=f"List {gone} must be there as li saved it") as caught:
            look()
        assert "deleted" in caught.value.cure


@pytest.mark.parametrize("number", [2, 9])
def test_a_list_keeps_its_place_among_the_saved(store: Store, number: int) -> None:
    lists = Lists(store)
    for name in ("a1", "a2"):
        lists.save(BODY, "li", name)
    forced(store, "UPDATE shortlists SET number = 7 WHERE id = 'a2'")
    forced(store, f"UPDATE shortlists SET number = {number} WHERE id = 'a1'")
    with pytest.raises(Refused):
        lists.page(None, 10)


def test_all_lists_and_decisions_are_verified_at_once(store: Store) -> None:
    lists = Lists(store)
    assert lists.verified() == (0, 0)
    for number in range(3):
        lists.save(BODY, "li", f"a{number}")
    lists.decide("a1", Decision("F1", "return", ("paper:award",)), "li")
    lists.decide("a1", Decision("F2", "recommend"), "li")
    assert lists.verified() == (3, 2)
    forced(store, "UPDATE decisions SET note = 'x' WHERE seq = 1")
    with pytest.raises(Refused, match="decisions on list a1"):
        lists.verified()


@pytest.mark.parametrize("actor", ["", "x" * 201, "李\x00", "a\nb"])
def test_who_decides_is_a_name(store: Store, actor: str) -> None:
    lists = Lists(store)
    lists.save(BODY, "li", "a1")
    with pytest.raises(Refused, match="actor"):
        lists.decide("a1", Decision("F2", "recommend"), actor)
    assert lists.decisions("a1") == []


def test_an_edit_of_list_and_audit_together_is_found(store: Store) -> None:
    lists = Lists(store)
    lists.save(BODY, "li", "a1")
    forced(store, "UPDATE shortlists SET actor = 'wang'")
    forced(store, "UPDATE audit SET actor = 'wang' WHERE action = 'shortlist.save'")
    for look in (lambda: lists.get("a1"), lambda: lists.page(None, 10)):
        with pytest.raises(Refused, match="Audit entry 1 must hash") as caught:
            look()
        assert "audit was edited" in caught.value.cure


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE decisions SET note = 'x'",
        "UPDATE decisions SET decision = 'recommend' WHERE seq = 1",
        "UPDATE decisions SET at = '2020' WHERE seq = 1",
        "UPDATE decisions SET actor = 'x', hash = 'y' WHERE seq = 2",
        "UPDATE decisions SET grounds = '[]' WHERE seq = 1",
        "DELETE FROM decisions WHERE seq = 2",
        "UPDATE decisions SET seq = seq + 5 WHERE seq = 2",
    ],
)
def test_a_changed_decision_is_found(store: Store, edit: str) -> None:
    lists = Lists(store)
    lists.save(BODY, "li", "a1")
    lists.decide("a1", Decision("F1", "return", ("paper:award",), "请补交"), "wang")
    lists.decide("a1", Decision("F1", "refuse", ("unmet:rd_amount",)), "li")
    forced(store, edit)
    with pytest.raises(Refused, match="They were edited"):
        lists.decisions("a1")


def test_an_older_store_is_brought_up_to_date(tmp_path: Path) -> None:
    Store.of_home(tmp_path, clock).close()
    with sqlite3.connect(tmp_path / "tidu.sqlite") as connection:
        connection.execute("DROP TABLE decisions")
        connection.execute("DROP TABLE shortlists")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    with Store.of_home(tmp_path, clock) as store:
        Lists(store).save(BODY, "li", "a1")
        columns = {
            name: [c["name"] for c in sa.inspect(store._engine).get_columns(name)]
            for name in ("shortlists", "decisions")
        }
    assert columns == {name: [c.name for c in tables.METADATA.tables[name].columns]
                       for name in columns}  # fmt: skip
