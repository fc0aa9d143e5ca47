"""The vault [I/O]: an append-only, content-addressed store of imports.

``<home>/vault/imports/<id>/`` holds the rows of one import and is never changed;
``<home>/vault/log/<n>.json`` is a chain of entries (add, withdraw), each naming its parent, so the
head is a digest of all that was imported and ``at(head)`` gives any past state.
An import becomes visible by one atomic link of its log entry: interrupted before, it never was.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.mapping_build import rebuilt
from features.panel import History, Rows
from features.population import Population
from features.prepared import Prepared
from features.schema import register
from tidu import digest
from tidu.errors import NotFound, Refused

__all__ = ["GENESIS", "Entry", "Receipt", "Vault"]

GENESIS = "0" * 64
RESTORE = "Restore the vault from a backup, or withdraw the import and import again."


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the log: ``head`` is the digest of the others, ``data`` that of the rows.

    The file and its mapping alone do not name the rows: a live import dates them by the day.
    """

    number: int
    parent: str
    action: str
    import_id: str
    data: str

    @property
    def head(self) -> str:
        return digest.of_json([self.number, self.parent, self.action, self.import_id, self.data])


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an import did; ``new`` is false where the same file was imported before."""

    import_id: str
    tables: Mapping[str, int]
    warnings: int
    new: bool


class Vault:
    """The vault of one home directory; creating the object creates nothing on disk."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "vault"

    # Reading

    @property
    def entries(self) -> tuple[Entry, ...]:
        found: list[Entry] = []
        parent = GENESIS
        for number, path in enumerate(sorted((self.folder / "log").glob("*.json")), start=1):
            entry = _entry(path)
            if (entry.number, entry.parent) != (number, parent):
                raise Refused(
                    f"The vault's log must be a chain; {path.name} is entry {entry.number} after"
                    f" {entry.parent[:12]}, expected entry {number} after {parent[:12]}.",
                    RESTORE,
                )
            parent = entry.head
            found.append(entry)
        return tuple(found)

    @property
    def head(self) -> str:
        """The digest of everything imported so far; ``GENESIS`` for an empty vault."""
        entries = self.entries
        return entries[-1].head if entries else GENESIS

    def at(self, head: str) -> History:
        """Read the state under ``head``: any past state stays readable."""
        entries = self.entries
        heads = [GENESIS, *(entry.head for entry in entries)]
        if head not in heads:
            raise NotFound(f"No vault head {head[:12]}.", "tidu doctor lists the heads.")
        return self._history(head, _live(entries[: heads.index(head)]))

    def population(self) -> Population:
        """What the mappings of all live imports agree on."""
        return self._population(_live(self.entries))

    def receipt(self, import_id: str) -> Receipt:
        """What an earlier import brought."""
        meta = self._meta(import_id)
        return Receipt(import_id, meta["rows"], len(meta["warnings"]), new=False)

    def warnings(self, import_id: str) -> list[dict[str, object]]:
        """The warnings kept with an import."""
        kept: list[dict[str, object]] = self._meta(import_id)["warnings"]
        return kept

    # Writing

    def add(self, prepared: Prepared) -> Receipt:
        """Append an import; the same content under the same mapping is one import."""
        import_id = digest.of_json([prepared.content, prepared.mapping.digest])
        with self._writing() as entries:
            if import_id in _live(entries):
                return self.receipt(import_id)
            self._population(_live(entries)).joined(prepared.mapping)
            target = self.folder / "imports" / import_id
            if not target.exists():
                staged = self.folder / f"staged-{os.getpid()}"
                _write(staged, import_id, prepared)
                target.parent.mkdir(exist_ok=True)
                os.rename(staged, target)
                # The entry must never reach the disk before the rows that it names.
                _sync(target.parent)
            data = digest.of_json(self._meta(import_id)["digests"])
            self._append(entries, "add", import_id, data)
        rows = {name: len(frame) for name, frame in prepared.tables.items()}
        return Receipt(import_id, rows, len(prepared.warnings), new=True)

    def withdraw(self, import_id: str) -> str:
        """Append a withdrawal; past heads still show the import. Returns the new head."""
        with self._writing() as entries:
            if import_id not in _live(entries):
                raise NotFound(f"No import {import_id[:12]} to withdraw.", "See tidu doctor.")
            return self._append(entries, "withdraw", import_id, "")

    def _append(self, entries: tuple[Entry, ...], action: str, import_id: str, data: str) -> str:
        parent = entries[-1].head if entries else GENESIS
        entry = Entry(len(entries) + 1, parent, action, import_id, data)
        log = self.folder / "log"
        log.mkdir(exist_ok=True)
        staged = self.folder / f"staged-entry-{os.getpid()}"
        fields = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
        _write_bytes(staged, digest.canonical_json(fields))
        # A link fails where the name exists: two writers can never take the same number.
        os.link(staged, log / f"{entry.number:08d}.json")
        os.unlink(staged)
        _sync(log)
        return entry.head

    @contextmanager
    def _writing(self) -> Iterator[tuple[Entry, ...]]:
        """Hold the writer's lock; leftovers of an interrupted writer are swept first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = self.entries
            known = {entry.import_id for entry in entries}
            for left in self.folder.glob("staged-*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            for left in (self.folder / "imports").glob("*"):
                if left.name not in known:
                    shutil.rmtree(left)
            try:
                yield entries
            finally:
                for left in self.folder.glob(f"staged-*{os.getpid()}"):
                    shutil.rmtree(left, ignore_errors=True)

    # Parts

    def _meta(self, import_id: str) -> dict[str, Any]:
        """Read what describes an import; that it is what was imported is checked each time."""
        path = self.folder / "imports" / import_id / "import.json"
        try:
            meta: dict[str, Any] = json.loads(path.read_bytes())
            known = digest.of_json([meta["content"], digest.of_json(meta["mapping"])])
        except FileNotFoundError:
            raise NotFound(f"No import {import_id[:12]}.", "See tidu doctor.") from None
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(import_id, "import.json", f"unreadable: {error}") from None
        if known != import_id:
            raise _damaged(import_id, "import.json", f"the content or mapping of {known[:12]}")
        return meta

    def _population(self, live: Iterable[str]) -> Population:
        population = Population()
        for import_id in live:
            mapping = rebuilt(self._meta(import_id)["mapping"])
            population = population.joined(mapping)
        return population

    def _history(self, head: str, live: Mapping[str, Entry]) -> History:
        population = self._population(live)
        parts: dict[str, list[pd.DataFrame]] = {}
        for entry in live.values():
            for name, frame in self._tables(entry):
                parts.setdefault(name, []).append(frame.assign(seq=entry.number))
        rows = {
            name: Rows.build(pd.concat(frames, ignore_index=True), register().tables[name].key)
            for name, frames in parts.items()
        }
        return History(
            head,
            rows,
            population.extras,
            population.covered(rows),
            population.defaults,
            population.outcome_task,
        )

    def _tables(self, entry: Entry) -> Iterator[tuple[str, pd.DataFrame]]:
        digests = self._meta(entry.import_id)["digests"]
        if digest.of_json(digests) != entry.data:
            raise _damaged(entry.import_id, "import.json", "other digests than the log's")
        for name, expected in digests.items():
            path = self.folder / "imports" / entry.import_id / f"{name}.parquet"
            data = path.read_bytes() if path.exists() else b""
            if digest.of_bytes(data) != expected:
                raise _damaged(entry.import_id, name, "another digest: it was changed or cut")
            yield name, pd.read_parquet(io.BytesIO(data))


def _damaged(import_id: str, part: str, found: str) -> Refused:
    return Refused(
        f"Part {part} of import {import_id[:12]} must be as it was written, found {found}.", RESTORE
    )


def _live(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    """The imports that stand, in the order in which they came."""
    live: dict[str, Entry] = {}
    for entry in entries:
        if entry.action == "withdraw":
            live.pop(entry.import_id, None)
        else:
            live[entry.import_id] = entry
    return live


def _entry(path: Path) -> Entry:
    try:
        return Entry(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise Refused(
            f"An entry of the vault's log must be whole, found {path.name} damaged: {error}.",
            RESTORE,
        ) from None


def _write(staged: Path, import_id: str, prepared: Prepared) -> None:
    staged.mkdir()
    digests = {}
    for name, frame in sorted(prepared.tables.items()):
        path = staged / f"{name}.parquet"
        frame.to_parquet(path, index=False)
        digests[name] = digest.of_bytes(path.read_bytes())
        _sync(path)
    meta = {
        "import_id": import_id,
        "content": prepared.content,
        "mapping": prepared.mapping.as_json(),
        "rows": {name: len(frame) for name, frame in prepared.tables.items()},
        "digests": digests,
        "warnings": [issue.as_dict() for issue in prepared.warnings],
    }
    _write_bytes(staged / "import.json", digest.canonical_json(meta))
    _sync(staged)


def _write_bytes(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
