"""A firm's rank over the snapshots of a home: where it stood each time, and what moved it since.

From what is stored and nothing else: of each snapshot only firms, scores and reasons of the one
task are opened (and verified). Between two snapshots scored by one bundle the figures that moved
the score are exact, the difference of two rows of reasons; by two bundles scores do not compare.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from serving.manifest import inputs_of
from serving.snapshot import Snapshot, Task, available

__all__ = [
    "FIGURES",
    "Standings",
    "catalogue",
    "changed",
    "editions",
    "figures",
    "firm_history",
    "moved",
    "ordered",
]

FIGURES = 3
"""Figures shown of a move: those that changed the score most."""

KEPT = 64
"""Snapshots kept open; their parts are mapped, not read."""

_STANDING = ("rank", "of", "score", "probability", "p_low", "p_high", "stale")


def ordered(
    catalogue: Iterable[Mapping[str, Any]], published: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    """Snapshots by their day; those of one day by when they were first in service, then by id."""
    known = [entry for entry in catalogue if "as_of" in entry]
    return sorted(
        known,
        key=lambda e: (e["as_of"], published.get(e["snapshot_id"], "~"), e["snapshot_id"]),
    )


def catalogue(home: Path) -> list[Mapping[str, Any]]:
    """All snapshots of a home by id, each with its inputs; one that is unreadable with its id."""
    return [{"snapshot_id": name, **inputs_of(home, name)} for name in available(home)]


def firm_history(
    standings: Standings,
    asked: tuple[str, str],
    snapshots: Iterable[Mapping[str, Any]],
    published: Callable[[], Mapping[str, str]],
) -> list[dict[str, Any]]:
    """The history of a firm in a task (``asked``); ``published`` says when each came to serve."""
    return standings.history(*asked, ordered(snapshots, published()))


@dataclass
class Standings:
    """Opens snapshots for one task and firm at a time; called from one thread."""

    home: Path
    _open: OrderedDict[tuple[str, str], Snapshot] = field(default_factory=OrderedDict)

    def history(
        self, firm_id: str, task: str, entries: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Oldest first, one item a snapshot that holds the task; see :func:`moved`."""
        items: list[dict[str, Any]] = []
        before: tuple[Snapshot, int] | None = None
        for entry in entries:
            if task not in entry["bundles"]:
                continue
            snapshot = self._glimpse(entry["snapshot_id"], task)
            number = snapshot.firms.number(firm_id)
            row = -1 if number is None else int(snapshot.tasks[task].row_of[number])
            item = _item(snapshot, task, number, row)
            if row >= 0:
                item["moved"] = moved(before, (snapshot, row), task) if before else None
                before = (snapshot, row)
            items.append(item)
        return items

    def _glimpse(self, identity: str, task: str) -> Snapshot:
        key = (identity, task)
        if key not in self._open:
            wanted = (f"scores:{task}", f"reasons:{task}")
            path = self.home / "snapshots" / identity
            self._open[key] = Snapshot.open(path, wanted.__contains__)
        self._open.move_to_end(key)
        while len(self._open) > KEPT:
            self._open.popitem(last=False)
        return self._open[key]


def _item(snapshot: Snapshot, name: str, number: int | None, row: int) -> dict[str, Any]:
    task = snapshot.tasks[name]
    item: dict[str, Any] = {
        "snapshot_id": snapshot.id,
        "as_of": snapshot.as_of,
        "model_version": task.bundle_id,
        "policy_edition": snapshot.policy_edition,
        "state": "not_there" if number is None else "scored" if row >= 0 else "outside",
        "tier": None if number is None else snapshot.firms.brief(number)["tier"],
        **dict.fromkeys(_STANDING),
        "moved": None,
    }
    return item if row < 0 else item | _standing(task, row)


def _standing(task: Task, row: int) -> dict[str, Any]:
    scores = task.scores
    found = {name: getattr(scores, name).item(row) for name in _STANDING[2:]}
    return {"rank": row + 1, "of": len(scores), **found, "stale": bool(scores.stale.item(row))}


def moved(before: tuple[Snapshot, int], after: tuple[Snapshot, int], name: str) -> dict[str, Any]:
    """What lies between two standings of one firm.

    ``changed`` names data, model and rule where they differ; ``rank`` is negative when the firm
    rose. ``score`` and ``figures`` are None where two bundles scored.
    """
    (old, was), (new, now) = before, after
    tasks = old.tasks[name], new.tasks[name]
    one = tasks[0].bundle_id == tasks[1].bundle_id
    sides = (tasks[0].scores, was), (tasks[1].scores, now)
    chances = [float(scores.probability[row]) for scores, row in sides]
    points = [float(scores.score[row]) for scores, row in sides]
    return {
        "since": old.id,
        "changed": changed(old, new, name),
        "rank": now - was,
        "probability": chances[1] - chances[0],
        "score": points[1] - points[0] if one else None,
        "figures": figures(tasks[1], _row(tasks[0], was), _row(tasks[1], now)) if one else None,
    }


def changed(old: Snapshot, new: Snapshot, task: str) -> list[str]:
    """Which of data, model and rule differ between two snapshots, for one task.

    The rule is the law's files and, for a task about a tier, its editions in force; the batch and
    its fiscal year go with the day, which is of the data.
    """
    tier = task.partition("@")[0].partition(":")[2]
    inputs = old.manifest["inputs"], new.manifest["inputs"]
    same = {
        "data": _equal(inputs, lambda i: (i["vault_head"], i["as_of"])),
        "model": old.tasks[task].bundle_id == new.tasks[task].bundle_id,
        "rule": _equal(inputs, lambda i: (i["policy_edition"], editions(i, tier))),
    }
    return [factor for factor, equal in same.items() if not equal]


def editions(inputs: Mapping[str, Any], tier: str) -> dict[str, str]:
    """The editions in force for a tier by purpose."""
    named = inputs.get("editions", {}).items()
    return {name: use["edition"] for name, use in named if name.partition(":")[0] == tier}


def _equal(pair: tuple[Any, Any], of: Callable[[Any], Any]) -> bool:
    return bool(of(pair[0]) == of(pair[1]))


Row = tuple[Any, Any]
"""Contributions (without the base) and values of one firm."""


def _row(task: Task, row: int) -> Row:
    return task.reasons.contributions[row, :-1], task.reasons.values[row]


def figures(task: Task, before: Row, after: Row, most: int = FIGURES) -> list[dict[str, Any]]:
    """The figures that moved the score most under one bundle, each with its share of the move."""
    change = np.asarray(after[0]) - np.asarray(before[0])
    order = np.argsort(-np.abs(change), kind="stable")[:most]
    return [
        {
            "feature": feature.name,
            "zh": feature.zh,
            "en": feature.en,
            "unit": feature.unit,
            "before": _known(before[1][j]),
            "after": _known(after[1][j]),
            "contribution": float(change[j]),
        }
        for j in order.tolist()
        if change[j] != 0.0
        for feature in [task.features[j]]
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
