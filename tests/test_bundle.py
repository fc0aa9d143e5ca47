"""Bundles: what was written is what loads, and anything else is refused without harm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_city import AS_OF, Trained, call, copied, done, quick, refused

import model.bundle
from model.bundle import PARTS, adopt, load
from tidu import digest
from tidu.errors import NotFound, Refused

FILES = (*PARTS, "manifest.json")


@pytest.fixture
def bundle(city_home: Trained, tmp_path: Path) -> Path:
    """A copy of a trained bundle, to be damaged."""
    path = Path(city_home.answers["growth@12"]["path"])
    return Path(shutil.copytree(path, tmp_path / "bundles" / path.name))


@pytest.fixture
def _here() -> Iterator[None]:
    with quick():
        yield


def sealed(path: Path, change: Callable[[dict[str, Any]], None], part: str = "") -> None:
    """Change a part as a forger would: with every digest put right. Or the manifest, where none."""
    manifest = json.loads((path / "manifest.json").read_bytes())
    manifest.pop("id")
    if part:
        content = json.loads((path / part).read_bytes())
        change(content)
        (path / part).write_bytes(digest.canonical_json(content))
        manifest["parts"][part] = digest.of_bytes((path / part).read_bytes())
    else:
        change(manifest)
    manifest["id"] = digest.of_json(manifest)[:20]
    (path / "manifest.json").write_bytes(digest.canonical_json(manifest))


def test_a_whole_bundle_loads_in_its_own_process(bundle: Path) -> None:
    loaded = load(bundle)
    assert loaded.id == bundle.name
    assert str(loaded.task.name) == "growth@12"
    assert loaded.as_of.isoformat() == AS_OF


@pytest.mark.usefixtures("_here")
def test_how_far_ranks_move_is_stored_and_a_bundle_of_old_does_not_say(bundle: Path) -> None:
    law = load(bundle).rank_law
    assert law is not None
    assert max(law.above) > 0
    sealed(bundle, lambda content: content.pop("rank_law"), "model.json")
    assert load(bundle).rank_law is None


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("where", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("part", FILES)
def test_a_cut_part_is_refused_by_name(bundle: Path, part: str, where: float) -> None:
    data = (bundle / part).read_bytes()
    (bundle / part).write_bytes(data[: int(len(data) * where)])
    with pytest.raises(Refused) as refusal:
        load(bundle)
    assert part.removesuffix(".json") in refusal.value.message
    assert refusal.value.cure


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("part", FILES)
def test_an_edited_part_is_refused_with_expected_and_found(
    bundle: Path, part: str, where: float
) -> None:
    data = bytearray((bundle / part).read_bytes())
    at = next(i for i in range(int(len(data) * where), len(data)) if chr(data[i]).isdigit())
    data[at] = ord("0") + (data[at] - ord("0") + 1) % 10
    (bundle / part).write_bytes(bytes(data))
    with pytest.raises(Refused, match=r"must|cannot") as refusal:
        load(bundle)
    assert part.removesuffix(".json") in refusal.value.message


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("part", FILES)
def test_a_missing_part_is_refused(bundle: Path, part: str) -> None:
    (bundle / part).unlink()
    with pytest.raises(Refused, match=part.removesuffix(".json")):
        load(bundle)


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    "content", [b"[]", b"null", b'"x"', b'{"id": 1}', b"\xff\xfe", b"[" * 9999]
)
def test_a_manifest_of_another_shape_is_refused(bundle: Path, content: bytes) -> None:
    (bundle / "manifest.json").write_bytes(content)
    with pytest.raises(Refused):
        load(bundle)


@pytest.mark.usefixtures("_here")
def test_another_schema_says_which(bundle: Path) -> None:
    sealed(bundle, lambda manifest: manifest.update(schema=2))
    with pytest.raises(Refused, match="schema 1, found 2") as refusal:
        load(bundle)
    assert "Train it again" in refusal.value.cure


def _drop_spec(content: dict[str, Any]) -> None:
    content["specs"].pop()


def _foreign_spec(content: dict[str, Any]) -> None:
    content["specs"][0]["no_such_field"] = 1


def _foreign_task(content: dict[str, Any]) -> None:
    content["task"]["months"] = 12


def _forbidden(content: dict[str, Any]) -> None:
    content["specs"][0]["families"] = ["listing"]


def _rank_law(content: dict[str, Any]) -> None:
    content["rank_law"]["above"][0] = -1.0


def _calibration(content: dict[str, Any]) -> None:
    content["calibration"] = {}


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    "change",
    [_drop_spec, _foreign_spec, _foreign_task, _forbidden, _calibration, _rank_law, dict.clear],
)
def test_sealed_contents_of_another_version_are_refused(
    bundle: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    sealed(bundle, change, "model.json")
    with pytest.raises(Refused):
        load(bundle)


@pytest.mark.usefixtures("_here")
def test_scores_that_differ_from_training_are_refused(bundle: Path) -> None:
    sealed(bundle, lambda probe: probe["scores"].__setitem__(0, 1e3), "probe.json")
    with pytest.raises(Refused, match="probe must score as at training"):
        load(bundle)


def test_a_model_that_kills_its_process_does_not_kill_ours(bundle: Path) -> None:
    """LightGBM aborts on some damaged texts; the digests are right here, only the child dies."""
    text = (bundle / "model.txt").read_bytes()
    (bundle / "model.txt").write_bytes(text.replace(b"num_leaves=", b"num_leaves=9", 1))
    manifest = json.loads((bundle / "manifest.json").read_bytes())

    def seal(content: dict[str, Any]) -> None:
        content["parts"]["model.txt"] = digest.of_bytes((bundle / "model.txt").read_bytes())

    sealed(bundle, seal)
    assert manifest["parts"].keys() == set(PARTS)
    with pytest.raises(Refused):
        load(bundle)


def test_a_folder_or_nothing_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load(tmp_path / "nothing")
    with pytest.raises(Refused, match="manifest"):
        load(tmp_path)


@pytest.mark.usefixtures("_here")
def test_the_command_line_names_what_is_wrong(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    identity = city_home.answers["growth@12"]["bundle_id"]
    part = home / "bundles" / identity / "model.txt"
    part.write_bytes(part.read_bytes()[:-1])
    for words in (
        ("publish", "--as-of", AS_OF),
        ("use", "growth@12", identity),
        ("score", "--bundle", identity, "--as-of", AS_OF, "--out", tmp_path / "s.csv"),
    ):
        error = refused(home, *words)
        assert error["code"] == "refused"
        assert "model.txt" in error["message"]
    assert not (tmp_path / "s.csv").exists()
    assert done(home, "shortlist", "--task", "growth@12", "--k", "1")["items"]


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("reference", ["", "nope", "../*", "*", "/", "/no/such/place", "0" * 20])
def test_a_reference_to_nothing_is_said_so(city_home: Trained, reference: str) -> None:
    words = ("score", "--bundle", reference, "--as-of", AS_OF, "--out", "s.csv")
    answer = call(city_home.home, *words)
    assert answer.status == 1
    assert "defect" not in answer.err


@pytest.mark.usefixtures("_here")
def test_writing_that_is_broken_off_leaves_nothing(
    city_home: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load(Path(city_home.answers["growth@12"]["path"]))

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(model.bundle.os, "rename", broken)
        with pytest.raises(KeyboardInterrupt):
            adopt(loaded, tmp_path / "bundles")
    assert list((tmp_path / "bundles").iterdir()) == []
    assert load(adopt(loaded, tmp_path / "bundles")).id == loaded.id
