"""What the city has set, as the plan's rows read it: parameters, reviews, earmarked budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Settings", "named"]


@dataclass(frozen=True)
class Settings:
    """Values by name (None: not decided), the rows whose review is on record, budgets by year."""

    parameters: Mapping[str, object] = field(default_factory=dict)
    reviewed: frozenset[str] = frozenset()
    budgets: Mapping[int, Mapping[str, float]] = field(default_factory=dict)

    def number(self, raw: object) -> float | None:
        """A number of a row: itself, or the parameter it names.

        >>> Settings({"share": 50}).number({"param": "share"}), Settings().number(3)
        (50.0, 3.0)
        """
        found = self.parameters.get(str(raw["param"])) if isinstance(raw, Mapping) else raw
        return None if found is None else float(str(found))

    def used(self, *parts: object) -> dict[str, object]:
        """The parameters that parts of a row name, with their values."""
        return {name: self.parameters.get(name) for name in sorted({*named(parts)})}


def named(part: Any) -> Iterator[str]:
    """The parameters that a part of a row names.

    >>> sorted(named({"rate": {"param": "b"}, "offers": [{"most": {"param": "a"}}]}))
    ['a', 'b']
    """
    if isinstance(part, Mapping):
        if set(part) == {"param"}:
            yield str(part["param"])
        else:
            for value in part.values():
                yield from named(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from named(value)
