"""Reading the changes a firm may make, with everything that must hold of them checked at once.

Every field keeps the identities of the accounts and makes none of the forbidden moves, whatever its
size: a file for which that does not hold is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from features.schema import Column, register
from policy.law import CitySettings
from policy.path.changes import Changes, Field, Forbidden, Identity, Step, Text
from tidu.errors import DataError, Issue

__all__ = ["changes_of", "parse_changes", "released"]

FILE = "policy/data/changes.toml"
LONGEST = 2
"""Open years that a path may span: half of a change is then what the year between shows."""


def parse_changes(
    raw: Mapping[str, Any], city: Mapping[str, Mapping[str, Any]] | None = None
) -> Changes:
    """Read the changes; ``city`` replaces rates a year and lead times, by field.

    All problems are told at once, each with its key.
    """
    reader = _Reader()
    try:
        fields = _fields(reader, raw.get("fields", {}), city or {})
        changes = Changes(
            horizon_years=reader.whole(raw, "horizon_years", "", (1, LONGEST)),
            warning=reader.text(raw.get("warning"), "warning"),
            assumptions=_texts(reader, raw, "assumptions"),
            forbidden=tuple(_forbidden(reader, raw.get("forbidden", []))),
            identities=tuple(_identities(reader, raw.get("identities", []))),
            parts=dict(raw.get("parts", {})),
            drift={name: float(d["per_year"]) for name, d in raw.get("drift", {}).items()},
            windows={name: int(years) for name, years in raw.get("windows", {}).items()},
            unknown=frozenset(raw.get("open_years", {}).get("unknown", [])),
            words=_texts(reader, raw, "words"),
            fields=fields,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reader.problem("shape", "", f"The file must have its tables as documented: {error!r}")
        reader.done()
        raise
    _names(reader, changes)
    _harmless(reader, changes)
    reader.done()
    return changes


def changes_of(city: CitySettings) -> Changes:
    """The changes that ship with the package, with the city's own rates and lead times."""
    return parse_changes(_shipped(), city.changes) if city.changes else released()


@cache
def released() -> Changes:
    """The changes that ship with the package."""
    return parse_changes(_shipped())


def _shipped() -> Mapping[str, Any]:
    path = resources.files("policy") / "data" / "changes.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


class _Reader:
    """Collects problems, so that one reading tells them all."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def problem(self, rule: str, key: str, message: str) -> None:
        cure = "Correct the key."
        self.issues.append(Issue("error", f"changes.{rule}", message, cure, FILE, column=key))

    def done(self) -> None:
        if self.issues:
            raise DataError(
                f"The allowed changes must be sound, found {len(self.issues)} problem(s).",
                self.issues,
                f"Correct {FILE} or the city's [changes].",
            )

    def text(self, raw: object, key: str) -> Text:
        if isinstance(raw, Mapping) and raw.get("zh") and raw.get("en"):
            return Text(str(raw["zh"]), str(raw["en"]))
        self.problem("text", key, "Words must be there in zh and en")
        return Text("", "")

    def number(self, raw: Mapping[str, Any], name: str, key: str, low: float = 0.0) -> float:
        value = raw.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < low:
            self.problem("number", f"{key}.{name}", f"Must be a number from {low}, not {value!r}")
            return low
        return float(value)

    def whole(self, raw: Mapping[str, Any], name: str, key: str, ends: tuple[int, int]) -> int:
        value = raw.get(name)
        if type(value) is int and ends[0] <= value <= ends[1]:
            return value
        where = f"{key}.{name}".strip(".")
        self.problem("number", where, f"Must be whole, {ends[0]} to {ends[1]}, not {value!r}")
        return ends[0]


def _texts(reader: _Reader, raw: Mapping[str, Any], table: str) -> dict[str, Text]:
    return {name: reader.text(t, f"{table}.{name}") for name, t in raw.get(table, {}).items()}


_CITY_MAY = {"per_year", "lead_months", "confidence", "source"}


def _fields(
    reader: _Reader, raw: Mapping[str, Any], city: Mapping[str, Mapping[str, Any]]
) -> tuple[Field, ...]:
    columns = register().tables["annual"].columns
    for name, own in city.items():
        if name not in raw:
            reader.problem("city", f"changes.{name}", f"Must be a field, one of {sorted(raw)}")
        for key in set(own) - _CITY_MAY:
            reader.problem("city", f"changes.{name}.{key}", f"Must be one of {sorted(_CITY_MAY)}")
    found = []
    for name, given in raw.items():
        column = str(given.get("column", name))
        if column not in columns:
            reader.problem("column", f"fields.{name}", "Must be a column of the firm-years")
            continue
        own = {"confidence": "city"} | dict(city[name]) if name in city else {}
        found.append(_field(reader, (name, columns[column]), {**given, **own}))
    return tuple(found)


def _field(reader: _Reader, named: tuple[str, Column], raw: Mapping[str, Any]) -> Field:
    identity, column = named
    key = f"fields.{identity}"
    direction = raw.get("direction")
    if direction not in (-1, 1):
        reader.problem("direction", f"{key}.direction", f"Must be 1 or -1, not {direction!r}")
        direction = 1
    rates = raw.get("per_year", {})
    step = Step(
        reader.number(rates, "amount", f"{key}.per_year"),
        reader.number(rates, "share", f"{key}.per_year"),
        str(rates.get("of", "")),
        reader.number(rates, "floor", f"{key}.per_year"),
    )
    if (step.amount > 0) == (step.share > 0 and bool(step.of)):
        reader.problem(
            "rate", f"{key}.per_year", "Must be an amount above 0, or a share of a column"
        )
    if not column.numeric:
        reader.problem("column", key, f"Must be a number or an ordered level, not {column.dtype}")
    most = raw.get("most")
    if isinstance(most, str):
        if most not in column.ranks:
            reader.problem("most", f"{key}.most", f"Must be one of {list(column.ranks)}")
        most = column.ranks.get(most, 0)
    return Field(
        id=identity,
        column=column,
        kind=str(raw.get("kind", "")),
        direction=direction,
        per_year=step,
        resolution=reader.number(raw, "resolution", key, 1e-6),
        lead_months=reader.whole(raw, "lead_months", key, (0, 120)),
        moves={column.name: 1.0} | {c: float(m) for c, m in raw.get("moves", {}).items()},
        how=reader.text(raw, key),
        most=None if most is None else float(most),
        instead_of=str(raw.get("instead_of", "")),
        needs=str(raw.get("needs", "")),
        special=raw.get("special") is True,
        confidence=str(raw.get("confidence", "L")),
        source=str(raw.get("source", "")),
    )


def _forbidden(reader: _Reader, raw: list[Mapping[str, Any]]) -> Iterator[Forbidden]:
    for entry in raw:
        text = reader.text(entry, f"forbidden.{entry.get('id')}")
        lower, change = entry.get("never_lower", []), entry.get("never_change", [])
        yield Forbidden(str(entry["id"]), text, tuple(lower), tuple(change))


def _identities(reader: _Reader, raw: list[Mapping[str, Any]]) -> Iterator[Identity]:
    for entry in raw:
        text = reader.text(entry, f"identities.{entry.get('id')}")
        yield Identity(str(entry["id"]), text, {c: float(w) for c, w in entry["sum"].items()})


def _names(reader: _Reader, changes: Changes) -> None:
    """Every column that is named must exist."""
    columns = register().tables["annual"].columns
    named = [("parts", name) for pair in changes.parts.items() for name in pair]
    named += [("drift", name) for name in changes.drift]
    named += [("windows", name) for name in changes.windows]
    named += [("open_years.unknown", name) for name in changes.unknown]
    named += [(f"identities.{i.id}", name) for i in changes.identities for name in i.sum]
    for move in changes.forbidden:
        named += [(f"forbidden.{move.id}", n) for n in (*move.never_lower, *move.never_change)]
    for field in changes.fields:
        others = [*field.moves, field.per_year.of, field.instead_of, field.needs]
        named += [(f"fields.{field.id}", name) for name in others if name]
    for key, name in sorted(set(named)):
        if name not in columns:
            reader.problem("column", key, f"Must name columns of the firm-years, not {name!r}")


def _harmless(reader: _Reader, changes: Changes) -> None:
    """No field breaks an identity or makes a forbidden move, whatever its size."""
    for field in changes.fields:
        for identity in changes.identities:
            drift = sum(weight * field.moves.get(c, 0.0) for c, weight in identity.sum.items())
            if abs(drift) > 1e-12:
                message = f"Must keep {identity.id} ({identity.text.en}); changes it by {drift:+g}"
                reader.problem("identity", f"fields.{field.id}.moves", message)
        for move in changes.forbidden:
            lowered = [c for c in move.never_lower if field.direction * field.moves.get(c, 0.0) < 0]
            changed = [c for c in move.never_change if field.moves.get(c, 0.0) != 0]
            for column in (*lowered, *changed):
                message = f"Must not make the move {move.id} ({move.text.en}): it moves {column}"
                reader.problem("forbidden", f"fields.{field.id}.moves", message)
        for column in set(field.moves) & changes.unknown:
            message = f"{column} is unknown in open years and cannot move"
            reader.problem("unknown", f"fields.{field.id}.moves", message)
