"""Runs the readable tables of boundary cases (tests/policy_cases/*.toml) through the engine.

The tables are derived by hand from the documents. A firm that meets everything is the base; a case
sets or unsets inputs and states what the tier and some criteria must be.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from policy.calendar import day_number
from policy.loading import standing
from policy.logic import MET, NAMES, UNKNOWN, UNMET
from policy.metrics import column_of
from policy.rules import Edition, Purpose
from policy.values import Inputs, Values
from policy.verdict import judge

FOLDER = Path(__file__).resolve().parent / "policy_cases"
FINDINGS = {"met": MET, "unmet": UNMET, "unknown": UNKNOWN}


@dataclass(frozen=True)
class Case:
    """One case: the inputs that differ, and what must come out."""

    file: str
    number: int
    raw: Any

    def __str__(self) -> str:
        return f"{self.file}-{self.number}-{self.raw['name']}"


def cases() -> list[Case]:
    """Every case of every table."""
    return [
        Case(path.stem, i, raw)
        for path in sorted(FOLDER.glob("*.toml"))
        for i, raw in enumerate(table(path.stem)["cases"])
    ]


@cache
def table(file: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{file}.toml").read_text(encoding="utf-8"))


def number(name: str, value: Any) -> float:
    """An input as the engine holds it: dates as day numbers, codes by their place."""
    if isinstance(value, date):
        return day_number(value)
    if isinstance(value, str):
        column = column_of(name)
        codes = list(column.codes) if column is not None else list(standing().trades)
        return float(codes.index(value))
    return float(value)


def asked(case: Case) -> tuple[Edition, Values, Purpose]:
    """The edition, the firm and the purpose of a case, as the engine takes them."""
    whole = table(case.file)
    given = {**whole["base"], **case.raw.get("set", {})}
    for name in case.raw.get("unset", []):
        given.pop(name)
    found = {**whole.get("findings", {}), **case.raw.get("findings", {})}
    day, law = case.raw.get("day", whole["day"]), standing()
    inputs = Inputs(
        np.array(["F"], dtype=object),
        day,
        int(whole.get("data_year", day.year - 1)),
        {name: np.array([number(name, value)]) for name, value in given.items()},
        {k: np.array([FINDINGS[v]], dtype=np.int8) for k, v in found.items() if v != "none"},
    )
    edition = law.edition(whole["edition"])
    return edition, Values(law, inputs), case.raw.get("purpose", whole["purpose"])


def outcome(case: Case) -> tuple[str, dict[str, str]]:
    """The tier's status and those of the criteria, by the engine."""
    edition, values, purpose = asked(case)
    verdict = judge(edition, values, purpose)
    names = [criterion.id for criterion in edition.criteria]
    return NAMES[verdict.status[0]], {
        name: NAMES[status] for name, status in zip(names, verdict.criteria[0], strict=True)
    }
