"""Differences as they are asked for [I/O]: two saved lists, a list and today, two snapshots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serving.access import Viewer
from serving.casework import Casework
from serving.replay import published_plan, snapshot_of
from serving.shortlist.candidates import tier_of
from serving.shortlist.comparing import Side, compared
from serving.shortlist.kept import Lists
from serving.shortlist.question import Question
from serving.snapshot import Snapshot
from serving.workspace import Workspace
from tidu.errors import NotFound

__all__ = ["CURRENT", "Comparisons"]

CURRENT = "current"
"""In the place of a list: the same question asked of the snapshot in service."""


@dataclass(frozen=True)
class Comparisons:
    """Compares lists of one home; ``lists`` opens its saved ones."""

    workspace: Workspace
    casework: Casework
    lists: Callable[[], Lists]

    def saved(
        self, pair: tuple[str, str], viewer: Viewer, current: Snapshot | None = None
    ) -> dict[str, Any]:
        """From one saved list to another, or to its own question on the snapshot in service."""
        before = self._side(pair[0])
        if pair[1] == CURRENT:
            snapshot = self.workspace.snapshot() if current is None else current
            after = Side(snapshot, before.question)
        else:
            after = self._side(pair[1])
        return self._compared(before, after, viewer)

    def snapshots(
        self, pair: tuple[str, str], question: Question, viewer: Viewer
    ) -> dict[str, Any]:
        """One question asked of two snapshots, named by id or the start of it."""
        sides = [
            Side(self._opened(snapshot_of(self.workspace, name), question), question)
            for name in pair
        ]
        return self._compared(sides[0], sides[1], viewer)

    def _compared(self, before: Side, after: Side, viewer: Viewer) -> dict[str, Any]:
        home = self.workspace.home
        return compared(before, after, viewer, self.casework, lambda one: published_plan(home, one))

    def _side(self, identity: str) -> Side:
        saved = self.lists().get(identity)
        question = Question.of(saved.body["question"])
        firms = tuple(str(row["firm_id"]) for row in saved.body["items"])
        snapshot = self._opened(str(saved.body["snapshot_id"]), question)
        return Side(snapshot, question, identity, firms)

    def _opened(self, identity: str, question: Question) -> Snapshot:
        """A snapshot with what a comparison reads of it; the rest is neither read nor verified."""
        tier = tier_of(question.task)
        tasks = {question.task, f"promotion:{tier}@12"}
        wanted = {f"{kind}:{task}" for kind in ("scores", "reasons") for task in tasks}
        wanted |= {f"verdicts:{tier}:new", f"rungs:{tier}", "standing", "law", "plan"}
        path = self.workspace.home / "snapshots" / identity
        if not path.is_dir():
            raise NotFound(
                f"The snapshot {identity} of a list must be there to compare it, found it gone.",
                "Bring it back from a backup; the list itself can be read without it.",
            )
        found = Snapshot.open(path, wanted.__contains__)
        if question.task not in found.tasks:
            raise NotFound(
                f"Snapshot {identity} must hold {question.task}, found no such task.",
                "Name a snapshot that was published with it.",
            )
        return found
