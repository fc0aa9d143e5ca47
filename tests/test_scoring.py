"""Scoring by the command line: any home, any date, and what a home cannot be scored on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_city import AS_OF, MAPPING, Trained, call, done, import_city, quick, refused, rows_of

from model.bundle import load
from model.labels import cohort
from model.scoring import ranks, score, seen_by
from serving.workspace import Workspace
from tidu.clock import parse_date


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


def test_another_home_scores_alike(city_home: Trained, city_files: Path, tmp_path: Path) -> None:
    import_city(tmp_path / "home", city_files)
    bundle = city_home.answers["distress@12"]["path"]
    for name, home in (("here", city_home.home), ("there", tmp_path / "home")):
        out = tmp_path / f"{name}.csv"
        done(home, "score", "--bundle", bundle, "--as-of", AS_OF, "--out", out)
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


@pytest.mark.parametrize("task", ["growth@12", "distress@12"])
def test_every_firm_of_the_cohort_has_one_row(
    city_home: Trained, tmp_path: Path, task: str
) -> None:
    out, day = tmp_path / "scores.csv", "2024-06-30"
    path = city_home.answers[task]["path"]
    done(city_home.home, "score", "--bundle", path, "--as-of", day, "--out", out)
    bundle = load(Path(path))
    seen = seen_by(bundle, Workspace(city_home.home).history().as_of(parse_date(day)))
    expected = sorted(str(f) for f in seen.firm_ids[cohort(bundle.task, seen)])
    assert sorted(r["firm_id"] for r in rows_of(out)) == expected


def test_a_bundle_trained_later_is_warned_of(city_home: Trained, tmp_path: Path) -> None:
    words = ("--bundle", city_home.answers["growth@12"]["path"], "--out", tmp_path / "s.csv")
    before = call(city_home.home, "score", *words, "--as-of", "2025-06-29")
    assert (before.status, "trained on 2026-06-30, after 2025-06-29" in before.err) == (0, True)
    same = call(city_home.home, "score", *words, "--as-of", AS_OF)
    assert (same.status, "warning" in same.err) == (0, False)


def test_a_day_before_any_data_has_nobody(city_home: Trained, tmp_path: Path) -> None:
    out = tmp_path / "s.csv"
    out.write_text("kept")
    words = ("--bundle", city_home.answers["growth@12"]["path"], "--out", out)
    error = refused(city_home.home, "score", *words, "--as-of", "1950-01-01")
    assert error["code"] == "not_available"
    assert out.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [out]


def test_columns_that_a_home_does_not_know_are_named(
    home: Path, city_files: Path, tmp_path: Path
) -> None:
    """A bundle that learned from a further column of another home's mapping."""
    header, *lines = (city_files / "annual.csv").read_text().splitlines()
    marked = [f"{line},{i % 7}" for i, line in enumerate(lines)]
    file = tmp_path / "annual.csv"
    file.write_text("\n".join([f"{header},mood", *marked]) + "\n")
    mapping = tmp_path / "m.toml"
    source = MAPPING.read_text().partition("[coverage]")[0].replace("template = true", "")
    mapping.write_text(
        source
        + """
[tables.annual]
known_on = { column = "known_on" }
[tables.annual.columns]
firm_id = "firm_id"
year = "year"
revenue = "revenue"
[extras]
mood = { column = "mood", zh = "心情", en = "Mood" }
"""
    )
    done(home, "import", file, "--mapping", mapping)
    path = done(home, "train", "--task", "growth@12", "--as-of", AS_OF)["path"]
    other = tmp_path / "other"
    done(other, "import", city_files / "annual.csv", "--mapping", MAPPING)
    words = ("score", "--bundle", path, "--as-of", AS_OF, "--out", tmp_path / "s.csv")
    error = refused(other, *words)
    assert (error["code"], "mood" in error["message"]) == ("refused", True)
    done(other, "use", "growth@12", path)
    assert "mood" in refused(other, "publish", "--as-of", AS_OF)["message"]


def test_ranks_follow_score_then_id() -> None:
    ids = np.array(["b", "a", "c", "d"], dtype=object)
    assert ranks(np.array([1.0, 1.0, 2.0, -1.0]), ids).tolist() == [3, 2, 1, 4]


def test_the_order_of_probability_is_that_of_score(city_home: Trained) -> None:
    bundle = load(Path(city_home.answers["growth@12"]["path"]))
    book = score(bundle, Workspace(city_home.home).history().as_of(parse_date(AS_OF)))
    frame = book.frame()
    assert (np.diff(frame["score"]) <= 0).all()
    assert (np.diff(frame["probability"]) <= 1e-12).all()
    assert (frame["p_low"] <= frame["probability"]).all()
    assert (frame["probability"] <= frame["p_high"]).all()
