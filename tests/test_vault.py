"""The vault: append-only, all or nothing, every past state readable."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from features.mapping import Mapping
from features.mapping_build import rebuilt
from features.panel import History
from features.prepared import Prepared, prepare
from features.vault import GENESIS, Vault
from tidu.errors import NotFound, Refused

TODAY = date(2026, 6, 1)


def mapping(name: str = "small", **parts: object) -> Mapping:
    return rebuilt(
        {
            "name": name,
            "source": {
                "authority": "test",
                "legal_basis": "test",
                "purposes": ["test"],
                "valid_until": "2030-12-31",
            },
            "tables": {
                "annual": {
                    "columns": {"firm_id": "id", "year": "year", "revenue": "revenue"},
                    "constants": {"currency": "CNY"},
                }
            },
            **parts,
        }
    )


def csv(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["id,year,revenue", *rows]) + "\n", encoding="utf-8")
    return path


def small(folder: Path, revenue: int = 100, by: Mapping | None = None) -> Prepared:
    file = csv(folder / f"r{revenue}.csv", f"A,2020,{revenue}", "B,2020,50", "A,2021,120")
    return prepare(file, by or mapping(), TODAY)


def revenue(vault: Vault, head: str, day: date = date(2023, 1, 1)) -> dict[tuple[str, int], float]:
    annual = vault.at(head).as_of(day).tables["annual"]
    keys = zip(annual["firm_id"], annual["year"].astype(int), strict=True)
    return dict(zip(keys, annual["revenue"], strict=True)) if len(annual) else {}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_an_empty_vault_has_the_first_head_and_nothing_on_disk(home: Path) -> None:
    vault = Vault(home)
    assert vault.head == GENESIS
    assert revenue(vault, GENESIS) == {}
    assert list(home.iterdir()) == []


def test_the_same_file_twice_is_one_import_whatever_its_name_or_packing(
    home: Path, tmp_path: Path
) -> None:
    vault = Vault(home)
    first = vault.add(small(tmp_path))
    before, head = files(home), vault.head
    packed = tmp_path / "other-name.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "r100.csv").read_bytes()))
    again = vault.add(prepare(packed, mapping(), TODAY))
    assert (first.new, again.new) == (True, False)
    assert first.import_id == again.import_id
    assert again.tables == first.tables == {"annual": 3}
    assert (files(home), vault.head) == (before, head)


def test_nothing_on_disk_is_ever_rewritten(home: Path, tmp_path: Path) -> None:
    vault = Vault(home)
    first = vault.add(small(tmp_path, 100))
    held = files(home)
    vault.add(small(tmp_path, 200))
    vault.withdraw(first.import_id)
    vault.add(small(tmp_path, 100))
    after = files(home)
    assert held.items() <= after.items()


def test_every_past_head_shows_what_it_showed(home: Path, tmp_path: Path) -> None:
    vault = Vault(home)
    seen: list[tuple[str, dict[tuple[str, int], float]]] = [(GENESIS, {})]
    one = vault.add(small(tmp_path, 100))
    seen.append((vault.head, {("A", 2020): 100, ("B", 2020): 50, ("A", 2021): 120}))
    two = vault.add(small(tmp_path, 200))
    seen.append((vault.head, {("A", 2020): 200, ("B", 2020): 50, ("A", 2021): 120}))
    vault.withdraw(two.import_id)
    seen.append((vault.head, seen[1][1]))
    vault.withdraw(one.import_id)
    seen.append((vault.head, {}))
    vault.add(small(tmp_path, 100))
    seen.append((vault.head, seen[1][1]))
    assert len({head for head, _ in seen}) == len(seen)
    fresh = Vault(home)
    for head, rows in seen:
        assert revenue(fresh, head) == rows


def test_the_head_names_the_rows_not_only_the_file(tmp_path: Path) -> None:
    """A live import dates its rows by the day: other rows are another head, not a silent twin."""
    live = mapping(live=True)
    file = csv(tmp_path / "live.csv", "A,2025,1")
    heads = []
    for name, day in (("one", date(2026, 5, 1)), ("two", date(2026, 5, 2)), ("three", TODAY)):
        vault = Vault(tmp_path / name)
        vault.add(prepare(file, live, day))
        heads.append(vault.head)
    assert len(set(heads)) == 3
    other = tmp_path / "renamed.csv"
    other.write_bytes(file.read_bytes())
    vault = Vault(tmp_path / "four")
    vault.add(prepare(other, live, TODAY))
    assert vault.head == heads[2]


def test_unknown_heads_and_imports_are_not_found(home: Path, tmp_path: Path) -> None:
    vault = Vault(home)
    vault.add(small(tmp_path))
    with pytest.raises(NotFound):
        vault.at("f" * 64)
    with pytest.raises(NotFound):
        vault.withdraw("f" * 64)
    with pytest.raises(NotFound):
        vault.receipt("f" * 64)


# Damage


def newest(home: Path) -> History:
    vault = Vault(home)
    return vault.at(vault.head)


def test_an_edited_part_is_refused(home: Path, tmp_path: Path) -> None:
    vault = Vault(home)
    vault.add(small(tmp_path))
    for path in sorted(home.rglob("imports/*/*")) + sorted(home.rglob("log/*")):
        whole = path.read_bytes()
        for damaged in (whole[:-3], whole[: len(whole) // 2], b"", changed(whole)):
            path.write_bytes(damaged)
            with pytest.raises((Refused, NotFound)):
                newest(home)
        path.write_bytes(whole)
    Vault(home).at(vault.head)


def changed(data: bytes) -> bytes:
    """One byte in the middle, still JSON where it was."""
    digit = next(i for i in range(len(data) // 2, len(data)) if chr(data[i]) in "0123456789")
    other = b"8" if data[digit : digit + 1] != b"8" else b"9"
    return data[:digit] + other + data[digit + 1 :]


def test_an_edited_coverage_is_refused(home: Path, tmp_path: Path) -> None:
    by = mapping(coverage={"listed": {"start": "2016-01-01", "end": "2020-12-31"}})
    vault = Vault(home)
    vault.add(small(tmp_path, by=by))
    path = next(home.rglob("import.json"))
    path.write_text(path.read_text(encoding="utf-8").replace("2020-12-31", "2026-12-31"), "utf-8")
    with pytest.raises(Refused):
        vault.at(vault.head)


def test_a_missing_part_is_refused(home: Path, tmp_path: Path) -> None:
    vault = Vault(home)
    vault.add(small(tmp_path))
    next(home.rglob("annual.parquet")).unlink()
    with pytest.raises(Refused, match="annual"):
        vault.at(vault.head)


# One population


@pytest.mark.parametrize(
    ("one", "two", "word"),
    [
        (
            {"coverage": {"listed": {"start": "2016-01-01", "end": "2020-12-31"}}},
            {"coverage": {"listed": {"start": "2016-01-01", "end": "2021-12-31"}}},
            "listed",
        ),
        ({"tasks": {"growth": {"months": 24}}}, {"tasks": {"growth": {"months": 12}}}, "growth"),
        (
            {"extras": {"age": {"column": "revenue", "zh": "甲", "en": "Age"}}},
            {"extras": {"age": {"column": "revenue", "zh": "乙", "en": "Age"}}},
            "age",
        ),
        (
            {
                "outcome": {
                    "column": "o",
                    "task": "distress",
                    "positive": ["1"],
                    "known_on": "2020-01-01",
                }
            },
            {
                "outcome": {
                    "column": "o",
                    "task": "growth",
                    "positive": ["1"],
                    "known_on": "2020-01-01",
                }
            },
            "distress",
        ),
    ],
)
def test_contradicting_mappings_are_refused_naming_both(
    home: Path, tmp_path: Path, one: dict[str, object], two: dict[str, object], word: str
) -> None:
    vault = Vault(home)
    vault.add(small(tmp_path, 100, mapping("first_source", **one)))
    before, head = files(home), vault.head
    with pytest.raises(Refused) as refused:
        vault.add(small(tmp_path, 200, mapping("second_source", **two)))
    message = str(refused.value)
    assert "first_source" in message
    assert "second_source" in message
    assert word in message
    assert (files(home), vault.head) == (before, head)


def test_a_withdrawn_mapping_contradicts_nobody(home: Path, tmp_path: Path) -> None:
    vault = Vault(home)
    first = vault.add(small(tmp_path, 100, mapping("a", tasks={"growth": {"months": 24}})))
    vault.withdraw(first.import_id)
    vault.add(small(tmp_path, 200, mapping("b", tasks={"growth": {"months": 12}})))
    assert vault.at(vault.head).defaults[0].months == 12


# Interrupted and concurrent writers

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


def test_parts_of_several_imports_join_column_by_column(home: Path, tmp_path: Path) -> None:
    vault = Vault(home)
    vault.add(small(tmp_path))
    file = tmp_path / "people.csv"
    file.write_text("id,year,staff\nC,2020,7\n", encoding="utf-8")
    rule = {"annual": {"columns": {"firm_id": "id", "year": "year", "employees": "staff"}}}
    vault.add(prepare(file, mapping("people", tables=rule), TODAY))
    annual = vault.at(vault.head).as_of(date(2023, 1, 1)).tables["annual"].set_index("firm_id")
    assert annual.loc["C", "employees"] == 7
    assert pd.isna(annual.loc["C", "revenue"])


COVERED = {"start": "2016-01-01", "end": "2020-12-31"}


def test_a_template_covers_what_was_delivered_and_nothing_else(home: Path, tmp_path: Path) -> None:
    kinds = ("listed", "title:little_giant", "application:little_giant")
    by = mapping("ours", template=True, tables={}, coverage=dict.fromkeys(kinds, COVERED))

    def deliver(table: str, *lines: str) -> set[str]:
        file = tmp_path / f"{table}.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        Vault(home).add(prepare(file, by, TODAY))
        return {c.kind for c in newest(home).coverage}

    assert deliver("annual", "firm_id,year,revenue", "A,2020,100") == set()
    titled = deliver("titles", "firm_id,tier,issued_on", "A,little_giant,2019-05-01")
    assert titled == {"title:little_giant"}
    head = "firm_id,tier,batch,purpose,submitted_on"
    applied = deliver("applications", head, "A,little_giant,第四批,new,2019-03-01")
    assert applied == titled | {"application:little_giant"}


def test_a_mapping_of_its_own_covers_what_its_file_holds(home: Path, tmp_path: Path) -> None:
    """No firm of the file was listed, which is what its coverage says."""
    Vault(home).add(small(tmp_path, by=mapping(coverage={"listed": COVERED})))
    assert [c.kind for c in newest(home).coverage] == ["listed"]
