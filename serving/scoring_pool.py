"""Work on request: a few threads, a short queue, and a clear no when it is full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tidu.errors import Unready

if TYPE_CHECKING:
    from serving.desk import Desk

__all__ = ["DeskQueue", "Queue", "Records", "Scorer", "ScoringPool"]

T = TypeVar("T")

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows per table of the column register: ``{"firms": […], "annual": […]}``."""

Scorer = Callable[[str, Records], Mapping[str, Any]]
"""``scorer(task, records)`` → ``{"model_version": bundle id, "items": [one answer a firm]}``."""


class Queue:
    """Runs work off the event loop, so that lookups never wait for it."""

    def __init__(self, name: str, threads: int = 1, waiting: int = 16) -> None:
        self._pool = ThreadPoolExecutor(threads, name)
        self._room = threads + waiting
        self._inside = 0

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        if self._inside >= self._room:
            raise Unready(
                f"At most {self._room} requests may wait to be worked out, found as many.",
                "Send it again in a few seconds.",
            )
        self._inside += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, partial(work, *arguments))
        finally:
            self._inside -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class ScoringPool(Queue):
    """Scores records on request."""

    def __init__(self, scorer: Scorer | None, threads: int = 1, waiting: int = 16) -> None:
        super().__init__("score", threads, waiting)
        self._scorer = scorer

    async def score(self, task: str, records: Records) -> Mapping[str, Any]:
        if self._scorer is None:
            raise Unready("Scoring on request is switched off here.", "Start it with tidu serve.")
        return await self.run(self._scorer, task, records)


class DeskQueue(Queue):
    """Works out scenarios and comparisons, one at a time: each takes the whole city."""

    def __init__(self, desk: Desk | None, waiting: int = 4) -> None:
        super().__init__("desk", 1, waiting)
        self._desk = desk

    @property
    def desk(self) -> Desk:
        if self._desk is None:
            raise Unready("Scenarios are switched off here.", "Start it with tidu serve.")
        return self._desk
