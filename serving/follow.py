"""Following the pointer [I/O]: the service serves what the store points at, without a restart.

A new snapshot is verified in a thread and then put in place by one assignment; one that fails the
check leaves the old in service and is reported. The last one is kept for pages under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

from serving.lookups import Served
from serving.manifest import inputs_of
from serving.snapshot import Snapshot, available
from serving.store import Pointer, Store
from tidu.errors import Conflict, TiduError, Unready

__all__ = ["SNAPSHOT", "Follower", "State"]

SNAPSHOT = "snapshot"
"""The pointer to the snapshot in service."""

EVERY_SECONDS = 0.5
RETRY_SECONDS = 30.0
_log = logging.getLogger("tidu.serving")


@dataclass(frozen=True)
class State:
    """All that requests read, replaced as one."""

    served: Served | None = None
    previous: Served | None = None
    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    catalogue: tuple[Mapping[str, Any], ...] = ()
    problem: str | None = None
    failed: tuple[str, float] | None = None


class Follower:
    """Keeps :attr:`state` up to date; :meth:`look` is one look at the store."""

    def __init__(
        self,
        home: Path,
        open_store: Callable[[], Store],
        on_failure: Callable[[], None] = lambda: None,
        seconds: Callable[[], float] = monotonic,
        fixed: str = "",
    ) -> None:
        """``fixed`` names a snapshot to serve for good, whatever the pointer says."""
        self._home = home
        self._open_store = open_store
        self._on_failure = on_failure
        self._seconds = seconds
        self._fixed = fixed
        self._store: Store | None = None
        self.state = State()

    def look(self) -> None:
        """Read the pointers and take over a new snapshot; never raises, keeps what works."""
        old = self.state
        try:
            if self._store is None:
                self._store = self._open_store()
            pointers = self._store.pointers()
        except TiduError as error:
            self.state = replace(old, problem=str(error))
            return
        catalogue = self._catalogue(old.catalogue)
        seen = replace(old, pointers=pointers, catalogue=catalogue)
        pointer = pointers.get(SNAPSHOT)
        wanted = self._fixed or (pointer.value if pointer is not None else None)
        current = None if old.served is None else old.served.snapshot.id
        if wanted is None or wanted == current:
            self.state = replace(seen, problem=None, failed=None)
        elif old.failed is not None and self._resting(old.failed, wanted):
            self.state = seen
        else:
            self.state = self._take(wanted, seen)

    def _take(self, identity: str, old: State) -> State:
        try:
            snapshot = Snapshot.open(self._home / "snapshots" / identity)
        except (TiduError, OSError, ValueError) as error:
            self._on_failure()
            _log.error("snapshot %s is refused: %s", identity, error)
            failed = (identity, self._seconds())
            return replace(old, problem=f"snapshot {identity}: {error}", failed=failed)
        _log.info("serving snapshot %s as of %s", snapshot.id, snapshot.as_of)
        return State(Served(snapshot), old.served, old.pointers, old.catalogue)

    def _resting(self, failed: tuple[str, float], wanted: str) -> bool:
        """A refused snapshot is tried again now and then: the fault may have been of the disk."""
        value, since = failed
        return value == wanted and self._seconds() - since < RETRY_SECONDS

    def _catalogue(self, known: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
        ids = available(self._home)
        if ids == [entry["snapshot_id"] for entry in known]:
            return known
        return tuple({"snapshot_id": name, **inputs_of(self._home, name)} for name in ids)

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(EVERY_SECONDS)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    @property
    def store(self) -> Store:
        """The store that the pointers are read from; safe from any thread."""
        if self._store is None:
            raise Unready(
                self.state.problem or "The store must be open, found it closed.",
                "Try again in a moment.",
            )
        return self._store

    @property
    def served(self) -> Served:
        """The snapshot in service; take it once a request."""
        served = self.state.served
        if served is None:
            raise Unready(
                self.state.problem or "A snapshot must be published before it can be served.",
                "Run tidu publish; the service takes it over within a second.",
            )
        return served

    def pinned(self, snapshot_id: str) -> Served:
        """Return the snapshot that a list was begun on, while it is still at hand."""
        state = self.state
        for served in (state.served, state.previous):
            if served is not None and served.snapshot.id == snapshot_id:
                return served
        raise Conflict(
            f"The list must still be served, found that snapshot {snapshot_id} was replaced.",
            "Start again without a cursor.",
        )
