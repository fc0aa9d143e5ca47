"""A small city and gaps by hand; shared by the tests of measures and products."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from plan_panels import EVERYTHING, panel_of

from features.facts import LADDER
from policy.plan.ground import Gaps

DAY = date(2026, 11, 22)


Row = dict[str, Any]


def titled(firm: str, tier: str) -> Row:
    return {"firm_id": firm, "tier": tier, "issued_on": date(2025, 5, 1), "purpose": "new"}


def city(covered: Any = EVERYTHING, **tables: list[Row]) -> Any:
    """A is a little giant, B provincial, C municipal, D innovative, E nothing yet."""
    tiers = dict(zip("ABCD", reversed(LADDER[:4]), strict=True))
    firms = [{"firm_id": f, "district": d} for f, d in zip("ABCDE", "甲甲乙乙丙", strict=True)]
    titles = [titled(firm, tier) for firm, tier in tiers.items()]
    return panel_of(DAY, {"firms": firms, "titles": titles} | tables, covered)


def credit(firm: str, due: date | None) -> Row:
    return {"firm_id": firm, "year": 2026, "loan_maturing_on": due, "loan_amount_due": 800.0}


def gaps(statuses: Mapping[str, list[int]]) -> Gaps:
    """Three criteria: R&D, digital level, and reputation, which an official finds."""
    tags = (frozenset({"rd_ratio_pct"}), frozenset({"digital_level"}), frozenset({"reputation"}))
    return Gaps(np.array(list(statuses.values()), dtype=np.int8), ("rd", "digital", "fame"), tags)
