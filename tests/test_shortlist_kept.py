"""Saved lists and decisions in the store: nothing saved changes, and every edit is found."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from shortlist_rows import BODY

from serving import tables
from serving.shortlist.decisions import (
    ONLY_CLAUSES,
    Decision,
)
from serving.shortlist.kept import Lists
from serving.store import Store, database_url
from tidu.digest import canonical_json, of_bytes
from tidu.errors import NotFound, Refused


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
