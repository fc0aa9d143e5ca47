"""The parts of a mapping that describe tables: columns, recodes, known_on, further columns."""

from __future__ import annotations

from dataclasses import dataclass

from features.mapping import KnownOn, Mapping, TableRule, UnknownWhen
from features.mapping_fields import Fields, near
from features.schema import FAMILIES, Column, register
from tidu.errors import TiduError

__all__ = ["ExtraParts", "extra_columns", "known_rule", "table_rules"]

OWN_DATES = {
    "events": ("on",),
    "titles": ("issued_on",),
    "applications": ("submitted_on", "decided_on"),
    "attestations": ("attested_on",),
    "materials": ("issued_on",),
    "awards": ("paid_on",),
    "activities": ("on",),
}


@dataclass(frozen=True, slots=True)
class ExtraParts:
    """What a further column adds to the rule of the annual table."""

    columns: dict[str, str]
    factor: dict[str, float]
    values: dict[str, dict[str, str]]


def extra_columns(fields: Fields) -> tuple[tuple[Column, ...], ExtraParts]:
    """Read ``[extras.*]``: further annual columns that enter the profile without code."""
    columns: list[Column] = []
    parts = ExtraParts({}, {}, {})
    for name in fields.names():
        part = fields.child(name)
        parts.columns[name] = part.text("column", required=True)
        factor = part.number("factor")
        if factor is not None:
            parts.factor[name] = factor
        values = part.child("values")
        if values.names():
            parts.values[name] = {key: str(values.take(key)) for key in values.names()}
        column = _extra(part, name)
        part.finish()
        if column is not None:
            columns.append(column)
    return tuple(columns), parts


def _extra(part: Fields, name: str) -> Column | None:
    ordered = part.texts("ordered")
    dtype = part.choice("type", ("float", "int", "bool", "code"), "code" if ordered else "float")
    zh, en = part.text("zh", required=True), part.text("en", required=True)
    low, high, unit = part.number("low"), part.number("high"), part.text("unit")
    families, direction = part.texts("families"), part.whole("direction", 0)
    if name in register().tables["annual"].columns:
        part.say("mapping_value", "", "must not take the name of a column of the register")
        return None
    if (dtype == "code") != bool(ordered):
        part.say("mapping_value", "ordered", "must list the values, from low to high, of a code")
        return None
    try:
        return Column(
            "annual",
            name,
            zh,
            en,
            dtype,  # type: ignore[arg-type]
            unit=unit,
            low=low,
            high=high,
            group="extra",
            families=families or FAMILIES,
            codes=dict.fromkeys(ordered, ()),
            ordinal=bool(ordered),
            direction=direction or 0,
            extra=True,
        )
    except TiduError as error:
        if zh and en:
            part.say("mapping_value", "", f"is no valid column: {error.message.rstrip('.')}")
        return None


def table_rules(fields: Fields, mapping: Mapping, extras: ExtraParts) -> tuple[TableRule, ...]:
    """Read ``[tables.NAME]`` or ``[[tables.NAME]]``; further columns join the first annual rule."""
    known = register().tables
    rules: list[TableRule] = []
    for name in fields.names():
        raw = fields.take(name)
        listed = raw if isinstance(raw, list) else [raw]
        for number, item in enumerate(listed):
            where = f"tables.{name}" + (f"[{number}]" if len(listed) > 1 else "")
            part = Fields(item, where, fields.file, fields.issues)
            if name not in known:
                hint = near(name, known)
                part.say("mapping_unknown_key", "", f"is not a table.{hint}".rstrip("."))
                continue
            joined = extras if name == "annual" and number == 0 else ExtraParts({}, {}, {})
            rules.append(_table_rule(part, name, mapping, joined))
    if extras.columns and not any(rule.table == "annual" for rule in rules):
        fields.say("mapping_missing", "annual", "must be described where there are [extras]")
    return tuple(rules)


def _table_rule(part: Fields, table: str, mapping: Mapping, extras: ExtraParts) -> TableRule:
    names = {*register().tables[table].columns, "withdrawn", *extras.columns}
    columns, row_number = _columns(part, names)
    columns.update(extras.columns)
    constants = _named(part, "constants", names)
    factor = {**_factors(part, names), **extras.factor}
    values = {**_values(part, table, names, mapping), **extras.values}
    rule = TableRule(
        table,
        columns,
        part.text("sheet"),
        row_number,
        factor,
        constants,
        values,
        _listed(part, "drop_missing", names),
        part.flag("dedupe"),
        part.choice("on_conflict", ("error", "last"), "error"),  # type: ignore[arg-type]
        _unknown_when(part, {*columns, *constants}),
        known_rule(part, table),
    )
    if not mapping.template:
        have = {*columns, *constants, row_number}
        for key in register().tables[table].key:
            if key not in have:
                part.say("missing_key", f"columns.{key}", "must be mapped: it is part of the key")
    for key in (*factor, *values):
        if key in names and key not in columns:
            part.say("mapping_value", key, "has a factor or values but no source column")
    part.finish()
    return rule


def _columns(part: Fields, names: set[str]) -> tuple[dict[str, str], str]:
    fields = part.child("columns")
    columns: dict[str, str] = {}
    row_number = ""
    for name in fields.names():
        raw = fields.take(name)
        _check_name(fields, name, names)
        if isinstance(raw, dict) and raw == {"row_number": True}:
            row_number = name
        elif isinstance(raw, str) and raw.strip():
            columns[name] = raw.strip()
        else:
            fields.say("mapping_type", name, f"must name a header of the file, found {raw!r}")
    return columns, row_number


def _check_name(fields: Fields, name: str, names: set[str]) -> None:
    if name not in names:
        hint = near(name, names)
        fields.say("unknown_column", name, f"is not a column of the register.{hint}".rstrip("."))


def _named(part: Fields, key: str, names: set[str]) -> dict[str, str]:
    fields = part.child(key)
    found = {}
    for name in fields.names():
        _check_name(fields, name, names)
        found[name] = "".join(fields.texts(name, required=True)[:1])
    return found


def _factors(part: Fields, names: set[str]) -> dict[str, float]:
    fields = part.child("factor")
    found = {}
    for name in fields.names():
        _check_name(fields, name, names)
        factor = fields.number(name)
        if factor is not None and factor != 0 and abs(factor) < float("inf"):
            found[name] = factor
        elif factor is not None:
            fields.say("mapping_value", name, f"must be a factor other than 0, found {factor}")
    return found


def _values(
    part: Fields, table: str, names: set[str], mapping: Mapping
) -> dict[str, dict[str, str]]:
    """Recodes; a target that the register does not list is a mistake of the mapping."""
    fields = part.child("values")
    found: dict[str, dict[str, str]] = {}
    for name in fields.names():
        _check_name(fields, name, names)
        recode = fields.child(name)
        spec = mapping.column(table, name)
        found[name] = {}
        for text in recode.names():
            target = "".join(recode.texts(text)[:1])  # empty: unknown
            found[name][text.strip()] = target
            if target and spec is not None and spec.dtype == "code" and target not in spec.codes:
                hint = near(target, spec.codes)
                recode.say("unlisted_code", text, f"must be a code of {name}.{hint}".rstrip("."))
    return found


def _listed(part: Fields, key: str, names: set[str]) -> tuple[str, ...]:
    found = part.texts(key)
    for name in found:
        if name not in names:
            part.say("unknown_column", key, f"names no column: {name!r}.{near(name, names)}")
    return found


def _unknown_when(part: Fields, names: set[str]) -> tuple[UnknownWhen, ...]:
    raw = part.take("unknown_when", [])
    found = []
    for number, item in enumerate(raw if isinstance(raw, list) else [raw]):
        fields = Fields(item, f"{part.where}.unknown_when[{number}]", part.file, part.issues)
        column = fields.text("column", required=True)
        equals, then = fields.texts("equals", required=True), _listed(fields, "then", names)
        fields.finish()
        found.append(UnknownWhen(column, equals, then))
    return tuple(found)


def known_rule(part: Fields, table: str) -> KnownOn | None:
    """Read ``known_on``: a date, or a table naming one way; None leaves the table's default."""
    raw = part.take("known_on")
    if raw is None:
        return None
    if isinstance(raw, str):
        return KnownOn("fixed", fixed=part.day("known_on"))
    fields = Fields(raw, f"{part.where}.known_on", part.file, part.issues)
    ways = [way for way in ("column", "own", "date", "month", "live", "always") if fields.has(way)]
    if len(ways) != 1:
        cure = "Write one of column, own, date, month (with day), live = true, always = true."
        fields.say("mapping_value", "", f"must name exactly one way, found {ways}", cure)
        return None
    rule = _known(fields, ways[0], table)
    fields.finish()
    return rule


def _known(fields: Fields, way: str, table: str) -> KnownOn | None:
    if way == "column":
        return KnownOn("column", column=fields.text("column", required=True))
    if way == "own":
        columns = register().tables[table].columns
        own = fields.texts("own", required=True)
        for name in own:
            if name not in columns or columns[name].dtype != "date":
                fields.say("unknown_column", "own", f"must name a date of {table}, found {name!r}")
        return KnownOn("own", own=own)
    if way == "date":
        return KnownOn("fixed", fixed=fields.day("date", required=True))
    if way in ("live", "always"):
        return KnownOn(way) if fields.flag(way) else None  # type: ignore[arg-type]
    month, day = fields.whole("month", 6) or 0, fields.whole("day", 30) or 0
    years, plus = fields.whole("years_after", 1) or 0, fields.text("plus_column")
    if not (1 <= month <= 12 and 1 <= day <= 31 and -1 <= years <= 10):
        fields.say("mapping_value", "", "must hold a month, a day and the years after")
    elif day > {2: 28, 4: 30, 6: 30, 9: 30, 11: 30}.get(month, 31):
        fields.say("mapping_value", "", f"must be a day of every year, found {month}-{day}")
    inferred = fields.flag("inferred", True)
    return KnownOn(
        "yearly", month=month, day=day, years_after=years, plus_column=plus, inferred=inferred
    )
