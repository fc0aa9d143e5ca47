"""The law put together: editions, who is judged by which, and what the city has set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from typing import Any

from policy.metrics import Metrics
from policy.rules import Document, Edition, Parameter, Purpose, Trade, Use
from tidu.errors import NotFound, UsageError

__all__ = ["Batch", "CitySettings", "Law", "Review"]


@dataclass(frozen=True, slots=True)
class Review:
    """A fair-competition review that the city has recorded (公平竞争审查)."""

    document: str
    on: date
    by: str


@dataclass(frozen=True, slots=True)
class Batch:
    """申报批次: a tier in a year for a purpose; it fixes the fiscal year and the edition."""

    tier: str
    year: int
    purpose: Purpose
    day: date
    data_year: int
    edition: str
    opens_on: date | None = None
    closes_on: date | None = None
    district_deadline: date | None = None
    quota: int | None = None

    @property
    def id(self) -> str:
        """The batch's name: ``2026-little_giant``, for reviews ``2026-little_giant-review``."""
        return f"{self.year}-{self.tier}" + ("-review" if self.purpose == "review" else "")


@dataclass(frozen=True, slots=True)
class CitySettings:
    """What the city's own file says."""

    parameters: Mapping[str, float | str] = field(default_factory=dict)
    tasks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    reviews: Mapping[str, Review] = field(default_factory=dict)
    budgets: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Rates a year and lead times by field of a path, as written."""


@dataclass(frozen=True)
class Law:
    """Everything that ``policy/data`` and the city's file hold; ``digest`` names its content."""

    documents: Mapping[str, Document]
    metrics: Metrics
    parameters: Mapping[str, Parameter]
    editions: Mapping[str, Edition]
    uses: tuple[Use, ...]
    sizes: Mapping[str, Mapping[str, tuple[float, float, float]]]
    trades: Mapping[str, Trade]
    """Trade groups by id; their order numbers the codes of ``trade()``."""
    city: CitySettings
    batches: tuple[Batch, ...]
    digest: str
    content: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """The files it was read from, by name: what was judged can be read with the law it was by."""

    @property
    def tiers(self) -> tuple[str, ...]:
        """Every tier and board that some edition judges."""
        return tuple(dict.fromkeys(use.tier for use in self.uses))

    def edition(self, identity: str) -> Edition:
        """Return an edition by its id."""
        if identity in self.editions:
            return self.editions[identity]
        near = get_close_matches(identity, self.editions, 3, 0.4)
        raise NotFound(
            f"No edition {identity!r}.",
            f"Did you mean {' or '.join(near or list(self.editions)[:3])}?",
        )

    def select(self, tier: str, day: date, purpose: Purpose = "new") -> Edition:
        """Return the edition in force for a tier on a day; none is an error that says which are."""
        for use in self.uses:
            if (use.tier, use.purpose) == (tier, purpose) and use.covers(day):
                return self.editions[use.edition]
        spans = [
            f"{u.edition} from {u.start}{f' to {u.end}' if u.end else ''}"
            for u in self.uses
            if (u.tier, u.purpose) == (tier, purpose)
        ]
        known = ", ".join(self.tiers)
        raise NotFound(
            f"No edition for {tier!r} ({purpose}) is in force on {day}.",
            f"In data: {'; '.join(spans)}." if spans else f"Tiers in data: {known}.",
        )

    def batch(self, tier: str, day: date, purpose: Purpose = "new") -> Batch:
        """Return the batch that a day falls into; without a declared one the calendar decides.

        The fiscal year of a batch is the last complete one before it (上一完整会计年度).
        """
        edition = self.select(tier, day, purpose)
        for batch in self.batches:
            if (batch.tier, batch.year, batch.purpose) == (tier, day.year, purpose):
                return replace(batch, day=day, edition=edition.id)
        return Batch(tier, day.year, purpose, day, day.year - 1, edition.id)

    def number(self, parameter: str) -> float | None:
        """Return the value of a numeric parameter; None where nobody has decided it."""
        found = self.parameters.get(parameter)
        if found is None:
            raise UsageError(
                f"No parameter {parameter!r}.", f"Known: {', '.join(self.parameters)}."
            )
        return None if found.value is None or isinstance(found.value, str) else float(found.value)

    def having(self, values: Mapping[str, float | str]) -> Law:
        """The same law with some parameters set otherwise: a scenario."""
        changed = dict(self.parameters)
        for name, value in values.items():
            if name not in changed:
                near = get_close_matches(name, changed, 3, 0.4)
                raise UsageError(f"No parameter {name!r}.", f"Did you mean {', '.join(near)}?")
            changed[name] = replace(changed[name], value=value, set_by="city")
        return replace(self, parameters=changed)
