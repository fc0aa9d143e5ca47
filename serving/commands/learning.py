"""Commands that learn and score: train, evaluate, score, use."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from serving.commands import edge
from serving.commands.edge import DAY, DAYS, JSON, OUT_FILE, OUT_FOLDER, bars, emit, note, warn
from serving.workspace import Workspace
from tidu.errors import NotFound, UsageError

if TYPE_CHECKING:
    from features.panel import History
    from model.evaluation import Evaluation
    from model.scoring import ScoreBook
    from model.switch import Switch
    from model.tasks import Task
    from model.training import Run

__all__ = ["evaluate_command", "score_command", "train_command", "use_command"]

HORIZON = click.option(
    "--horizon", type=click.IntRange(min=1), help="Months; the same as @MONTHS in the task."
)
SEED = click.option("--seed", type=edge.SEED, default=0, show_default=True)
TASK = click.option("--task", "task_name", required=True, help="name[:variant]@months")


@click.command("train")
@TASK
@click.option("--as-of", "day", type=DAY, required=True, help="What was known by this day's end.")
@HORIZON
@SEED
@click.option("--out", type=OUT_FOLDER, help="Folder that gets the bundle's directory.")
@JSON
def train_command(
    task_name: str, day: date, horizon: int | None, seed: int, out: Path | None, as_json: bool
) -> None:
    """Train a task and write its bundle; the first of a task comes into use."""
    from model.bundle import load, write
    from model.training import REDRAWS, Run, train

    workspace = Workspace.of()
    history = workspace.history()
    task = workspace.task(task_name, history, horizon)
    with bars() as progress:
        trained = train(history, task, day, Run(seed, progress, REDRAWS))
    path = write(trained, out or workspace.bundles)
    # The home keeps every bundle it may put into use, wherever else one was asked for.
    kept = write(trained, workspace.bundles) if out else path
    bundle = load(kept)
    if workspace.put_in_use(bundle, only_first=True):
        note(f"First bundle of {task.name}: it is in use now.")
    report = dict(bundle.report)
    result = {
        "task": str(task.name),
        "bundle_id": bundle.id,
        "path": str(path),
        "report": report,
    }
    text = f"{bundle.id}  {task.name}  n {report['n']}  positives {report['positives']}\n{path}"
    emit(result, as_json, text)


@click.command("evaluate")
@TASK
@click.option("--test-as-of", "days", type=DAYS, help="Test dates: D1,D2,…")
@click.option("--switch", "edition", help="Back-test the switch to this edition, e.g. 2026.")
@HORIZON
@SEED
@click.option("--test-firms", type=click.Path(path_type=Path), help="Firm ids, one a line.")
@click.option("--html", type=OUT_FILE, help="Write the report as HTML, too.")
@JSON
def evaluate_command(
    task_name: str,
    days: tuple[date, ...] | None,
    edition: str | None,
    horizon: int | None,
    seed: int,
    test_firms: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Evaluate out of time, or by firm with --test-firms, beside simple rivals."""
    from model.evaluation import evaluate
    from model.training import Run

    workspace = Workspace.of()
    history = workspace.history()
    task = workspace.task(task_name, history, horizon)
    firms = _test_firms(test_firms, history) if test_firms else None
    with bars() as progress:
        run = Run(seed, progress)
        tested = _switch(history, task, edition, days, run) if edition else None
        days = days or (tuple(t.as_of for t in tested.before) if tested else None)
        if not days:
            raise UsageError(
                "An evaluation needs test dates; found neither --test-as-of nor --switch.",
                "Write for example --test-as-of 2024-06-30,2025-06-30.",
            )
        found = evaluate(history, task, days, firms, run)
    if tested:
        found = replace(found, switched=tested.as_json())
    if html:
        from model.report import evaluation_html

        html.write_text(evaluation_html(found.as_json()), encoding="utf-8")
        note(f"Wrote {html}.")
    emit(found.as_json(), as_json, _evaluation_text(found))


@click.command("score")
@click.option("--bundle", "reference", required=True, help="Directory or id of a bundle.")
@click.option("--as-of", "day", type=DAY, required=True)
@click.option("--out", type=OUT_FILE, required=True, help="CSV to write.")
@JSON
def score_command(reference: str, day: date, out: Path, as_json: bool) -> None:
    """Score the bundle's cohort on a day: firm_id, rank, score, probability, p_low, p_high."""
    from model.bundle import load
    from model.scoring import score

    workspace = Workspace.of()
    bundle = load(workspace.bundle_path(reference))
    edge.warn_of_hindsight(bundle.id, bundle.as_of, day)
    book = score(bundle, workspace.history().as_of(day))
    _write_csv(book, out)
    stale = int(book.stale.sum())
    if stale:
        note(f"{stale} of {len(book.rank)} firms have accounts older than usual.")
    result = {
        "task": str(bundle.task.name),
        "bundle_id": bundle.id,
        "as_of": day.isoformat(),
        "firms": len(book.rank),
        "stale": stale,
        "out": str(out),
    }
    emit(result, as_json, f"{len(book.rank)} firms → {out}")


@click.command("use")
@click.argument("task_name", metavar="TASK")
@click.argument("reference", metavar="BUNDLE")
@JSON
def use_command(task_name: str, reference: str, as_json: bool) -> None:
    """Put BUNDLE into use for TASK; publishing follows it."""
    from model.bundle import adopt, load
    from model.tasks import TaskName

    workspace = Workspace.of()
    bundle = load(workspace.bundle_path(reference))
    asked = TaskName.parse(task_name)
    own = bundle.task.name
    if (asked.name, asked.variant) != (own.name, own.variant) or asked.months not in (
        0,
        own.months,
    ):
        raise UsageError(
            f"Bundle {bundle.id} is of {own}, not of {task_name}.", f"tidu use {own} {bundle.id}"
        )
    adopt(bundle, workspace.bundles)
    workspace.put_in_use(bundle)
    emit({"task": str(own), "bundle_id": bundle.id}, as_json, f"{own} → {bundle.id}")


def _switch(
    history: History, task: Task, edition: str, days: tuple[date, ...] | None, run: Run
) -> Switch:
    """The back-test of a switch, up to the last test date, if any was given."""
    from model.switch import back_test

    return back_test(history, task, edition, max(days) if days else None, run)


def _test_firms(file: Path, history: History) -> frozenset[str]:
    """The ids in a file, one a line; ids that the data does not know are told of."""
    from model.evaluation import evidence_day

    firms = _lines(file)
    unknown = sorted(firms - {str(f) for f in history.as_of(evidence_day(history)).firm_ids})
    if len(unknown) == len(firms):
        raise NotFound(
            f"--test-firms {file} names no firm of this data, found for example {unknown[0]!r}.",
            "Write firm ids as they were imported, one a line.",
        )
    if unknown:
        warn(f"{len(unknown)} of {len(firms)} test firms are unknown here: {unknown[0]!r}, ….")
    return firms


def _lines(file: Path) -> frozenset[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--test-firms {file} cannot be read: {error}.", "Give a UTF-8 text, one id a line."
        ) from None
    firms = frozenset(line.strip() for line in lines if line.strip())
    if not firms:
        raise UsageError(
            f"--test-firms {file} must hold firm ids, found none.", "Write one id a line."
        )
    return firms


def _write_csv(book: ScoreBook, out: Path) -> None:
    staged = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        book.frame().to_csv(staged, index=False)
        os.replace(staged, out)
    finally:
        staged.unlink(missing_ok=True)


def _evaluation_text(found: Evaluation) -> str:
    result = found.as_json()
    rows = []
    metrics, baselines = result["metrics"], result["baselines"]
    assert isinstance(metrics, dict)
    assert isinstance(baselines, dict)
    for name, values in {"tidu": metrics, **baselines}.items():
        precision = values["p_at"]
        rows.append(
            {
                "model": name,
                "auc": values["auc"],
                "ap": values["ap"],
                "p@50": precision["50"],
                "brier": values.get("brier"),
                "ece": values.get("ece"),
            }
        )
    head = f"{found.task.name}  {found.split}  n {result['n']}  positives {result['positives']}"
    table = edge.table(rows, ("model", "auc", "ap", "p@50", "brier", "ece"))
    return "\n".join([head, table, *_edition_lines(result)])


def _edition_lines(result: dict[str, Any]) -> list[str]:
    """What the report says of editions: outcomes of each, statements, the back-test of a switch."""
    lines = [
        f"edition {name}  positives {part['positives']}  ap {part['metrics']['ap']:.3f}"
        for name, part in result["editions"].items()
        if part["dates"]
    ]
    said = {s["code"]: s for date in result["dates"] for s in date["training"]["statements"]}
    lines += [f"{s['zh']}  {s['en']}" for s in said.values()]
    if switch := result["switch"]:
        gain = switch["gain"]["ap"]
        lines.append(
            f"switch to {switch['edition']}  positives {switch['positives']}"
            f"  ap before {switch['before']['ap']:.3f}  after {switch['after']['ap']:.3f}"
            f"  gain {gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]"
        )
    return lines
