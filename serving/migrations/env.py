"""Alembic environment: runs on the connection and in the transaction that the store hands in."""

from __future__ import annotations

from alembic import context

from serving.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite can, once BEGIN is ours (serving.store)
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
