"""Scoring on request: a few threads, a short queue, and a clear no when it is full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tidu.errors import Unready

__all__ = ["Records", "Scorer", "ScoringPool"]

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows per table of the column register: ``{"firms": […], "annual": […]}``."""

Scorer = Callable[[str, Records], Mapping[str, Any]]
"""``scorer(task, records)`` → ``{"model_version": bundle id, "items": [one answer a firm]}``."""


class ScoringPool:
    """Runs the scorer off the event loop, so that lookups never wait for it."""

    def __init__(self, scorer: Scorer | None, threads: int = 1, waiting: int = 16) -> None:
        self._scorer = scorer
        self._pool = ThreadPoolExecutor(threads, "score")
        self._room = threads + waiting
        self._inside = 0

    async def score(self, task: str, records: Records) -> Mapping[str, Any]:
        if self._scorer is None:
            raise Unready("Scoring on request is switched off here.", "Start it with tidu serve.")
        if self._inside >= self._room:
            raise Unready(
                f"At most {self._room} requests may wait to be scored, found as many.",
                "Send it again in a few seconds.",
            )
        self._inside += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._scorer, task, records)
        finally:
            self._inside -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
