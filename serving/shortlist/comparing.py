"""Two lists compared: who entered, left or moved, by how much of which factor, and on what figures.

Lists are of one task, each of its own snapshot and question. What cannot be worked out (a bundle
is gone, the law of an old snapshot is not stored) leaves the moves without parts, and is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.access import Viewer
from serving.lookups import Served
from serving.rank_history import figures
from serving.shortlist.attribution import FACTORS, UNITS, World
from serving.shortlist.candidates import candidates_of
from serving.shortlist.choice import Candidates, Choice, choose
from serving.shortlist.codes import INSIDE, OUTSIDE, WHY_OUTSIDE
from serving.shortlist.difference import Difference, Move, cause, differ
from serving.shortlist.difference_words import WHY_NOT, sentence
from serving.shortlist.question import Question
from serving.shortlist.worlds import STAGES, Needs, Worlds
from tidu.errors import NotAvailable, NotFound, Refused, TiduError, UsageError

if TYPE_CHECKING:
    from policy.plan.rows import Plan
    from serving.casework import Casework
    from serving.snapshot import Snapshot

__all__ = ["Side", "compared"]


@dataclass(frozen=True)
class Side:
    """One list: its snapshot and question; of a saved one the id and the firms as they were."""

    snapshot: Snapshot
    question: Question
    identity: str | None = None
    firms: tuple[str, ...] | None = None


def compared(
    before: Side,
    after: Side,
    viewer: Viewer,
    casework: Casework,
    plan: Callable[[Snapshot], Plan | None] = lambda _: None,
) -> dict[str, Any]:
    """The difference from one list to another, as JSON; firms the viewer may not see are left out.

    ``casework`` knows records, laws and bundles; ``plan`` the plan a snapshot was published with.
    """
    task = before.question.task
    if task != after.question.task:
        raise UsageError(
            f"Two lists must be of one task to be compared, found {task} and"
            f" {after.question.task}: their chances are of different things.",
            "Name two lists of one task.",
        )
    needs = _needs(task, (before.question, after.question))
    worlds = Worlds(before.snapshot, after.snapshot, needs, casework, plan)
    lists = _Lists(worlds, (before, after), replace(viewer, districts=None))
    for later, side in enumerate((before, after)):
        lists.hold(side, (bool(later),) * len(FACTORS))
    missing: TiduError | None = None
    try:
        found = differ(lists)
    except (NotAvailable, NotFound, Refused) as error:
        missing, found = error, differ(lists, attributed=False)
    found = _visible(found, lists, viewer)
    moved = _told(found, lists)
    return {
        **Served(after.snapshot).envelope(after.snapshot.tasks[task].bundle_id),
        "task": task,
        "before": _described(before),
        "after": _described(after),
        "factors": [name for name in FACTORS if name in lists.differing],
        "missing": None if missing is None else f"{missing.message} {missing.cure}".strip(),
        "summary": found.summary(),
        **moved,
    }


def _needs(task: str, questions: Sequence[Question]) -> Needs:
    ladder = any(q.mode or q.sizes for q in questions)
    return Needs(task, ladder, any(q.mode in STAGES for q in questions))


@dataclass
class _Lists:
    """The list of every world, each chosen once; called by :func:`differ`."""

    worlds: Worlds
    sides: tuple[Side, Side]
    viewer: Viewer
    _laid: dict[World, tuple[Candidates, Choice]] = field(default_factory=dict)

    @property
    def differing(self) -> frozenset[str]:
        quota = {"quota"} if self.sides[0].question != self.sides[1].question else set()
        return self.worlds.differing | quota

    def __call__(self, world: World) -> list[str]:
        candidates, choice = self.chosen(world)
        return [str(firm) for firm in candidates.firm_ids[choice.places]]

    def chosen(self, world: World) -> tuple[Candidates, Choice]:
        # Worlds that differ in what both sides have alike are one.
        asked = zip(FACTORS, world, strict=True)
        key = tuple(later and name in self.differing for name, later in asked)
        if key not in self._laid:
            question = self.sides[key[3]].question
            served = Served(self.worlds.snapshot(*key[:3]))
            laid = candidates_of(served, self.viewer, question, filters_match=False)
            self._laid[key] = laid, choose(laid, question)
        return self._laid[key]

    def hold(self, side: Side, world: World) -> None:
        """A saved list must be what its question chooses from its snapshot today."""
        if side.firms is not None and list(side.firms) != self(world):
            raise Refused(
                f"List {side.identity} must be what its question chooses from its snapshot, found"
                " other firms.",
                "It was made by another version of Tidu: make it anew from that snapshot.",
            )


def _visible(found: Difference, lists: _Lists, viewer: Viewer) -> Difference:
    if viewer.districts is None:
        return found
    seen = set()
    for side in lists.sides:
        firms = side.snapshot.firms
        shown = (firms.brief(n) for n in range(len(firms)))
        seen |= {b["firm_id"] for b in shown if b["district"] in viewer.districts}

    def kept(moves: tuple[Move, ...]) -> tuple[Move, ...]:
        return tuple(move for move in moves if move.firm_id in seen)

    return Difference(kept(found.entered), kept(found.left), kept(found.stayed))


def _described(side: Side) -> dict[str, Any]:
    snapshot = side.snapshot
    return {
        "shortlist_id": side.identity,
        "snapshot_id": snapshot.id,
        "as_of": snapshot.as_of,
        "model_version": snapshot.tasks[side.question.task].bundle_id,
        "policy_edition": snapshot.policy_edition,
        "question": side.question.as_json(),
    }


# ---- each move in words


def _told(found: Difference, lists: _Lists) -> dict[str, list[dict[str, Any]]]:
    by_data = [
        move.firm_id
        for move in (*found.entered, *found.left, *found.stayed)
        if move.parts is not None and move.parts[0]
    ]
    moved = _figures(lists.worlds, by_data)
    return {
        kind: [_move(move, lists, moved.get(move.firm_id)) for move in getattr(found, kind)]
        for kind in ("entered", "left", "stayed")
    }


def _move(move: Move, lists: _Lists, moved: list[dict[str, Any]] | None) -> dict[str, Any]:
    # Of who entered it is told why it was not in before, of who left why it is not in now.
    later = move.after is not None
    side = lists.sides[later]
    number = side.snapshot.firms.number(move.firm_id)
    # A firm that is in a list is one of its snapshot.
    brief = side.snapshot.firms.brief(number) if number is not None else {}
    why = None if move.kind == "stayed" else _why_not(move.firm_id, lists, not later)
    told = {
        **brief,
        "before": move.before,
        "after": move.after,
        "parts": None
        if move.parts is None
        else {"of": UNITS, **dict(zip(FACTORS, move.parts, strict=True))},
        "cause": cause(move) if move.parts is not None and any(move.parts) else None,
        "why": why,
        "figures": moved,
    }
    return told | {f"text_{lang}": sentence(move, why, moved, lang) for lang in ("zh", "en")}


def _why_not(firm_id: str, lists: _Lists, later: bool) -> dict[str, str]:
    """Why a firm is not in the list of a side."""
    candidates, choice = lists.chosen((later,) * len(FACTORS))
    place, question = candidates.place(firm_id), lists.sides[later].question
    if place < 0 or candidates.outside[place] != INSIDE:
        code = "not_there" if place < 0 else OUTSIDE[candidates.outside[place]]
        zh, en = WHY_OUTSIDE[code]
    else:
        code = "behind" if choice.passing[place] else "not_asked"
        code = "excluded" if firm_id in question.exclude else code
        zh, en = WHY_NOT[code]
    return {"code": code, "zh": zh, "en": en}


def _figures(worlds: Worlds, firm_ids: Sequence[str]) -> Mapping[str, list[dict[str, Any]]]:
    """By firm the figures whose change moved its score most, under the later model."""
    if "data" not in worlds.differing or not firm_ids:
        return {}
    after = worlds.after.tasks[worlds.needs.task]
    before = _rows(worlds, firm_ids)
    found = {}
    for firm_id in firm_ids:
        number = worlds.after.firms.number(firm_id)
        row = -1 if number is None else int(after.row_of[number])
        if row >= 0 and firm_id in before:
            now = after.reasons.contributions[row, :-1], after.reasons.values[row]
            found[firm_id] = figures(after, before[firm_id], now)
    return found


def _rows(worlds: Worlds, firm_ids: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """Contributions and values of the earlier data under the later model."""
    if "model" not in worlds.differing:
        task, firms = worlds.before.tasks[worlds.needs.task], worlds.before.firms
        numbers = {firm: firms.number(firm) for firm in firm_ids}
        rows = {firm: int(task.row_of[n]) for firm, n in numbers.items() if n is not None}
        reasons = task.reasons
        return {
            firm: (reasons.contributions[row, :-1], reasons.values[row])
            for firm, row in rows.items()
            if row >= 0
        }
    from model.shapley import contributions  # with LightGBM: only where a bundle is asked

    book = worlds.book(False, True, False)
    at = np.flatnonzero(np.isin(book.firm_ids.astype(str), list(firm_ids)))
    if not len(at):
        return {}
    matrix = book.matrix.values[at]
    parts = contributions(book.bundle.model, matrix)[:, :-1]
    specs = book.bundle.profile.specs
    shown = np.column_stack([s.shown(v) for s, v in zip(specs, matrix.T, strict=True)])
    return {str(book.firm_ids[i]): (parts[j], shown[j]) for j, i in enumerate(at.tolist())}
