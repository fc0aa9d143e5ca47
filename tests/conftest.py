"""What all tests share: the real sets, a home, and the profiles of hypothesis."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from http_client import Client
    from small_city import Trained

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


@pytest.fixture(scope="session")
def city_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small synthetic city."""
    from small_city import write_city

    return write_city(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="session")
def city_home(tmp_path_factory: pytest.TempPathFactory, city_files: Path) -> Trained:
    """A home with a small city: imported, trained with tiny models, published; not to change."""
    from small_city import trained_city

    return trained_city(tmp_path_factory.mktemp("home"), city_files)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Asks an app of its own, without a server."""
    from http_client import asking

    with asking(tmp_path) as asked:
        yield asked
