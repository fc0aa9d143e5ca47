"""Idempotency keys [I/O]: a POST sent twice with one key is done once and answered alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from serving import tables
from serving.database import utc_now, utc_text, writing
from tidu.errors import Conflict, Refused

__all__ = ["Answer", "KeyBusy", "KeyReused", "Keys"]


class KeyReused(Refused):
    """An idempotency key came again with another request."""

    code = "idempotency_key_reused"
    zh = "幂等键已用于另一请求"


class KeyBusy(Conflict):
    """The first request with this idempotency key is still being worked on."""

    code = "idempotency_key_busy"
    zh = "同一幂等键的请求仍在处理"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer given to a request, kept under its idempotency key."""

    status: int
    body: bytes


class Keys:
    """The keys of one store; see :class:`serving.store.Store.keys`."""

    def __init__(self, engine: Engine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    def begin(
        self, key: str, digest: str, stale: timedelta = timedelta(minutes=10)
    ) -> Answer | None:
        """Take a key for a request, or return the answer that its first use was given.

        The same key with another request is :class:`KeyReused`; a first use still under way is
        :class:`KeyBusy`, unless it is older than ``stale``: then its worker died.
        """
        table = tables.idempotency
        with writing(self._engine) as connection:
            connection.execute(sa.select(tables.chain).with_for_update())
            row = connection.execute(sa.select(table).where(table.c.key == key)).first()
            now = self._now()
            if row is None:
                values = {"key": key, "digest": digest, "at": utc_text(now)}
                connection.execute(table.insert(), values)
                return None
            return _earlier_use(connection, row, digest, (utc_text(now), utc_text(now - stale)))

    def finish(self, key: str, answer: Answer, connection: Connection | None = None) -> None:
        """Keep the answer; inside :meth:`change`, hand in its connection so that both stand."""
        table = tables.idempotency
        update = table.update().where(table.c.key == key)
        update = update.values(status=answer.status, body=answer.body)
        if connection is not None:
            connection.execute(update)
            return
        with writing(self._engine) as own:
            own.execute(update)

    def release(self, key: str) -> None:
        """Give back a key whose request was refused before anything was done."""
        table = tables.idempotency
        with writing(self._engine) as connection:
            connection.execute(table.delete().where(table.c.key == key, table.c.status.is_(None)))

    def forget(self, older: timedelta = timedelta(hours=24)) -> int:
        """Drop keys first used before that and return how many."""
        table = tables.idempotency
        with writing(self._engine) as connection:
            limit = utc_text(self._now() - older)
            return connection.execute(table.delete().where(table.c.at < limit)).rowcount


def _earlier_use(
    connection: Connection, row: sa.Row[Any], digest: str, times: tuple[str, str]
) -> Answer | None:
    now, limit = times
    if row.digest != digest:
        raise KeyReused(
            f"Idempotency-Key {row.key!r} must belong to one request, found another one.",
            "Send a new key with a new request.",
        )
    if row.status is not None:
        return Answer(row.status, row.body)
    if row.at >= limit:
        raise KeyBusy(
            f"The request with Idempotency-Key {row.key!r} is still under way.",
            "Wait a moment and send it again with the same key.",
        )
    table = tables.idempotency
    connection.execute(table.update().where(table.c.key == row.key).values(at=now))
    return None
