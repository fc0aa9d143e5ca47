"""Scramble the future: no part of a snapshot and no list of a day sees what became known later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from features.panel import History
from model.bundle import Bundle
from serving.access import LOCAL
from serving.casework import Casework
from serving.lookups import Served
from serving.publishing import Rules, published
from serving.shortlist.making import shortlist
from serving.shortlist.question import Question
from serving.snapshot import Snapshot, write
from tidu.digest import canonical_json, of_bytes
from tidu.errors import NotAvailable, NotFound, UsageError

__all__ = ["MODES", "lists_at"]

MODES = ("", "upgrade", "reserve", "missed")
LONG = 40


def lists_at(
    seen: History, day: date, bundles: Sequence[Bundle], rules: Rules, home: Path
) -> dict[str, str]:
    """Digests by name: every part of the snapshot published at ``day``, every list made from it.

    A list is its whole JSON: rows, chances, verdicts with gaps, papers, reasons, conflicts. Of one
    that cannot be made it is what the refusal says. Snapshots are written below ``home``.
    """
    # Both histories are written under one head: the head names the records, it is none of them.
    publication = published(replace(seen, head="0" * 64), day, bundles, rules)
    snapshot = Snapshot.open(home / "snapshots" / write(publication, home))
    found = {f"part {name}": part["sha256"] for name, part in snapshot.manifest["parts"].items()}
    found["snapshot"] = snapshot.id
    served, casework = Served(snapshot), Casework(lambda _: seen, no_bundle)
    for task in snapshot.tasks:
        for mode in MODES:
            try:
                made = shortlist(served, LOCAL, Question(task, LONG, mode), casework)
                found[f"list {task} {mode}"] = of_bytes(canonical_json(made))
            except (NotAvailable, UsageError) as refused:
                found[f"list {task} {mode}"] = refused.message
    return found


def no_bundle(identity: str) -> Bundle:
    """Lists ask for no bundle."""
    raise NotFound(f"No bundle {identity}.")
