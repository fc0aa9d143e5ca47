"""Commands about the law: criteria of a firm, editions, parameters, what editions changed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from serving.commands.edge import DAY, JSON, LANGUAGE, PURPOSE, bars, emit, table
from serving.workspace import Workspace
from tidu.clock import today

__all__ = ["criteria_command", "policy_command"]

AS_OF = click.option("--as-of", "day", type=DAY, default=None, help="Default: today.")

GROUPS = ("by", "label", "enters", "leaves", "net")


@click.command("criteria")
@click.argument("firm")
@click.argument("tier")
@PURPOSE
@AS_OF
@LANGUAGE
@JSON
def criteria_command(
    firm: str, tier: str, purpose: str, day: date | None, lang: str, as_json: bool
) -> None:
    """Show the verdict of FIRM for TIER (srdi_provincial, little_giant, bse …), clause by clause.

    Judged now, by the edition in force on the day and what was known then; the other commands of a
    firm read the published snapshot.
    """
    from policy.detail import detail
    from serving.commands.verdict_table import criteria_table

    workspace = Workspace.of()
    situation = workspace.situation(day or today())
    batch = situation.batch(tier, purpose)  # type: ignore[arg-type]
    edition = situation.law.edition(batch.edition)
    number = situation.number(firm)
    found = detail(edition, situation.of_batch(batch), number, batch.purpose)
    found |= {"policy_digest": situation.law.digest, "batch": batch.id}
    emit(found, as_json, criteria_table(found, edition, 0 if lang == "zh" else 1))


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
    from policy.plan.scenario import read
    from policy.plan.scenario_outcome import outcome
    from serving.plan_in_use import plan_of, standing
    from serving.planning import simulated, start_of

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
