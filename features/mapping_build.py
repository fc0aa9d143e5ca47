"""From a mapping's document to a validated :class:`Mapping`: every problem at once."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

from features.mapping import (
    Coverage,
    GroupPart,
    KnownOn,
    Mapping,
    OutcomeRule,
    Source,
    TableRule,
    TaskDefaults,
)
from features.mapping_fields import Fields, near, plain
from features.mapping_tables import extra_columns, known_rule, table_rules
from features.schema import FAMILIES, register
from tidu import digest
from tidu.errors import DataError, Issue

__all__ = ["load_mapping", "rebuilt"]

TASKS = ("promotion", "growth", "quotation", "listing", "distress")


def load_mapping(path: Path) -> Mapping:
    """Read a mapping from a TOML file; raises DataError with every problem at once."""
    try:
        document: object = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        issue = problem(path.name, "mapping_unreadable", f"it cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        issue = problem(path.name, "mapping_unreadable", "it must be UTF-8 text")
    except tomllib.TOMLDecodeError as error:
        issue = problem(path.name, "mapping_syntax", f"it must be TOML: {error}")
    else:
        return build(document, path.name)
    raise DataError(f"The mapping {issue.message}.", [issue], issue.cure)


def rebuilt(document: object) -> Mapping:
    """Rebuild a mapping from its JSON; raises DataError with every problem."""
    return build(document, "mapping")


def problem(file: str, rule: str, text: str) -> Issue:
    """One error of a mapping file as a whole."""
    return Issue(
        "error",
        rule,
        f"{file}: {text}",
        "Correct the mapping (docs/importing.md).",
        file=file,
        zh=f"映射文件 {file} 无法读取,请检查。",
    )


def build(document: object, file: str) -> Mapping:
    """Validate ``document`` (TOML or JSON already parsed); raises DataError with every problem."""
    issues: list[Issue] = []
    # Sorted keys: the document means the same whatever the order in which it was written.
    content = json.loads(digest.canonical_json(plain(document)))
    top = Fields(content, "", file, issues)
    name = top.text("name", required=True)
    template = top.flag("template")
    bounds = top.choice(
        "out_of_bounds", ("keep", "unknown", "error"), "error" if template else "keep"
    )
    mapping = Mapping(
        name,
        _source(top.child("source")),
        (),
        ignore=top.texts("ignore"),
        out_of_bounds=bounds,  # type: ignore[arg-type]
        template=template,
        live=top.flag("live"),
    )
    extras, rule_parts = extra_columns(top.child("extras"))
    mapping = replace(mapping, extras=extras)
    tables = table_rules(top.child("tables"), mapping, rule_parts)
    if not tables and not template and not issues:
        top.say("mapping_missing", "tables", "must describe at least one table")
    mapping = replace(
        mapping,
        tables=tables,
        coverage=_coverage(top.child("coverage")),
        tasks=_tasks(top.child("tasks")),
        outcome=_outcome(top, tables),
    )
    top.finish()
    if issues:
        raise DataError(
            f"The mapping {file} has {len(issues)} problem{'s' if len(issues) > 1 else ''}:"
            f" {issues[0].message}",
            issues,
            issues[0].cure,
        )
    return replace(mapping, document=digest.canonical_json(content).decode())


def _source(fields: Fields) -> Source:
    source = Source(
        fields.text("authority", required=True),
        fields.text("legal_basis", required=True),
        fields.texts("purposes", required=True),
        fields.day("valid_until", required=True),
        fields.text("name"),
    )
    fields.finish()
    return source


def _coverage(fields: Fields) -> tuple[Coverage, ...]:
    tables = register().tables
    tiers = (
        f"{what}:{tier}"
        for what, table in (("title", "titles"), ("application", "applications"))
        for tier in tables[table].columns["tier"].codes
    )
    kinds = (*tables["events"].columns["kind"].codes, *tiers)
    found = []
    for kind in fields.names():
        part = fields.child(kind)
        if kind not in kinds:
            part.say(
                "unlisted_code",
                "",
                "must name a kind of event, title:<tier> or application:<tier>."
                f"{near(kind, kinds)}",
            )
        start, end = part.day("start", required=True), part.day("end", required=True)
        part.finish()
        if start and end:
            if start > end:
                part.say("mapping_value", "", f"must start before it ends, found {start} > {end}")
            found.append(Coverage(kind, start, end))
    return tuple(sorted(found, key=lambda c: c.kind))


def _task_name(fields: Fields, key: str, task: str) -> None:
    family = task.split(":", maxsplit=1)[0]
    if family not in TASKS:
        fields.say("mapping_value", key, f"must name a task, found {task!r}.{near(family, TASKS)}")


def _tasks(fields: Fields) -> tuple[TaskDefaults, ...]:
    found = []
    for task in fields.names():
        part = fields.child(task)
        _task_name(part, "", task)
        months, floor = part.whole("months"), part.number("floor")
        if months is not None and not 1 <= months <= 120:
            part.say("mapping_value", "months", f"must be within 1 and 120, found {months}")
        part.finish()
        found.append(TaskDefaults(task, months, floor))
    return tuple(sorted(found, key=lambda t: t.task))


def _outcome(top: Fields, tables: tuple[TableRule, ...]) -> OutcomeRule | None:
    if not top.has("outcome"):
        return None
    fields = top.child("outcome")
    task = fields.text("task", required=True)
    if task:
        _task_name(fields, "task", task)
        if task.split(":", maxsplit=1)[0] not in FAMILIES:
            fields.say("mapping_value", "task", f"must be a task family, found {task!r}")
    known = known_rule(fields, "annual") or KnownOn("yearly", inferred=True)
    rule = OutcomeRule(
        fields.text("column", required=True),
        task,
        fields.texts("positive", required=True),
        fields.texts("negative"),
        known,
        _group(fields),
    )
    named = {t.table for t in tables}
    if "annual" not in named:
        fields.say("mapping_missing", "", "needs [tables.annual]: its rows are the examples")
    if rule.group and "firms" not in named:
        fields.say("mapping_missing", "group", "needs [tables.firms], where the group is kept")
    fields.finish()
    return rule


def _group(fields: Fields) -> tuple[GroupPart, ...]:
    raw = fields.take("group", [])
    parts = []
    for item in raw if isinstance(raw, list) else [raw]:
        minus = item.get("minus") if isinstance(item, dict) and len(item) == 1 else None
        if isinstance(item, str):
            parts.append(GroupPart(item))
        elif isinstance(minus, list) and len(minus) == 2 and all(isinstance(m, str) for m in minus):
            parts.append(GroupPart(minus[0], minus[1]))
        else:
            cure = 'Write a header, or { minus = ["YEAR", "AGE"] }.'
            fields.say("mapping_value", "group", f"must list headers, found {item!r}", cure)
    return tuple(parts)
