"""The plan at a day: what each of its rows comes to, with the names behind each figure."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from serving.commands.edge import DAY, JSON, SEED, bars, emit, note, table
from serving.plain import cells, plain
from serving.plan_in_use import plan_of, standing
from serving.workspace import Workspace
from tidu.clock import today

if TYPE_CHECKING:
    from policy.plan.result import Result
    from policy.plan.rows import Row

__all__ = ["plan_command"]

SHOWN = 40


@click.command("plan")
@click.argument("row", required=False)
@click.option("--as-of", "day", type=DAY, default=None, help="Default: today.")
@click.option("--plan", "name", default="", help="Default: the newest that has begun.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the forecasts.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@JSON
def plan_command(
    row: str | None, day: date | None, name: str, seed: int, lang: str, as_json: bool
) -> None:
    """Run one row of the city's plan (G4, A7, D10 …), or list all rows and what they come to."""
    from policy.plan.consequences import consequence
    from serving.prospects import rescorer, with_paths

    workspace = Workspace.of()
    plan = plan_of(workspace, day or today(), name)
    rows = [plan.row(row)] if row else plan.rows
    situation = workspace.situation(day or today())
    with bars() as progress:
        stand = standing(workspace, situation, plan, seed, progress)
        if len(rows) == 1 and rows[0].form == "stages":
            rescored = partial(rescorer, workspace, situation.panel)
            stand = with_paths(stand, situation, rescored, progress)
    results = [(each, consequence(each, stand)) for each in rows]
    if row:
        each, result = results[0]
        emit(_whole(each, result), as_json, _page(each, result, lang))
        return
    briefs = [_brief(each, result) for each, result in results]
    columns = ("id", "kind", lang, "rows", "totals")
    emit({"plan": plan.id, "rows": briefs}, as_json, table(briefs, columns))


def _brief(row: Row, result: Result) -> dict[str, Any]:
    figures = {k: v for k, v in result.totals.items() if v is not None}
    first = ", ".join(f"{k} {v:g}" for k, v in list(figures.items())[:3])
    return {"id": row.id, "kind": row.kind, "zh": row.zh, "en": row.en,
            "rows": len(result.table), "totals": first or "-"}  # fmt: skip


def _whole(row: Row, result: Result) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "zh": row.zh,
        "en": row.en,
        "quote": row.quote,
        "totals": dict(result.totals),
        "notes": [{"zh": n.zh, "en": n.en} for n in result.notes],
        "parameters": {k: plain(v) for k, v in result.parameters.items()},
        "table": [cells(record) for record in result.table.to_dict("records")],
    }


def _page(row: Row, result: Result, lang: str) -> str:
    records = [cells(record) for record in result.table.to_dict("records")]
    lines = [f"{row.id} {getattr(row, lang)}"]
    lines += [f"{k}: {'待定' if v is None else f'{v:g}'}" for k, v in result.totals.items()]
    lines += [f"* {getattr(n, lang)}" for n in result.notes]
    lines += [f"{k} = {plain(v)}" for k, v in result.parameters.items()]
    if records:
        lines.append(table(records[:SHOWN], list(records[0])))
    if len(records) > SHOWN:
        note(f"{len(records) - SHOWN} more rows; --json gives all.")
    return "\n".join(lines)
