"""The types of the law as data: frozen, valid once built, without any number of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from policy.conditions import Bound, Condition, walk
from policy.formula import Formula

__all__ = [
    "Bands",
    "Best",
    "Confidence",
    "Criterion",
    "Document",
    "Each",
    "Edition",
    "Group",
    "Indicator",
    "Metric",
    "Option",
    "Options",
    "Parameter",
    "Points",
    "Purpose",
    "Rule",
    "Score",
    "Trade",
    "Use",
]

Confidence = Literal["H", "M", "L"]
"""H: official text in two copies; M: one copy or memory; L: weak, the city must decide."""

Purpose = Literal["new", "review"]


@dataclass(frozen=True, slots=True)
class Document:
    """A published text that criteria cite."""

    id: str
    number: str
    zh: str
    en: str
    issued: date | None
    in_force: date | None
    confidence: Confidence
    source: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number the texts leave open or that is known weakly; the city may set it.

    ``value`` None: not decided, and whatever rests on it stays unknown. ``set_by`` is "city" where
    the city's own file gave the value.
    """

    id: str
    zh: str
    en: str
    unit: str
    value: float | str | None
    confidence: Confidence
    source: str
    note: str = ""
    options: tuple[str, ...] = ()
    set_by: Literal["default", "city"] = "default"


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of a firm. Most have one formula; a range has two (``low`` ≤ truth ≤ ``high``).

    ``direction``: +1 where the criteria that use it ask for more, −1 for less, 0 both or neither.
    ``codes`` names the numbers of a coded column; ``step`` is the least amount it is counted in.
    """

    name: str
    zh: str
    en: str
    unit: str
    low: Formula
    high: Formula
    direction: int = 0
    codes: tuple[str, ...] = ()
    step: float = 0.01

    @property
    def ranged(self) -> bool:
        return self.low is not self.high

    @property
    def inputs(self) -> frozenset[str]:
        return self.low.inputs | self.high.inputs


@dataclass(frozen=True, slots=True)
class Criterion:
    """One clause: its test, when it is not examined, and the papers that prove it."""

    address: str
    """``<edition id>:<criterion id>``; attestations and refusals cite it."""
    id: str
    document: str
    clause: str
    zh: str
    en: str
    test: Condition
    papers: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ("new", "review")
    applies: Condition | None = None
    exempt: Condition | None = None
    confidence: Confidence = "H"
    source: str = ""
    note: str = ""

    def conditions(self) -> Iterator[Condition]:
        """Yield every node of its test and of when it applies."""
        for root in (self.test, self.applies, self.exempt):
            if root is not None:
                yield from walk(root)


@dataclass(frozen=True, slots=True)
class Bands:
    """The first bound that holds gives its points, otherwise none; edges count as reached."""

    metric: str
    op: Literal["at_least", "at_most"]
    steps: tuple[tuple[Bound, float], ...]


@dataclass(frozen=True, slots=True)
class Option:
    points: float
    when: Condition


@dataclass(frozen=True, slots=True)
class Options:
    """The best option that applies, otherwise ``otherwise``."""

    options: tuple[Option, ...]
    otherwise: float = 0.0


@dataclass(frozen=True, slots=True)
class Each:
    """So many points for each condition that holds, up to the indicator's maximum."""

    points: float
    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Best:
    """The better of several bands."""

    of: tuple[Bands, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """A metric that is points already."""

    metric: str


Rule = Bands | Options | Each | Best | Points


@dataclass(frozen=True, slots=True)
class Indicator:
    """One line of a score table."""

    id: str
    clause: str
    zh: str
    en: str
    most: float
    rule: Rule
    papers: tuple[str, ...] = ()
    confidence: Confidence = "H"


@dataclass(frozen=True, slots=True)
class Group:
    """Indicators whose points are summed, up to ``most``."""

    id: str
    zh: str
    en: str
    most: float
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """The score table of an edition; ``total`` is the sum of its groups."""

    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """The criteria of one tier (or board) in one text: all of them must hold."""

    id: str
    tier: str
    document: str
    zh: str
    en: str
    criteria: tuple[Criterion, ...]
    score: Score | None
    confidence: Confidence
    source: str
    file: str
    note_zh: str = ""
    note_en: str = ""
    metrics: frozenset[str] = field(default=frozenset(), hash=False)
    """Every metric that a criterion or the score reads."""
    parameters: frozenset[str] = field(default=frozenset(), hash=False)

    def criterion(self, identity: str) -> Criterion | None:
        """Return a criterion by its id or address."""
        return next((c for c in self.criteria if identity in (c.id, c.address)), None)


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade group: the beginnings of its GB/T 4754 codes, and its size classes ("" for none)."""

    id: str
    zh: str
    en: str
    size: str
    gb4754: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """Which edition is in force for a tier and purpose, from a day to a day (both included)."""

    tier: str
    purpose: Purpose
    start: date
    end: date | None
    edition: str
    confidence: Confidence
    source: str
    note: str = ""

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day <= self.end)
