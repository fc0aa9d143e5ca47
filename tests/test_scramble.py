"""Scramble the future: whatever became known after a day, nothing seen at that day changes."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_city import Trained
from strategies import table_sets

from benchmarks.scramble import (
    by_the_law,
    fingerprint,
    history,
    later_rows,
    random_tables,
    tasks,
)
from features.mapping_build import load_mapping
from features.panel import History, Rows
from features.prepared import prepare
from features.scrambling import scrambled
from features.vault import Vault
from serving.workspace import Workspace

TODAY = date(2026, 6, 1)


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_known_later_changes_what_is_seen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables = random_tables(rng)
    day = date(int(rng.integers(2016, 2023)), int(rng.integers(1, 13)), 28)
    plain, other = history(tables), history(scrambled(tables, day, rng))
    asked = tasks(plain)
    assert differing(fingerprint(plain, day, asked), fingerprint(other, day, asked)) == []


@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(
    table_sets(("annual", "titles", "applications")),
    st.dates(date(2015, 1, 1), date(2024, 12, 31)),
    st.integers(0, 2**32 - 1),
)
def test_drawn_histories_are_seen_alike(
    tables: dict[str, pd.DataFrame], day: date, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    plain, other = history(tables), history(scrambled(tables, day, rng))
    asked = tasks(plain, ("growth@12", "listing@24", "promotion:srdi_municipal@12"))
    assert differing(fingerprint(plain, day, asked), fingerprint(other, day, asked)) == []


def test_the_scrambler_changes_what_is_seen_later() -> None:
    rng = np.random.default_rng(1)
    tables = random_tables(rng)
    day, later = date(2018, 6, 30), date(2022, 6, 30)
    plain, other = history(tables), history(scrambled(tables, day, rng))
    changed = differing(
        fingerprint(plain, later, tasks(plain)), fingerprint(other, later, tasks(plain))
    )
    assert "panel events" in changed
    assert "growth revenue" in changed
    assert "growth@12 examples" in changed
    assert "promotion:little_giant@24 cohort" in changed


def test_a_door_that_ignores_when_rows_became_known_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(2)
    tables = random_tables(rng)
    day = date(2018, 6, 30)
    plain, other = history(tables), history(scrambled(tables, day, rng))
    honest = Rows.as_of
    monkeypatch.setattr(Rows, "as_of", lambda rows, _: honest(rows, date(2090, 1, 1)))
    changed = differing(
        fingerprint(plain, day, tasks(plain)), fingerprint(other, day, tasks(plain))
    )
    assert "growth revenue" in changed


# What the law says, on a synthetic city with every table that it reads

LAWFUL = ("innovative_sme", "srdi_provincial")


@pytest.fixture(scope="module")
def city(city_home: Trained) -> dict[str, pd.DataFrame]:
    """The rows of some firms of the city, all versions of them."""
    seen = Workspace(city_home.home).history()
    chosen = set(seen.as_of(TODAY).firm_ids[::5])
    tables = {name: rows.frame for name, rows in seen.rows.items()}
    return {
        name: frame[frame["firm_id"].isin(chosen).to_numpy(dtype=bool)].reset_index(drop=True)
        for name, frame in tables.items()
        if "firm_id" in frame
    }


@pytest.mark.parametrize(("seed", "day"), [(0, date(2024, 6, 30)), (1, date(2026, 4, 20))])
def test_no_verdict_gap_paper_or_path_knows_what_came_later(
    city: dict[str, pd.DataFrame], seed: int, day: date
) -> None:
    plain, other = history(city), history(scrambled(city, day, np.random.default_rng(seed)))
    before, after = (by_the_law(each, day, LAWFUL) for each in (plain, other))
    assert differing(before, after) == []
    assert sum("path" in name for name in before) > 3
    assert sum("verdict" in name for name in before) >= 8


def test_the_scrambler_changes_what_the_law_says_later(city: dict[str, pd.DataFrame]) -> None:
    day, later = date(2024, 6, 30), date(2026, 4, 20)
    plain, other = history(city), history(scrambled(city, day, np.random.default_rng(0)))
    changed = differing(*(by_the_law(each, later, LAWFUL, 2) for each in (plain, other)))
    for part in ("verdict", "criteria", "papers held", "gap", "path"):
        assert any(part in name for name in changed), part


def test_a_door_left_open_shows_in_what_the_law_says(
    city: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2024, 6, 30)
    plain, other = history(city), history(scrambled(city, day, np.random.default_rng(0)))
    honest = Rows.as_of
    monkeypatch.setattr(Rows, "as_of", lambda rows, _: honest(rows, date(2090, 1, 1)))
    changed = differing(*(by_the_law(each, day, LAWFUL, 0) for each in (plain, other)))
    assert any("verdict" in name for name in changed)


# The real sets, through files


def imported(home: Path, sources: dict[str, Path], root: Path) -> History:
    vault = Vault(home)
    for name, file in sources.items():
        vault.add(prepare(file, load_mapping(root / "examples" / f"{name}.toml"), TODAY))
    return vault.at(vault.head)


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def write(rows: pd.DataFrame, path: Path) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        rows.to_csv(file, index=False)
    return path


def scrambled_kr(data: Path, out: Path, day: date, rng: np.random.Generator) -> dict[str, Path]:
    rows = read(data / "kr_listed_firm_year.csv.gz")
    known = rows["year"].astype(int) + 1 + rows["min_lag"].astype(int)
    late = np.array([date(y, 6, 30) > day for y in known])
    rows = later_rows(rows, late, rng, ("firm_id", "year", "min_lag"))
    gone = read(data / "kr_delisted.csv")
    after = (gone["delist_date"] > day.isoformat()).to_numpy()
    alive = rows["firm_id"].drop_duplicates().to_numpy()

    def others(n: int) -> np.ndarray:
        return rng.choice(alive, n, replace=False)

    gone = later_rows(gone, after, rng, ("delist_date",), {"firm_id": others})
    return {
        "kr_listed": write(rows, out / "a.csv.gz"),
        "kr_delisted": write(gone, out / "b.csv.gz"),
    }


@pytest.mark.parametrize("seed", [0])
def test_korean_rows_of_later_years_change_nothing(
    shared_data: Path, root: Path, tmp_path: Path, seed: int
) -> None:
    rng, day = np.random.default_rng(seed), date(2018, 6, 30)
    files = {
        "kr_listed": shared_data / "kr_listed_firm_year.csv.gz",
        "kr_delisted": shared_data / "kr_delisted.csv",
    }
    plain = imported(tmp_path / "plain", files, root)
    other = imported(tmp_path / "other", scrambled_kr(shared_data, tmp_path, day, rng), root)
    asked = tasks(plain, ("growth@12", "growth@24", "distress@24"))
    changed = differing(fingerprint(plain, day, asked), fingerprint(other, day, asked))
    # An undated firm record is known always: it says that a firm exists, and nothing else.
    assert changed == ["panel firms"]
    later = date(2020, 6, 30)
    changed = differing(fingerprint(plain, later, asked), fingerprint(other, later, asked))
    assert {"growth revenue", "growth@12 examples", "distress@24 labels"} <= set(changed)


def scrambled_cn(data: Path, out: Path, day: date, rng: np.random.Generator) -> dict[str, Path]:
    rows = read(data / "cn_neeq_firm_year.csv.gz")
    after = f"{day.isoformat()}~"
    firms = rows["firm_id"].unique()
    listed = {f: d for f, d in zip(rows["firm_id"], rows["bse_listing_date"], strict=True) if d}
    fates = {}
    for firm in firms:
        if listed.get(firm, "9999") <= day.isoformat():
            fates[firm] = listed[firm]
        else:
            moment = np.datetime64(day, "D") + int(rng.integers(1, 900))
            fates[firm] = str(moment) if rng.random() < 0.2 else ""
    late = np.array([f"{int(y) + 1}-06-30" > after for y in rows["year"]])
    keep = ("firm_id", "year", "sector", "bse_listing_date")
    rows = later_rows(rows, late, rng, keep)
    known = rows["firm_id"].map(lambda f: fates.get(f, ""))
    return {"cn_neeq": write(rows.assign(bse_listing_date=known), out / "a.csv.gz")}


def test_chinese_rows_of_later_years_change_nothing(
    shared_data: Path, root: Path, tmp_path: Path
) -> None:
    rng, day = np.random.default_rng(3), date(2023, 6, 30)
    files = {"cn_neeq": shared_data / "cn_neeq_firm_year.csv.gz"}
    plain = imported(tmp_path / "plain", files, root)
    other = imported(tmp_path / "other", scrambled_cn(shared_data, tmp_path, day, rng), root)
    asked = tasks(plain, ("listing@12", "growth@12"))
    changed = differing(fingerprint(plain, day, asked), fingerprint(other, day, asked))
    assert changed == ["panel firms"]
    later = date(2025, 6, 30)
    changed = differing(fingerprint(plain, later, asked), fingerprint(other, later, asked))
    assert {"listing revenue", "listing@12 labels", "panel events"} <= set(changed)


def test_a_later_import_or_withdrawal_leaves_every_past_head_as_it_was(
    shared_data: Path, root: Path, tmp_path: Path
) -> None:
    day = date(2018, 6, 30)
    vault = Vault(tmp_path / "home")
    listed = load_mapping(root / "examples" / "kr_listed.toml")
    first = vault.add(prepare(shared_data / "kr_listed_firm_year.csv.gz", listed, TODAY))
    head = vault.head
    asked = tasks(vault.at(head), ("growth@12",))
    before = fingerprint(vault.at(head), day, asked)
    # A correction of the whole file, and then the first import is withdrawn.
    changed = later_rows(
        read(shared_data / "kr_listed_firm_year.csv.gz"),
        np.ones(16222, dtype=bool),
        np.random.default_rng(0),
        ("firm_id", "year", "min_lag"),
    )
    vault.add(prepare(write(changed, tmp_path / "c.csv.gz"), listed, TODAY))
    vault.withdraw(first.import_id)
    assert differing(before, fingerprint(vault.at(head), day, asked)) == []
    assert differing(before, fingerprint(vault.at(vault.head), day, asked)) != []
