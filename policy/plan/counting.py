"""How each form of target is measured on a ground."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from policy.plan.counted_firms import by_condition, by_growth, by_ratio, by_titles
from policy.plan.counted_records import (
    by_activities,
    by_each_district,
    by_events,
    by_members,
    by_price,
)
from policy.plan.ground import Ground
from policy.plan.measured import Measured
from policy.plan.rows import Plan, Row
from tidu.errors import DataError

__all__ = ["ADDS_UP", "FORMS", "measure"]

FORMS: Mapping[str, Callable[[Row, Ground, Plan], Measured]] = {
    "titles": by_titles,
    "condition": by_condition,
    "ratio": by_ratio,
    "growth": by_growth,
    "price": by_price,
    "events": by_events,
    "members": by_members,
    "activities": by_activities,
    "each_district": by_each_district,
}

ADDS_UP = frozenset({"titles", "condition", "events", "members", "activities", "each_district"})
"""Forms whose city value is the sum over districts; the others have the city's goal everywhere."""


def measure(row: Row, ground: Ground, plan: Plan) -> Measured:
    """What a target's row measures at the ground's day."""
    form = FORMS.get(row.form)
    if form is None:
        raise DataError(
            f"The form of target {row.id} must be one of {', '.join(FORMS)}, found {row.form!r}.",
            cure="Correct its row in the plan.",
        )
    return form(row, ground, plan)
