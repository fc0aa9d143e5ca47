"""The manifest of a snapshot [I/O]: what it was made from, and every part with its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.views import READERS
from tidu.digest import of_bytes
from tidu.errors import NotFound, Refused

__all__ = ["CURE", "FORMAT", "ID_LENGTH", "MANIFEST", "inputs_of", "read_manifest", "verify"]

FORMAT = 1
ID_LENGTH = 32
MANIFEST = "manifest.json"
CURE = "Publish again; a damaged directory under snapshots/ may be removed."


def inputs_of(home: Path, identity: str) -> Mapping[str, Any]:
    """What a snapshot was made from, by its manifest alone; nothing where that is unreadable."""
    try:
        text = (home / "snapshots" / identity / MANIFEST).read_text("utf-8")
        inputs: Mapping[str, Any] = json.loads(text)["inputs"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return inputs


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a snapshot's directory and hold it against the directory's name."""
    try:
        content = (path / MANIFEST).read_bytes()
    except OSError as error:
        raise NotFound(f"No snapshot stands at {path.name}.", "Run tidu publish.") from error
    found = of_bytes(content)[:ID_LENGTH]
    if found != path.name:
        raise Refused(
            f"The manifest of snapshot {path.name} must hash to its name, found {found}.", CURE
        )
    manifest: dict[str, Any] = json.loads(content)
    if manifest.get("format") != FORMAT:
        raise Refused(
            f"Snapshot {path.name} must be of format {FORMAT}, found {manifest.get('format')!r}.",
            "It was written by another version of Tidu: publish again with this one.",
        )
    return manifest


def verify(path: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Refuse a part whose layout nobody here reads, or whose file has another hash."""
    if (facts["kind"], facts["schema"]) not in READERS:
        known = sorted(v for k, v in READERS if k == facts["kind"])
        raise Refused(
            f"Part {name!r} of snapshot {path.name} must be of version {known}, found"
            f" {facts['schema']}.",
            "It was written by another version of Tidu: publish again with this one.",
        )
    file = path / facts["file"]
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Refused(
            f"Snapshot {path.name} must have the file {facts['file']}, found: {error.strerror}.",
            CURE,
        ) from error
    if found != facts["sha256"]:
        size = file.stat().st_size
        raise Refused(
            f"{facts['file']} of snapshot {path.name} must hash to {facts['sha256'][:12]} with"
            f" {facts['bytes']} bytes, found {found[:12]} with {size} bytes.",
            CURE,
        )
