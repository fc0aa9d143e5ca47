"""The vault: append-only, all or nothing, every past state readable."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from small_vault import TODAY, csv, files, mapping, revenue, small

from features.panel import History
from features.prepared import prepare
from features.vault import GENESIS, Vault
from tidu.errors import NotFound, Refused


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
