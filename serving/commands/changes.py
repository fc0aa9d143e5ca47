"""Commands about what changed: a firm's history, and the difference of two lists."""

from __future__ import annotations

from typing import Any

import click

from model.wording import change
from serving.commands.edge import JSON, LANGUAGE, emit, note, table
from serving.commands.publishing import published_name
from serving.shortlist.difference_words import FACTOR_WORDS
from serving.shortlist.question import MODES, MOST, Question, mode_of
from serving.shortlist.words import source_line
from serving.workspace import Workspace

__all__ = ["diff_command", "difference_text", "history_command", "history_text"]

SIDES = {"before": ("此前", "before"), "after": ("此后", "after")}
FACTORS = {"data": ("数据", "data"), "model": ("模型", "model"), "rule": ("规则", "rule")}
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
    note(source_line(found, lang))
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
            f"{f[('zh', 'en')[pick]]} {change(f['before'], f['after'], f['unit'])[pick]}"
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


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--task", default="", help="A and B are snapshots: ask both this task …")
@click.option("--k", type=click.IntRange(1, MOST), default=50, show_default=True, help="… so long.")
@click.option("--mode", default="", help=f"… {', '.join(MODES)} ({'、'.join(MODES.values())}).")
@LANGUAGE
@JSON
def diff_command(before: str, after: str, **chosen: Any) -> None:
    """Why firms entered, left or moved from list A to list B: data, model, rule, quota.

    B may be "current": the question of A asked of the snapshot in service. With --task, A and B are
    snapshots, by id or the start of it.
    """
    from serving.access import LOCAL
    from serving.casework import Casework
    from serving.shortlist.changes import Comparisons
    from serving.shortlist.kept import Lists

    workspace = Workspace.of()
    comparisons = Comparisons(workspace, Casework.of(workspace), lambda: Lists(workspace.store))
    if chosen["task"]:
        question = Question(chosen["task"], chosen["k"], mode_of(chosen["mode"]))
        found = comparisons.snapshots((before, after), question, LOCAL)
    else:
        found = comparisons.saved((before, after), LOCAL)
    for side in ("before", "after"):
        note(f"{SIDES[side][chosen['lang'] == 'en']}: {source_line(found[side], chosen['lang'])}")
    emit(found, chosen["as_json"], difference_text(found, chosen["lang"]))


def difference_text(found: dict[str, Any], lang: str) -> str:
    """A difference as text: counts by cause, then a sentence a firm."""
    pick, summary = 0 if lang == "zh" else 1, found["summary"]
    counts = (
        "名单 {before} → {after} 家:进入 {entered},离开 {left},留存 {stayed}",
        "list {before} → {after}: entered {entered}, left {left}, stayed {stayed}",
    )[pick]
    lines = [f"{found['task']}  " + counts.format(**summary)]
    if found["missing"]:
        lines.append(("未能归因:", "not attributed: ")[pick] + found["missing"])
    if summary["causes"]:
        lines.append(_causes(summary, pick))
    for kind in ("entered", "left", "stayed"):
        lines += [
            f"{move['firm_id']} {move['name'] or ''}  {move[f'text_{lang}']}"
            for move in found[kind]
            if kind != "stayed" or move["before"] != move["after"]
        ]
    return "\n".join(lines)


def _causes(summary: dict[str, Any], pick: int) -> str:
    heads = (("主要原因", "进入", "离开", "合计份额"), ("cause", "entered", "left", "parts"))[pick]
    totals = summary["totals"]
    rows = [
        (
            FACTOR_WORDS[line["cause"]][pick],
            line["entered"],
            line["left"],
            f"{totals[line['cause']] / totals['of']:+.2f}" if line["cause"] in totals else None,
        )
        for line in summary["causes"]
    ]
    return table([dict(zip(heads, row, strict=True)) for row in rows], heads)
