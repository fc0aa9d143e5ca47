"""The audit chain: each entry holds the hash of the one before, so no entry changes unseen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tidu.digest import of_json
from tidu.errors import Refused

__all__ = ["GENESIS", "Entry", "Record", "verify"]

GENESIS = "0" * 64

LONGEST_ACTOR = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """What is about to be done: who does which action to what, with which particulars."""

    action: str
    actor: str
    subject: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.action or not self.actor:
            raise Refused(
                f"A change must name its action and its actor, found {self.action!r} by"
                f" {self.actor!r}.",
                "Pass the name of the user or of the command.",
            )
        if len(self.actor) > LONGEST_ACTOR or not self.actor.isprintable():
            raise Refused(
                f"An actor must be a printable name of at most {LONGEST_ACTOR} characters, found"
                f" {self.actor[:40]!r} of {len(self.actor)}.",
                "Pass the name of the user or of the command.",
            )


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the chain as stored; ``detail`` is canonical JSON text."""

    seq: int
    at: str
    action: str
    actor: str
    subject: str
    detail: str
    previous: str
    hash: str = ""

    def digest(self) -> str:
        """Return the hash that binds this entry to the one before."""
        return of_json(
            [self.seq, self.at, self.action, self.actor, self.subject, self.detail, self.previous]
        )


def verify(records: Iterable[Record], end: tuple[int, str]) -> int:
    """Check a whole chain against its stored end; return its length or name the first bad entry."""
    seq, previous = 0, GENESIS
    for record in records:
        good = record.seq == seq + 1 and record.previous == previous
        if not good or record.hash != record.digest():
            raise Refused(
                f"Audit entry {seq + 1} must follow hash {previous[:12]}, found entry"
                f" {record.seq} following {record.previous[:12]} with content hash"
                f" {record.digest()[:12]} stored as {record.hash[:12]}.",
                "The audit was edited: compare with a backup.",
            )
        seq, previous = record.seq, record.hash
    if (seq, previous) != end:
        raise Refused(
            f"The audit must end at entry {end[0]} ({end[1][:12]}), found {seq} ({previous[:12]}).",
            "Entries at the end were removed: compare with a backup.",
        )
    return seq
