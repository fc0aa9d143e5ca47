"""The database connection [I/O]: engine, pragmas, transactions and migrations.

SQLite (WAL, synchronous FULL) by default, PostgreSQL by URL; the rest of the code sees neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from tidu.errors import Refused, Unready

__all__ = ["REVISION", "connect", "migrate", "reading", "utc_now", "utc_text", "writing"]

REVISION = "0002"
"""The migration this code is written for; a test compares it with the scripts."""

BUSY_MS = 5_000


def utc_now() -> datetime:
    """Return the time of day, for callers that pass no clock."""
    return datetime.now(UTC)


def utc_text(moment: datetime) -> str:
    """Write a moment in UTC at one width, so that it sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def connect(url: str) -> Engine:
    """Return an engine whose transactions are begun by us, on SQLite with its safe settings."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_settings(connection: Any, _record: object) -> None:
    # The driver would begin transactions only before the first write; we say BEGIN ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    # A writer takes its lock at once: upgrading a read lock later can only fail.
    write = connection.get_execution_options().get("tidu_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _named(engine: Engine) -> Iterator[None]:
    """Give the database's failures our names: what was found and what to do."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except OperationalError as error:
        raise Unready(
            f"The store {where} must be reachable and writable, found: {error.orig}.",
            "Check that the directory exists, has room and is writable, then try again.",
        ) from error
    except DatabaseError as error:
        raise Refused(
            f"The store {where} must accept the change, found: {error.orig}.",
            "If the file is not a database, restore it from a backup; nothing was changed.",
        ) from error
    except DBAPIError as error:
        raise Unready(f"The store {where} failed: {error.orig}.", "Try again.") from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent read."""
    with _named(engine), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: all of it or nothing."""
    with _named(engine), engine.connect() as plain:
        connection = plain.execution_options(tidu_write=True)
        with connection.begin():
            yield connection


def migrate(engine: Engine) -> None:
    """Bring the database to :data:`REVISION`; a store of a later version is refused."""
    with reading(engine) as connection:
        if _revision(connection) == REVISION:
            return  # the usual case: no need to load Alembic
    with writing(engine) as connection:
        found = _revision(connection)
        if found is not None and found > REVISION:
            raise Refused(
                f"The store must be of revision {REVISION} or earlier, found {found}.",
                "It was written by a later version of Tidu: use that version.",
            )
        _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
