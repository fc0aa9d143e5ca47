"""What is answered by the law of a snapshot: stored verdicts, looked up and never judged again."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from serving.access import Viewer
from serving.judging import verdict_name
from serving.lookups import Served
from serving.snapshot import Snapshot
from serving.views import Verdicts
from tidu.errors import NotAvailable, NotFound

__all__ = ["criteria", "firm", "verdicts_of"]


def criteria(
    served: Served, viewer: Viewer, firm_id: str, asked: tuple[str, str]
) -> dict[str, Any]:
    """The verdict of one firm for a tier and purpose, clause by clause, as it was published."""
    number = served.number(viewer, firm_id)
    snapshot = served.snapshot
    verdicts = verdicts_of(snapshot, *asked)
    figures = snapshot.figures[verdicts.sheet.head["data_year"]]
    return {
        **served.envelope(),
        "firm": snapshot.firms.brief(number),
        **verdicts.row(number, figures),
    }


def firm(served: Served, viewer: Viewer, firm_id: str) -> dict[str, Any]:
    """What a list shows of a firm that the viewer may see."""
    return served.snapshot.firms.brief(served.number(viewer, firm_id))


def verdicts_of(snapshot: Snapshot, tier: str, purpose: str) -> Verdicts:
    """The verdicts of a tier, or what there is instead."""
    if not snapshot.verdicts:
        raise NotAvailable(
            f"Verdicts must be a part of the snapshot, found none in {snapshot.id}.",
            "No edition was in force on its day, or it is of an earlier version: publish again.",
        )
    found = snapshot.verdicts.get(verdict_name(tier, purpose))
    if found is None:
        known = sorted({name.partition(":")[0] for name in snapshot.verdicts})
        near = get_close_matches(tier, known, 3, 0.4) or known
        raise NotFound(
            f"A tier must have an edition in force on {snapshot.as_of} for {purpose!r}, found"
            f" {tier!r}.",
            f"Did you mean {' or '.join(near)}?",
            {"alternatives": near},
        )
    return found
