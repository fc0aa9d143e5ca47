"""A small city in a home of its own, and the command line as tests call it: in this process."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import model.bundle
import model.training
from city.files import DELIVERIES
from model.recipes import RECIPES
from serving.cli import main

MAPPING = Path(__file__).resolve().parent.parent / "city" / "mapping.toml"
AS_OF = "2026-06-30"
TINY = (replace(RECIPES[0], name="tiny", members=2, rounds=6),)
FIRMS, SEED = 600, 7


@dataclass(frozen=True)
class Answer:
    """What one call of the command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["error"]
        return found


@dataclass(frozen=True)
class Trained:
    """A home with trained and published tasks; ``answers`` by task name and by command."""

    home: Path
    answers: Mapping[str, Any]


def call(home: Path, *arguments: object) -> Answer:
    """Run ``tidu`` in this process; nothing but SystemExit may leave it."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDU_HOME", str(home))
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as left,
        ):
            main([str(a) for a in arguments])
    assert "Traceback" not in err.getvalue()
    return Answer(int(str(left.value.code)), out.getvalue(), err.getvalue())


def done(home: Path, *arguments: object) -> Any:
    """Run ``tidu … --json``, which must succeed; returns the value."""
    answer = call(home, *arguments, "--json")
    assert answer.status == 0, answer
    return answer.json


def refused(home: Path, *arguments: object, status: int = 1) -> dict[str, Any]:
    """Run ``tidu … --json``, which must be refused; returns the error, which names a cure."""
    answer = call(home, *arguments, "--json")
    assert answer.status == status, answer
    assert answer.error["message"]
    assert answer.error["cure"], answer.error
    return answer.error


@contextlib.contextmanager
def quick() -> Iterator[None]:
    """Tiny models, probed in this process: for tests whose subject is neither."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.training, "RECIPES", TINY)
        patch.setattr(model.training, "BORROWING", (replace(TINY[0], name="kin", kin=0.5),))
        patch.setattr(model.bundle, "_probe_in_child", model.bundle.probe)
        yield


def write_city(folder: Path) -> Path:
    """The city's files, one a table."""
    import city
    from city.files import write

    write(city.build(FIRMS, SEED, draws=0), folder)
    return folder


def import_city(home: Path, files: Path) -> None:
    for name in DELIVERIES:
        done(home, "import", files / f"{name}.csv", "--mapping", MAPPING)


def trained_city(home: Path, files: Path) -> Trained:
    """Import, train two tasks and publish, by the command line."""
    import_city(home, files)
    answers = {}
    with quick():
        for task in ("growth@12", "distress@12"):
            answers[task] = done(home, "train", "--task", task, "--as-of", AS_OF)
        answers["publish"] = done(home, "publish", "--as-of", AS_OF)
    return Trained(home, answers)


def copied(home: Path, to: Path) -> Path:
    """A home that a test may change."""
    shutil.copytree(home, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tidu.sqlite*"))
    # Through SQLite: files beside a database come and go with whoever still has it open.
    store = home / "tidu.sqlite"
    if store.exists():
        with (
            contextlib.closing(sqlite3.connect(store)) as source,
            contextlib.closing(sqlite3.connect(to / store.name)) as copy,
        ):
            source.backup(copy)
    return to


def rows_of(file: Path) -> list[dict[str, str]]:
    with open(file, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def state(home: Path) -> dict[str, bytes]:
    """Every file of a home but what only locks: equal states have lost and left nothing."""
    kept = {}
    for folder, _, names in os.walk(home):
        for name in names:
            path = Path(folder) / name
            if name not in ("lock", ".lock") and "tidu.sqlite" not in name:
                kept[str(path.relative_to(home))] = path.read_bytes()
    return kept
