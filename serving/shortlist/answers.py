"""Saved lists as they are answered: to a viewer of some districts only what he may see."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from serving.access import ENVELOPE, Viewer
from serving.shortlist.kept import Recorded, Saved
from tidu.errors import NotFound, UsageError

__all__ = ["decided", "envelope_of", "fresh", "row_of", "shown", "task_of"]

HORIZON = 12

OTHERS = {"zh": "其他区县企业", "en": "a firm of another district"}


def task_of(task: str, tier: str, published: Sequence[str]) -> str:
    """The task that is asked for by its name or by a tier; exactly one of the two.

    A name without months stands for the only published task that begins so.
    """
    if bool(task) == bool(tier):
        found = f"both {task!r} and {tier!r}" if task else "neither"
        raise UsageError(
            f"A shortlist must name a task or a tier, found {found}.",
            "Name one: a task as promotion:little_giant@12, or a tier as little_giant.",
        )
    if tier:
        from features.facts import LADDER  # with pandas, which the service starts without

        if tier not in LADDER:
            near = get_close_matches(tier, LADDER, 3, 0.4) or list(LADDER)
            raise UsageError(
                f"A tier must be one of {', '.join(LADDER)}, found {tier!r}.",
                f"Did you mean {' or '.join(near)}?",
                {"alternatives": near},
            )
        return f"promotion:{tier}@{HORIZON}"
    fitting = [name for name in published if name.partition("@")[0] == task]
    return fitting[0] if len(fitting) == 1 else task


def fresh(body: Mapping[str, Any]) -> dict[str, Any]:
    """A list that was not saved."""
    names = ("shortlist_id", "number", "hash", "saved_by", "saved_at")
    return {**body, **dict.fromkeys(names), "hidden": 0}


def shown(saved: Saved, viewer: Viewer) -> dict[str, Any]:
    """A saved list with its id and hash, as far as the viewer sees its districts."""
    body = dict(saved.body)
    rows = [row for row in body["items"] if _sees(viewer, row)]
    hidden = len(body["items"]) - len(rows)
    if viewer.districts is not None:
        visible = {row["firm_id"] for row in rows}
        rows = [{**row, "conflicts": [_own(c, visible) for c in row["conflicts"]]} for row in rows]
        body["districts"] = [d for d in body["districts"] if d["district"] in viewer.districts]
    own = {
        "shortlist_id": saved.id,
        "number": saved.number,
        "hash": saved.hash,
        "saved_by": saved.actor,
        "saved_at": saved.at,
        "hidden": hidden,
    }
    return {**body, "items": rows, **own}


def _own(conflict: Mapping[str, Any], visible: Collection[str]) -> dict[str, Any]:
    """A conflict without the names of firms on the list that the viewer does not see.

    Who holds the title is named: titles are published.
    """
    shown = [one for one in conflict["with"] if one["holds"] or one["firm_id"] in visible]
    words = {lang: conflict[lang] for lang in OTHERS}
    for one in conflict["with"]:
        if one not in shown:
            # As a whole, not as the beginning of another id; in Chinese no blank stands around it.
            name = rf"(?a:(?<!\w){re.escape(one['firm_id'])}(?!\w))"
            words = {lang: re.sub(name, OTHERS[lang], text) for lang, text in words.items()}
    return {**conflict, "with": shown, **words}


def row_of(saved: Saved, viewer: Viewer, firm_id: str) -> Mapping[str, Any]:
    """The row of a firm that the viewer sees."""
    row = saved.row(firm_id)
    if row is None or not _sees(viewer, row):
        raise NotFound(
            f"A firm must be on list {saved.id}, found {firm_id!r}.", "The list says who is on it."
        )
    return row


def decided(saved: Saved, found: Sequence[Recorded], viewer: Viewer) -> dict[str, Any]:
    """All decisions on a list, the latest by firm, and who is still without one."""
    visible = [row["firm_id"] for row in saved.body["items"] if _sees(viewer, row)]
    items = [one.as_json() for one in found if one.firm_id in set(visible)]
    latest = {one["firm_id"]: one for one in items}
    undecided = [firm for firm in visible if firm not in latest]
    own = {"shortlist_id": saved.id, "items": items, "latest": latest, "undecided": undecided}
    return {**envelope_of(saved), **own}


def envelope_of(saved: Saved) -> dict[str, Any]:
    """What every answer about a list carries: the snapshot that the list was made from."""
    return {name: saved.body.get(name) for name in ENVELOPE}


def _sees(viewer: Viewer, row: Mapping[str, Any]) -> bool:
    return viewer.districts is None or row["district"] in viewer.districts
