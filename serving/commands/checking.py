"""The command that checks a home: check."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from serving.commands.edge import DAY, JSON, SEED, bars, emit, note, table
from serving.workspace import Workspace
from tidu.errors import NotAvailable, NotFound, Refused, UsageError

if TYPE_CHECKING:
    from features.panel import History
    from model.bundle import Bundle
    from model.leakage import Finding
    from model.training import Progress

__all__ = ["check_command"]

SHOWN = 10
WORDS = {
    "fresh": "newest values know the outcome",
    "static": "a mark that never changes knows the outcome",
    "missing": "what is empty knows the outcome",
}


@click.command("check")
@click.option("--leakage", is_flag=True, help="Look for answers and columns that see the future.")
@click.option("--as-of", "day", type=DAY, required=True, help="Nothing later may matter.")
@click.option(
    "--task", "names", multiple=True, help="name[:variant]@months; default: those in use."
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the scrambling.")
@JSON
def check_command(
    leakage: bool, day: date, names: tuple[str, ...], seed: int, as_json: bool
) -> None:
    """Prove that what a day sees does not depend on what came after it.

    Everything known later is scrambled and every answer made again; then each column is tested for
    knowing outcomes that lay ahead. Ends with 1 where something moved or a column is flagged.
    """
    import numpy as np

    from features.scrambling import scrambled_history
    from serving.proving import compared, seen_at

    if not leakage:
        raise UsageError("tidu check needs to know what to check.", "Write tidu check --leakage.")
    workspace = Workspace.of()
    history = workspace.history()
    bundles = _bundles(workspace)
    with bars() as progress:
        other = scrambled_history(history, day, np.random.default_rng(seed))
        seen = []
        for done, one in enumerate((history, other)):
            progress("histories seen", done, 2)
            seen.append(seen_at(one, day, bundles, workspace.law))
        progress("histories seen", 2, 2)
        proven = compared(day, *seen)
        tasks = names or tuple(str(bundle.task.name) for bundle in bundles)
        findings = {name: _inspected(workspace, history, name, day, progress) for name in tasks}
    flagged = [f for found in findings.values() for f in found if f.flagged]
    result = {
        "scrambled": proven.as_json(),
        "tasks": {name: [f.as_json() for f in found] for name, found in findings.items()},
        "flagged": len(flagged),
    }
    lines = [
        f"{proven.compared} answers at {day} against another future: {len(proven.moved)} moved"
    ]
    lines += [f"  {name}" for name in proven.moved[:SHOWN]]
    for name, found in findings.items():
        lines += ["", name, _rows(found)] if found else []
    emit(result, as_json, "\n".join(lines))
    if proven.moved or flagged:
        raise Refused(
            f"Nothing may see the future; found {len(proven.moved)} answers that moved and"
            f" {len(flagged)} columns that know outcomes ahead.",
            "Look at when each column was filled in: give its rows the day on which they became"
            " known, or leave the column out of the mapping.",
        )


def _bundles(workspace: Workspace) -> list[Bundle]:
    from model.bundle import load

    used = [p for name, p in workspace.store.pointers().items() if name.startswith("task:")]
    if not used:
        raise NotFound("No model is in use.", "Train one first: tidu train --task … --as-of …")
    return [load(workspace.bundle_path(pointer.value)) for pointer in used]


def _inspected(
    workspace: Workspace, history: History, name: str, day: date, progress: Progress
) -> tuple[Finding, ...]:
    from model.leakage import inspect
    from model.leakage_evidence import evidence

    try:
        return inspect(evidence(history, workspace.task(name, history), day), progress=progress)
    except NotAvailable as missing:
        note(f"{name}: columns not tested. {missing.message}")
        return ()


def _rows(found: tuple[Finding, ...]) -> str:
    shown = [f for f in found if f.flagged] or list(found[:3])
    rows = [
        {
            "column": ", ".join(f.columns[:4]) + (" …" if len(f.columns) > 4 else ""),
            "gain in AUC": f.gain,
            "±": f.error,
            "alone": None if f.alone is None else f.alone[0],
            "finding": f"flagged: {WORDS[f.test]}" if f.flagged else "no leak found",
        }
        for f in shown[:SHOWN]
    ]
    return table(rows, ("column", "gain in AUC", "±", "alone", "finding"))
