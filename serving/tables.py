"""The tables of the store, for SQLite and PostgreSQL alike.

Times are UTC text of one fixed width, so that they sort as text on every database.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text

__all__ = [
    "METADATA",
    "audit",
    "chain",
    "decisions",
    "idempotency",
    "imports",
    "pointers",
    "shortlists",
]

METADATA = MetaData()

pointers = Table(
    "pointers",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("value", String(200), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("changed_at", String(32), nullable=False),
)

imports = Table(
    "imports",
    METADATA,
    Column("import_id", String(64), primary_key=True),
    Column("file", Text, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("rows", Text, nullable=False),
    Column("warnings", Text, nullable=False),
    Column("at", String(32), nullable=False),
)

idempotency = Table(
    "idempotency",
    METADATA,
    Column("key", String(255), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("at", String(32), nullable=False),
)

audit = Table(
    "audit",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("action", String(100), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# One row: where the audit chain ends. Every change locks it first, which puts changes in one order
# on any database, and an audit entry cut off at the end no longer matches it.
chain = Table(
    "chain",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

shortlists = Table(
    "shortlists",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("snapshot_id", String(64), nullable=False),
    Column("task", String(200), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("at", String(32), nullable=False),
)

decisions = Table(
    "decisions",
    METADATA,
    Column("list_id", String(32), ForeignKey("shortlists.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("firm_id", Text, nullable=False),
    Column("decision", String(16), nullable=False),
    Column("grounds", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("at", String(32), nullable=False),
    Column("hash", String(64), nullable=False),
)
