"""Commands about one firm by the published snapshot: materials, path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from policy.logic import WORDS
from serving.commands.edge import JSON, LANGUAGE, OUT_FILE, PURPOSE, emit, note, table
from serving.workspace import Workspace
from tidu.clock import today

__all__ = ["materials_command", "path_command", "path_text"]

STATES = {
    "held": ("已具备", "held"),
    "expired": ("已过期", "out of date"),
    "missing": ("缺少", "missing"),
}
ASKED = {"required": ("须提交", "required"), "optional": ("可选", "optional")}
STATUS = {
    "met": ("已符合", "met"),
    "reachable": ("可达", "reachable"),
    "not_within_two_years": ("两年内不可达", "not within two years"),
    "blocked": ("路径所含变动无法达到", "not by any change that paths know"),
    "unknown": ("无法判断", "unknown"),
}
VERIFIED = {
    "met": WORDS["met_pending"],
    "reachable": ("可判定条件可达,其余待核实", "reachable, the rest to be verified"),
}
"""The same where something is left to proof: nobody has met what nobody could judge."""
LEFT = {
    "pending": ("待核实", "to be verified"),
    "by_time": ("随时间满足", "comes by time"),
    "short": ("两年内不足", "out of reach in time"),
    "blocked": ("路径不含此项变动", "no change that paths know"),
}


@click.command("materials")
@click.argument("firm")
@click.argument("tier")
@PURPOSE
@click.option("--letter", type=OUT_FILE, help="Write the request letter (一次性告知书) as HTML.")
@LANGUAGE
@JSON
def materials_command(
    firm: str, tier: str, purpose: str, letter: Path | None, lang: str, as_json: bool
) -> None:
    """Show the papers that FIRM needs for TIER: held, out of date, missing."""
    casework, snapshot, asked, head = _asked(firm, tier, purpose)
    found = {**head, **casework.materials(snapshot, asked)}
    if letter is not None:
        page = casework.letter(snapshot, asked, lang, today())
        letter.write_text(page, encoding="utf-8")
        note(f"Wrote {letter}.")
    emit(found, as_json, _papers(found, lang))


@click.command("path")
@click.argument("firm")
@click.argument("tier")
@PURPOSE
@LANGUAGE
@JSON
def path_command(firm: str, tier: str, purpose: str, lang: str, as_json: bool) -> None:
    """Show what would have to change for FIRM to meet TIER, by when, and what the model says."""
    casework, snapshot, asked, head = _asked(firm, tier, purpose)
    found = {**head, **casework.path(snapshot, asked)}
    emit(found, as_json, path_text(found, lang))


def _asked(firm: str, tier: str, purpose: str) -> Any:
    """Casework by the snapshot in use, and what every answer carries; an unknown firm is told."""
    from serving.access import LOCAL
    from serving.casework import Asked, Casework
    from serving.lookups import Served
    from serving.lookups_law import firm as firm_of

    workspace = Workspace.of()
    served = Served(workspace.snapshot())
    brief = firm_of(served, LOCAL, firm)
    asked = Asked(firm, tier, purpose)  # type: ignore[arg-type]
    return Casework.of(workspace), served.snapshot, asked, {**served.envelope(), "firm": brief}


def _papers(found: dict[str, Any], lang: str) -> str:
    pick = 0 if lang == "zh" else 1
    heads = (("材料", "情形", "要求", "出具单位"), ("paper", "state", "asked", "issuer"))[pick]
    rows = [
        dict(zip(heads, cells, strict=True))
        for paper in found["papers"]
        for cells in [
            (
                paper[lang],
                STATES[paper["state"]][pick],
                ASKED[paper["asked"]][pick],
                paper[f"issuer_{lang}"],
            )
        ]
    ]
    lines = [_head(found, lang), table(rows, heads)]
    lines += [
        f"{WORDS[p['status']][pick]}: {p[lang]} ({p['clause']})" for p in found["open_points"]
    ]
    return "\n".join(lines)


def path_text(found: dict[str, Any], lang: str) -> str:
    pick, path = 0 if lang == "zh" else 1, found["path"]
    year = f"  {path['batch_year']}" if path["batch_year"] else ""
    words = (STATUS | VERIFIED if path["pending"] else STATUS)[path["status"]]
    lines = [_head(found, lang), f"{words[pick]}{year}"]
    lines += [
        f"{change['year']}  {change['text'][lang]}  · {change['how'][lang]}"
        for change in path["changes"]
    ]
    for kind, words in LEFT.items():
        lines += [f"{words[pick]}: {c['text'][lang]} ({c['clause']})" for c in path[kind]]
    model = found["model"]
    if model["before"]:
        chances = (model[side]["probability"] for side in ("before", "after"))
        lines.append(" → ".join(f"{chance:.1%}" for chance in chances))
    return "\n".join([*lines, model["note"][lang], path["warning"][lang]])


def _head(found: dict[str, Any], lang: str) -> str:
    firm = found["firm"]
    return f"{firm['firm_id']} {firm['name'] or ''}  {found['edition_' + lang]} {found['document']}"
