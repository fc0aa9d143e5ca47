"""What all tests share: the real sets, a home, and the profiles of hypothesis."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# Timings on a shared machine prove nothing, and a run in CI must be the same twice.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of the real sets; they are no part of the repository."""
    data = ROOT.parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("the real sets are not beside the repository (../shared/data)")
    return data


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home ($TIDU_HOME) of this test alone."""
    path = tmp_path / "home"
    path.mkdir()
    return path
