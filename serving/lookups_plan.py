"""What is answered of the city's plan from a snapshot: targets, the law, the measures of a firm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.access import Viewer
from serving.judging import verdict_name
from serving.lookups import Served
from serving.snapshot import Snapshot
from serving.views import Fits, PlanPages, Verdicts
from tidu.errors import NotAvailable, NotFound, UsageError

__all__ = ["measures", "page_of", "policy", "targets", "visible"]

STATUSES = ("unmet", "unknown", "manual", "met", "not_applicable")
"""Names of the codes that a part keeps (the same as policy.logic.NAMES; a test compares)."""

UNMET, UNKNOWN, MANUAL, MET = range(4)


def page_of(snapshot: Snapshot) -> PlanPages:
    """The pages of the plan, or what there is instead."""
    if snapshot.plan is None:
        raise NotAvailable(
            f"The plan must be a part of the snapshot, found none in {snapshot.id}.",
            "It was published without one, or by an earlier version: publish again.",
        )
    return snapshot.plan


def targets(served: Served, viewer: Viewer, row: str) -> dict[str, Any]:
    """The plan's targets, or one; districts as far as the viewer sees them."""
    page = page_of(served.snapshot).page("targets")
    known = [item["row"] for item in page["items"]]
    if row and row not in known:
        raise NotFound(
            f"A target must be one of the plan {page['plan']}, found {row!r}.",
            f"Its targets are {', '.join(known)}.",
            {"alternatives": known[:3]},
        )
    items = [_seen(item, viewer) for item in page["items"] if not row or item["row"] == row]
    return {**served.envelope(), **page, "items": items}


def _seen(item: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
    if viewer.districts is None:
        return dict(item)
    lines = [line for line in item["districts"] if line["district"] in viewer.districts]
    return {**item, "districts": lines}


def policy(served: Served) -> dict[str, Any]:
    """The editions of the law with those in force, and what the city has set or may set."""
    return {**served.envelope(), **page_of(served.snapshot).page("policy")}


def visible(served: Served, viewer: Viewer, firm_ids: list[str]) -> list[str]:
    """The firms of a list that the viewer may see."""
    if viewer.districts is None:
        return firm_ids
    firms = served.snapshot.firms
    numbers = {firm_id: firms.number(firm_id) for firm_id in firm_ids}
    return [
        firm_id
        for firm_id, number in numbers.items()
        if number is not None and firms.brief(number)["district"] in viewer.districts
    ]


# ------------------------------------------------------------------------------------ measures


def measures(served: Served, viewer: Viewer, firm_id: str, tier: str) -> dict[str, Any]:
    """The supports that fit a firm: those first that speak to what blocks its next tier."""
    number = served.number(viewer, firm_id)
    snapshot = served.snapshot
    page, fits = page_of(snapshot).page("supports"), snapshot.fits
    assert fits is not None, "a plan's pages and fits are written together"
    ladder = page["ladder"]
    if tier and tier not in ladder:
        raise UsageError(f"A tier must be one of {', '.join(ladder)}, found {tier!r}.", "Correct.")
    rung = int(fits.rung[number])
    aim = tier or (ladder[rung] if rung < len(ladder) else "")
    status = _criteria(snapshot.verdicts.get(verdict_name(aim, "new")), number)
    speaks = page["speaks"].get(aim)
    lines = []
    for place, offer in enumerate(page["items"]):
        code = int(fits.status[number, place])
        if code not in (MET, UNKNOWN, MANUAL):
            continue
        names = speaks[place] if speaks else []
        blocks = [name for name in names if status.get(name) == UNMET]
        opens = [name for name in names if status.get(name) in (UNKNOWN, MANUAL)]
        line = {
            "tier": aim,
            "status": STATUSES[code],
            "blocks": len(blocks),
            "opens": len(opens),
            "closes": [*blocks, *opens],
            **offer,
            "deadline": _deadline(fits, number, place) or offer["deadline"],
        }
        lines.append((_order(line, place), line))
    found = [{"place": i, **line} for i, (_, line) in enumerate(sorted(lines, key=_first), 1)]
    return {
        **served.envelope(),
        "firm": snapshot.firms.brief(number),
        "plan": page["plan"],
        "tier": aim,
        "items": found,
    }


def _first(pair: tuple[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    return pair[0]


def _order(line: Mapping[str, Any], place: int) -> tuple[bool, int, str, int]:
    """What fits surely, what blocks, what is open, then by deadline, as policy.plan.fitting."""
    rank = 0 if line["blocks"] else 1 if line["opens"] else 2
    return line["status"] != STATUSES[MET], rank, line["deadline"] or "9999", place


def _criteria(verdicts: Verdicts | None, number: int) -> dict[str, int]:
    if verdicts is None:
        return {}
    row = verdicts.lines[number]
    return {entry.words["id"]: int(row[entry.place]) for entry in verdicts.sheet.entries}


def _deadline(fits: Fits, number: int, place: int) -> str | None:
    """The firm's own deadline; days are counted from 1970-01-01, the least number is none."""
    import numpy as np

    if place not in fits.deadlines:
        return None
    day = fits.deadlines[place][number]
    own = np.datetime64(int(day), "D")
    return None if np.isnat(own) else str(own)
