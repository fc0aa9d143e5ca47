"""Commands about the law: criteria of a firm, editions, parameters, what editions changed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from policy.logic import WORDS
from serving.commands.edge import DAY, JSON, LANGUAGE, PURPOSE, bars, emit, table
from serving.workspace import Workspace
from tidu.clock import today

__all__ = ["criteria_command", "criteria_table", "policy_command"]

AS_OF = click.option("--as-of", "day", type=DAY, default=None, help="Default: today.")
TIER = click.option("--tier", required=True, help="srdi_provincial, little_giant, neeq_base, gem …")
HEADS = (
    ("条件", "结论", "数值", "要求", "差距", "条款"),
    ("criterion", "status", "value", "required", "gap", "clause"),
)
GRADES = {"≥": ("至少", "at least "), "≤": ("至多", "at most ")}
SHOWN = 3
"""So many codes of a requirement stand in a table's cell."""

GROUPS = ("by", "label", "enters", "leaves", "net")


@click.command("criteria")
@click.argument("firm_id")
@TIER
@PURPOSE
@AS_OF
@LANGUAGE
@JSON
def criteria_command(
    firm_id: str, tier: str, purpose: str, day: date | None, lang: str, as_json: bool
) -> None:
    """Show the clause-by-clause verdict of a firm by the edition in force."""
    from policy.conditions import Leaf
    from policy.detail import detail

    workspace = Workspace.of()
    situation = workspace.situation(day or today())
    batch = situation.batch(tier, purpose)  # type: ignore[arg-type]
    edition = situation.law.edition(batch.edition)
    firm = situation.number(firm_id)
    found = detail(edition, situation.of_batch(batch), firm, batch.purpose)
    found |= {"policy_digest": situation.law.digest, "batch": batch.id}
    alone = {c.id: c.test.metric for c in edition.criteria if isinstance(c.test, Leaf)}
    emit(found, as_json, criteria_table(found, alone, 0 if lang == "zh" else 1))


def criteria_table(found: dict[str, Any], alone: dict[str, str], lang: int) -> str:
    """The verdict as a table; ``alone`` names the metric of each criterion that is one test.

    What must not be the case is said by the criterion's own words: a "no" beside "not on the list"
    would be read the other way round.
    """
    name = ("zh", "en")[lang]
    rows = []
    for criterion in found["criteria"]:
        own = {"metric": alone.get(criterion["id"], "")} | criterion
        if own["threshold"] is False:
            own |= {"value": None, "threshold": None}
        rows.append(_row(own, criterion[name], lang))
        rows += [_row(part, f"  · {part[name]}", lang) for part in criterion["parts"]]
        if criterion["document"] != found["document"]:
            for row in rows[-1 - len(criterion["parts"]) :]:
                row[HEADS[lang][-1]] = f"{criterion['document']} {row[HEADS[lang][-1]]}"
    head = f"{found['edition_' + name]} {found['document']}  {WORDS[found['status']][lang]}"
    year = f"{('数据年度', 'data of')[lang]} {found['data_year']}"
    return f"{head}\n{year}\n{table(rows, list(rows[0]))}"


def _words(value: object, metric: str, lang: int) -> str:
    """A figure as people read it: truths in words, codes as the register or the law spells them.

    Of a long list the first few are shown, --json has them all.

    >>> _words(list("abc"), "x", 0), _words(list("abcdef"), "x", 1)
    ('a、b、c', 'a or b or c or 3 more')
    """
    from policy.loading import standing
    from policy.metrics import column_of

    if isinstance(value, list):
        told, joint = [_words(one, metric, lang) for one in value[:SHOWN]], ("、", " or ")[lang]
        rest = (f"等{len(value)}项", f" or {len(value) - SHOWN} more")[lang]
        return joint.join(told) + (rest if len(value) > SHOWN else "")
    if isinstance(value, bool):
        return (("是", "yes") if value else ("否", "no"))[lang]
    if isinstance(value, str):
        column, trades = column_of(metric), standing().trades if metric == "trade" else {}
        if value in trades:
            return (trades[value].zh, trades[value].en)[lang]
        spelled = column.codes.get(value, ()) if column is not None else ()
        return spelled[0] if spelled and not lang else value.replace("_", " ")
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float, bound: object = None) -> str:
    """To two decimals, or to all where these would put the value on the bound or on nothing.

    >>> _number(63135.416), _number(40000.0), _number(1999.999, 2000.0), _number(-0.001)
    ('63135.42', '40000', '1999.999', '-0.001')
    """
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    blurred = float(short) != value and float(short) in (0.0, bound)
    return f"{value:.12g}" if blurred else short


def _value(item: dict[str, Any], metric: str, lang: int) -> str | None:
    """The firm's figure; where only a range is known, both its ends."""
    value, ends = item.get("value"), item.get("range")
    if value is None and ends:
        told = ["…" if end is None else _words(end, metric, lang) for end in ends]
        return "–".join(told)
    if isinstance(value, float):
        return _number(value, item.get("threshold"))
    return None if value is None else _words(value, metric, lang)


def _gap(item: dict[str, Any]) -> str | None:
    """What is missing; at most so much, where the figure is a range or the verdict open."""
    missing = item.get("gap")
    if not missing:
        return None
    low, high = item.get("range") or (0, 0)
    return ("" if item["status"] == "unmet" and low == high else "≤") + _number(missing)


def _row(item: dict[str, Any], words: str, lang: int) -> dict[str, object]:
    required = item.get("threshold")
    sign, metric = item.get("operator", ""), item.get("metric", "")
    if isinstance(required, list) and len(required) == 1:
        sign = "="
    if isinstance(required, str):  # grades of the register, which have no size
        sign = GRADES[sign][lang]
    asked = f"{sign}{_words(required, metric, lang)}{item.get('unit', '')}"
    cells = (
        words,
        WORDS[item["status"]][lang],
        _value(item, metric, lang),
        None if required is None else asked,
        _gap(item),
        item.get("clause", ""),
    )
    return dict(zip(HEADS[lang], cells, strict=True))


@click.group("policy")
def policy_command() -> None:
    """Editions of the law, what the city may set, and what changes between editions.

    Each command takes --json.
    """


@policy_command.command("list")
@JSON
def list_command(as_json: bool) -> None:
    """List the editions, and from when to when each judges its tier."""
    from serving.planning import editions

    law = Workspace.of().law
    rows = editions(law)
    named = [{**row, "zh": law.edition(row["edition"]).zh} for row in rows]
    shown = ("tier", "purpose", "from", "to", "zh", "document", "confidence", "edition")
    emit({"digest": law.digest, "editions": rows}, as_json, table(named, shown))


@policy_command.command("parameters")
@JSON
def parameters_command(as_json: bool) -> None:
    """List what the texts leave open: value, confidence, and whether the city has set it."""
    from serving.planning import parameters

    law = Workspace.of().law
    rows = parameters(law)
    shown = ("id", "zh", "value", "unit", "confidence", "set_by")
    spelled = [{**row, "value": _as_written(row["value"])} for row in rows]
    emit({"digest": law.digest, "parameters": rows}, as_json, table(spelled, shown))


def _as_written(value: object) -> object:
    """A parameter's value as the city's file spells it."""
    return str(value).lower() if isinstance(value, bool) else value


@policy_command.command("diff")
@click.argument("a")
@click.argument("b")
@AS_OF
@JSON
def diff_command(a: str, b: str, day: date | None, as_json: bool) -> None:
    """Show what changed from edition A to B: clauses, and with a filled home the firms."""
    from serving.planning import difference

    workspace = Workspace.of()
    law = workspace.law
    situation = workspace.situation(day or today()) if workspace.filled() else None
    found = {**difference(law, (a, b), situation), "digest": law.digest}
    rows = found["clauses"]
    shown = [
        {
            "change": row["change"],
            "criterion": row["zh"],
            "a": "; ".join(row["a"]["test"]) if row["a"] else None,
            "b": "; ".join(row["b"]["test"]) if row["b"] else None,
        }
        for row in rows
    ]
    text = table(shown, ["change", "criterion", "a", "b"])
    if found["firms"]:
        text += "\n" + table([found["firms"]["from_to"]], list(found["firms"]["from_to"]))
        text += "\n" + table(found["firms"]["by"], GROUPS)
    emit(found, as_json, text)


@policy_command.command("simulate")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--plan", "name", default="", help="Default: the newest that has begun.")
@AS_OF
@LANGUAGE
@JSON
def simulate_command(
    files: tuple[str, ...], name: str, day: date | None, lang: str, as_json: bool
) -> None:
    """Show what scenarios would change: who enters and leaves, the budget, the goals.

    A scenario is a TOML file (examples/scenario.toml): parameters, thresholds of the city's own
    editions, quotas, goals, rewards, editions.
    """
    from policy.scenario import read
    from policy.scenario_outcome import outcome
    from serving.planning import plan_of, simulated, standing, start_of

    workspace = Workspace.of()
    moment = day or today()
    plan = plan_of(workspace, moment, name)
    texts = {file: Path(file).read_text(encoding="utf-8") for file in files}
    scenarios = [read(text, file, workspace.law, plan, moment) for file, text in texts.items()]
    situation = workspace.situation(moment)
    with bars() as progress:
        start = start_of(situation, standing(workspace, situation, plan, 0, progress))
        found = []
        for done, scenario in enumerate(scenarios):
            progress("scenarios", done, len(scenarios))
            found.append(simulated(outcome(scenario, start), start))
        progress("scenarios", len(scenarios), len(scenarios))
    head = {"digest": workspace.law.digest, "as_of": moment.isoformat(), "plan": plan.id}
    emit({**head, "scenarios": found}, as_json, "\n\n".join(_simulated(one, lang) for one in found))


def _simulated(found: dict[str, Any], lang: str) -> str:
    scenario = found["scenario"]
    lines = [f"{scenario['name']}  {scenario[lang]}".rstrip()]
    for one in found["tiers"]:
        before, after = one["before"], one["after"]
        lines.append(
            f"{one['tier']}: {before['edition']} → {after['edition']},"
            f" {before['admitted']} → {after['admitted']} (+{one['enters']} −{one['leaves']})"
        )
        if one["by"]:
            lines.append(table(one["by"], GROUPS))
    whole = [line for line in found["budget"] if line["payer"] != "county"]
    columns = {
        "budget": ("pay_year", "payer", "recorded", "before", "after", "change"),
        "rewards": ("row", lang, "before", "after", "change"),
        "targets": ("row", lang, "goal_before", "goal_after", "value", "value_before",
                    "value_after", "remaining_before", "remaining_after"),
    }  # fmt: skip
    shown = {**found, "budget": whole}
    lines += [table(shown[part], names) for part, names in columns.items() if shown[part]]
    lines += [f"* {note[lang]}" for note in found["notes"]]
    return "\n".join(lines)
