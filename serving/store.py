"""The store [I/O]: pointers, import ledger, idempotency keys and audit, changed in one way.

Every change of state goes through :meth:`Store.change`, whose transaction also writes the audit
entry: there is no change without its entry and no entry without its change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from serving import audit, tables
from serving.database import connect, migrate, reading, utc_now, utc_text, writing
from serving.keys import Keys
from tidu.digest import canonical_json
from tidu.errors import Conflict

__all__ = ["ImportRecord", "Pointer", "Store", "database_url"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pointer:
    """A name that moves: ``snapshot``, or ``task:<full name>`` → the bundle in use."""

    name: str
    value: str
    revision: int
    changed_at: str


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import as the ledger keeps it; ``warnings`` are issues as dictionaries."""

    import_id: str
    file: str
    mapping: str
    rows: Mapping[str, int]
    warnings: Sequence[Mapping[str, object]] = ()
    at: str = ""


def database_url(home: Path) -> str:
    """Return the default store of a home."""
    return f"sqlite:///{home / 'tidu.sqlite'}"


class Store:
    """Open with :meth:`at`; all methods may be called from any thread."""

    def __init__(self, engine: Engine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now
        self.keys = Keys(engine, now)

    @classmethod
    def at(cls, url: str, now: Callable[[], datetime] = utc_now) -> Store:
        """Connect and bring the tables up to date."""
        engine = connect(url)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, now)

    @classmethod
    def of_home(cls, home: Path, now: Callable[[], datetime] = utc_now) -> Store:
        """Open the default store of ``home``, making the directory where needed."""
        home.mkdir(parents=True, exist_ok=True)
        return cls.at(database_url(home), now)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, look: Callable[[Connection], T]) -> T:
        """Run ``look(connection)`` on one consistent state."""
        with reading(self._engine) as connection:
            return look(connection)

    # ---- the one way to change

    def change(self, entry: audit.Entry, apply: Callable[[Connection, str], T]) -> T:
        """Run ``apply(connection, at)`` and write its audit entry, in one transaction.

        ``apply`` may raise: then neither stands. ``at`` is the time of the change.
        """
        with writing(self._engine) as connection:
            at = utc_text(self._now())
            end = connection.execute(sa.select(tables.chain).with_for_update()).one()
            result = apply(connection, at)
            record = audit.Record(
                end.seq + 1,
                at,
                entry.action,
                entry.actor,
                entry.subject,
                canonical_json(dict(entry.detail)).decode(),
                end.hash,
            )
            digest = record.digest()
            columns = {name: getattr(record, name) for name in audit.Record.__slots__}
            connection.execute(tables.audit.insert(), columns | {"hash": digest})
            connection.execute(tables.chain.update().values(seq=record.seq, hash=digest))
            return result

    def audited(self) -> int:
        """Verify the whole audit chain and return how many entries it has."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(tables.audit).order_by(tables.audit.c.seq))
            end = connection.execute(sa.select(tables.chain)).one()
            return audit.verify((audit.Record(*row) for row in rows), (end.seq, end.hash))

    def history(self, subject: str | None = None) -> list[audit.Record]:
        """Return the audit entries, oldest first."""
        query = sa.select(tables.audit).order_by(tables.audit.c.seq)
        if subject is not None:
            query = query.where(tables.audit.c.subject == subject)
        with reading(self._engine) as connection:
            return [audit.Record(*row) for row in connection.execute(query)]

    # ---- pointers

    def pointer(self, name: str) -> Pointer | None:
        """Return the pointer, or None where it was never set."""
        return self.pointers().get(name)

    def pointers(self) -> dict[str, Pointer]:
        """Return all pointers by name, read at one moment."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(tables.pointers))
            return {row.name: Pointer(*row) for row in rows}

    def move_pointer(
        self, name: str, value: str, expected: int | None, actor: str = "local"
    ) -> Pointer:
        """Move by compare-and-swap and return the pointer as it now stands.

        ``expected`` is the revision last read (None: never set). A pointer that moved in between
        is a :class:`~tidu.errors.Conflict`. Moving it to where it stands is an entry too.
        """
        detail = {"value": value, "expected": expected}
        entry = audit.Entry("pointer.move", actor, name, detail)
        return self.change(entry, lambda c, at: _swap(c, Pointer(name, value, 0, at), expected))

    def first_in_service(self) -> dict[str, str]:
        """When the pointer ``snapshot`` first stood at each value, by the audit."""
        found: dict[str, str] = {}
        for record in self.history("snapshot"):
            if record.action == "pointer.move":
                found.setdefault(json.loads(record.detail)["value"], record.at)
        return found

    # ---- import ledger

    def record_import(self, record: ImportRecord, actor: str = "local") -> bool:
        """Enter an import; one that is there already is left alone and answers False."""
        known = sa.select(tables.imports.c.import_id).where(
            tables.imports.c.import_id == record.import_id
        )
        with reading(self._engine) as connection:
            if connection.execute(known).first() is not None:
                return False
        entry = audit.Entry("import", actor, record.import_id, {"rows": dict(record.rows)})
        try:
            self.change(entry, lambda c, at: _enter_import(c, record, at))
        except Conflict:  # entered by somebody else since the look above
            return False
        return True

    def imports(self) -> list[ImportRecord]:
        """Return the ledger, oldest first."""
        order = (tables.imports.c.at, tables.imports.c.import_id)
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(tables.imports).order_by(*order))
            return [
                ImportRecord(
                    r.import_id,
                    r.file,
                    r.mapping,
                    json.loads(r.rows),
                    tuple(json.loads(r.warnings)),
                    r.at,
                )
                for r in rows
            ]


def _swap(connection: Connection, wanted: Pointer, expected: int | None) -> Pointer:
    table = tables.pointers
    row = connection.execute(sa.select(table).where(table.c.name == wanted.name)).first()
    found = None if row is None else row.revision
    if found != expected:
        at = "never set" if row is None else f"at revision {found} ({row.value})"
        was = "never set" if expected is None else f"at revision {expected}"
        raise Conflict(
            f"Pointer {wanted.name!r} must still be {was}, found it {at}.",
            "Somebody else moved it: read it again and decide anew.",
            {"pointer": wanted.name, "expected": expected, "found": found},
        )
    moved = Pointer(wanted.name, wanted.value, (found or 0) + 1, wanted.changed_at)
    values: dict[str, Any] = {
        "value": moved.value,
        "revision": moved.revision,
        "changed_at": moved.changed_at,
    }
    if row is None:
        connection.execute(table.insert(), values | {"name": moved.name})
    else:
        connection.execute(table.update().where(table.c.name == moved.name).values(values))
    return moved


def _enter_import(connection: Connection, record: ImportRecord, at: str) -> None:
    known = sa.select(tables.imports).where(tables.imports.c.import_id == record.import_id)
    if connection.execute(known).first() is not None:
        raise Conflict(f"Import {record.import_id} is in the ledger already.")
    values = {
        "import_id": record.import_id,
        "file": record.file,
        "mapping": record.mapping,
        "rows": json.dumps(dict(record.rows), ensure_ascii=False),
        "warnings": json.dumps([dict(w) for w in record.warnings], ensure_ascii=False),
        "at": at,
    }
    connection.execute(tables.imports.insert(), values)
