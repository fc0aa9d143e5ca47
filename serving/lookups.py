"""What is answered from a snapshot: lookups only, each a function of (served, viewer, question)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.wording import Feature, Reasoned, contrast, explain
from serving.access import Viewer
from serving.snapshot import Snapshot, Task
from serving.views import Matrix
from tidu.errors import NotAvailable, NotFound, UsageError

__all__ = [
    "Filters",
    "Page",
    "Served",
    "comparison",
    "explanation",
    "firm",
    "firms",
    "rankings",
    "standing_at",
]

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which firms a list is about; empty means all. ``industry`` matches a code's beginning."""

    q: str = ""
    district: str = ""
    industry: str = ""
    tier: str = ""


class Served:
    """One snapshot as it is served: a request takes one of these and never looks at another."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.models = snapshot.models
        self._envelope = {
            "snapshot_id": snapshot.id,
            "as_of": snapshot.as_of,
            "model_version": self.models,
            "policy_edition": snapshot.policy_edition,
        }
        self.profile_heads = [_profile_head(f) for f in snapshot.profile_features]
        # Pages of one list come one after the other: what a list holds is found once.
        self.chosen = lru_cache(maxsize=32)(self._chosen)
        self.ranked = lru_cache(maxsize=32)(self._ranked)

    def envelope(self, model_version: str | None = None) -> dict[str, Any]:
        """Return what every answer carries; ``model_version`` is the bundle where one answers."""
        return self._envelope | ({"model_version": model_version} if model_version else {})

    def task(self, name: str) -> Task:
        """Return a task of the snapshot, or say which there are."""
        task = self.snapshot.tasks.get(name)
        if task is None:
            known = list(self.snapshot.tasks)
            near = get_close_matches(name, known, 3, 0.4) or known[:3]
            raise NotFound(
                f"A task must be one of this snapshot, found {name!r}.",
                f"Did you mean {' or '.join(near)}?" if near else "Publish a task first.",
                {"alternatives": near},
            )
        return task

    def number(self, viewer: Viewer, firm_id: str) -> int:
        """Return the number of a firm that the viewer may see, or name some that stand near."""
        number = self.snapshot.firms.number(firm_id)
        if number is None or not self._visible(viewer, number):
            near = self.snapshot.firms.near(firm_id) if viewer.districts is None else []
            raise NotFound(
                f"A firm must be one of this snapshot, found {firm_id!r}.",
                f"Did you mean {' or '.join(near)}?" if near else "Search with /v1/firms?q=.",
                {"alternatives": near},
            )
        return number

    def _visible(self, viewer: Viewer, number: int) -> bool:
        if viewer.districts is None:
            return True
        return self.snapshot.firms.brief(number)["district"] in viewer.districts

    def _chosen(self, filters: Filters, districts: frozenset[str] | None) -> Numbers:
        """Return the numbers of the firms that pass, rising."""
        firms = self.snapshot.firms
        if filters.q:
            numbers = firms.containing(filters.q)
        else:
            numbers = np.arange(len(firms), dtype=np.int32)
        wanted: dict[str, Any] = {"tier": filters.tier, "industry": filters.industry}
        wanted["district"] = filters.district
        for name, value in wanted.items():
            if value:
                exact = name != "industry"
                numbers = numbers[_codes(firms.categories[name], value, exact)[numbers]]
        if districts is not None:
            allowed = np.zeros(len(firms), dtype=bool)
            for district in districts:
                allowed |= _codes(firms.categories["district"], district, True)
            numbers = numbers[allowed[numbers]]
        return numbers

    def _ranked(self, task: str, filters: Filters, districts: frozenset[str] | None) -> Numbers:
        """Return the rows of a task whose firms pass, best first."""
        rows = self.task(task).row_of[self.chosen(filters, districts)]
        return np.sort(rows[rows >= 0])


def _codes(category: Any, value: str, exact: bool) -> NDArray[np.bool_]:
    hits = [
        i for i, v in enumerate(category.values) if (v == value if exact else v.startswith(value))
    ]
    return np.isin(category.codes, hits)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list: after place ``last`` (−1: from the start), at most ``limit`` items."""

    last: int = -1
    limit: int = 50

    def of(self, places: Numbers) -> tuple[list[int], int | None]:
        """Return the places of this page and where the next one starts (None at the end)."""
        start = int(np.searchsorted(places, self.last, side="right"))
        here = places[start : start + self.limit].tolist()
        more = start + self.limit < len(places)
        return here, here[-1] if more else None


def firms(
    served: Served, viewer: Viewer, filters: Filters, page: Page
) -> tuple[dict[str, Any], int | None]:
    """Search; items by rising firm_id, with their rank in every task."""
    numbers = served.chosen(filters, viewer.districts)
    here, following = page.of(numbers)
    rows = served.snapshot.firms
    tasks = served.snapshot.tasks
    items = [
        rows.brief(n) | {"ranks": {t: _rank(task, n) for t, task in tasks.items()}} for n in here
    ]
    return {**served.envelope(), "items": items, "total": len(numbers)}, following


def rankings(
    served: Served, viewer: Viewer, question: tuple[str, Filters], page: Page
) -> tuple[dict[str, Any], int | None]:
    """The order of one task, best first; ranks are of the whole cohort, whatever is filtered."""
    name, filters = question
    task = served.task(name)
    rows = served.ranked(name, filters, viewer.districts)
    here, following = page.of(rows)
    briefs = served.snapshot.firms
    numbers = task.scores.firm[here].tolist()
    items = [briefs.brief(n) | standing_at(task, r) for n, r in zip(numbers, here, strict=True)]
    head = served.envelope(task.bundle_id)
    return {**head, "task": name, "items": items, "total": len(rows)}, following


def firm(served: Served, viewer: Viewer, firm_id: str) -> dict[str, Any]:
    """One firm: what is known of it, its standing in every task, its growth profile."""
    number = served.number(viewer, firm_id)
    snapshot = served.snapshot
    scores = []
    for name, task in snapshot.tasks.items():
        row = int(task.row_of[number])
        standing = standing_at(task, row) if row >= 0 else dict.fromkeys(_STANDING)
        scores.append({"task": name, "model_version": task.bundle_id, **standing})
    return {
        **served.envelope(),
        "firm": snapshot.firms.row(number),
        "scores": scores,
        "profile": _profile(served.profile_heads, snapshot.profile, number),
    }


def explanation(served: Served, viewer: Viewer, firm_id: str, name: str) -> dict[str, Any]:
    """Why one firm scores what it scores in one task."""
    task = served.task(name)
    number = served.number(viewer, firm_id)
    row = _row(served, task, number)
    return {
        **served.envelope(task.bundle_id),
        "task": name,
        "firm": served.snapshot.firms.brief(number),
        **standing_at(task, row),
        **explain(task.features, _reasoned(task, row)),
    }


def comparison(served: Served, viewer: Viewer, pair: Sequence[str], name: str) -> dict[str, Any]:
    """Why one firm stands above or below another: the exact difference of their two rows."""
    task = served.task(name)
    numbers = [served.number(viewer, firm_id) for firm_id in pair]
    rows = [_row(served, task, number) for number in numbers]
    sides = [
        served.snapshot.firms.brief(number) | standing_at(task, row)
        for number, row in zip(numbers, rows, strict=True)
    ]
    if pair[0] == pair[1]:
        raise UsageError(f"Two firms must differ, found {pair[0]!r} twice.", "Name another firm.")
    return {
        **served.envelope(task.bundle_id),
        "task": name,
        "a": sides[0],
        "b": sides[1],
        **contrast(task.features, _reasoned(task, rows[0]), _reasoned(task, rows[1])),
    }


_STANDING = ("rank", "of", "score", "probability", "p_low", "p_high", "stale")


def _rank(task: Task, number: int) -> int | None:
    row = int(task.row_of[number])
    return row + 1 if row >= 0 else None


def standing_at(task: Task, row: int) -> dict[str, Any]:
    """Rank, score and chance of a row of a task."""
    scores = task.scores
    return {
        "rank": row + 1,
        "of": len(scores),
        "score": scores.score.item(row),
        "probability": scores.probability.item(row),
        "p_low": scores.p_low.item(row),
        "p_high": scores.p_high.item(row),
        "stale": bool(scores.stale.item(row)),
    }


def _row(served: Served, task: Task, number: int) -> int:
    row = int(task.row_of[number])
    if row < 0:
        firm_id = served.snapshot.firms.ids[number]
        raise NotAvailable(
            f"Firm {firm_id} must be in the cohort of {task.name} to have reasons, found it"
            " outside.",
            "Its page (/v1/firms/{firm_id}) shows the tasks it is scored in.",
            {"tasks": [t for t, other in served.snapshot.tasks.items() if _rank(other, number)]},
        )
    return row


def _reasoned(task: Task, row: int) -> Reasoned:
    reasons, scores = task.reasons, task.scores
    return Reasoned(
        float(scores.score[row]),
        float(scores.probability[row]),
        task.base,
        task.base_probability,
        task.base_slope,
        reasons.contributions[row, :-1],
        reasons.values[row],
        None if reasons.peers is None else reasons.peers[row],
    )


def _profile_head(feature: Feature) -> dict[str, Any]:
    shown = ("zh", "en", "unit", "dimension")
    return {"feature": feature.name} | {name: getattr(feature, name) for name in shown}


def _profile(
    heads: Sequence[dict[str, Any]], profile: Matrix | None, number: int
) -> list[dict[str, Any]]:
    if profile is None:
        return []
    values = profile.values[number].tolist()
    peers = [None] * len(values) if profile.peers is None else profile.peers[number].tolist()
    return [
        {**head, "value": value, "peer": peer}
        for head, value, peer in zip(heads, values, peers, strict=True)
    ]
