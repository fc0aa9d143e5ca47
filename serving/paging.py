"""Keyset pages: an opaque cursor that holds the snapshot, the question and the last place."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from tidu.digest import of_json
from tidu.errors import UsageError

__all__ = ["Cursor", "decode", "question"]

CURE = "Take next_cursor from the last answer unchanged, or start again without a cursor."


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page starts: after ``last`` in the list that ``question`` names."""

    snapshot_id: str
    question: str
    last: int

    def encode(self) -> str:
        return base64.urlsafe_b64encode(
            orjson.dumps([self.snapshot_id, self.question, self.last])
        ).decode()


def question(*parts: Any) -> str:
    """Return a short digest of what was asked, so that a cursor serves no other list."""
    return of_json(list(parts))[:12]


def decode(text: str) -> Cursor:
    """Read a cursor back; anything else is a :class:`~tidu.errors.UsageError`."""
    try:
        snapshot_id, asked, last = orjson.loads(base64.b64decode(text, b"-_", validate=True))
        if not (isinstance(snapshot_id, str) and isinstance(asked, str) and type(last) is int):
            raise ValueError("other types")
    except (binascii.Error, ValueError, TypeError) as error:
        raise UsageError(f"A cursor must be one we gave, found {text[:40]!r}.", CURE) from error
    return Cursor(snapshot_id, asked, last)
