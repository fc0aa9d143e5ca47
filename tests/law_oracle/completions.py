"""What is missing may be anything: a criterion is decided if every completion decides it alike.

A rule is a function of a firm of which everything is known; it asks for what it needs. Where that
is missing the rule stops, and is asked again for every value around the bounds of that figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

EXEMPT = "exempt"
"""The answer of a rule that is not examined for this firm."""

FINDINGS = "finding:"
"""What only an official can say is asked for under this prefix."""

AMOUNTS = frozenset(
    f"{column}{back}"
    for column in ("revenue", "main_revenue", "rd_expense", "net_profit", "total_liabilities",
                   "total_assets", "rd_staff", "employees")
    for back in ("", "[-1]", "[-2]")
)  # fmt: skip
"""Inputs of figures; a missing one may be any of these amounts, too."""
SOME_AMOUNTS = tuple(Fraction(text) for text in ("0", "0.01", "100", "1000000", "1e9"))


class Missing(Exception):
    """A rule asked for a figure that nobody knows."""

    def __init__(self, name: str, least: Any = None, most: Any = None) -> None:
        super().__init__(name)
        self.name, self.least, self.most = name, least, most


@dataclass
class Firm:
    """A firm's inputs; None or absent is missing. ``trial`` is what a completion takes them to be.

    A figure made of inputs (a share, a rate) is missing as a whole where one of them is;
    ``by_input`` completes the inputs in its place.
    """

    inputs: Mapping[str, Any]
    trial: Mapping[str, Any] = field(default_factory=dict)
    by_input: bool = False
    memo: dict[str, Any] = field(default_factory=dict)

    def read(self, name: str) -> Any:
        """An input that goes into a figure, or None."""
        return self.need(name) if self.by_input else self.inputs.get(name)

    def known(self, name: str) -> Any:
        found = self.inputs.get(name)
        return self.trial.get(name) if found is None else found

    def need(self, name: str) -> Any:
        """An input that a rule cannot do without."""
        found = self.known(name)
        if found is None:
            raise Missing(name)
        return found

    def free(self, figure: str, least: Any = None, most: Any = None) -> Any:
        """A figure that cannot be worked out; what is on record may bound it."""
        if figure not in self.trial:
            raise Missing(figure, least, most)
        return self.trial[figure]

    def finding(self, name: str) -> bool:
        """What an official attests; "unknown" is a finding too, and decides nothing."""
        found = self.inputs.get(FINDINGS + name)
        if found == "unknown":
            return bool(self.free(f"unsettled:{name}"))
        return bool(self.free(FINDINGS + name)) if found is None else found == "met"

    def without_trial(self) -> Firm:
        return Firm(self.inputs, {}, self.by_input, self.memo)

    def taken(self, name: str, value: Any) -> Firm:
        return Firm(self.inputs, {**self.trial, name: value}, self.by_input, self.memo)


Rule = Callable[[Firm], Any]
Bounds = Mapping[str, tuple[Any, ...]]
"""Of each figure: the numbers it is held against, or the codes it may have."""


def values(name: str, bounds: Bounds) -> list[Any]:
    """What a missing figure is tried as: each bound, between them, below and above all."""
    amounts = list(SOME_AMOUNTS) if name in AMOUNTS else []
    given = bounds.get(name)
    if given is None:
        return amounts or [False, True]
    if isinstance(given[0], str):
        return list(given)
    edges = sorted(Fraction(bound) for bound in given)
    between = [(a + b) / 2 for a, b in pairwise(edges)]
    return [edges[0] - 1, edges[-1] + 1, *edges, *between, *amounts]


def outcomes(rule: Rule, firm: Firm, bounds: Bounds, truth: bool = False) -> set[Any]:
    """Every answer that some completion gives; of a ``truth`` yes and no are enough to know."""
    try:
        return {rule(firm)}
    except Missing as missing:
        name, least, most = missing.name, missing.least, missing.most
    tries = [
        *(end for end in (least, most) if end is not None),
        *(v for v in values(name, bounds)
          if (least is None or v >= least) and (most is None or v <= most)),
    ]  # fmt: skip
    found: set[Any] = set()
    for value in tries:
        found |= outcomes(rule, firm.taken(name, value), bounds, truth)
        if truth and {True, False} <= found:
            break
    return found


def status(rule: Rule, firm: Firm, bounds: Bounds) -> str:
    """Judge one criterion over all completions.

    Undecided is ``manual`` where an official's finding alone would settle it in the firm's favour.
    """
    found = outcomes(rule, firm, bounds, truth=True)
    if found == {EXEMPT}:
        return "not_applicable"
    if found <= {True, EXEMPT}:
        return "met"
    if found == {False}:
        return "unmet"
    return "manual" if _settled(rule, firm, bounds) else "unknown"


def _settled(rule: Rule, firm: Firm, bounds: Bounds) -> bool:
    def attested(asked: Firm) -> Any:
        return rule(_Attested(asked.inputs, asked.trial, asked.by_input, asked.memo))

    return outcomes(attested, firm, bounds, truth=True) <= {True, EXEMPT}


class _Attested(Firm):
    """A firm of which officials have found whatever they were asked."""

    def finding(self, name: str) -> bool:
        return self.inputs.get(FINDINGS + name) is None or super().finding(name)

    def taken(self, name: str, value: Any) -> Firm:
        return _Attested(self.inputs, {**self.trial, name: value}, self.by_input, self.memo)


def points(indicator: Callable[[Firm], Any], firm: Firm, bounds: Bounds) -> tuple[Any, Any]:
    """The least and the most points that completions of one line of a score table give."""
    found = outcomes(indicator, firm.without_trial(), bounds)
    return min(found), max(found)
