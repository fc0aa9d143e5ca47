"""Firms at the bounds of an edition, and the paths they ask for."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from policy_cases import FINDINGS, number, table

from policy.law import Law
from policy.loading import standing
from policy.path.changes_reading import released
from policy.path.finding import Paths
from policy.path.result import Path
from policy.path.timing import ahead
from policy.values import Inputs

__all__ = ["DAY", "LAW", "NUL", "asked", "at_bounds", "giant", "names"]

LAW = standing()
DAY = date(2026, 6, 30)
NUL = float("nan")


def giant(law: Law = LAW, **changed: Any) -> Paths:
    """Paths to little giant of a firm exactly at every bound of 2026, but for this."""
    more = {"class1_ip": 6.0, "main_revenue[-1]": 4800.0, "employees": 100.0}
    return at_bounds("little_giant_2026", law, **{**more, **changed})


def at_bounds(file: str, law: Law = LAW, **changed: Any) -> Paths:
    """Paths of the firm that a table of boundary cases starts from, but for this."""
    raw = table(file)
    tier = law.edition(raw["edition"]).tier
    cells = {name: number(name, value) for name, value in raw["base"].items()}
    cells |= {name: number(name, value) for name, value in changed.items()}
    columns = {name: np.array([value]) for name, value in cells.items()}
    findings = {
        name: np.array([FINDINGS[code]], dtype=np.int8)
        for name, code in raw.get("findings", {}).items()
    }
    ids = np.array(["甲"], dtype=object)
    now = Inputs(ids, DAY, 2025, columns, findings)
    stages = ahead(law, released(), (tier, "new"), now)
    return Paths(law, released(), (tier, "new"), now, stages)


def asked(path: Path) -> dict[str, tuple[float, float]]:
    return {change.field: (change.from_value, change.to_value) for change in path.changes}


def names(entries: Any) -> set[str]:
    return {entry.criterion.partition(":")[2] for entry in entries}
