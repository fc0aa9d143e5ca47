"""Snapshots: what is written is what is read, and nothing damaged is ever read."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sample_publication import TASKS, features, firms, publication, task_part

from model.rank_law import RankLaw
from serving import parts, snapshot, views
from serving.snapshot import Snapshot, available, write
from tidu.errors import Conflict, NotFound, Refused, Unready


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def opened(home: Path, identity: str) -> Snapshot:
    return Snapshot.open(home / "snapshots" / identity)


def test_what_is_read_is_what_was_published(home: Path) -> None:
    given = publication()
    found = opened(home, write(given, home))
    assert found.as_of == "2024-06-30"
    assert found.firms.ids == sorted(given.firms["firm_id"])
    for name in TASKS:
        part, task = given.tasks[name], found.tasks[name]
        by_firm = part.scores.set_index("firm_id")
        for row in range(len(task.scores)):
            firm_id = found.firms.ids[task.scores.firm[row]]
            place = by_firm.index.get_loc(firm_id)
            assert by_firm["rank"].iloc[place] == row + 1
            assert by_firm["score"].iloc[place] == task.scores.score[row]
            assert np.array_equal(part.contributions[place], task.reasons.contributions[row])
            assert np.array_equal(part.values[place], task.reasons.values[row], equal_nan=True)


def test_how_far_ranks_move_goes_with_the_scores(home: Path) -> None:
    given = publication()
    law = RankLaw((-2.0, 2.0), (-1.5, 1.5), (0.3, 0.3), (0.2, 0.4))
    known, other = TASKS[:2]
    tasks = {**given.tasks, known: replace(given.tasks[known], rank_law=law)}
    found = opened(home, write(replace(given, tasks=tasks), home))
    assert found.tasks[known].scores.rank_law == law
    assert found.tasks[other].scores.rank_law is None


def test_profile_follows_its_firm_however_firms_were_ordered(home: Path) -> None:
    given = publication(30)
    found = opened(home, write(given, home))
    assert given.profile is not None
    assert found.profile is not None
    place = given.firms["firm_id"].tolist().index("F000007")
    number = found.firms.number("F000007")
    assert number is not None
    assert np.array_equal(given.profile.values[place], found.profile.values[number])
    assert found.firms.row(number)["founded_on"] == "2001-01-08"
    assert found.firms.row(5)["employees"] is None


def test_the_same_publication_is_the_same_snapshot(home: Path) -> None:
    first = write(publication(), home)
    assert write(publication(), home) == first
    other = write(publication(seed=1), home)
    assert other != first
    assert available(home) == sorted([first, other])


def test_every_part_is_mapped_not_copied(home: Path) -> None:
    task = opened(home, write(publication(), home)).tasks["growth@36"]
    for array in (task.reasons.contributions, task.scores.score):
        assert not array.flags.owndata
        assert not array.flags.writeable


@pytest.mark.parametrize("how", ["truncated", "edited", "missing", "empty", "longer"])
@pytest.mark.parametrize(
    "part", ["firms", "profile", "scores.growth@36", "reasons.distress.bankruptcy@24"]
)
def test_a_damaged_part_is_refused_and_named(home: Path, part: str, how: str) -> None:
    identity = write(publication(), home)
    file = home / "snapshots" / identity / f"{part}.arrow"
    data = file.read_bytes()
    middle = len(data) // 2
    if how == "missing":
        file.unlink()
    else:
        damaged = {
            "truncated": data[:middle],
            "edited": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "empty": b"",
            "longer": data + b"\0",
        }
        file.write_bytes(damaged[how])
    with pytest.raises(Refused, match="must h") as caught:
        opened(home, identity)
    assert part in caught.value.message
    assert caught.value.cure


def test_an_edited_manifest_is_refused(home: Path) -> None:
    identity = write(publication(), home)
    manifest = home / "snapshots" / identity / "manifest.json"
    content = json.loads(manifest.read_text())
    content["inputs"]["as_of"] = "2030-01-01"
    manifest.write_text(json.dumps(content))
    with pytest.raises(Refused, match="must hash to its name"):
        opened(home, identity)


def test_a_part_of_a_later_layout_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(parts.KINDS["scores"], version=99)
    monkeypatch.setitem(parts.KINDS, "scores", later)
    identity = write(publication(), home)
    with pytest.raises(Refused, match=r"version \[1\], found 99"):
        opened(home, identity)
    monkeypatch.setitem(views.READERS, ("scores", 99), views.Scores)
    assert opened(home, identity).tasks


def test_an_unknown_snapshot_is_not_found(home: Path) -> None:
    with pytest.raises(NotFound, match="No snapshot stands"):
        opened(home, "0" * 32)


def test_damage_is_healed_by_publishing_again(home: Path) -> None:
    identity = write(publication(), home)
    (home / "snapshots" / identity / "firms.arrow").write_bytes(b"")
    assert write(publication(), home) == identity
    assert opened(home, identity).firms.ids
    assert available(home) == [identity]


def test_an_interrupted_write_leaves_nothing_behind(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail the n-th flush for every n: no snapshot stands, and the next writer succeeds."""
    real, limit = snapshot.write_arrow, 0

    def failing(table: object, path: Path) -> dict[str, int | str]:
        nonlocal limit
        if limit == 0:
            raise OSError(28, "No space left on device")
        limit -= 1
        return real(table, path)

    monkeypatch.setattr(snapshot, "write_arrow", failing)
    for number in range(6):
        limit = number
        with pytest.raises(Unready, match="No space"):
            write(publication(), home)
        assert available(home) == []
        assert not list((home / "snapshots").glob(".building-*"))
    limit = 99
    identity = write(publication(), home)
    assert available(home) == [identity]


def test_leftovers_of_a_killed_writer_are_cleared(home: Path) -> None:
    left = home / "snapshots" / ".building-1"
    left.mkdir(parents=True)
    (left / "firms.arrow").write_bytes(b"half")
    identity = write(publication(), home)
    assert not left.exists()
    shutil.rmtree(home / "snapshots" / identity)


def test_two_writers_at_once_are_a_conflict(home: Path) -> None:
    with (
        snapshot.exclusive(home / "snapshots"),
        pytest.raises(Conflict, match="one at a time"),
    ):
        write(publication(), home)


def test_a_city_without_cohort_or_firms_is_a_snapshot_too(home: Path) -> None:
    empty = publication(0)
    found = opened(home, write(empty, home))
    assert len(found.firms) == 0
    assert len(found.tasks["growth@36"].scores) == 0
    one = publication(1)  # its one firm is outside the cohort
    assert opened(home, write(one, home)).tasks["growth@36"].row_of.tolist() == [-1]


def test_a_column_nobody_fills_is_unknown_for_all(home: Path) -> None:
    given = publication(9)
    frame = given.firms.assign(tier=float("nan"), district=None)
    found = opened(home, write(replace(given, firms=frame), home))
    assert found.firms.brief(3)["tier"] is None
    assert found.firms.categories["district"].values == ()


def test_inconsistent_scores_are_refused_with_all_problems() -> None:
    part = task_part("growth@36", firms(20)["firm_id"].tolist(), 3)
    wrong = part.scores.assign(rank=1.0, p_low=0.9)
    with pytest.raises(Refused, match=r"rank must be 1…n .*; 0 ≤ p_low"):
        replace(part, scores=wrong)
    with pytest.raises(Refused, match="sum to the score"):
        replace(part, contributions=part.contributions * 1.001)
    with pytest.raises(Refused, match=r"values must be \(16, 2\), found \(16, 3\)"):
        replace(part, features=features(2))
    with pytest.raises(Refused, match="name"):
        replace(part, task="growth")


def test_a_task_that_scores_strange_firms_is_refused() -> None:
    given = publication()
    with pytest.raises(Refused, match="firms that are not there"):
        replace(given, firms=given.firms.head(5), profile=None)
