"""One row of a shortlist: chance, verdict in short, reasons and measures.

Everything is looked up in the snapshot; nothing is judged or scored again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy.logic import WORDS
from serving.access import Viewer
from serving.lookups import Served, explanation
from serving.lookups_plan import measures
from serving.snapshot import Task
from serving.views import Figures, Verdicts

__all__ = ["chance_of", "factors_of", "measures_in_short", "reasons", "verdict_in_short"]

MOST_MEASURES = 5

_REASON = ("feature", "zh", "en", "unit", "value", "peer", "contribution", "points", "text_zh",
           "text_en")  # fmt: skip
_CRITERION = ("id", "zh", "en", "clause", "document")
_GAP = ("value", "operator", "threshold", "gap", "unit")
_MEASURE = ("row", "kind", "zh", "en", "status", "blocks", "opens", "closes", "deadline")


def chance_of(task: Task | None, number: int) -> dict[str, float] | None:
    """The chance of a firm by a further task with its interval; None where it was not scored."""
    row = -1 if task is None else int(task.row_of[number])
    if task is None or row < 0:
        return None
    names = ("probability", "p_low", "p_high")
    return {name: getattr(task.scores, name).item(row) for name in names}


def factors_of(
    application: Task | None, recognition: Task | None, number: int
) -> dict[str, dict[str, float] | None]:
    """The two factors of a promotion: that the firm applies, and that it is recognised if it does.

    A firm that may be recognised and is not asked whether it will apply has applied already.
    """
    apply, recognised = chance_of(application, number), chance_of(recognition, number)
    if application is not None and apply is None and recognised is not None:
        apply = {"probability": 1.0, "p_low": 1.0, "p_high": 1.0}
    return {"p_apply": apply, "p_recognised": recognised}


def reasons(served: Served, viewer: Viewer, firm_id: str, task: str) -> dict[str, Any]:
    """The few reasons that matter most, each way."""
    found = explanation(served, viewer, firm_id, task)
    return {
        sign: [{name: reason[name] for name in _REASON} for reason in found[sign]]
        for sign in ("positive", "negative")
    }


def verdict_in_short(
    verdicts: Verdicts, figures: Figures, number: int, exclusions: frozenset[str]
) -> dict[str, Any]:
    """A firm's verdict: its status, unmet criteria with their gaps, and what is still open.

    ``exclusions`` are the ids of the entry conditions, which are cited as exclusions.
    """
    filled = verdicts.row(number, figures)
    zh, en = WORDS[filled["status"]]
    lists: dict[str, list[dict[str, Any]]] = {"unmet": [], "unknown": [], "manual": []}
    for criterion in filled["criteria"]:
        status = criterion["status"]
        if status not in lists:
            continue
        shown = {name: criterion[name] for name in _CRITERION}
        if status == "unmet":
            parts = [_part(part) for part in criterion["parts"] if part["status"] == "unmet"]
            shown |= {name: criterion[name] for name in _GAP} | {"parts": parts}
            shown["exclusion"] = criterion["id"] in exclusions
        lists[status].append(shown)
    return {"status": filled["status"], "zh": zh, "en": en, **lists}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part.get(name) for name in ("zh", "en", *_GAP)}


def measures_in_short(served: Served, viewer: Viewer, firm_id: str, tier: str) -> dict[str, Any]:
    """The measures that fit a firm best for a tier, and how many more there are."""
    if served.snapshot.plan is None or served.snapshot.fits is None:
        return {"items": [], "more": 0}
    ladder = served.snapshot.plan.page("supports")["ladder"]
    items = measures(served, viewer, firm_id, tier if tier in ladder else "")["items"]
    shown = [{name: item[name] for name in _MEASURE} for item in items[:MOST_MEASURES]]
    return {"items": shown, "more": max(len(items) - MOST_MEASURES, 0)}
