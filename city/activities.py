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
    end = pd.Timestamp(f"{p.whole('time', 'last') + 1}-06-30")
    frames = []
    for kind, rule in a["kinds"].items():
        frame = _held(p, rule, rng)
        most = np.floor(a["attending_most"] * frame["district"].map(there).fillna(0.0))
        came = np.minimum(1.0 + rng.poisson(rule["firms"], len(frame)), np.maximum(most, 1.0))
        frame = frame.assign(kind=kind, events_held=1.0, firms_attending=came)
        frames.append(_took_part(frame, rule, rng))
    table = pd.concat(frames, ignore_index=True)
    table = table[(table["on"] <= end).to_numpy()]
    return table.sort_values(["district", "on", "kind"]).reset_index(drop=True)


def _held(p: Parameters, rule: Mapping[str, Any], rng: np.random.Generator) -> pd.DataFrame:
    """Draw district and day of the events of one kind; no two in one district on one day."""
    places = p.raw["place"]["districts"]
    years = np.arange(p.raw["activities"]["since"], p.whole("time", "last") + 2)
    weight = np.array([1.0 if rule.get("each") else place["weight"] for place in places])
    count = rng.poisson(np.repeat(rule["events"] * weight, len(years)))
    name = np.repeat([place["name"] for place in places], len(years))
    first = np.tile((years - 1970).astype("datetime64[Y]").astype("datetime64[D]"), len(places))
    day = np.repeat(first, count) + rng.integers(0, 365, count.sum())
    frame = pd.DataFrame({"district": np.repeat(name, count), "on": day.astype("datetime64[s]")})
    return frame.drop_duplicates(ignore_index=True)


def _took_part(
    frame: pd.DataFrame, rule: Mapping[str, Any], rng: np.random.Generator
) -> pd.DataFrame:
    """Add who came beside firms: at least one person of each, or who was trained and where."""
    made, came = frame.copy(), frame["firms_attending"]
    if "persons" in rule:
        column, more = rule["persons"]
        made[column] = came + rng.binomial(came.astype("int64"), more)
    if "institutions" in rule:
        made["institution"] = rng.choice(rule["institutions"], len(frame))
        for column, mean in rule["trained"].items():
            made[column] = rng.poisson(mean, len(frame)).astype(float)
    return made
