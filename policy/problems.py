"""Problems of the law's files, collected: all at once, each with file and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidu.errors import DataError, Issue

__all__ = ["Problems"]


@dataclass
class Problems:
    """What is wrong so far, and readers of fields that note what is missing instead of raising."""

    file: str
    found: list[Issue] = field(default_factory=list)

    def at(self, file: str) -> Problems:
        """The same list, for another file."""
        return Problems(file, self.found)

    def add(self, key: str, message: str, cure: str, rule: str = "policy") -> None:
        self.found.append(Issue("error", rule, message, cure, file=self.file, column=key))

    def text(self, raw: Mapping[str, Any], name: str, key: str, default: str | None = None) -> str:
        """A text field; without a default it must be there and not be empty."""
        value = raw.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.add(f"{key}.{name}", f"{name} must be text, found {value!r}.", "Write it.")
            return ""
        return value

    def number(self, raw: Mapping[str, Any], name: str, key: str) -> float:
        value = raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.add(f"{key}.{name}", f"{name} must be a number, found {value!r}.", "Write it.")
            return 0.0
        return float(value)

    def table(self, raw: Mapping[str, Any], name: str, within: str = "") -> Mapping[str, Any]:
        """A table, empty where there is none; ``within`` is the beginning of its key."""
        found = raw.get(name, {})
        if isinstance(found, Mapping):
            return found
        key = within + name
        self.add(key, f"{name} must be a table, found {found!r}.", f"Write [{key}].")
        return {}

    def closed(self, raw: Mapping[str, Any], known: Sequence[str], key: str) -> None:
        """No field beside the known ones."""
        for name in sorted(set(raw) - set(known)):
            self.add(f"{key}.{name}", f"{name} is no field here.", f"Known: {', '.join(known)}.")

    def refuse(self, what: str) -> None:
        """Raise all problems together, if there are any."""
        if self.found:
            raise DataError(
                f"{what} must hold for the law to be loaded, found {len(self.found)} problems.",
                self.found,
                "Correct each at its file and key.",
            )
