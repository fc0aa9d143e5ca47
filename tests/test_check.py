"""``tidu check --leakage``: a sound home passes, and what sees the future is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from small_city import Trained, call, copied, done, refused

from features.panel import History
from features.scrambling import scrambled_history
from model.bundle import load
from serving.proving import compared, seen_at
from serving.workspace import Workspace

DAY = date(2024, 6, 30)


@pytest.fixture(scope="module")
def home(city_home: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(city_home.home, tmp_path_factory.mktemp("checked"))


def seen(home: Path, history: History | None = None) -> dict[str, str]:
    workspace = Workspace(home)
    bundles = [
        load(workspace.bundle_path(pointer.value))
        for name, pointer in workspace.store.pointers().items()
        if name.startswith("task:")
    ]
    return seen_at(history or workspace.history(), DAY, bundles, workspace.law)


def test_nothing_that_a_day_sees_depends_on_what_came_after(home: Path) -> None:
    history = Workspace(home).history()
    true = seen(home)
    # Features and scores of two tasks, lists, verdicts: enough to be worth comparing.
    kinds = {name.split()[0] for name in true}
    assert {"feature", "score", "chance", "list", "verdict", "criteria"} <= kinds
    assert len(true) > 200
    other = scrambled_history(history, DAY, np.random.default_rng(1))
    assert (
        other.as_of(date(2026, 6, 30)).tables["annual"].shape
        != history.as_of(date(2026, 6, 30)).tables["annual"].shape
    )
    assert compared(DAY, true, seen(home, other)).moved == ()


def test_a_view_of_a_later_day_moves(home: Path) -> None:
    other = scrambled_history(
        Workspace(home).history(), date(2023, 12, 31), np.random.default_rng(1)
    )
    found = compared(DAY, seen(home), seen(home, other))
    assert any(name.startswith("score") for name in found.moved)
    assert any(name.startswith("verdict") for name in found.moved)


def test_the_command_says_what_it_compared_and_tested(home: Path) -> None:
    answer = done(home, "check", "--leakage", "--as-of", "2025-06-30")
    assert answer["flagged"] == 0
    assert answer["scrambled"]["moved"] == []
    assert answer["scrambled"]["compared"] > 200
    for found in answer["tasks"].values():
        assert {f["test"] for f in found} >= {"fresh", "missing"}
        gains = [f["gain"] for f in found]
        assert gains == sorted(gains, reverse=True)


def test_what_to_check_must_be_said_and_models_must_be_in_use(home: Path, tmp_path: Path) -> None:
    assert call(home, "check", "--as-of", "2025-06-30").status == 2
    error = refused(tmp_path, "check", "--leakage", "--as-of", "2025-06-30")
    assert error["code"] == "not_found"
