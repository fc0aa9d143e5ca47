"""Writers of the vault that are interrupted, killed, or two at once: the old state or the new."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_vault import csv, mapping, revenue, small

from features.vault import Vault

CALLS = ("rename", "link", "fsync", "mkdir", "unlink")

KILLED = """
import os, sys, pathlib, datetime
from features.mapping import Mapping
from features.mapping_build import rebuilt
from features.panel import History
from features.prepared import prepare
from features.vault import Vault
import json
home, file, document, action, at = sys.argv[1:6]
mapping = rebuilt(json.loads(document))
prepared = prepare(pathlib.Path(file), mapping, datetime.date(2026, 6, 1))
done = 0
def dying(real, how):
    def call(*arguments, **options):
        global done
        done += 1
        if done == int(at) and how == "before":
            os._exit(9)
        result = real(*arguments, **options)
        if done == int(at):
            os._exit(9)
        return result
    return call
for name in ("rename", "link", "fsync", "mkdir", "unlink"):
    setattr(os, name, dying(getattr(os, name), sys.argv[6]))
vault = Vault(pathlib.Path(home))
if action == "add":
    vault.add(prepared)
else:
    vault.withdraw(vault.entries[0].import_id)
"""


class Interrupted(BaseException):
    """Stands for a kill inside one process."""


def fail_at(monkeypatch: pytest.MonkeyPatch, n: int, after: bool) -> None:
    """The n-th call that reaches the disk never returns; ``after``: it took effect."""
    done = 0

    def dying(real: object) -> object:
        def call(*arguments: object, **options: object) -> object:
            nonlocal done
            done += 1
            if done > n or (done == n and not after):
                raise Interrupted
            result = real(*arguments, **options)  # type: ignore[operator]
            if done == n:
                raise Interrupted
            return result

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, dying(getattr(os, name)))


@pytest.mark.parametrize("action", ["add", "withdraw"])
@pytest.mark.parametrize("after", [False, True])
def test_a_writer_interrupted_anywhere_leaves_the_old_or_the_new_state(
    tmp_path: Path, action: str, after: bool
) -> None:
    prepared = [small(tmp_path, 100), small(tmp_path, 200)]
    for n in range(1, 100):
        home = tmp_path / f"home{n}"
        vault = Vault(home)
        first = vault.add(prepared[0])
        old = revenue(vault, vault.head)
        finished = False
        with pytest.MonkeyPatch.context() as patch:
            fail_at(patch, n, after)
            try:
                vault.add(prepared[1]) if action == "add" else vault.withdraw(first.import_id)
                finished = True
            except Interrupted:
                pass
        fresh = Vault(home)
        new = {**old, ("A", 2020): 200.0} if action == "add" else {}
        assert revenue(fresh, fresh.head) in (old, new)
        if finished:
            assert revenue(fresh, fresh.head) == new
        # The next write sweeps what was left, and ends where an untroubled one would.
        fresh.add(small(tmp_path, 300))
        names = {p.name for p in fresh.folder.iterdir()}
        assert names == {"imports", "log", "lock"}
        kept = {p.name for p in (fresh.folder / "imports").iterdir()}
        assert kept == {entry.import_id for entry in fresh.entries}
        if finished:
            return
    pytest.fail("the write never finished")


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_writer_killed_in_its_own_process_leaves_no_half_state(tmp_path: Path, how: str) -> None:
    prepared = small(tmp_path, 100)
    document = json.dumps(prepared.mapping.as_json())
    for n in (2, 7):  # every step is a proof's matter: see benchmarks/proofs_spine.py
        home = tmp_path / f"home{n}"
        command = [sys.executable, "-c", KILLED, str(home), str(tmp_path / "r100.csv"), document]
        done = subprocess.run([*command, "add", str(n), how], check=False)
        assert done.returncode == 9
        vault = Vault(home)
        assert revenue(vault, vault.head) == {}
        vault.add(prepared)
        assert len(revenue(vault, vault.head)) == 3


WRITER = """
import sys, pathlib, datetime, json
from features.mapping import Mapping
from features.mapping_build import rebuilt
from features.panel import History
from features.prepared import prepare
from features.vault import Vault
home, document, *files = sys.argv[1:]
mapping = rebuilt(json.loads(document))
sys.stdin.readline()
for file in files:
    Vault(pathlib.Path(home)).add(prepare(pathlib.Path(file), mapping, datetime.date(2026, 6, 1)))
"""


def test_two_writers_at_once_both_land(home: Path, tmp_path: Path) -> None:
    document = json.dumps(mapping().as_json())
    own = [[str(csv(tmp_path / f"{w}{i}.csv", f"{w}{i},2020,{i}")) for i in range(6)] for w in "ab"]
    shared = str(csv(tmp_path / "shared.csv", "both,2020,1"))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(home), document, *mine, shared],
            stdin=subprocess.PIPE,
        )
        for mine in own
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.close()
    try:
        assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    finally:
        for writer in writers:
            if writer.poll() is None:
                writer.send_signal(signal.SIGKILL)
    vault = Vault(home)
    assert len(vault.entries) == 13
    assert len(revenue(vault, vault.head)) == 13
