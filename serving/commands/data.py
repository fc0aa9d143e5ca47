"""Commands about data: import, withdraw, template, doctor."""

from __future__ import annotations

from pathlib import Path

import click

from serving.commands.edge import JSON, OUT_FILE, emit, note, warn
from serving.workspace import Workspace
from tidu.clock import today
from tidu.errors import UsageError

__all__ = ["doctor_command", "import_command", "template_command", "withdraw_command"]

SHOWN_WARNINGS = 5


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", type=click.Path(path_type=Path), required=True, help="Mapping (TOML).")
@JSON
def import_command(file: Path, mapping: Path, as_json: bool) -> None:
    """Check FILE and append it to the vault; with one error left nothing is imported."""
    from features.mapping_build import load_mapping
    from features.prepared import prepare
    from serving.store import ImportRecord

    workspace = Workspace.of()
    store = workspace.store  # one that cannot be opened is told of before anything is imported
    prepared = prepare(file, load_mapping(mapping), today())
    receipt = workspace.vault.add(prepared)
    warnings = [issue.as_dict() for issue in prepared.warnings]
    record = ImportRecord(
        receipt.import_id, file.name, prepared.mapping.name, dict(receipt.tables), warnings
    )
    store.record_import(record)
    if not as_json:
        for issue in prepared.warnings[:SHOWN_WARNINGS]:
            warn(str(issue).removeprefix("warning "))
        if len(prepared.warnings) > SHOWN_WARNINGS:
            note(f"… and {len(prepared.warnings) - SHOWN_WARNINGS} more; --json gives all.")
    if not receipt.new:
        note("This file was imported before, under the same mapping: nothing changed.")
    result = {
        "import_id": receipt.import_id,
        "tables": dict(receipt.tables),
        "warnings": receipt.warnings,
        "new": receipt.new,
        "issues": warnings,
    }
    rows = ", ".join(f"{name} {count}" for name, count in receipt.tables.items())
    emit(result, as_json, f"{receipt.import_id[:12]}  {rows}  warnings {receipt.warnings}")


@click.command("withdraw")
@click.argument("import_id")
@JSON
def withdraw_command(import_id: str, as_json: bool) -> None:
    """Take an import back from now on; past snapshots and bundles keep what they saw."""
    workspace = Workspace.of()
    entries = workspace.vault.entries
    found = sorted(
        {e.import_id for e in entries if import_id and e.import_id.startswith(import_id)}
    )
    if len(found) > 1:
        raise UsageError(f"{import_id!r} is the start of {len(found)} imports.", "Write more.")
    whole = found[0] if found else import_id
    head = workspace.vault.withdraw(whole)
    emit({"withdrawn": whole, "head": head}, as_json, f"withdrawn {whole[:12]}")


@click.command("template")
@click.argument("file", type=OUT_FILE)
@JSON
def template_command(file: Path, as_json: bool) -> None:
    """Write our own template, one sheet a table, as an xlsx FILE."""
    from features.schema import register
    from features.template import write_template

    write_template(file, register())
    note(f"Wrote {file}.")
    emit({"out": str(file), "tables": list(register().tables)}, as_json)


@click.command("doctor")
@JSON
def doctor_command(as_json: bool) -> None:
    """Say what this home holds; audit, saved lists and decisions are verified."""
    from serving.shortlist.kept import Lists

    workspace = Workspace.of()
    entries = workspace.vault.entries
    pointers = {name: p.value for name, p in workspace.store.pointers().items()}
    # What is still being written has a name that begins with a dot.
    bundles = sorted(p.name for p in workspace.bundles.glob("[!.]*") if p.is_dir())
    lists, decisions = Lists(workspace.store).verified()
    snapshots = sorted(p.name for p in (workspace.home / "snapshots").glob("[!.]*") if p.is_dir())
    result = {
        "home": str(workspace.home),
        "head": workspace.vault.head,
        "imports": [
            {"action": e.action, "import_id": e.import_id, "head": e.head} for e in entries
        ],
        "bundles": bundles,
        "snapshots": snapshots,
        "pointers": pointers,
        "audit_entries": workspace.store.audited(),
        "shortlists": lists,
        "decisions": decisions,
    }
    lines = [f"{key}: {value}" for key, value in result.items() if key != "imports"]
    lines += [f"{e.action} {e.import_id[:12]} → head {e.head[:12]}" for e in entries]
    emit(result, as_json, "\n".join(lines))
