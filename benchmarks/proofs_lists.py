"""Proofs of lists: past answers again from a snapshot's id, and nothing in them from later."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from importlib import resources
from itertools import islice
from pathlib import Path

import numpy as np

import city
from benchmarks.proof_item import Proof
from benchmarks.scramble import history
from benchmarks.scramble_lists import lists_at
from city.files import write as write_files
from features.mapping_build import load_mapping
from features.prepared import prepare
from features.scrambling import scrambled
from model.bundle import Bundle, load
from model.bundle import write as write_bundle
from model.training import Run, train
from policy.plan.files import load_plans
from serving.access import LOCAL
from serving.casework import Casework
from serving.lookups import Served
from serving.publishing import Rules, published
from serving.replay import Replay, rebuilt
from serving.shortlist.kept import Lists
from serving.shortlist.making import shortlist
from serving.shortlist.question import Question
from serving.snapshot import Snapshot
from serving.snapshot import write as write_snapshot
from serving.workspace import SNAPSHOT, Workspace

DAY, TRAINED = date(2025, 6, 30), date(2025, 6, 30)
TASKS = ("promotion:srdi_municipal@12", "growth@12")
EARLY = ("firms", "annual", "titles", "applications", "events", "materials")
LATE = "annual_corrections"
TIERS = ("innovative_sme", "srdi_municipal", "little_giant")


def replay(sample: bool) -> dict[str, object]:
    """Answers of every route that a snapshot answers, before and after corrections came in."""
    firms, asked = (500, 40) if sample else (1_000, 200)
    with tempfile.TemporaryDirectory() as folder:
        workspace, later = _home(Path(folder), firms)
        snapshot = _published(workspace, 0)
        lists = Lists(workspace.store)
        for k, mode in ((10, ""), (8, "upgrade"), (12, "missed")):
            question = Question(TASKS[0], k, mode)
            made = shortlist(Served(snapshot), LOCAL, question, Casework.of(workspace))
            lists.save(made, "proof", f"list{k}")
        addresses = list(islice(_addresses(snapshot), asked))
        before = _answers(workspace, snapshot, addresses)
        _import(workspace, later)  # late corrections of accounts that had been read
        after = _published(workspace, 7)
        again = _answers(workspace, snapshot, addresses)
        now = _answers(workspace, after, addresses)
        same = rebuilt(workspace, snapshot)
        return {
            "answers": len(addresses),
            "kinds of route": len({_kind(address) for address in addresses}),
            "answered": sum(status == 200 for status, _ in before),
            "changed": sum(one != two for one, two in zip(before, again, strict=True)),
            "answered otherwise by the later snapshot": sum(
                one != two for one, two in zip(before, now, strict=True)
            ),
            "made anew the same": same.snapshot_id == snapshot.id and not same.differing,
        }


def scramble_lists(sample: bool) -> dict[str, object]:
    """Every part of a snapshot and every list of it, the future scrambled."""
    firms, draws = (300, 1) if sample else (1_000, 5)
    moved, digests, full = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        workspace, _ = _home(Path(folder), firms)
        seen, bundles = workspace.history(), _bundles(workspace, 0)
        tables = {name: rows.frame for name, rows in seen.rows.items()}
        rules = Rules(workspace.law, load_plans()["2025"])
        for draw in range(draws):
            other = scrambled(tables, DAY, np.random.default_rng(draw))
            one, two = (
                lists_at(history(each), DAY, bundles, rules, workspace.home / name)
                for name, each in (("plain", tables), (f"other{draw}", other))
            )
            names = one.keys() | two.keys()
            moved += sum(one.get(name) != two.get(name) for name in names)
            digests += len(names)
            full += sum(n.startswith("list") and len(found) == 64 for n, found in one.items())
    return {"draws": draws, "digests compared": digests, "lists": full, "changed": moved}


# ---- a home


def _home(folder: Path, firms: int) -> tuple[Workspace, Path]:
    """A home of a city whose corrections have not come in yet, and the file that holds them."""
    workspace = Workspace(folder / "home")
    workspace.home.mkdir()
    files = write_files(city.build(firms, 11, draws=0), folder / "files")
    for name in EARLY:
        _import(workspace, Path(files[name]))
    return workspace, Path(files[LATE])


def _import(workspace: Workspace, file: Path) -> None:
    with resources.as_file(resources.files("city") / "mapping.toml") as path:
        workspace.vault.add(prepare(file, load_mapping(path), date(2026, 6, 30)))


def _bundles(workspace: Workspace, seed: int) -> list[Bundle]:
    seen = workspace.history()
    trained = (
        train(seen, workspace.task(name, seen), TRAINED, Run(seed)) for name in sorted(TASKS)
    )
    return [load(write_bundle(each, workspace.bundles)) for each in trained]


def _published(workspace: Workspace, seed: int) -> Snapshot:
    """Train, publish and put in service."""
    bundles = _bundles(workspace, seed)
    for bundle in bundles:
        workspace.put_in_use(bundle)
    rules = Rules(workspace.law, load_plans()["2025"])
    publication = published(workspace.history(), DAY, bundles, rules)
    identity = write_snapshot(publication, workspace.home)
    pointer = workspace.store.pointer(SNAPSHOT)
    workspace.store.move_pointer(SNAPSHOT, identity, pointer.revision if pointer else None)
    return workspace.snapshot()


# ---- what is asked


def _answers(
    workspace: Workspace, snapshot: Snapshot, addresses: list[str]
) -> list[tuple[int, bytes]]:
    with Replay(workspace, snapshot.id) as asked:
        answers = [asked.get(address) for address in addresses]
    return [(answer.status, answer.body) for answer in answers]


def _addresses(snapshot: Snapshot) -> Iterator[str]:
    """Addresses of all kinds in turn, without end, each round about another two firms."""
    yield from ("/v1/targets", "/v1/policy", "/v1/snapshots/current")
    yield from (f"/v1/shortlists/list{k}" for k in (10, 8, 12))
    yield "/v1/shortlists/list10/diff/list8"
    yield "/v1/policy/diff?a=63-2022/annex3&b=2-2026/annex2"
    task = snapshot.tasks[TASKS[0]]
    order = task.scores.firm.tolist()
    for turn in range(1_000_000):
        first, second = (
            snapshot.firms.ids[order[n % len(order)]] for n in (5 * turn, 5 * turn + 1)
        )
        tier = TIERS[turn % len(TIERS)]
        yield f"/v1/firms/{first}"
        yield f"/v1/firms/{first}/explanations/{task.name}"
        yield f"/v1/firms/{first}/criteria/{tier}"
        yield f"/v1/firms/{first}/materials/{tier}"
        yield f"/v1/firms/{first}/path/{tier}"
        yield f"/v1/firms/{first}/measures"
        yield f"/v1/compare?a={first}&b={second}&task={task.name}"
        yield f"/v1/firms?q={first[-2:]}&limit=20"
        yield f"/v1/rankings/{TASKS[turn % 2]}?limit={10 + turn}"


def _kind(address: str) -> str:
    """The route of an address: its fixed words."""
    path = address.partition("?")[0].split("/")[2:]
    return "/".join(path[:1] + path[2:3])


PROOFS = [
    Proof(
        "replay",
        "200 past answers from the snapshot's id alone are the same bytes after late corrections"
        " came in, and the snapshot made anew from its inputs is the same",
        replay,
        holds=lambda r: (
            r["changed"] == 0
            and r["answered"] == r["answers"]
            and r["made anew the same"] is True
            and float(str(r["answered otherwise by the later snapshot"])) > 0
        ),
        issue=4,
    ),
    Proof(
        "scramble-lists",
        "nothing that became known after a day changes a byte of its snapshot or of its lists",
        scramble_lists,
        holds=lambda r: r["changed"] == 0 and float(str(r["lists"])) > 0,
        issue=4,
    ),
]
