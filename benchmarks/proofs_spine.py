"""Proofs of the spine: the future scrambled, writers killed, chances held against the truth."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.calibration_shapes import SHAPES, simulate
from benchmarks.proof_item import Proof
from benchmarks.scramble import fingerprint, history, random_tables, tasks
from features.mapping_build import rebuilt
from features.prepared import Prepared, prepare
from features.scrambling import scrambled
from features.vault import Vault
from model.calibration import Calibration, calibrate

TODAY = date(2026, 6, 1)
BINS = 20
POSITIVES = ((150, 4000), (400, 4000), (1000, 8000))

DYING = """
import json, os, pathlib, sys, datetime
from features.mapping import Mapping
from features.mapping_build import rebuilt
from features.prepared import prepare
from features.vault import Vault
home, file, document, action, at, after = sys.argv[1:]
prepared = prepare(pathlib.Path(file), rebuilt(json.loads(document)),
                   datetime.date(2026, 6, 1))
done = 0
def dying(real):
    def call(*arguments, **options):
        global done
        done += 1
        if done == int(at) and after == "0":
            os.kill(os.getpid(), 9)
        mine = done == int(at)
        try:
            return real(*arguments, **options)
        finally:
            if mine:
                os.kill(os.getpid(), 9)
    return call
for name in ("rename", "link", "fsync", "mkdir", "unlink"):
    setattr(os, name, dying(getattr(os, name)))
vault = Vault(pathlib.Path(home))
vault.add(prepared) if action == "add" else vault.withdraw(vault.entries[0].import_id)
"""


def scramble(sample: bool) -> dict[str, object]:
    """Random histories: all that became known after a random day is changed."""
    histories, changed, digests = 10 if sample else 200, 0, 0
    for seed in range(histories):
        rng = np.random.default_rng(seed)
        tables = random_tables(rng)
        day = date(int(rng.integers(2016, 2023)), int(rng.integers(1, 13)), 28)
        plain, other = history(tables), history(scrambled(tables, day, rng))
        asked = tasks(plain)
        asked = asked[seed % len(asked) :] + asked[: seed % len(asked)]
        before, after = fingerprint(plain, day, asked), fingerprint(other, day, asked)
        changed += sum(before.get(k) != after.get(k) for k in before.keys() | after.keys())
        digests += len(before)
    return {"histories": histories, "digests compared": digests, "changed": changed}


def killed(sample: bool) -> dict[str, object]:
    """A writer killed (SIGKILL) at every call that reaches the disk, before and after it."""
    kills, torn, swept = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        prepared = [_prepared(place, revenue) for revenue in (100, 200, 300)]
        for action in ("add", "withdraw"):
            for after in ("0", "1"):
                for at in range(1, 3 if sample else 100):
                    home = place / f"{action}{after}{at}"
                    vault = Vault(home)
                    vault.add(prepared[0])
                    old = vault.head
                    code = _dies(home, place / "r200.csv", prepared[1], (action, str(at), after))
                    if code == 0:
                        break
                    kills += 1
                    torn += not _whole(home, old)
                    Vault(home).add(prepared[2])
                    swept += {p.name for p in vault.folder.iterdir()} == {"imports", "log", "lock"}
    return {"kills": kills, "half states": torn, "left clean by the next write": swept}


def _prepared(place: Path, revenue: int) -> Prepared:
    file = place / f"r{revenue}.csv"
    file.write_text(f"id,year,revenue\nA,2020,{revenue}\n", encoding="utf-8")
    source = {
        "authority": "t", "legal_basis": "t", "purposes": ["test"], "valid_until": "2030-12-31",
    }  # fmt: skip
    columns = {"firm_id": "id", "year": "year", "revenue": "revenue"}
    document = {"name": "t", "source": source, "tables": {"annual": {"columns": columns}}}
    return prepare(file, rebuilt(document), TODAY)


def _dies(home: Path, file: Path, prepared: Prepared, step: tuple[str, str, str]) -> int:
    document = json.dumps(prepared.mapping.as_json())
    command = [sys.executable, "-c", DYING, str(home), str(file), document, *step]
    return subprocess.run(command, check=False).returncode


def _whole(home: Path, old: str) -> bool:
    """Whether the vault reads, in the state before or the one after."""
    vault = Vault(home)
    vault.at(vault.head)
    vault.at(old)
    return len(vault.entries) in (1, 2)


def calibration(sample: bool) -> dict[str, object]:
    """Simulated truths: the share of 20 score bins whose mean chance lies in the mean interval."""
    seeds = 5 if sample else 40
    shares: list[float] = []
    wide: list[float] = []
    worst = 1.0
    for shape in SHAPES.values():
        for positives, n in POSITIVES:
            found = []
            for seed in range(seeds):
                rng = np.random.default_rng(seed)
                score, label, truth = simulate(shape, n, positives, rng)
                firms, day = np.arange(n).astype(str), np.zeros(n, dtype="datetime64[D]")
                fitted = calibrate(score, label, firms, day)
                found.append(_held(fitted, score, truth))
                wide.append(_width(fitted, score) / _knowing(shape(score), truth))
            shares += found
            worst = min(worst, float(np.mean(found)))
    return {
        "samples": len(shares),
        "bins held": float(np.mean(shares)),
        "worst shape and size": worst,
        "mean width to one that knows the shape": float(np.mean(wide)),
    }


def _held(fitted: Calibration, score: np.ndarray, truth: np.ndarray) -> float:
    low, high = fitted.interval(score)
    bins = np.array_split(np.argsort(score), BINS)
    return float(np.mean([low[b].mean() <= truth[b].mean() <= high[b].mean() for b in bins]))


def _width(fitted: Calibration, score: np.ndarray) -> float:
    low, high = fitted.interval(score)
    return float((high - low).mean())


def _knowing(logit: np.ndarray, truth: np.ndarray) -> float:
    """Mean width for one who knows the shape and learns level and slope."""
    x = np.column_stack([np.ones(len(logit)), logit])
    covariance = np.linalg.inv((x * (truth * (1 - truth))[:, None]).T @ x)
    half = 1.645 * np.sqrt(np.einsum("ij,jk,ik->i", x, covariance, x))
    odds = np.log(truth / (1 - truth))
    low, high = (1 / (1 + np.exp(-odds - side * half)) for side in (-1, 1))
    return float((high - low).mean())


PROOFS = [
    Proof(
        "scramble",
        "nothing that became known after a day changes what is seen at it",
        scramble,
        holds=lambda r: r["changed"] == 0,
        issue=2,
    ),
    Proof(
        "vault-kills",
        "a writer killed at any step leaves the old or the new state",
        killed,
        holds=lambda r: r["half states"] == 0 and r["kills"] == r["left clean by the next write"],
        issue=2,
    ),
    Proof(
        "calibration",
        "in 20 score bins the mean true chance lies in the mean interval in at least 85 %",
        calibration,
        holds=lambda r: float(str(r["bins held"])) >= 0.85,
        issue=2,
    ),
]
