"""Typed reading of a mapping's document that gathers every problem with its place."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from tidu.errors import Issue

__all__ = ["Fields", "near", "plain"]


def near(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean …?' or an empty string.

    >>> near("revnue", ["revenue", "year"])
    " Did you mean 'revenue'?"
    """
    found = difflib.get_close_matches(word, list(dict.fromkeys(known)), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(f) for f in found)}?" if found else ""


def plain(value: object) -> object:
    """Turn a TOML or JSON value into what canonical JSON holds: dates become ISO text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such numbers; as text it is refused where it stands
    return value


class Fields:
    """One table of the document; reads its keys, remembers which, and collects problems."""

    def __init__(self, raw: object, where: str, file: str, issues: list[Issue]) -> None:
        self.where, self.file, self.issues = where, file, issues
        self._seen: set[str] = set()
        self._raw: Mapping[str, object] = {}
        if isinstance(raw, Mapping):
            self._raw = {str(key): value for key, value in raw.items()}
        else:
            self.say("mapping_type", "", f"must be a table, found {type(raw).__name__}")

    def say(self, rule: str, key: str, text: str, cure: str = "") -> None:
        """Add an error at ``key``; ``text`` says what must hold and what was found."""
        place = ".".join(part for part in (self.where, key) if part)
        self.issues.append(
            Issue(
                "error",
                rule,
                f"{place or 'The mapping'} {text}.",
                cure or "Correct the mapping (docs/importing.md).",
                file=self.file,
                column=place,
                zh=f"映射文件的 {place or '内容'} 有误({rule}),请按 docs/importing.md 改正。",
            )
        )

    def child(self, key: str) -> Fields:
        """The table under ``key``, empty if absent."""
        where = f"{self.where}.{key}" if self.where else key
        return Fields(self.take(key, {}), where, self.file, self.issues)

    def names(self) -> list[str]:
        return list(self._raw)

    def has(self, key: str) -> bool:
        return key in self._raw

    def take(self, key: str, default: object = None) -> object:
        self._seen.add(key)
        return self._raw.get(key, default)

    def text(self, key: str, *, required: bool = False) -> str:
        value = self.take(key)
        if isinstance(value, str) and (value.strip() or not required):
            return value.strip()
        if value is not None or required:
            rule = "mapping_type" if value is not None else "mapping_missing"
            self.say(rule, key, "must be text")
        return ""

    def choice(self, key: str, known: tuple[str, ...], default: str) -> str:
        value = self.take(key, default)
        if value in known:
            return str(value)
        self.say("mapping_value", key, f"must be one of {', '.join(known)}, found {value!r}")
        return default

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.take(key, default)
        if isinstance(value, bool):
            return value
        self.say("mapping_type", key, f"must be true or false, found {value!r}")
        return default

    def number(self, key: str) -> float | None:
        value = self.take(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return None if value is None else float(value)
        self.say("mapping_type", key, f"must be a number, found {value!r}")
        return None

    def whole(self, key: str, default: int | None = None) -> int | None:
        value = self.take(key, default)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.say("mapping_type", key, f"must be a whole number, found {value!r}")
        return default

    def day(self, key: str, *, required: bool = False) -> date | None:
        value = self.take(key)
        try:
            if isinstance(value, str):
                return date.fromisoformat(value)
        except ValueError:
            pass
        if value is not None or required:
            self.say("mapping_date", key, f"must be a date like 2021-06-30, found {value!r}")
        return None

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one, numbers are written as in a file."""
        value = self.take(key, [])
        listed = value if isinstance(value, list) else [value]
        good = [cell_text(item) for item in listed if isinstance(item, str | int | float)]
        if len(good) != len(listed):
            self.say("mapping_type", key, f"must be a list of texts, found {value!r}")
        if required and not good:
            self.say("mapping_missing", key, "must name at least one value")
        return tuple(good)

    def finish(self, known: Iterable[str] = ()) -> None:
        """Report keys nobody asked for."""
        for key in self._raw:
            if key not in self._seen:
                hint = near(key, {*self._seen, *known})
                self.say("mapping_unknown_key", key, f"is not a known key.{hint}".rstrip("."))


def cell_text(value: object) -> str:
    """Write a constant of the mapping as a cell of a file would be."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
