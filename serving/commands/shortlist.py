"""Commands about shortlists: make and save a list, show it, decide on its firms."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from serving.commands.changes import diff_command
from serving.commands.edge import JSON, LANGUAGE, OUT_FILE, emit, note, table
from serving.commands.publishing import published_name, served_here
from serving.shortlist.decisions import DECISIONS, Decision, decision_of, grounds_of
from serving.shortlist.export import FORMATS, exported
from serving.shortlist.question import MODES, MOST, Question, mode_of
from serving.shortlist.words import chance_text, head_lines, place_text
from serving.workspace import Workspace
from tidu.errors import UsageError

__all__ = ["shortlist_command"]

ID_BYTES = 6

NAMES = {
    "place": ("序号", "place"),
    "firm_id": ("企业编号", "firm_id"),
    "name": ("企业名称", "name"),
    "district": ("区县", "district"),
    "chance": ("估计概率(90%区间)", "chance (90 %)"),
    "p_top": ("前K概率", "in first K"),
    "places": ("名次区间", "places"),
    "verdict": ("判定", "verdict"),
    "unmet": ("不符合", "unmet"),
    "open": ("待核实", "open"),
    "papers": ("缺材料", "papers"),
    "group": ("同集团", "group"),
}

ALWAYS = ("place", "firm_id", "name", "district", "chance")


@click.group("shortlist", invoke_without_command=True)
@click.option("--task", default="", help="name[:variant]@months")
@click.option("--tier", default="", help="As little_giant: promotion within 12 months.")
@click.option("--k", type=click.IntRange(1, MOST), default=50, show_default=True)
@click.option("--mode", default="", help=f"{', '.join(MODES)} ({'、'.join(MODES.values())}).")
@click.option("--district", "districts", multiple=True, help="Only firms of it; may repeat.")
@click.option("--industry", "industries", multiple=True, help="GB/T 4754 code or its beginning.")
@click.option("--size", "sizes", multiple=True, help="micro, small, medium, large.")
@click.option("--include", multiple=True, metavar="FIRM", help="Must be in; may repeat.")
@click.option("--exclude", multiple=True, metavar="FIRM", help="Must not be in; may repeat.")
@click.option("--save", is_flag=True, help="Keep the list: it never changes again.")
@click.option("--out", type=OUT_FILE, help="Write it as .csv, .xlsx or .html.")
@LANGUAGE
@JSON
@click.pass_context
def shortlist_command(context: click.Context, /, **chosen: Any) -> None:
    """Who is put forward: order, chance, verdict with gaps, papers, reasons, measures."""
    if context.invoked_subcommand is not None:
        return
    form = _form(chosen["out"])
    workspace, body = _made(chosen)
    shown = _kept(workspace, body) if chosen["save"] else body
    _written(shown, chosen["out"], form, chosen["lang"])
    for line in head_lines(shown, chosen["lang"]):
        note(line)
    emit(shown, chosen["as_json"], _rows(shown, chosen["lang"]))


def _made(chosen: Mapping[str, Any]) -> tuple[Workspace, dict[str, Any]]:
    from serving.access import LOCAL
    from serving.casework import Casework
    from serving.shortlist.answers import task_of
    from serving.shortlist.making import shortlist

    named = task_of(chosen["task"], chosen["tier"], ())
    workspace, served = served_here()
    question = Question(
        published_name(workspace, served, named),
        chosen["k"],
        mode_of(chosen["mode"]),
        *(chosen[name] for name in ("districts", "industries", "sizes", "include", "exclude")),
    )
    return workspace, shortlist(served, LOCAL, question, Casework.of(workspace))


def _kept(workspace: Workspace, body: Mapping[str, Any]) -> dict[str, Any]:
    from serving.access import LOCAL
    from serving.shortlist.answers import shown
    from serving.shortlist.kept import Lists

    saved = Lists(workspace.store).save(body, LOCAL.name, secrets.token_hex(ID_BYTES))
    note(f"Saved as {saved.id}.")
    return shown(saved, LOCAL)


def _form(out: Path | None) -> str:
    form = "" if out is None else out.suffix.removeprefix(".").lower()
    if out is not None and form not in FORMATS:
        raise UsageError(
            f"A list is written as {', '.join(FORMATS)}, found {out.name}.",
            "End the name in .csv, .xlsx or .html.",
        )
    return form


def _written(body: Mapping[str, Any], out: Path | None, form: str, lang: str) -> None:
    if out is not None:
        out.write_bytes(exported(body, form, lang))
        note(f"Wrote {out}.")


def _rows(body: Mapping[str, Any], lang: str) -> str:
    pick = 0 if lang == "zh" else 1
    lines = [_line(row, lang) for row in body["items"]]
    # A list about no tier has no verdicts: columns that say nothing are left out.
    told = [n for n in NAMES if n in ALWAYS or any(line[n] is not None for line in lines)]
    heads = {name: NAMES[name][pick] for name in told}
    shown = [{heads[name]: line[name] for name in told} for line in lines]
    return table(shown, list(heads.values()))


def _line(row: Mapping[str, Any], lang: str) -> dict[str, Any]:
    verdict, papers = row["verdict"], row["papers"]
    return {
        **{name: row[name] for name in ("place", "firm_id", "name", "district")},
        "chance": chance_text(row),
        "p_top": None if row["p_top"] is None else f"{row['p_top']:.0%}",
        "places": place_text(row) or None,
        "verdict": verdict and verdict[lang],
        "unmet": verdict and len(verdict["unmet"]),
        "open": verdict and len(verdict["unknown"]) + len(verdict["manual"]),
        "papers": papers and len(papers["missing"]) + len(papers["expired"]),
        "group": len(row["conflicts"]) or None,
    }


@shortlist_command.command("show")
@click.argument("identity", metavar="ID")
@click.option("--out", type=OUT_FILE, help="Write it as .csv, .xlsx or .html.")
@LANGUAGE
@JSON
def show_command(identity: str, out: Path | None, lang: str, as_json: bool) -> None:
    """Show a saved list, verified, with the latest decision on each firm."""
    from serving.access import LOCAL
    from serving.shortlist.answers import decided, shown
    from serving.shortlist.kept import Lists

    form, lists = _form(out), Lists(Workspace.of().store)
    saved = lists.get(identity)
    body = shown(saved, LOCAL)
    found = decided(saved, lists.decisions(identity), LOCAL)
    _written(body, out, form, lang)
    for line in head_lines(body, lang):
        note(line)
    latest = [
        f"{firm}  {DECISIONS[one['decision']] if lang == 'zh' else one['decision']}  "
        + " ".join(ground["code"] for ground in one["grounds"])
        for firm, one in found["latest"].items()
    ]
    emit({**body, "decisions": found}, as_json, "\n".join([_rows(body, lang), *latest]))


@shortlist_command.command("lists")
@JSON
def lists_command(as_json: bool) -> None:
    """The saved lists, newest first."""
    from serving.shortlist.kept import Lists

    items, _, total = Lists(Workspace.of().store).page(None, MOST)
    columns = ("shortlist_id", "task", "snapshot_id", "actor", "at", "hash")
    emit({"items": items, "total": total}, as_json, table(items, columns))


@shortlist_command.command("decide")
@click.argument("identity", metavar="ID")
@click.argument("firm")
@click.argument("decision")
@click.option("--ground", "grounds", multiple=True, help="A code of the firm's row; may repeat.")
@click.option("--note", "words", default="", help="In words; a number is no argument.")
@click.option("--by", "actor", default="local", show_default=True, help="Who decides.")
@LANGUAGE
@JSON
def decide_command(identity: str, firm: str, decision: str, **chosen: Any) -> None:
    """Append DECISION (recommend 推荐, refuse 不推荐, return 退回补正) on FIRM to list ID."""
    from serving.shortlist.kept import Lists

    lists = Lists(Workspace.of().store)
    given = Decision(firm, decision_of(decision), chosen["grounds"], chosen["words"].strip())
    made = lists.decide(identity, given, chosen["actor"]).as_json()
    lines = [f"{g['code']}  {g[chosen['lang']]}  {g['clause'] or ''}" for g in made["grounds"]]
    emit(made, chosen["as_json"], "\n".join([f"{identity} {firm} {given.decision}", *lines]))


@shortlist_command.command("grounds")
@click.argument("identity", metavar="ID")
@click.argument("firm")
@LANGUAGE
@JSON
def grounds_command(identity: str, firm: str, lang: str, as_json: bool) -> None:
    """The codes that a decision on FIRM of list ID may cite."""
    from serving.access import LOCAL
    from serving.shortlist.answers import row_of
    from serving.shortlist.kept import Lists

    row = row_of(Lists(Workspace.of().store).get(identity), LOCAL, firm)
    found = list(grounds_of(row).values())
    lines = [g | {"for": ",".join(g["for"])} for g in found]
    emit({"items": found}, as_json, table(lines, ("code", "for", lang, "clause")))


shortlist_command.add_command(diff_command)
