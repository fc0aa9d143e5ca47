"""The plan's targets with the firms behind each figure, and the measures that fit a firm."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from policy.logic import WORDS
from serving.commands.edge import DAY, JSON, LANGUAGE, SEED, bars, emit, table
from serving.plan_in_use import plan_of, standing
from serving.planning import measures, named, targets
from serving.workspace import Workspace
from tidu.clock import today

__all__ = ["measures_command", "targets_command"]

AS_OF = click.option("--as-of", "day", type=DAY, default=None, help="Default: today.")
PLAN = click.option("--plan", default="", help="Default: the newest that has begun.")

HEADS = {
    "row": ("编号", "row"),
    "name": ("目标", "target"),
    "unit": ("单位", "unit"),
    "district": ("区县", "district"),
    "task": ("任务", "task"),
    "goal": ("目标值", "goal"),
    "value": ("完成值", "value"),
    "completion_pct": ("完成率%", "done %"),
    "remaining": ("缺口", "missing"),
    "stock": ("有效存量", "stock"),
    "cumulative": ("累计认定", "cumulative"),
    "new": ("本年新增", "new"),
    "exits": ("本年退出", "exits"),
    "expected": ("期末预测(90%区间)", "expected (90 %)"),
    "chance": ("达标概率", "chance of the goal"),
    "deadline": ("期限", "deadline"),
}
NO_DATA = ("无数据", "no data")
PAST = (
    "期限{day}已过的目标列示期末完成值和完成率,不作预测",
    "Targets whose deadline {day} has passed show the value at that day, no forecast",
)
CITY = (
    "row", "name", "unit", "goal", "value", "completion_pct", "remaining", "stock", "cumulative",
    "new", "exits", "expected", "chance", "deadline",
)  # fmt: skip
DISTRICT = (
    "row", "district", "task", "value", "completion_pct", "stock", "cumulative", "new", "exits",
    "expected", "chance",
)  # fmt: skip


@click.command("targets")
@click.option("--names", "row", default="", metavar="ID", help="List who is behind a figure.")
@click.option("--figure", default="value", show_default=True, help="value, new, expired …")
@click.option("--district", default="", help="With --names: of this district only.")
@click.option("--districts", is_flag=True, help="Each target by district, with its task.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the forecasts.")
@PLAN
@AS_OF
@LANGUAGE
@JSON
def targets_command(**chosen: Any) -> None:
    """Show the plan's targets: goal, value, stock, new, exits, forecast, deadline, by district."""
    from policy.plan.grounded import footing

    workspace = Workspace.of()
    day: date = chosen["day"] or today()
    plan = plan_of(workspace, day, chosen["plan"])
    situation = workspace.situation(day)
    head = {"plan": plan.id, "as_of": day.isoformat(), "policy_digest": situation.law.digest}
    if chosen["row"]:
        rows = named(
            footing(situation, plan), chosen["row"], chosen["figure"], chosen["district"] or None
        )
        found = {**head, "row": chosen["row"], "figure": chosen["figure"], "names": rows}
        emit(found, chosen["as_json"], table(rows, ["firm_id", "name"]))
        return
    with bars() as progress:
        items = targets(standing(workspace, situation, plan, chosen["seed"], progress))
    lang = ("zh", "en").index(chosen["lang"])
    text = _city(items, lang) + ("\n\n" + _districts(items, lang) if chosen["districts"] else "")
    emit({**head, "targets": items}, chosen["as_json"], text)


def _city(items: list[dict[str, Any]], lang: int) -> str:
    name = ("zh", "en")[lang]
    lines = [
        {**item["figures"], **item, "name": item[name], "unit": item["unit_" + name]}
        | _expected(item["figures"])
        for item in items
    ]
    past = sorted({item["deadline"] for item in items if item["day"] == item["deadline"]})
    notes = [f"* {PAST[lang].format(day=day)}" for day in past]
    return "\n".join([_table(lines, CITY, lang), *notes])


def _expected(figures: dict[str, Any]) -> dict[str, Any]:
    """The forecast of a city's or district's line in one cell, and the chance of its goal."""
    mean = figures.get("forecast")
    if mean is None:
        return {"expected": None, "chance": None}
    low, high = figures["forecast_low"], figures["forecast_high"]
    return {"expected": f"{mean:.4g} ({low:.4g}–{high:.4g})", "chance": figures["chance_of_goal"]}


def _districts(items: list[dict[str, Any]], lang: int) -> str:
    lines = [
        {"row": item["row"], **line, **_expected(line)}
        for item in items
        for line in item["districts"]
    ]
    return _table(lines, DISTRICT, lang)


def _table(lines: list[dict[str, Any]], columns: tuple[str, ...], lang: int) -> str:
    heads = {name: HEADS[name][lang] for name in columns}
    lines = [
        {**line, "value": NO_DATA[lang] if line.get("value") is None else line["value"]}
        for line in lines
    ]
    return table([{heads[c]: line.get(c) for c in columns} for line in lines], [*heads.values()])


@click.command("measures")
@click.argument("firm_id")
@click.option("--tier", default=None, help="Default: the next tier of the firm.")
@PLAN
@AS_OF
@LANGUAGE
@JSON
def measures_command(
    firm_id: str, tier: str | None, plan: str, day: date | None, lang: str, as_json: bool
) -> None:
    """List the measures that fit a firm: first what blocks its next tier, then by deadline."""
    from features.facts import LADDER
    from policy.plan.grounded import footing
    from tidu.errors import UsageError

    if tier is not None and tier not in LADDER:
        raise UsageError(f"A tier must be one of {', '.join(LADDER)}, found {tier!r}.", "Correct.")
    workspace = Workspace.of()
    situation = workspace.situation(day or today())
    chosen = plan_of(workspace, situation.day, plan)
    items = measures(footing(situation, chosen), situation.number(firm_id), tier)
    found = {"firm_id": firm_id, "as_of": situation.day.isoformat(), "plan": chosen.id,
             "policy_digest": situation.law.digest, "measures": items}  # fmt: skip
    emit(found, as_json, _measures(items, lang))


def _measures(items: list[dict[str, Any]], lang: str) -> str:
    columns = {"place": "#", "row": "row", lang: "measure", "status": "status", "closes": "closes",
               f"benefit_{lang}": "benefit", f"channel_{lang}": "channel",
               "deadline": "deadline"}  # fmt: skip
    if lang == "zh":
        names = ("序", "编号", "措施", "适用", "补齐条件", "内容", "渠道", "期限")
        columns = dict(zip(columns, names, strict=True))
    pick = 0 if lang == "zh" else 1
    told = [
        {"closes": "、".join(i["closes"]) or None, "status": WORDS[i["status"]][pick]}
        for i in items
    ]
    shown = [item | words for item, words in zip(items, told, strict=True)]
    return table([{columns[k]: i[k] for k in columns} for i in shown], [*columns.values()])
