"""Scramble the future: a snapshot of a day and its lists are the same to the last byte."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from small_city import AS_OF, Trained, copied, done, quick

from benchmarks.scramble import history
from benchmarks.scramble_lists import lists_at
from features.panel import History
from features.scrambling import scrambled
from model.bundle import Bundle, load
from policy.loading import standing
from policy.plan.files import load_plans
from serving.publishing import Rules
from serving.workspace import Workspace

DAY = date(2025, 6, 30)
TASK = "promotion:srdi_municipal@12"


@pytest.fixture(scope="module")
def learned(
    city_home: Trained, tmp_path_factory: pytest.TempPathFactory
) -> tuple[History, list[Bundle]]:
    home = copied(city_home.home, tmp_path_factory.mktemp("scramble"))
    with quick():
        own = done(home, "train", "--task", TASK, "--as-of", AS_OF)
        paths = [own["path"], city_home.answers["growth@12"]["path"]]
        return Workspace(home).history(), [load(Path(path)) for path in paths]


def seen(
    learned: tuple[History, list[Bundle]], day: date, later: date, folder: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """What is published at ``later`` from the records, and from those scrambled after ``day``."""
    records, bundles = learned
    tables = {name: rows.frame for name, rows in records.rows.items()}
    other = scrambled(tables, day, np.random.default_rng(3))
    rules = Rules(standing(), load_plans()["2025"])
    one, two = (
        lists_at(history(each), later, bundles, rules, folder / name)
        for name, each in (("plain", tables), ("other", other))
    )
    return one, two


def test_a_snapshot_and_its_lists_see_nothing_that_came_later(
    learned: tuple[History, list[Bundle]], tmp_path: Path
) -> None:
    plain, other = seen(learned, DAY, DAY, tmp_path)
    assert {name for name in plain if plain[name] != other.get(name)} == set()
    made = [name for name, found in plain.items() if name.startswith("list") and len(found) == 64]
    assert {f"list {TASK} {mode}" for mode in ("", "upgrade", "reserve", "missed")} <= {*made}


def test_the_scrambler_changes_the_lists_of_a_later_day(
    learned: tuple[History, list[Bundle]], tmp_path: Path
) -> None:
    plain, other = seen(learned, DAY, date(2026, 6, 30), tmp_path)
    changed = {name for name in plain if plain[name] != other.get(name)}
    assert {"snapshot", "part firms", f"list {TASK} ", f"list {TASK} missed"} <= changed
