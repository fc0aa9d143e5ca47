"""Commands about what is published: publish, explain, compare."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from serving.commands.edge import DAY, JSON, LANGUAGE, bars, emit, note, warn_of_hindsight
from serving.plan_in_use import plan_of
from serving.shortlist.words import source_line
from serving.workspace import SNAPSHOT, Workspace
from tidu.errors import NotFound

if TYPE_CHECKING:
    from model.bundle import Bundle
    from serving.lookups import Served

__all__ = [
    "TASK",
    "compare_command",
    "explain_command",
    "publish_command",
    "published_name",
    "served_here",
]

TASK = click.option("--task", "task_name", required=True, help="name[:variant]@months")


@click.command("publish")
@click.option("--as-of", "day", type=DAY, required=True)
@click.option("--bundle", "references", multiple=True, help="Bundle instead of the one in use.")
@click.option(
    "--paths",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Firms a tier, best chance first, searched for a path: the stage 培育.",
)
@JSON
def publish_command(day: date, references: tuple[str, ...], paths: int, as_json: bool) -> None:
    """Score every task at a day and swap the new snapshot in at once."""
    from serving import snapshot
    from serving.publishing import Rules, published

    workspace = Workspace.of()
    pointer = workspace.store.pointer(SNAPSHOT)
    bundles = _bundles(workspace, references)
    for bundle in bundles:
        warn_of_hindsight(bundle.id, bundle.as_of, day)
    with bars() as progress:
        rules = Rules(workspace.law, plan_of(workspace, day), paths)
        publication = published(workspace.history(), day, bundles, rules, progress)
        identity = snapshot.write(publication, workspace.home)
        snapshot.Snapshot.open(workspace.home / "snapshots" / identity)
    workspace.store.move_pointer(SNAPSHOT, identity, pointer.revision if pointer else None)
    tasks = {name: len(part.scores) for name, part in publication.tasks.items()}
    result = {
        "snapshot_id": identity,
        "as_of": day.isoformat(),
        "tasks": tasks,
        "firms": len(publication.firms),
        "policy_edition": workspace.law.digest,
        "verdicts": publication.judged.editions if publication.judged else {},
    }
    lines = [f"{name}: {count} firms" for name, count in tasks.items()]
    emit(result, as_json, "\n".join([identity, *lines]))


@click.command("explain")
@click.argument("firm")
@TASK
@LANGUAGE
@JSON
def explain_command(firm: str, task_name: str, lang: str, as_json: bool) -> None:
    """Why FIRM scores what it scores: exact contributions, in words."""
    from serving.access import LOCAL
    from serving.lookups import explanation

    workspace, served = served_here()
    name = published_name(workspace, served, task_name)
    found = explanation(served, LOCAL, firm, name)
    emit(found, as_json, explained(found, lang))


@click.command("compare")
@click.argument("a")
@click.argument("b")
@TASK
@LANGUAGE
@JSON
def compare_command(a: str, b: str, task_name: str, lang: str, as_json: bool) -> None:
    """Why firm A stands above or below firm B, exactly; for use within the office only."""
    from serving.access import LOCAL
    from serving.lookups import comparison

    workspace, served = served_here()
    name = published_name(workspace, served, task_name)
    found = comparison(served, LOCAL, (a, b), name)
    note(INTERNAL[lang])
    note(source_line(found, lang))
    emit(found, as_json, compared(found, lang))


REST = {
    "zh": "其余{0}项指标:评分差{1:+.2f}",
    "en": "{0} further features: score difference {1:+.2f}",
}

INTERNAL = {
    "zh": "仅供内部研究,不对外提供;行政决定只引用条款",
    "en": "Internal only, not to be passed on: administrative decisions cite clauses",
}


def compared(found: dict[str, Any], lang: str) -> str:
    """A comparison as lines of text."""
    heads = [
        f"{side}: {found[side]['firm_id']} {found[side]['name'] or ''}  {found[side]['rank']}/"
        f"{found[side]['of']}  {found[side]['probability']:.1%}"
        for side in ("a", "b")
    ]
    total = f"a - b: {found['score_difference']:+.4g}"
    lines = [
        f"{sign} {reason[f'text_{lang}']}"
        for sign, kind in (("+", "positive"), ("-", "negative"))
        for reason in found[kind]
    ]
    if found["rest"]["features"]:  # so that what is shown adds up to the difference
        lines.append(REST[lang].format(found["rest"]["features"], found["rest"]["contribution"]))
    return "\n".join([*heads, total, *lines])


def explained(found: dict[str, Any], lang: str) -> str:
    """An explanation as lines of text."""
    chance = f"{found['probability']:.1%} ({found['p_low']:.1%}–{found['p_high']:.1%})"
    lines = [
        f"{found['task']}  {found['firm']['firm_id']}  {found['rank']}/{found['of']}  {chance}"
    ]
    for sign, kind in (("+", "positive"), ("-", "negative")):
        lines += [f"{sign} {reason[f'text_{lang}']}" for reason in found[kind]]
    return "\n".join(lines)


def served_here() -> tuple[Workspace, Served]:
    """The home and the snapshot that it serves."""
    from serving.lookups import Served

    workspace = Workspace.of()
    return workspace, Served(workspace.snapshot())


def published_name(workspace: Workspace, served: Served, text: str) -> str:
    """The full name of a task in the snapshot; a name without months may be the only one."""
    if text in served.snapshot.tasks:
        return text
    fitting = [name for name in served.snapshot.tasks if name.split("@")[0] == text]
    if len(fitting) == 1:
        return fitting[0]
    return str(workspace.task(text, workspace.history()).name)


def _bundles(workspace: Workspace, references: tuple[str, ...]) -> list[Bundle]:
    from model.bundle import load

    used = {
        name.removeprefix("task:"): pointer.value
        for name, pointer in workspace.store.pointers().items()
        if name.startswith("task:")
    }
    # Each bundle is tried out in a process of its own when it is loaded: several at once.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        named = pool.map(load, map(workspace.bundle_path, references))
        chosen = {str(bundle.task.name): bundle for bundle in named}
        others = [workspace.bundle_path(used[name]) for name in sorted(used.keys() - chosen)]
        chosen |= {str(bundle.task.name): bundle for bundle in pool.map(load, others)}
    if not chosen:
        raise NotFound("No bundle is in use.", "Train one first: tidu train --task T --as-of D")
    note(f"Publishing {', '.join(sorted(chosen))}.")
    return [chosen[name] for name in sorted(chosen)]
