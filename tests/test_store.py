"""The store: compare-and-swap, one audit entry per change, keys that make a POST repeatable."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from serving import database, tables
from serving.audit import Entry
from serving.keys import Answer, KeyBusy, KeyReused
from serving.store import ImportRecord, Store, database_url
from tidu.errors import Conflict, Refused, Unready


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2024, 6, 30, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.of_home(tmp_path, clock) as store:
        yield store


def raw(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(home / "tidu.sqlite")


def test_a_pointer_moves_only_from_where_it_was_read(store: Store) -> None:
    assert store.pointer("snapshot") is None
    first = store.move_pointer("snapshot", "a", None, "li")
    assert (first.revision, first.value) == (1, "a")
    assert store.move_pointer("snapshot", "b", 1).revision == 2
    with pytest.raises(Conflict, match=r"at revision 1, found it at revision 2 \(b\)"):
        store.move_pointer("snapshot", "c", 1)
    with pytest.raises(Conflict, match="never set"):
        store.move_pointer("snapshot", "c", None)
    assert store.pointer("snapshot") == store.pointers()["snapshot"]
    assert [e.actor for e in store.history("snapshot")] == ["li", "local"]


def test_of_many_at_once_exactly_one_wins(store: Store) -> None:
    store.move_pointer("task:growth@36", "0", None)

    def attempt(value: int) -> bool:
        try:
            store.move_pointer("task:growth@36", str(value), 1)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(24)))
    assert sum(won) == 1
    assert store.pointers()["task:growth@36"].revision == 2
    assert store.audited() == 2


def test_a_change_that_fails_leaves_no_trace(store: Store) -> None:
    store.move_pointer("snapshot", "a", None)

    def half(connection: sa.Connection, at: str) -> None:
        connection.execute(tables.pointers.update().values(value="z", changed_at=at))
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        store.change(Entry("test", "me"), half)
    assert store.pointers()["snapshot"].value == "a"
    assert store.audited() == 1


def test_a_change_without_actor_is_refused() -> None:
    with pytest.raises(Refused, match="name its action and its actor"):
        Entry("pointer.move", "")


@pytest.mark.parametrize("column", ["actor", "detail", "at", "subject", "action", "hash"])
def test_every_edit_of_the_audit_is_found(store: Store, tmp_path: Path, column: str) -> None:
    for revision in range(5):
        store.move_pointer("snapshot", f"v{revision}", revision or None)
    assert store.audited() == 5
    with raw(tmp_path) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute(f"UPDATE audit SET {column} = {column} || 'x' WHERE seq = 3")
    with pytest.raises(Refused, match="Audit entry 3"):
        store.audited()


def test_entries_cut_off_at_the_end_are_missed(store: Store, tmp_path: Path) -> None:
    for revision in range(3):
        store.move_pointer("snapshot", f"v{revision}", revision or None)
    with raw(tmp_path) as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE seq = 3")
    with pytest.raises(Refused, match="must end at entry 3"):
        store.audited()


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_database_refuses_to_edit_the_audit(
    store: Store, tmp_path: Path, statement: str
) -> None:
    store.move_pointer("snapshot", "a", None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw(tmp_path).execute(statement)


def test_an_import_is_entered_once(store: Store) -> None:
    record = ImportRecord("i1", "企业.csv", "kr", {"firms": 3}, ({"rule": "unit"},))
    assert store.record_import(record)
    assert not store.record_import(record)
    (found,) = store.imports()
    assert (found.file, found.rows, found.warnings) == (
        "企业.csv",
        {"firms": 3},
        ({"rule": "unit"},),
    )
    assert found.at == "2024-06-30T12:00:00.000000Z"
    assert store.audited() == 1


def test_the_same_request_is_answered_alike(store: Store) -> None:
    assert store.keys.begin("k", "digest") is None
    store.keys.finish("k", Answer(201, b"{}"))
    assert store.keys.begin("k", "digest") == Answer(201, b"{}")


def test_a_key_of_another_request_is_refused(store: Store) -> None:
    store.keys.begin("k", "digest")
    with pytest.raises(KeyReused, match="one request"):
        store.keys.begin("k", "other")


def test_a_key_under_way_is_busy_until_its_worker_is_given_up(store: Store, clock: Clock) -> None:
    store.keys.begin("k", "digest")
    with pytest.raises(KeyBusy, match="under way"):
        store.keys.begin("k", "digest")
    clock.time += timedelta(minutes=11)
    assert store.keys.begin("k", "digest") is None


def test_a_released_key_is_free_and_old_keys_are_forgotten(store: Store, clock: Clock) -> None:
    store.keys.begin("k", "digest")
    store.keys.release("k")
    assert store.keys.begin("k", "other") is None
    store.keys.finish("k", Answer(200, b""))
    store.keys.release("k")  # an answered key stays
    clock.time += timedelta(hours=25)
    assert store.keys.forget() == 1
    assert store.keys.begin("k", "third") is None


def test_an_answer_kept_within_a_change_stands_or_falls_with_it(store: Store) -> None:
    store.keys.begin("k", "digest")

    def apply(connection: sa.Connection, _: str) -> None:
        store.keys.finish("k", Answer(200, b"done"), connection)
        raise RuntimeError("too late")

    with pytest.raises(RuntimeError, match="too late"):
        store.change(Entry("test", "me"), apply)
    with pytest.raises(KeyBusy, match="under way"):
        store.keys.begin("k", "digest")


def test_sqlite_is_set_to_keep_what_it_has_acknowledged(store: Store) -> None:
    with database.reading(store._engine) as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "busy_timeout": database.BUSY_MS,
        "foreign_keys": 1,
    }


def test_the_code_names_the_last_migration_and_its_tables(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    folder = Path(database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_current_head() == database.REVISION
    with database.reading(store._engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.METADATA) == []


def test_many_processes_may_open_a_new_home_at_once(tmp_path: Path) -> None:
    def open_and_close(_: int) -> None:
        Store.of_home(tmp_path).close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_and_close, range(6)))
    with Store.of_home(tmp_path) as store:
        assert store.audited() == 0


def test_a_store_of_a_later_version_is_refused(store: Store, tmp_path: Path) -> None:
    store.close()
    with raw(tmp_path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match="revision 0002 or earlier, found 9999"):
        Store.of_home(tmp_path)


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "tidu.sqlite"
    file.write_bytes(b"not a database at all" * 99)
    with pytest.raises(Refused, match="not a database"):
        Store.of_home(tmp_path)
    assert file.read_bytes().startswith(b"not a database")


def test_a_store_that_cannot_be_reached_is_unready(tmp_path: Path) -> None:
    with pytest.raises(Unready, match="reachable and writable"):
        Store.at(database_url(tmp_path / "nowhere"))
