"""What districts and institutions held: ``activities``, one row an event or a course."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from city.parameters import Parameters, Stream

__all__ = ["activities_table"]


def activities_table(p: Parameters, firms: pd.DataFrame, stream: Stream) -> pd.DataFrame:
    """Return ``activities``: per kind, year and district as many as its rate and weight say.

    An event cannot be attended by more than a part of the district's firms.
    """
    a, rng = p.section("activities"), stream("activities")
    there = firms["district"].value_counts()
    end = np.datetime64(f"{p.whole('time', 'last') + 1}-06-30")
    frames = []
    for kind, rule in a["kinds"].items():
        for place in p.raw["place"]["districts"]:
            most = max(int(a["attending_most"] * there.get(place["name"], 0)), 1)
            for year in range(a["since"], p.whole("time", "last") + 2):
                frame = _held(place, rule, year, most, rng)
                on = frame["on"].to_numpy().astype("datetime64[D]")
                frames.append(frame[on <= end].assign(kind=kind, district=place["name"]))
    table = pd.concat([f for f in frames if len(f)], ignore_index=True)
    return table.sort_values(["district", "on", "kind"]).reset_index(drop=True)


def _held(
    place: Mapping[str, Any],
    rule: Mapping[str, Any],
    year: int,
    most: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw the events of one kind, district and year; no two on one day."""
    rate = rule["events"] * (1.0 if rule.get("each") else place["weight"])
    count = min(int(rng.poisson(rate)), 300)
    days = np.sort(rng.choice(365, count, replace=False))
    came = np.minimum(1 + rng.poisson(rule["firms"], count), most).astype(float)
    frame = pd.DataFrame(
        {
            "on": (np.datetime64(f"{year}-01-01") + days).astype("datetime64[s]"),
            "events_held": np.ones(count),
            "firms_attending": came,
        }
    )
    if "persons" in rule:
        # At least one person of each firm came.
        column, more = rule["persons"]
        frame[column] = came + rng.binomial(came.astype(np.int64), more)
    if "institutions" in rule:
        frame["institution"] = rng.choice(rule["institutions"], count)
        for column, mean in rule["trained"].items():
            frame[column] = rng.poisson(mean, count).astype(float)
    return frame
