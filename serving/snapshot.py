"""Snapshots [I/O]: built aside, hashed, swapped in by one rename; verified and mapped when opened.

The id is the digest of the manifest, which names every part with its sha256: equal inputs give an
equal id, and nothing of a snapshot can change unseen. No time of building stands in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa

from model.wording import Feature
from serving.building import exclusive, flush, write_arrow
from serving.manifest import CURE, FORMAT, ID_LENGTH, MANIFEST, read_manifest, verify
from serving.parts import file_name, tables
from serving.publication import Publication
from serving.views import (
    READERS,
    Figures,
    Firms,
    Fits,
    Matrix,
    PlanPages,
    Reasons,
    Rungs,
    Scores,
    Standing,
    Verdicts,
)
from tidu.digest import canonical_json, of_bytes, of_json
from tidu.errors import NotFound, Refused

__all__ = ["FORMAT", "Snapshot", "Task", "available", "write"]


@dataclass(frozen=True)
class Task:
    """One task of a snapshot, ready to be looked up."""

    name: str
    bundle_id: str
    facts: Mapping[str, Any]
    features: tuple[Feature, ...]
    base: float
    base_probability: float
    base_slope: float
    scores: Scores
    reasons: Reasons
    row_of: Any
    """Row of every firm by number, −1 outside the cohort."""


@dataclass(frozen=True)
class Snapshot:
    """An opened snapshot: verified once, immutable, its parts mapped into memory."""

    id: str
    path: Path
    manifest: Mapping[str, Any]
    firms: Firms
    profile: Matrix | None
    profile_features: tuple[Feature, ...]
    tasks: Mapping[str, Task]
    verdicts: Mapping[str, Verdicts] = field(default_factory=dict)
    """By tier and purpose, as ``little_giant:new``."""
    figures: Mapping[int, Figures] = field(default_factory=dict)
    law: Mapping[str, bytes] = field(default_factory=dict)
    """The files of the law that judged."""
    plan: PlanPages | None = None
    fits: Fits | None = None
    standing: Standing | None = None
    rungs: Mapping[str, Rungs] = field(default_factory=dict)
    """By tier."""

    @property
    def as_of(self) -> str:
        return str(self.manifest["inputs"]["as_of"])

    @property
    def policy_edition(self) -> str | None:
        """The digest of the law that judged; None where nothing was judged."""
        edition: str | None = self.manifest["inputs"]["policy_edition"]
        return edition

    @property
    def models(self) -> str:
        """One name for all bundles together, for answers that rest on several."""
        return of_json(self.manifest["inputs"]["bundles"])[:ID_LENGTH]

    @classmethod
    def open(cls, path: Path, only: Callable[[str], bool] | None = None) -> Snapshot:
        """Verify manifest and hashes, then map the parts; anything amiss is :class:`Refused`.

        ``only`` chooses parts by name where not all are wanted; what it leaves out is not verified
        and stands in the snapshot as if it were not there. The firms are always wanted.
        """
        manifest = read_manifest(path)
        wanted = {
            name: facts
            for name, facts in manifest["parts"].items()
            if only is None or name == "firms" or only(name)
        }
        with ThreadPoolExecutor(2) as pool:  # sha256 releases the interpreter
            list(pool.map(lambda part: verify(path, *part), wanted.items()))
        try:
            return _assemble(path, manifest, _views(path, wanted))
        except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
            raise Refused(
                f"Snapshot {path.name} must have the parts of format {FORMAT},"
                f" found: {type(error).__name__} {error}.",
                CURE,
            ) from error


def available(home: Path) -> list[str]:
    """Return the ids of the snapshots that a home holds."""
    root = home / "snapshots"
    return sorted(p.parent.name for p in root.glob(f"*/{MANIFEST}") if p.parent.name[0] != ".")


def write(publication: Publication, home: Path) -> str:
    """Write a snapshot and return its id; the same publication again gives the same id.

    Nothing under that id is seen before all of it is on the disk.
    """
    root = home / "snapshots"
    with exclusive(root) as aside:
        parts: dict[str, dict[str, Any]] = {}
        for name, (kind, table) in tables(publication).items():
            file = aside / file_name(name)
            facts = write_arrow(table, file)
            parts[name] = {"file": file.name, "kind": kind.name, "schema": kind.version, **facts}
        manifest = {"format": FORMAT, **_described(publication), "parts": parts}
        content = canonical_json(manifest)
        flush(aside / MANIFEST, content)
        identity = of_bytes(content)[:ID_LENGTH]
        _swap_in(aside, root / identity)
        return identity


def _described(publication: Publication) -> dict[str, Any]:
    tasks = {
        name: {
            "bundle_id": task.bundle_id,
            "base": task.base,
            "base_probability": task.base_probability,
            "base_slope": task.base_slope,
            "features": [f.as_json() for f in task.features],
            "facts": dict(task.facts),
        }
        for name, task in publication.tasks.items()
    }
    profile, judged = publication.profile, publication.judged
    return {
        "inputs": {
            "as_of": publication.as_of.isoformat(),
            "vault_head": publication.vault_head,
            "policy_edition": judged.digest if judged is not None else None,
            "editions": judged.editions if judged is not None else {},
            "code_version": publication.code_version,
            "bundles": {name: task.bundle_id for name, task in publication.tasks.items()},
        },
        "tasks": tasks,
        "profile": [f.as_json() for f in profile.features] if profile is not None else [],
    }


def _swap_in(aside: Path, final: Path) -> None:
    if final.exists():
        with suppress(Refused, NotFound):
            Snapshot.open(final)
            return  # the same content stands there already; `exclusive` clears what is aside
        # Readers that have it mapped keep their files: it is moved, not removed.
        os.replace(final, mkdtemp(prefix=".damaged-", dir=final.parent))
    os.replace(aside, final)
    directory = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _views(path: Path, parts: Mapping[str, Any]) -> dict[str, Any]:
    views = {}
    for name, facts in parts.items():
        with pa.memory_map(str(path / facts["file"])) as source:
            table = pa.ipc.open_file(source).read_all()
        views[name] = READERS[facts["kind"], facts["schema"]](table)
    return views


def _assemble(path: Path, manifest: Mapping[str, Any], views: Mapping[str, Any]) -> Snapshot:
    firms: Firms = views["firms"]
    tasks = {}
    for name, described in sorted(manifest["tasks"].items()):
        if f"scores:{name}" in manifest["parts"].keys() - views.keys():
            continue  # left out when it was opened
        scores: Scores = views[f"scores:{name}"]
        tasks[name] = Task(
            name,
            described["bundle_id"],
            described["facts"],
            _features(described["features"]),
            described["base"],
            described["base_probability"],
            described["base_slope"],
            scores,
            views[f"reasons:{name}"],
            scores.rows_of_firms(len(firms)),
        )
    return Snapshot(
        path.name,
        path,
        manifest,
        firms,
        views.get("profile"),
        _features(manifest["profile"]),
        tasks,
        _of_kind(views, "verdicts"),
        {int(year): figures for year, figures in _of_kind(views, "figures").items()},
        views.get("law", {}),
        views.get("plan"),
        views.get("fits"),
        views.get("standing"),
        _of_kind(views, "rungs"),
    )


def _of_kind(views: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The views of a kind by the rest of their name."""
    return {
        name.removeprefix(f"{kind}:"): view
        for name, view in views.items()
        if name.startswith(f"{kind}:")
    }


def _features(described: list[dict[str, Any]]) -> tuple[Feature, ...]:
    return tuple(Feature.from_json(f) for f in described)
