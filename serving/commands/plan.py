"""The plan at a day: what each of its rows comes to, with the names behind each figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from serving.commands.edge import DAY, JSON, SEED, bars, emit, note, table
from serving.workspace import Workspace
from tidu.clock import today

if TYPE_CHECKING:
    from policy.plan import Row
    from policy.result import Result

__all__ = ["plan_command"]

SHOWN = 40


@click.command("plan")
@click.argument("row", required=False)
@click.option("--as-of", "day", type=DAY, default=None, help="Default: today.")
@click.option("--plan", "name", default="2025", show_default=True, help="Which plan.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the forecasts.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@JSON
def plan_command(
    row: str | None, day: date | None, name: str, seed: int, lang: str, as_json: bool
) -> None:
    """Run one row of the city's plan (G4, A7, D10 …), or list all rows and what they come to."""
    from policy.consequences import consequence
    from policy.grounded import footing
    from policy.plans import check_rows, load_plans, stage_definition
    from serving.prospects import with_chances, with_paths
    from tidu.errors import NotFound

    workspace = Workspace.of()
    plans = load_plans(workspace.home / "policy" / "plan")
    if name not in plans:
        raise NotFound(f"No plan {name!r}.", f"There are {', '.join(plans)}.")
    plan = plans[name]
    rows = [plan.row(row)] if row else plan.rows
    situation = workspace.situation(day or today())
    check_rows(plans, situation.law.city)
    stand = footing(situation, plan)
    definition = stage_definition(stand.settings)
    stand = replace(stand, rng=np.random.default_rng(seed), definition=definition)
    with bars() as progress:
        stand = with_chances(stand, workspace, progress)
        if len(rows) == 1 and rows[0].form == "stages":
            stand = with_paths(stand, situation, lambda _: None, progress)
    results = [(each, consequence(each, stand)) for each in rows]
    if row:
        each, result = results[0]
        emit(_whole(each, result), as_json, _page(each, result, lang))
        return
    briefs = [_brief(each, result) for each, result in results]
    columns = ("id", "kind", lang, "rows", "totals")
    emit({"plan": name, "rows": briefs}, as_json, table(briefs, columns))


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
        "parameters": {k: _plain(v) for k, v in result.parameters.items()},
        "table": [_cells(record) for record in result.table.to_dict("records")],
    }


def _page(row: Row, result: Result, lang: str) -> str:
    records = [_cells(record) for record in result.table.to_dict("records")]
    lines = [f"{row.id} {getattr(row, lang)}"]
    lines += [f"{k}: {'待定' if v is None else f'{v:g}'}" for k, v in result.totals.items()]
    lines += [f"* {getattr(n, lang)}" for n in result.notes]
    lines += [f"{k} = {_plain(v)}" for k, v in result.parameters.items()]
    if records:
        lines.append(table(records[:SHOWN], list(records[0])))
    if len(records) > SHOWN:
        note(f"{len(records) - SHOWN} more rows; --json gives all.")
    return "\n".join(lines)


def _cells(record: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    """A cell as JSON knows it; what is missing is null."""
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, date) and value == value:
        return value.isoformat()[:10]
    if isinstance(value, float | np.floating):
        return None if not np.isfinite(value) else float(value)
    if isinstance(value, np.generic):
        return value.item()
    return None if value != value else str(value)
