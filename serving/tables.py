"""The tables of the store, for SQLite and PostgreSQL alike.

Times are UTC text of one fixed width, so that they sort as text on every database.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, Text

__all__ = ["METADATA", "audit", "chain", "idempotency", "imports", "pointers"]

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
