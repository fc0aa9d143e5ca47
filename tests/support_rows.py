"""Small cities for the supports of the plan."""

from __future__ import annotations

from datetime import date
from typing import Any

from plan_panels import EVERYTHING, panel_of, plan

from policy.plan.result import Result
from policy.plan.rewards import run
from policy.plan.settings import Settings

__all__ = ["DAY", "Row", "city", "ran", "titled"]

DAY = date(2026, 11, 22)
Row = dict[str, Any]


def titled(firm: str, tier: str = "srdi_provincial", day: str = "2023-05-01") -> Row:
    return {"firm_id": firm, "tier": tier, "issued_on": date.fromisoformat(day), "purpose": "new"}


def city(covered: Any = EVERYTHING, **tables: list[Row]) -> Any:
    """Firms A, B and C are provincial, D is innovative only."""
    firms = [{"firm_id": f, "district": d} for f, d in zip("ABCD", "甲甲乙乙", strict=True)]
    titles = [titled(f) for f in "ABC"] + [titled("D", "innovative_sme")]
    return panel_of(DAY, {"firms": firms, "titles": titles} | tables, covered)


def ran(row: str, panel: Any, settings: Settings) -> Result:
    result = run(plan()[row], plan(), panel, settings)
    assert result.row == row
    return result
