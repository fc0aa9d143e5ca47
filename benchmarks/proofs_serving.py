"""Proofs of what is served by the law: the future scrambled, and how long publishing takes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

import city
from benchmarks.proof_item import Proof
from benchmarks.proofs_city import history_of
from benchmarks.scramble import by_the_law, history
from features.scrambling import scrambled

DAYS = (date(2024, 6, 30), date(2025, 6, 30), date(2026, 4, 20))
TIERS = ("innovative_sme", "srdi_municipal", "srdi_provincial", "little_giant")

PUBLISH = """
import sys
from serving.cli import main
main(["publish", "--as-of", "2026-06-30"])
"""
START = """
import sys, time
started = time.perf_counter()
from serving.running import from_environment
app = from_environment()
app.state.follower.look()
assert app.state.follower.served
print(time.perf_counter() - started)
"""


def scramble(sample: bool) -> dict[str, object]:
    """Small cities whose every row of after a day is changed, by all editions in force on it."""
    seeds, changed, digests, kinds = 1 if sample else 8, 0, 0, set[str]()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            seen = history_of(city.build(500, seed, draws=0), Path(folder))
            tables = {name: rows.frame for name, rows in seen.rows.items()}
            for day in DAYS[:1] if sample else DAYS:
                other = scrambled(tables, day, np.random.default_rng(seed))
                before, after = (by_the_law(history(each), day, TIERS) for each in (tables, other))
                names = before.keys() | after.keys()
                changed += sum(before.get(name) != after.get(name) for name in names)
                digests += len(names)
                kinds |= {name.split()[1] for name in names if " " in name}
    return {
        "cities": seeds,
        "digests compared": digests,
        "changed": changed,
        "paths": "path" in kinds,
    }


def published(sample: bool) -> dict[str, object]:
    """A city of 25 000 firms (in the sample 1 000) with three tasks, by the public commands."""
    from serving.demonstration import import_city, train_and_publish
    from serving.workspace import Workspace

    firms = 1_000 if sample else 25_000
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        import_city(workspace, firms, 1, lambda _: None)
        train_and_publish(workspace, 1, lambda *_: None)
        environment = os.environ | {"TIDU_HOME": folder}
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", PUBLISH], env=environment, check=True,
                       capture_output=True)  # fmt: skip
        seconds = time.perf_counter() - started
        start = subprocess.run([sys.executable, "-c", START], env=environment, check=True,
                               capture_output=True, text=True)  # fmt: skip
        snapshot = workspace.snapshot()
        return {
            "firms": firms,
            "tasks": len(snapshot.tasks),
            "verdicts": len(snapshot.verdicts),
            "seconds to publish": round(seconds, 1),
            "seconds to start": round(float(start.stdout), 2),
            "load": round(os.getloadavg()[0], 1),
        }


PROOFS = [
    Proof(
        "scramble-law",
        "nothing that became known after a day changes a verdict, gap, paper or path of it",
        scramble,
        holds=lambda r: r["changed"] == 0 and r["paths"] is True,
        issue=3,
    ),
    Proof(
        "publish",
        "25 000 firms with all tasks and verdicts are published within 30 s, served within 2 s",
        published,
        holds=lambda r: (
            float(str(r["seconds to publish"])) <= 30 and float(str(r["seconds to start"])) <= 2
        ),
        issue=3,
    ),
]
