"""Bundles [I/O]: a trained task as a directory of text files, named by its content.

``model.txt`` (LightGBM text), ``model.json`` (everything else a score needs), ``report.json``,
``probe.json`` (rows with the scores they must give) and ``manifest.json`` with the sha256 of every
part. Written once; verified on every load: hashes, structure, and the probe in a child process,
because LightGBM can kill the process that hands it a damaged text.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np

from features.peers import PeerReference
from features.profile import Profile
from features.spec import FeatureSpec
from model.boosters import Additive
from model.calibration import Calibration
from model.rank_law import RankLaw
from model.tasks import Task, TaskName
from model.training import Trained
from tidu import __version__, digest
from tidu.errors import NotFound, Refused

__all__ = ["SCHEMA", "Bundle", "adopt", "load", "write"]

SCHEMA = 1
ID_DIGITS = 20
PARTS = ("model.txt", "model.json", "probe.json", "report.json")
TOLERANCE = 1e-9
# What a text of another shape can raise on its way to what we read.
ODD = (ValueError, KeyError, AttributeError, TypeError, IndexError, RecursionError)
CURE = "Copy the bundle again from where it was trained, or train it again."


@dataclass(frozen=True)
class Bundle:
    """A loaded, verified bundle. ``rank_law`` is None where training did not ask for it."""

    id: str
    path: Path
    manifest: Mapping[str, object]
    task: Task
    profile: Profile
    model: Additive
    calibration: Calibration
    report: Mapping[str, object]
    rank_law: RankLaw | None = None

    @property
    def as_of(self) -> date:
        return date.fromisoformat(str(self.manifest["as_of"]))


def write(trained: Trained, folder: Path) -> Path:
    """Write below ``folder``; returns the bundle's directory, named by its content."""
    parts = _parts(trained)
    manifest: dict[str, object] = {
        "schema": SCHEMA,
        "task": str(trained.task.name),
        "as_of": trained.as_of.isoformat(),
        "vault_head": trained.head,
        "data_digest": trained.data_digest,
        "seed": trained.seed,
        "recipe": asdict(trained.recipe),
        "code_version": __version__,
        "features_digest": digest.of_json([s.as_json() for s in trained.profile.specs]),
        "parts": {name: digest.of_bytes(data) for name, data in parts.items()},
    }
    manifest["id"] = digest.of_json(manifest)[:ID_DIGITS]
    target = folder / str(manifest["id"])
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f".staged-{manifest['id']}-{os.getpid()}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    try:
        for name, data in {**parts, "manifest.json": digest.canonical_json(manifest)}.items():
            _write(staged / name, data)
        _take_place(staged, target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return target


def load(path: Path) -> Bundle:
    """Load a bundle and verify all of it; raises :class:`Refused`, never takes the caller down."""
    manifest = _manifest(path)
    parts = {name: _verified(path, name, manifest) for name in PARTS}
    _probe_in_child(path)
    return _assembled(path, manifest, parts)


def adopt(bundle: Bundle, folder: Path) -> Path:
    """Copy a verified bundle below ``folder``, unless it lies there already."""
    target = folder / bundle.id
    if not target.exists():
        staged = folder / f".staged-{bundle.id}-{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copytree(bundle.path, staged, dirs_exist_ok=True)
            _take_place(staged, target)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return target


def _take_place(staged: Path, target: Path) -> None:
    """Rename into place; another process may have written the same content first."""
    try:
        os.rename(staged, target)
    except OSError:
        if not target.exists():
            raise


def probe(path: Path) -> None:
    """Score the probe rows; run by :func:`load` in a child process.

    Raises :class:`Refused` where a score is off by more than 1e-9.
    """
    manifest = _manifest(path)
    parts = {name: _verified(path, name, manifest) for name in PARTS}
    bundle = _assembled(path, manifest, parts)
    rows = json.loads(parts["probe.json"])
    values = np.array(rows["values"], dtype="float64")
    off = np.abs(bundle.model.scores(values) - np.array(rows["scores"])).max()
    if not off <= TOLERANCE:
        raise Refused(f"The probe must score as at training, found {off:g} apart.", CURE)


def _parts(trained: Trained) -> dict[str, bytes]:
    model: dict[str, object] = {
        "model": trained.model.as_json(),
        "calibration": trained.calibration.as_json(),
        "specs": [spec.as_json() for spec in trained.profile.specs],
        "peers": trained.profile.reference.as_json(),
        "task": _task_json(trained.task),
    }
    if trained.rank_law is not None:
        model["rank_law"] = trained.rank_law.as_json()
    rows = [[None if np.isnan(v) else float(v) for v in row] for row in trained.probe]
    probe_rows = {"values": rows, "scores": [float(s) for s in trained.model.scores(trained.probe)]}
    return {
        "model.txt": trained.model.text.encode(),
        "model.json": digest.canonical_json(model),
        "probe.json": digest.canonical_json(probe_rows),
        "report.json": json.dumps(trained.report, sort_keys=True, ensure_ascii=False).encode(),
    }


def _manifest(path: Path) -> dict[str, object]:
    if not path.is_dir():
        raise NotFound(f"No bundle at {path}.", "Give the directory that tidu train printed.")
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        claimed = manifest.pop("id")
    except (OSError, *ODD) as error:
        raise Refused(
            f"The manifest of bundle {path.name} cannot be read: {error}.", CURE
        ) from None
    if manifest.get("schema") != SCHEMA:
        raise Refused(
            f"A bundle must have schema {SCHEMA}, found {manifest.get('schema')!r}.",
            "Train it again with this version.",
        )
    found = digest.of_json(manifest)[:ID_DIGITS]
    if claimed != found:
        raise Refused(f"The manifest must have digest {claimed}, found {found}.", CURE)
    manifest["id"] = claimed
    result: dict[str, object] = manifest
    return result


def _verified(path: Path, name: str, manifest: Mapping[str, object]) -> bytes:
    digests = manifest["parts"]
    expected = digests.get(name) if isinstance(digests, Mapping) else None
    try:
        data = (path / name).read_bytes()
    except OSError as error:
        raise Refused(f"Part {name} of bundle {path.name} cannot be read: {error}.", CURE) from None
    found = digest.of_bytes(data)
    if found != expected:
        raise Refused(
            f"Part {name} of bundle {path.name} must have sha256 {str(expected)[:12]}…, found"
            f" {found[:12]}…: it was edited or cut.",
            CURE,
        )
    return data


def _assembled(path: Path, manifest: Mapping[str, object], parts: Mapping[str, bytes]) -> Bundle:
    try:
        data = json.loads(parts["model.json"])
        specs = tuple(FeatureSpec.from_json(spec) for spec in data["specs"])
        model = Additive.from_json(data["model"], parts["model.txt"].decode())
        profile = Profile(specs, PeerReference.from_json(data["peers"]))
        calibration = Calibration.from_json(data["calibration"])
        task = _task_from(data["task"])
        law = RankLaw.from_json(data["rank_law"]) if "rank_law" in data else None
        report = json.loads(parts["report.json"])
    except ODD as error:
        raise Refused(
            f"Bundle {path.name} does not hold what this version reads: {error!r}.",
            "Train it again with this version.",
        ) from None
    if profile.names != model.names:
        raise Refused(f"Bundle {path.name}: profile and model name different features.", CURE)
    profile.require(task.family)
    return Bundle(
        str(manifest["id"]), path, manifest, task, profile, model, calibration, report, law
    )


def _probe_in_child(path: Path) -> None:
    program = "import sys; from model.probe import main; sys.exit(main(sys.argv[1]))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"Bundle {path.name} did not load within 120 s.", CURE) from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise Refused(f"Bundle {path.name} failed its probe: {said[0]}", CURE)


def _task_json(task: Task) -> dict[str, object]:
    return {**asdict(task), "name": str(task.name)}


def _task_from(data: Mapping[str, object]) -> Task:
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    fields["name"] = TaskName.parse(str(fields["name"]))
    return Task(**fields)  # type: ignore[arg-type]


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
