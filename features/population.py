"""A home holds one population: what its mappings agree on, and where they contradict."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeVar

from features.mapping import Coverage, Mapping, TaskDefaults
from features.schema import Column
from tidu.errors import Refused

__all__ = ["Population"]

T = TypeVar("T", Column, Coverage, TaskDefaults)


@dataclass(frozen=True)
class Population:
    """Coverage, task defaults, further columns and the labelled task of a home."""

    names: tuple[str, ...] = ()
    extras: tuple[Column, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    defaults: tuple[TaskDefaults, ...] = ()
    outcome_task: str | None = None
    owners: tuple[tuple[str, str], ...] = ()
    held: frozenset[str] = frozenset()
    """Kinds whose coverage was declared for files that surely hold them (no template's)."""

    def joined(self, mapping: Mapping) -> Population:
        """Add a mapping; a contradiction with an earlier one is refused, naming both."""
        found = _Found(dict(self.owners), [])
        owners, problems = found.owners, found.problems
        extras = _merge(self.extras, mapping.extras, "further column", mapping, found)
        coverage = _merge(self.coverage, mapping.coverage, "coverage of", mapping, found)
        defaults = _merge(self.defaults, mapping.tasks, "defaults of", mapping, found)
        task = mapping.outcome.task if mapping.outcome else self.outcome_task
        first = owners.setdefault("row labels", mapping.name) if task else ""
        if self.outcome_task and task != self.outcome_task:
            problems.append(
                f"row labels are of {self.outcome_task} in {first!r}, of {task} in {mapping.name!r}"
            )
        if problems:
            raise Refused(
                f"A home holds one population, but {'; '.join(problems)}.",
                "Make the two mappings agree, or use another home (TIDU_HOME) for the other one.",
            )
        return replace(
            self,
            names=(*self.names, mapping.name),
            extras=extras,
            coverage=coverage,
            defaults=defaults,
            outcome_task=task,
            owners=tuple(owners.items()),
            held=self.held | {c.kind for c in mapping.coverage if not mapping.template},
        )

    def covered(self, delivered: Collection[str]) -> tuple[Coverage, ...]:
        """The coverage that counts once these tables have been delivered.

        A template's mapping declares what any of its files may hold: of a table that was never
        delivered, the absence of rows says nothing.
        """
        return tuple(c for c in self.coverage if c.table in delivered or c.kind in self.held)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a merge collects: who said what first, and who contradicts."""

    owners: dict[str, str]
    problems: list[str]


def _merge(
    old: tuple[T, ...],
    new: tuple[T, ...],
    what: str,
    mapping: Mapping,
    found: _Found,
) -> tuple[T, ...]:
    owners, problems = found.owners, found.problems
    held = {_name(item): item for item in old}
    for item in new:
        name = _name(item)
        label = f"{what} {name}"
        if name in held and held[name] != item:
            problems.append(f"{label} differs between {owners[label]!r} and {mapping.name!r}")
        held[name] = item
        owners.setdefault(label, mapping.name)
    return tuple(held.values())


def _name(item: Column | Coverage | TaskDefaults) -> str:
    if isinstance(item, Column):
        return item.name
    return item.kind if isinstance(item, Coverage) else item.task
