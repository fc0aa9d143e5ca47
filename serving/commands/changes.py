"""Commands about what changed: history."""

from __future__ import annotations

from typing import Any

import click

from serving.commands.edge import JSON, LANGUAGE, emit, table
from serving.commands.publishing import published_name
from serving.workspace import Workspace

__all__ = ["history_command", "history_text"]

FACTORS = {
    "data": ("数据", "data"),
    "model": ("模型", "model"),
    "rule": ("规则", "rule"),
    "quota": ("名额与筛选", "quota"),
}
STATES = {"outside": ("不在评分范围", "outside the cohort"), "not_there": ("无此企业", "not there")}


@click.command("history")
@click.argument("firm")
@click.option("--task", "task_name", required=True, help="name[:variant]@months")
@LANGUAGE
@JSON
def history_command(firm: str, task_name: str, lang: str, as_json: bool) -> None:
    """Where FIRM stood in every snapshot of the home, and what moved it since the one before."""
    from serving.access import LOCAL
    from serving.lookups import Served
    from serving.lookups_law import firm as firm_of
    from serving.rank_history import Standings, catalogue, firm_history

    workspace = Workspace.of()
    served = Served(workspace.snapshot())
    brief = firm_of(served, LOCAL, firm)
    task = served.task(published_name(workspace, served, task_name))
    items = firm_history(
        Standings(workspace.home),
        (firm, task.name),
        catalogue(workspace.home),
        workspace.store.first_in_service,
    )
    head = {**served.envelope(task.bundle_id), "task": task.name, "firm": brief}
    found = {**head, "items": items}
    emit(found, as_json, history_text(found, lang))


def history_text(found: dict[str, Any], lang: str) -> str:
    """A history as a table."""
    pick = 0 if lang == "zh" else 1
    heads = (
        ("日期", "位次", "估计概率", "区间", "层级", "变化因素", "变化最大的指标"),
        ("as of", "rank", "chance", "interval", "tier", "changed", "figures"),
    )[pick]
    rows = [dict(zip(heads, _cells(item, pick), strict=True)) for item in found["items"]]
    firm = found["firm"]
    return "\n".join(
        [f"{firm['firm_id']} {firm['name'] or ''}  {found['task']}", table(rows, heads)]
    )


def _cells(item: dict[str, Any], pick: int) -> tuple[str | None, ...]:
    if item["rank"] is None:
        state = STATES[item["state"]][pick]
        return item["as_of"], state, None, None, item["tier"], None, None
    moved = item["moved"]
    changed = figures = None
    rank = f"{item['rank']}/{item['of']}"
    if moved:
        rank += f" ({-moved['rank']:+d})"
        changed = ("、", ", ")[pick].join(FACTORS[name][pick] for name in moved["changed"])
        figures = "; ".join(
            f"{f['zh' if pick == 0 else 'en']} {_figure(f['before'])} → {_figure(f['after'])}"
            for f in moved["figures"] or ()
        )
    interval = f"{item['p_low']:.1%}–{item['p_high']:.1%}"
    return (
        item["as_of"],
        rank,
        f"{item['probability']:.1%}",
        interval,
        item["tier"],
        changed,
        figures,
    )


def _figure(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"
