"""What is to be expected of each target at its deadline, for the city and its districts.

Titles, pools, events and activities are flows; ratios and conditions go on as they moved. What adds
up over districts is one simulation in which they do; a district's ratio has a history of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from policy.plan.counting import measure
from policy.plan.footing import Footing
from policy.plan.forecast import Flow, Forecast, drift, reaching, shares, simulate, summary
from policy.plan.measured import Measured
from policy.plan.outlook_flows import (
    flow_of_activities,
    flow_of_events,
    flow_of_members,
    flow_of_titles,
    flow_of_titles_ever,
)
from policy.plan.outlook_history import PARAMETERS, Terms
from policy.plan.rows import Row

__all__ = ["PARAMETERS", "outlook"]

Floats = NDArray[np.float64]
Values = list[tuple[float, dict[str, float]]]
"""Per year the city's value and those of the districts."""

Adding = Callable[[Row, Footing, date, Mapping[str, float]], Flow | None]

_ADDING: Mapping[str, Adding] = {
    "titles": flow_of_titles_ever,
    "events": flow_of_events,
    "activities": flow_of_activities,
}
_MOVING = ("condition", "ratio", "growth", "price")


class _Drawn(NamedTuple):
    """Samples of the city and of its districts; ``unknown``: districts left out."""

    samples: Floats
    parts: Mapping[str, Floats]
    unknown: int = 0


def outlook(
    row: Row, footing: Footing, found: Measured, deadline: date, goal: float | None
) -> Forecast | None:
    """The forecast of a target's value at its deadline; None where the history says too little."""
    rng = footing.rng
    if rng is None or found.value is None:
        return None
    if row.form in _MOVING:
        one = _moving(row, footing, found, deadline)
        at_most = row.detail.get("sense") == "at_most"
        return one and summary(one.samples, goal, at_most, parts=one.parts)
    if row.form == "each_district":
        one = _each_district(row, footing, found, deadline)
        return one and summary(one.samples, goal, unknown=one.unknown, parts=one.parts)
    if row.form == "members":
        flow = flow_of_members(row, footing, deadline)
    elif row.form == "titles" and found.behind["value"] == "stock":
        flow = flow_of_titles(row, footing, deadline)
    else:
        flow = _ADDING[row.form](row, footing, deadline, _now(found, "value"))
    return None if flow is None else simulate(flow, goal, rng)


def _now(found: Measured, figure: str) -> dict[str, float]:
    values = found.districts[figure].fillna(0.0)
    return {str(name): float(value) for name, value in values.items()}


def _each_district(row: Row, footing: Footing, found: Measured, deadline: date) -> _Drawn | None:
    """How many districts will have held enough; those of whom nothing is known are left out."""
    assert footing.rng is not None
    known = found.records[~found.records["unknown"].to_numpy(dtype=bool)]
    now = dict(zip(known["district"], known["count"], strict=True))
    flow = flow_of_activities(row, footing, deadline, now)
    if flow is None:
        return None
    reached = reaching(flow, float(row.detail["each"]), footing.rng).parts
    parts = {name: samples for name, samples in reached.items() if name in now}
    whole = np.sum(list(parts.values()), axis=0)
    return _Drawn(whole, parts, len(found.records) - len(known))


# ------------------------------------------------------------------------------------ what moves


def _moving(row: Row, footing: Footing, found: Measured, deadline: date) -> _Drawn | None:
    """The yearly value goes on as it moved. A count's districts share it, ratios have their own."""
    rng = footing.rng
    assert rng is not None
    history = _series(row, footing, found)
    least = max(Terms.of(footing.settings).least, 3)
    ahead, count = float(max(deadline.year - footing.year, 0)), row.form == "condition"

    def drawn(series: list[float]) -> Floats | None:
        if len(series) < least:
            return None
        samples = drift(series, ahead, rng)
        return np.clip(samples, 0.0, None) if count else samples

    whole = drawn([city for city, _ in history])
    if whole is None:
        return None
    now = history[-1][1]
    if not count:
        each = {name: drawn(_own(history, name)) for name in now}
        return _Drawn(whole, {name: one for name, one in each.items() if one is not None})
    if not now:
        return _Drawn(whole, {})
    split = shares([*now.values()], [*now.values()], rng, len(whole))
    return _Drawn(whole, dict(zip(now, (whole[:, None] * split).T, strict=True)))


def _own(history: Values, place: str) -> list[float]:
    """A district's values, the newest unbroken run."""
    own: list[float] = []
    for _, values in history:
        own = [*own, values[place]] if place in values else []
    return own


def _series(row: Row, footing: Footing, found: Measured) -> Values:
    """Values at the ends of the years before, oldest first, and now; a year without one ends it."""
    values = [_values(found)]
    for year in range(footing.year - 1, footing.year - 1 - Terms.of(footing.settings).most, -1):
        past = measure(row, footing.earlier(date(year, 12, 31)), footing.plan)
        if past.value is None:
            break
        values.append(_values(past))
    return values[::-1]


def _values(found: Measured) -> tuple[float, dict[str, float]]:
    assert found.value is not None
    known = found.districts["value"].dropna()
    return found.value, {str(name): float(value) for name, value in known.items()}
