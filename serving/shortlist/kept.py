"""Saved lists and their decisions in the store [I/O]: appended, verified when read, never changed.

A list is its canonical JSON; its hash stands beside it and in the audit chain, so that neither the
one nor both can be changed unseen. Decisions append to a list and are bound the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from serving import audit, tables
from serving.shortlist.decisions import Decision, examined
from serving.store import Store
from tidu.digest import canonical_json, of_bytes, of_json
from tidu.errors import NotFound, Refused

__all__ = ["Lists", "Recorded", "Saved"]

SAVED, DECIDED = "shortlist.save", "shortlist.decide"

PAGE = 100
_SUBJECT = "shortlist:"
_BOUND = ("id", "snapshot_id", "task", "hash", "actor", "at")
"""Of a row of the table: what the audit entry of its saving says, too."""

After = Callable[[Connection, Any], None]


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved list: ``body`` as it was made, and who saved it when."""

    id: str
    number: int
    hash: str
    actor: str
    at: str
    body: Mapping[str, Any]

    def row(self, firm_id: str) -> Mapping[str, Any] | None:
        """The row of a firm, or None."""
        return next((row for row in self.body["items"] if row["firm_id"] == firm_id), None)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it is kept; ``grounds`` with the words and clauses of that day."""

    list_id: str
    seq: int
    firm_id: str
    decision: str
    grounds: tuple[Mapping[str, Any], ...]
    note: str
    actor: str
    at: str
    hash: str

    def as_json(self) -> dict[str, Any]:
        shown = {name: getattr(self, name) for name in self.__slots__}
        return shown | {"grounds": [dict(ground) for ground in self.grounds]}


class Lists:
    """The saved lists of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(
        self, body: Mapping[str, Any], actor: str, identity: str, after: After = lambda *_: None
    ) -> Saved:
        """Keep a list under an id that was never used; ``after`` runs in the same transaction."""
        content = canonical_json(dict(body))
        digest = of_bytes(content)
        snapshot, task = str(body["snapshot_id"]), str(body["task"])
        detail = {"hash": digest, "snapshot_id": snapshot, "task": task}
        entry = audit.Entry(SAVED, actor, _SUBJECT + identity, detail)

        def apply(connection: Connection, at: str) -> Saved:
            last = connection.execute(sa.select(sa.func.max(tables.shortlists.c.number))).scalar()
            saved = Saved(identity, (last or 0) + 1, digest, actor, at, json.loads(content))
            row = {"number": saved.number, "id": identity, "snapshot_id": snapshot, "task": task,
                   "hash": digest, "content": content, "actor": actor, "at": at}  # fmt: skip
            connection.execute(tables.shortlists.insert(), row)
            after(connection, saved)
            return saved

        return self._store.change(entry, apply)

    def get(self, identity: str) -> Saved:
        """Return a list whose content is what was saved; anything else is refused."""
        table = tables.shortlists
        query = sa.select(table).where(table.c.id == identity)
        row = self._store.read(lambda connection: connection.execute(query).first())
        bound = [e for e in self._entries(identity) if e.action == SAVED]
        if row is None:
            raise _deleted(identity, bound[0]) if bound else _unknown(identity)
        found = of_bytes(row.content)
        told = json.loads(bound[0].detail)["hash"] if bound else None
        if not found == row.hash == told:
            raise Refused(
                f"List {identity} must hash to {str(told)[:12]} as it was saved, found"
                f" {found[:12]}, stored as {row.hash[:12]}.",
                "The list was edited: compare with a backup.",
            )
        _refuse_edited(_plain(row), bound[0])
        body = json.loads(row.content)
        return Saved(row.id, row.number, row.hash, row.actor, row.at, body)

    def page(self, before: int | None, limit: int) -> tuple[list[dict[str, Any]], int | None, int]:
        """Lists by falling number, those below ``before``; with the number where more follow.

        Each is what the audit says was saved, and none that it names is missing.
        """
        table = tables.shortlists
        names = ("id", "number", "snapshot_id", "task", "hash", "actor", "at")
        query = sa.select(*(table.c[name] for name in names)).order_by(table.c.number.desc())
        if before is not None:
            query = query.where(table.c.number < before)

        saves = sa.select(tables.audit).where(tables.audit.c.action == SAVED)

        def look(connection: Connection) -> tuple[list[dict[str, Any]], list[audit.Record]]:
            rows = [_plain(row) for row in connection.execute(query.limit(limit + 1))]
            told = connection.execute(saves.order_by(tables.audit.c.seq))
            return rows, [audit.Record(*entry) for entry in told]

        rows, bound = self._store.read(look)
        last = len(bound) if before is None else min(before - 1, len(bound))
        due = {number: bound[number - 1] for number in range(last, max(last - limit - 1, 0), -1)}
        for number, entry in due.items():
            if number not in {row["number"] for row in rows}:
                raise _deleted(_named(entry), entry)
        for row in rows:
            _refuse_edited(row, due.get(row["number"]))
        items = [{"shortlist_id": row.pop("id"), **row} for row in rows[:limit]]
        return items, items[-1]["number"] if len(rows) > limit else None, len(bound)

    def verified(self) -> tuple[int, int]:
        """Read every saved list and its decisions, each verified; return how many there are."""
        decided, before, total = 0, None, 0
        while True:
            items, before, total = self.page(before, PAGE)
            for item in items:
                self.get(item["shortlist_id"])
                decided += len(self.decisions(item["shortlist_id"]))
            if before is None:
                return total, decided

    # ---- decisions

    def decide(
        self, identity: str, decision: Decision, actor: str, after: After = lambda *_: None
    ) -> Recorded:
        """Append a decision on a firm of the list; what it cites is examined by the list's row."""
        grounds = examined(decision, self.get(identity).row(decision.firm_id))
        about = [identity, decision.firm_id, decision.decision, grounds, decision.note, actor]
        entry = audit.Entry(
            DECIDED, actor, _SUBJECT + identity,
            {"firm_id": decision.firm_id, "decision": decision.decision,
             "grounds": list(decision.grounds), "content": of_json(about)},
        )  # fmt: skip

        def apply(connection: Connection, at: str) -> Recorded:
            table = tables.decisions
            own = sa.select(sa.func.max(table.c.seq)).where(table.c.list_id == identity)
            seq = (connection.execute(own).scalar() or 0) + 1
            row = {
                "list_id": identity,
                "seq": seq,
                "firm_id": decision.firm_id,
                "decision": decision.decision,
                "grounds": canonical_json(grounds).decode(),
                "note": decision.note,
                "actor": actor,
                "at": at,
                "hash": of_json(about),
            }
            connection.execute(table.insert(), row)
            recorded = _recorded(row)
            after(connection, recorded)
            return recorded

        return self._store.change(entry, apply)

    def decisions(self, identity: str) -> list[Recorded]:
        """All decisions on a list, oldest first, each as it was made."""
        table = tables.decisions
        query = sa.select(table).where(table.c.list_id == identity).order_by(table.c.seq)
        rows = self._store.read(lambda c: [_plain(row) for row in c.execute(query)])
        found = [_recorded(row) for row in rows]
        entries = [e for e in self._entries(identity) if e.action == DECIDED]
        bound = [(json.loads(e.detail)["content"], e.at) for e in entries]
        own = [(_content(one), one.at) for one in found]
        whole = [one.seq for one in found] == list(range(1, len(found) + 1))
        if not whole or own != bound or any(one.hash != _content(one) for one in found):
            raise Refused(
                f"The decisions on list {identity} must be the {len(bound)} of the audit, found"
                f" {len(found)}, not all as they were made.",
                "They were edited: compare with a backup.",
            )
        return found

    def _entries(self, identity: str) -> list[audit.Record]:
        entries = self._store.history(_SUBJECT + identity)
        for entry in entries:
            _refuse_unsound(entry)
        return entries


def _named(entry: audit.Record) -> str:
    """The id of the list that an entry is about."""
    return entry.subject.removeprefix(_SUBJECT)


def _refuse_unsound(entry: audit.Record) -> None:
    """Refuse an entry whose content is not what it was hashed with; ``tidu doctor`` checks all."""
    if entry.hash != entry.digest():
        raise Refused(
            f"Audit entry {entry.seq} must hash to {entry.hash[:12]}, found {entry.digest()[:12]}.",
            "The audit was edited: compare with a backup.",
        )


def _refuse_edited(row: Mapping[str, Any], entry: audit.Record | None) -> None:
    """Refuse a row whose id, snapshot, task, hash, actor or time is not that of its saving."""
    told: dict[str, Any] = {}
    if entry is not None:
        _refuse_unsound(entry)
        told = {**json.loads(entry.detail), "id": _named(entry), "actor": entry.actor}
        told["at"] = entry.at
    if edited := sorted(name for name in _BOUND if row[name] != told.get(name)):
        raise Refused(
            f"List {row['id']} must stand as it was saved, found another {', '.join(edited)}.",
            "The list was edited: compare with a backup.",
        )


def _deleted(identity: str, entry: audit.Record) -> Refused:
    return Refused(
        f"List {identity} must be there as {entry.actor} saved it at {entry.at}, found it gone.",
        "The list was deleted: compare with a backup.",
    )


def _unknown(identity: str) -> NotFound:
    return NotFound(
        f"A saved list must have the id {identity!r}, found none.", "GET /v1/shortlists."
    )


def _plain(row: sa.Row[Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row._mapping.items()}


def _recorded(row: Mapping[str, Any]) -> Recorded:
    return Recorded(**{**row, "grounds": tuple(json.loads(row["grounds"]))})


def _content(one: Recorded) -> str:
    grounds = [dict(ground) for ground in one.grounds]
    return of_json([one.list_id, one.firm_id, one.decision, grounds, one.note, one.actor])
