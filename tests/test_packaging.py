"""What is built holds what the service needs, and nothing depends on the place of the checkout."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

PACKAGES = ("tidu", "policy", "features", "model", "serving", "city")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel built from the tree as it is."""
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_every_file_of_a_package(package: str, root: Path, wheel: set[str]) -> None:
    there = {
        path.relative_to(root).as_posix()
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert there - wheel == set()


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    strange = {name.partition("/")[0] for name in wheel} - set(PACKAGES)
    assert {name for name in strange if not name.endswith(".dist-info")} == set()


def test_the_locks_hold_what_the_project_asks_for(root: Path) -> None:
    """A dependency added to pyproject.toml without `make lock` fails here, not at a user's."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = {
        "run.txt": [*project["dependencies"], *extras["train"]],
        "dev.txt": [
            *project["dependencies"],
            *(name for group in extras.values() for name in group),
        ],
    }
    for lock, requirements in asked.items():
        lines = (root / "requirements" / lock).read_text(encoding="utf-8").splitlines()
        pinned = {line.partition("==")[0].partition("[")[0] for line in lines if "==" in line}
        for requirement in requirements:
            name = requirement.partition("[")[0].partition(">")[0].lower()
            assert name in pinned, f"{name} is not in requirements/{lock}: run make lock"


def test_the_build_backend_is_the_locked_one(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    (backend,) = project["build-system"]["requires"]
    for lock in ("run.txt", "dev.txt"):
        assert f"\n{backend} \\" in (root / "requirements" / lock).read_text(encoding="utf-8")
    assert backend in (root / "requirements" / "build.in").read_text(encoding="utf-8")
