"""Candidates laid out from a snapshot, for one task, one viewer and one mode."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.access import Viewer
from serving.judging import verdict_name
from serving.lookups import Served
from serving.shortlist.choice import Candidates
from serving.shortlist.codes import INSIDE, NO, OUTSIDE, UNKNOWN, YES
from serving.shortlist.question import Question
from serving.snapshot import Snapshot, Task
from serving.views import Category
from tidu.errors import NotAvailable, UsageError

__all__ = ["LADDER_TASKS", "candidates_of", "purpose_of", "tier_of"]

LADDER_TASKS = ("promotion", "application", "recognition", "lapse")
"""Tasks whose variant is a tier."""

MET, MET_PENDING = 3, 5
"""Codes of verdicts that a part keeps (the same as policy.logic; a test compares)."""


def tier_of(task: str) -> str:
    """The tier that a task is about; "" for a task that is about none.

    >>> tier_of("promotion:little_giant@12"), tier_of("distress:bankruptcy@24")
    ('little_giant', '')
    """
    name, _, variant = task.partition("@")[0].partition(":")
    return variant if name in LADDER_TASKS else ""


def purpose_of(task: str) -> str:
    """By which verdicts a task's firms are shown: a title that falls due is reviewed."""
    return "review" if task.startswith("lapse:") else "new"


def candidates_of(
    served: Served, viewer: Viewer, question: Question, *, filters_match: bool = True
) -> Candidates:
    """All firms of the snapshot, as far as the viewer sees them, as the question asks for them.

    A filter that matches no firm of the snapshot, and a firm to be excluded that is not in it, are
    taken for slips and refused, unless ``filters_match`` is false: the question was asked of other
    firms.
    """
    snapshot, task = served.snapshot, served.task(question.task)
    tier = tier_of(question.task)
    _refuse_unanswerable(snapshot, question, tier)
    if filters_match:
        _known_filter(snapshot, "district", question.districts, exact=True)
        _known_filter(snapshot, "industry", question.industries, exact=False)
        _known_firms(snapshot, question.exclude)
    n = len(snapshot.firms)
    row = task.row_of
    score = np.full(n, np.nan)
    score[row >= 0] = task.scores.score[row[row >= 0]]
    district, industry = (_texts(snapshot.firms.categories[c]) for c in ("district", "industry"))
    outside = _outside(snapshot, task, tier)
    if viewer.districts is not None:
        hidden = np.array([name not in viewer.districts for name in district], dtype=bool)
        outside[hidden] = OUTSIDE.index("not_there")
    held = snapshot.standing
    size = np.full(n, None, dtype=object) if held is None else _texts(held.size)
    ids = np.array(snapshot.firms.ids, dtype=object)
    stage, missed = _stage(snapshot, tier, question.mode, n), _missed(snapshot, tier, n)
    return Candidates(ids, score, outside, district, industry, size, stage, missed)


def _texts(category: Category) -> NDArray[np.object_]:
    return np.array([*category.values, None], dtype=object)[category.codes]


def _outside(snapshot: Snapshot, task: Task, tier: str) -> NDArray[np.int8]:
    """Inside is who was scored; of the others the ladder says why, where it is about them."""
    not_scored = OUTSIDE.index("not_scored")
    known = np.full(len(snapshot.firms), not_scored, dtype=np.int8)
    rung = snapshot.rungs.get(tier)
    if rung is not None and task.name.partition(":")[0] != "lapse":
        known = np.where(rung.outside == INSIDE, not_scored, rung.outside).astype(np.int8)
    return np.where(task.row_of >= 0, INSIDE, known).astype(np.int8)


def _stage(snapshot: Snapshot, tier: str, mode: str, n: int) -> NDArray[np.int8]:
    rung = snapshot.rungs.get(tier)
    if rung is None:
        return np.full(n, UNKNOWN, dtype=np.int8)
    if mode == "cultivate":  # whose path nobody has searched may be one of them
        return np.where(rung.open == YES, UNKNOWN, rung.stage).astype(np.int8)
    return np.asarray(rung.stage)


def _missed(snapshot: Snapshot, tier: str, n: int) -> NDArray[np.int8]:
    """应报未报: the verdict lets a firm apply, and it has not applied in the batch."""
    verdicts, rung = snapshot.verdicts.get(verdict_name(tier, "new")), snapshot.rungs.get(tier)
    if verdicts is None or rung is None:
        return np.full(n, UNKNOWN, dtype=np.int8)
    fit = np.isin(verdicts.status, (MET, MET_PENDING))
    open_ = np.where(rung.applied == NO, YES, UNKNOWN)
    return np.where(~fit | (rung.applied == YES), NO, open_).astype(np.int8)


def _refuse_unanswerable(snapshot: Snapshot, question: Question, tier: str) -> None:
    """Say at once what this snapshot or task cannot answer; an unknown district is a slip."""
    again = "Publish again with this version of Tidu."
    if question.mode and (not tier or purpose_of(question.task) == "review"):
        raise UsageError(
            f"A mode must go with a task about rising to a tier, found {question.mode!r} with"
            f" {question.task!r}.",
            "Leave the mode out, or ask for promotion:<tier>@12.",
        )
    if question.mode and tier not in snapshot.rungs:
        raise NotAvailable(
            f"The places on the ladder of {tier} must be a part of the snapshot, found none in"
            f" {snapshot.id}.",
            again,
        )
    if question.mode in ("upgrade", "cultivate", "reserve"):
        _refuse_without_stages(snapshot, tier, question.mode)
    if question.mode == "missed" and verdict_name(tier, "new") not in snapshot.verdicts:
        raise NotAvailable(
            f"应报未报 must rest on verdicts of {tier}, found none in {snapshot.id}.",
            "No edition was in force on its day.",
        )
    if question.sizes and snapshot.standing is None:
        raise NotAvailable(
            f"Size classes must be a part of the snapshot, found none in {snapshot.id}.", again
        )


def _refuse_without_stages(snapshot: Snapshot, tier: str, mode: str) -> None:
    line = snapshot.rungs[tier].about["line"]
    if line is None:
        raise NotAvailable(
            f"Stages must rest on the plan's target for {tier} and a published"
            f" promotion:{tier}@12, found one of them missing in {snapshot.id}.",
            "Train and publish that task, with a plan in force.",
        )
    if mode == "cultivate" and not line["searched"]:
        raise NotAvailable(
            f"The stage 培育 needs paths that were searched when {snapshot.id} was published,"
            " found none.",
            "Publish with --paths 100: the first firms of each tier are searched.",
        )


def _known_filter(snapshot: Snapshot, column: str, asked: Any, *, exact: bool) -> None:
    values = list(snapshot.firms.categories[column].values)
    for value in asked:
        if not any(v == value if exact else v.startswith(value) for v in values):
            near = get_close_matches(value, values, 3, 0.4) or sorted(values)[:3]
            raise UsageError(
                f"A filter by {column} must match some firm of the snapshot, found {value!r}.",
                f"Did you mean {' or '.join(near)}?",
                {"alternatives": near},
            )


def _known_firms(snapshot: Snapshot, asked: Sequence[str]) -> None:
    """A firm that is to be left out by a misspelt id would stay in unseen."""
    if strange := [firm for firm in asked if snapshot.firms.number(firm) is None]:
        near = snapshot.firms.near(strange[0])
        raise UsageError(
            f"Firms to be excluded must be in the snapshot, found {len(strange)} that are not:"
            f" {', '.join(strange[:5])}.",
            f"Did you mean {' or '.join(near)}?" if near else "Leave them out of exclude.",
            {"strange": strange, "alternatives": near},
        )
