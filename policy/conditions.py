"""Conditions: tests of metrics joined by all, any and not; frozen, no number of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "All",
    "Any",
    "Bound",
    "Condition",
    "Finding",
    "Label",
    "Leaf",
    "Not",
    "ScoreTest",
    "walk",
]

Operator = Literal["at_least", "at_most", "above", "below", "one_of"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold: a number of the text, or a parameter by name."""

    number: float | None = None
    param: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """What a node may be cited by, beyond what its parts say."""

    id: str = ""
    clause: str = ""
    zh: str = ""
    en: str = ""
    papers: tuple[str, ...] = ()


NO_LABEL = Label()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A metric against a bound, or among codes."""

    metric: str
    op: Operator
    bound: Bound = Bound()
    codes: tuple[float, ...] = ()
    label: Label = NO_LABEL

    @property
    def parts(self) -> tuple[Condition, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class ScoreTest:
    """The score of a group, or ``total``, against a bound."""

    group: str
    bound: Bound
    label: Label = NO_LABEL

    @property
    def parts(self) -> tuple[Condition, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What an official attests, since no figure decides it."""

    id: str
    label: Label = NO_LABEL

    @property
    def parts(self) -> tuple[Condition, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class All:
    """Every part must hold."""

    parts: tuple[Condition, ...]
    label: Label = NO_LABEL


@dataclass(frozen=True, slots=True)
class Any:
    """One part must hold."""

    parts: tuple[Condition, ...]
    label: Label = NO_LABEL


@dataclass(frozen=True, slots=True)
class Not:
    """The part must not hold."""

    part: Condition
    label: Label = NO_LABEL

    @property
    def parts(self) -> tuple[Condition, ...]:
        return (self.part,)


Condition = Leaf | ScoreTest | Finding | All | Any | Not


def walk(condition: Condition) -> Iterator[Condition]:
    """Yield a condition and everything below it."""
    yield condition
    for part in condition.parts:
        yield from walk(part)
