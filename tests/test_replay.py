"""Past answers again, from the snapshot's id alone, after late corrections and other models."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import pytest
from http_client import client_of
from small_city import AS_OF, MAPPING, Trained, call, copied, done, quick, refused, rows_of

import serving.publishing
from serving.app import Config, create_app
from serving.casework import Casework
from serving.replay import Replay, rebuilt, snapshot_of
from serving.snapshot import Snapshot
from serving.workspace import Workspace
from tidu.errors import NotFound, Refused, UsageError

TASK = "growth@12"


def addresses(snapshot: Snapshot) -> list[str]:
    """Every kind of address that a snapshot alone answers."""
    task = snapshot.tasks[TASK]
    a, b = (snapshot.firms.ids[n] for n in task.scores.firm[:2].tolist())
    return [
        "/v1/firms?q=1&limit=7",
        f"/v1/rankings/{TASK}?limit=20",
        f"/v1/firms/{a}",
        f"/v1/firms/{a}/explanations/{TASK}",
        f"/v1/firms/{a}/criteria/srdi_municipal",
        f"/v1/firms/{b}/materials/little_giant?purpose=review",
        f"/v1/firms/{b}/path/innovative_sme",
        f"/v1/firms/{b}/measures",
        f"/v1/compare?a={a}&b={b}&task={TASK}",
        "/v1/targets",
        "/v1/policy",
        "/v1/policy/diff?a=63-2022/annex3&b=2-2026/annex2",
        "/v1/snapshots/current",
        "/v1/firms/nobody",
        f"/v1/rankings/{TASK}?limit=0",
    ]


def corrected(home: Path, files: Path, folder: Path) -> None:
    """Accounts of last year come in once more, all doubled, and become known after the snapshot."""
    rows = [row for row in rows_of(files / "annual.csv") if row["year"] == "2025"]
    file = folder / "late.csv"
    with open(file, "w", encoding="utf-8", newline="") as lines:
        out = csv.DictWriter(lines, list(rows[0]))
        out.writeheader()
        for row in rows:
            revenue = row["revenue"]
            out.writerow(row | {"revenue": str(2 * float(revenue)) if revenue else ""})
    done(home, "import", file, "--mapping", MAPPING)


@pytest.fixture(scope="module")
def moved_on(
    city_home: Trained, city_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, dict[str, tuple[int, bytes]]]:
    """A home after corrections, other models and another publication; the answers before."""
    place = tmp_path_factory.mktemp("replay")
    home = copied(city_home.home, place / "home")
    workspace = Workspace(home)
    first = workspace.snapshot()
    with Replay(workspace, first.id) as asked:
        before = {}
        for address in addresses(first):
            answer = asked.get(address)
            before[address] = (answer.status, answer.body)
    corrected(home, city_files, place)
    (home / "policy").mkdir()
    setting = "[parameters]\nmunicipal_score_line = 99\n"
    (home / "policy" / "city.toml").write_text(setting, encoding="utf-8")
    with quick():
        other = done(home, "train", "--task", TASK, "--as-of", AS_OF, "--seed", 5)
        done(home, "use", TASK, other["bundle_id"])
        done(home, "publish", "--as-of", AS_OF)
    assert Workspace(home).snapshot().id != first.id
    return home, first.id, before


Moved = tuple[Path, str, dict[str, tuple[int, bytes]]]


def test_every_answer_is_the_same_bytes_after_the_home_has_moved_on(moved_on: Moved) -> None:
    home, identity, before = moved_on
    with Replay(Workspace(home), identity) as asked:
        again = {address: asked.get(address) for address in before}
    for address, (status, body) in before.items():
        assert (again[address].status, again[address].body) == (status, body), address
    assert [status for status, _ in before.values()] == [200] * 13 + [404, 422]
    with Replay(Workspace(home), Workspace(home).snapshot().id) as now:
        assert (
            now.get(f"/v1/rankings/{TASK}?limit=20").body
            != before[f"/v1/rankings/{TASK}?limit=20"][1]
        )


def test_what_a_replay_says_is_what_the_service_says(moved_on: Moved) -> None:
    home, _, _ = moved_on
    workspace = Workspace(home)
    address = f"/v1/rankings/{TASK}?limit=5&industry=C"
    app = create_app(Config(home, casework=Casework.of(workspace)))
    app.state.follower.look()

    async def served() -> bytes:
        async with client_of(app) as client:
            return (await client.get(address)).content

    body = asyncio.run(served())
    for queue in (app.state.follower, app.state.pool, app.state.cases, app.state.desk):
        queue.close()
    with Replay(workspace, workspace.snapshot().id) as asked:
        assert asked.get(address).body == body
    answer = call(home, "replay", workspace.snapshot().id, address)
    assert answer.out.encode() == body


def test_a_snapshot_made_anew_from_its_inputs_is_the_same(
    moved_on: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, identity, _ = moved_on
    workspace = Workspace(home)
    snapshot = Snapshot.open(home / "snapshots" / identity)
    with quick():
        found = rebuilt(workspace, snapshot)
        assert (found.snapshot_id, found.differing) == (identity, ())
        monkeypatch.setattr(serving.publishing, "__version__", "another")
        error = refused(home, "replay", identity[:12], "--rebuild")
    assert error["differing"] == ["inputs.code_version"]


def test_a_bundle_or_law_that_is_gone_is_said(moved_on: Moved, tmp_path: Path) -> None:
    home = copied(moved_on[0], tmp_path / "home")
    workspace = Workspace(home)
    snapshot = Snapshot.open(home / "snapshots" / moved_on[1])
    bundle = snapshot.tasks[TASK].bundle_id
    (workspace.bundles / bundle).rename(tmp_path / "aside")
    with pytest.raises(NotFound, match=bundle), quick():
        rebuilt(workspace, snapshot)
    lawless = Snapshot.open(snapshot.path, lambda part: part != "law")
    with pytest.raises(Refused, match="law must be a part"):
        rebuilt(workspace, lawless)


def test_what_nobody_can_repeat_is_refused(moved_on: Moved) -> None:
    home, identity, _ = moved_on
    with Replay(Workspace(home), identity) as asked:
        for address in ("/v1/models", "/v1/snapshots"):
            with pytest.raises(UsageError, match="follow from its snapshot"):
                asked.get(address)
        with pytest.raises(UsageError, match="begin with /"):
            asked.get("v1/targets")
    assert refused(home, "replay", identity, status=2)["cure"]
    assert refused(home, "replay", identity, "/v1/targets", "--rebuild", status=2)["cure"]
    assert refused(home, "replay", "nothing", "/v1/targets")["code"] == "not_found"
    assert call(home, "replay", identity, "/v1/firms/nobody").status == 1


def test_a_snapshot_is_named_by_the_start_of_its_id(tmp_path: Path) -> None:
    for name in ("ab1", "ab2", "c1"):
        folder = tmp_path / "snapshots" / name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}", encoding="utf-8")
    workspace = Workspace(tmp_path)
    assert snapshot_of(workspace, "c") == "c1"
    with pytest.raises(UsageError, match="the start of 2"):
        snapshot_of(workspace, "ab")
    for nothing in ("", "d", "c11"):
        with pytest.raises(NotFound, match="one of this home"):
            snapshot_of(workspace, nothing)


def test_a_damaged_snapshot_is_refused(moved_on: Moved, tmp_path: Path) -> None:
    home = copied(moved_on[0], tmp_path / "home")
    (home / "snapshots" / moved_on[1] / "firms.arrow").unlink()
    with pytest.raises(Refused, match=r"firms\.arrow"):
        Replay(Workspace(home), moved_on[1])
