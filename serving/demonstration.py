"""The demonstration: a synthetic city from files to an explained ranking, by the public steps.

What it does is what a user does by hand: write files, import them, train, publish, ask.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from serving.plan_in_use import plan_of
from serving.workspace import SNAPSHOT, Workspace

__all__ = ["AS_OF", "TASKS", "import_city", "rank", "train_and_publish"]

AS_OF = date(2026, 6, 30)
TASKS = ("promotion:srdi_municipal@12", "growth@12", "distress@12")

Say = Callable[[str], None]


def import_city(workspace: Workspace, firms: int, seed: int, say: Say) -> None:
    """Make the city, write its files below the home, and import them one by one."""
    import city
    from city.files import DELIVERIES, write
    from features.mapping_build import load_mapping
    from features.prepared import prepare

    files = write(city.build(firms, seed, draws=0), workspace.home / "files")
    with resources.as_file(resources.files("city") / "mapping.toml") as path:
        mapping = load_mapping(path)
    for name in DELIVERIES:
        receipt = workspace.vault.add(prepare(files[name], mapping, AS_OF))
        rows = ", ".join(f"{table} {count}" for table, count in receipt.tables.items())
        say(f"  {Path(files[name]).name}: {rows}")


def train_and_publish(
    workspace: Workspace, seed: int, progress: Callable[[str, int, int], None]
) -> str:
    """Train the demo's tasks, put them in use and publish; returns the snapshot's id."""
    from model.bundle import load, write
    from model.training import REDRAWS, Run, train
    from serving import snapshot
    from serving.publishing import Rules, published

    history = workspace.history()
    bundles = []
    for i, name in enumerate(TASKS):
        progress("tasks trained", i, len(TASKS))
        trained = train(history, workspace.task(name, history), AS_OF, Run(seed, redraws=REDRAWS))
        bundle = load(write(trained, workspace.bundles))
        workspace.put_in_use(bundle)
        bundles.append(bundle)
    progress("tasks trained", len(TASKS), len(TASKS))
    rules = Rules(workspace.law, plan_of(workspace, AS_OF))
    publication = published(history, AS_OF, bundles, rules, progress)
    identity = snapshot.write(publication, workspace.home)
    pointer = workspace.store.pointer(SNAPSHOT)
    workspace.store.move_pointer(SNAPSHOT, identity, pointer.revision if pointer else None)
    return identity


def rank(workspace: Workspace, k: int) -> list[dict[str, Any]]:
    """The first ``k`` firms of the first task, each with its reasons."""
    from serving.access import LOCAL
    from serving.lookups import Filters, Page, Served, explanation, rankings

    served = Served(workspace.snapshot())
    page, _ = rankings(served, LOCAL, (TASKS[0], Filters()), Page(limit=k))
    return [explanation(served, LOCAL, item["firm_id"], TASKS[0]) for item in page["items"]]
