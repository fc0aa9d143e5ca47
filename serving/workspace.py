"""A home directory: where vault, bundles, snapshots and store of one population lie."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tidu.errors import NotFound, UsageError

if TYPE_CHECKING:
    from features.panel import History
    from features.vault import Vault
    from model.bundle import Bundle
    from model.tasks import Task
    from policy.law import Law
    from policy.situation import Situation
    from serving.snapshot import Snapshot
    from serving.store import Store

__all__ = ["SNAPSHOT", "Workspace"]

SNAPSHOT = "snapshot"
"""The pointer that the service follows."""


@dataclass(frozen=True)
class Workspace:
    """Everything below one ``$TIDU_HOME``; parts open when first used."""

    home: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Workspace:
        """The home named by ``TIDU_HOME``, by default ``var`` in the current folder."""
        return cls(Path(environment.get("TIDU_HOME") or "var"))

    @cached_property
    def vault(self) -> Vault:
        from features.vault import Vault

        return Vault(self.home)

    @cached_property
    def store(self) -> Store:
        from serving.store import Store

        self.home.mkdir(parents=True, exist_ok=True)
        return Store.of_home(self.home)

    @property
    def bundles(self) -> Path:
        return self.home / "bundles"

    def history(self) -> History:
        """What the vault holds now; an empty vault is an error that says how to fill it."""
        from features.vault import GENESIS

        head = self.vault.head
        history = self.vault.at(head)
        if head == GENESIS or not history.rows:
            raise NotFound(
                f"The vault in {self.home} is empty.",
                "Import a file first: tidu import FILE --mapping M.toml",
            )
        return history

    def filled(self) -> bool:
        """Whether anything was imported."""
        from features.vault import GENESIS

        return self.vault.head != GENESIS

    @cached_property
    def law(self) -> Law:
        """The law as it ships, with what the city has set in ``policy/city.toml`` of this home."""
        from policy.loading import load

        return load(self.home / "policy" / "city.toml")

    def situation(self, day: date) -> Situation:
        """The city at a day: what was known, and the verdicts by the law."""
        from policy.situation import Situation

        return Situation(self.law, self.history().as_of(day))

    def task(self, text: str, history: History, months: int | None = None) -> Task:
        """A task by its name, with the defaults of this home's mappings."""
        from model.tasks import find

        return find(text, history.defaults, months, history.outcome_task)

    def bundle_path(self, reference: str) -> Path:
        """A bundle by directory (or one that holds a single bundle), id, or start of an id."""
        if reference and Path(reference).is_dir():
            return _only_bundle(Path(reference))
        named = re.fullmatch(r"[0-9a-f]+", reference)
        found = [p for p in self.bundles.glob(f"{reference}*") if p.is_dir()] if named else []
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{reference!r} is the start of {len(found)} bundles.", "Write more.")
        raise NotFound(
            f"No bundle {reference!r} here or in {self.bundles}.", "tidu doctor lists the bundles."
        )

    def bundle_in_use(self, task: str) -> str | None:
        """The id of the bundle in use for a task's full name."""
        pointer = self.store.pointer(f"task:{task}")
        return pointer.value if pointer else None

    def put_in_use(self, bundle: Bundle, *, only_first: bool = False) -> bool:
        """Point the task at the bundle; with ``only_first``, only where none is in use yet."""
        name = f"task:{bundle.task.name}"
        pointer = self.store.pointer(name)
        if pointer and only_first:
            return False
        self.store.move_pointer(name, bundle.id, pointer.revision if pointer else None)
        return True

    def snapshot(self) -> Snapshot:
        """The snapshot in use."""
        from serving.snapshot import Snapshot

        pointer = self.store.pointer(SNAPSHOT)
        if pointer is None:
            raise NotFound(
                "Nothing is published yet.", "Publish first: tidu publish --as-of YYYY-MM-DD"
            )
        return Snapshot.open(self.home / "snapshots" / pointer.value)


def _only_bundle(folder: Path) -> Path:
    """The folder itself, or the one bundle below it, as ``train --out`` leaves it."""
    below = [p.parent for p in folder.glob("[!.]*/manifest.json")]
    if (folder / "manifest.json").exists() or len(below) != 1:
        return folder
    return below[0]
