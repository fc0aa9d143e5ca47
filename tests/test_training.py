"""Training by the command line: equal data give equal bundles, and the future gives nothing."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_city import (
    AS_OF,
    FIRMS,
    MAPPING,
    Trained,
    copied,
    done,
    import_city,
    quick,
    refused,
    rows_of,
)

from city.files import DELIVERIES
from features.schema import register

DAY = "2023-06-30"


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


def test_same_data_and_seed_give_the_same_bundle(
    city_home: Trained, city_files: Path, tmp_path: Path
) -> None:
    """In another home, from files of other names, gzipped."""
    for i, name in enumerate(DELIVERIES):
        packed = tmp_path / f"delivery-{i}.csv.gz"
        packed.write_bytes(gzip.compress((city_files / f"{name}.csv").read_bytes()))
        done(tmp_path / "home", "import", packed, "--mapping", MAPPING)
    words = ("train", "--task", "growth@12", "--as-of", AS_OF)
    other = done(tmp_path / "home", *words)
    assert other["bundle_id"] == city_home.answers["growth@12"]["bundle_id"]
    assert done(tmp_path / "home", *words, "--seed", "1")["bundle_id"] != other["bundle_id"]


def altered(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.DataFrame:
    """Change all rows known after the day, drop some, and shuffle the rows of the file."""
    known = table["known_on"] if "known_on" in table else pd.Series("", index=table.index)
    later = (known.fillna("") > DAY).to_numpy()
    keys = {*register().tables[name].key, "known_on"}
    changed = table.copy()
    for column in changed.columns.difference([*keys, "firm_id"]):
        values = changed.loc[later, column].to_numpy(copy=True)
        changed.loc[later, column] = rng.permutation(values)
    kept = ~later | (rng.random(len(table)) < 0.8)
    return changed[kept].sample(frac=1.0, random_state=0)


def test_what_became_known_later_changes_no_score(city_files: Path, tmp_path: Path) -> None:
    """Scramble the future of every file, import, train and score again: the same table."""
    rng = np.random.default_rng(0)
    files = Path(shutil.copytree(city_files, tmp_path / "files"))
    touched = 0
    for name in ("annual", "annual_corrections", "titles", "applications", "events", "materials"):
        table = pd.read_csv(files / f"{name}.csv", dtype=str)
        other = altered(table, name.removesuffix("_corrections"), rng)
        touched += len(table) - len(other)
        other.to_csv(files / f"{name}.csv", index=False)
    assert touched > FIRMS / 10
    scores = []
    for home, source in ((tmp_path / "a", city_files), (tmp_path / "b", files)):
        import_city(home, source)
        bundle = done(home, "train", "--task", "growth@12", "--as-of", DAY)["path"]
        out = tmp_path / f"{home.name}.csv"
        done(home, "score", "--bundle", bundle, "--as-of", DAY, "--out", out)
        scores.append(out.read_bytes())
    assert scores[0] == scores[1]
    assert len(rows_of(tmp_path / "a.csv")) > FIRMS / 4


@pytest.mark.parametrize(
    ("task", "day", "said"),
    [
        ("growth@12", "2010-06-30", "annual.revenue"),
        ("growth@12", "2016-06-30", "outcomes were known by 2016-06-30"),
    ],
)
def test_too_early_a_day_says_what_is_missing(
    city_home: Trained, task: str, day: str, said: str
) -> None:
    error = refused(city_home.home, "train", "--task", task, "--as-of", day)
    assert error["code"] == "not_available"
    assert said in error["message"]


def test_the_first_bundle_of_a_task_comes_into_use(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    pointers = done(home, "doctor")["pointers"]
    assert pointers["task:growth@12"] == city_home.answers["growth@12"]["bundle_id"]
    done(home, "train", "--task", "growth@12", "--as-of", "2025-06-30")
    assert done(home, "doctor")["pointers"] == pointers
