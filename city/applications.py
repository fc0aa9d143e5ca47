"""The table of applications: who asked for which title, and what each level decided.

The final result is what the ladder drew; levels are drawn given it, so that the chance of a title
stays exactly the ladder's. The weaker the case, the earlier it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.ladder import REVIEWED_EARLY, Chances, Happened
from city.merit import day_of, merit_terms
from city.parameters import SHAPES, Floats, Stream
from city.records import Ends
from city.state import Bools, State, View, World

__all__ = ["applications_table"]

LEVELS = ("district", "city", "province")


@dataclass(frozen=True, slots=True)
class Batch:
    """One tier's batch of a window, new titles or reviews: who asked, who passed, how likely."""

    window: int
    rule: Mapping[str, Any]
    purpose: str
    rows: NDArray[np.int64]
    passed: Bools
    chance: Floats

    @property
    def levels(self) -> int:
        return int(self.rule["levels"])


def applications_table(
    world: World,
    lived: Sequence[tuple[State, Chances, Happened]],
    ends: Ends,
    ids: NDArray[np.str_],
    stream: Stream,
) -> pd.DataFrame:
    """Return ``applications`` for new titles and reviews, known from the day of handing in."""
    rng, frames = stream("applications"), []
    for state, given, happened in lived:
        view = View(world, state)
        for batch in _batches(world, given, happened):
            frame = _decided(world, batch, _handed_in(batch, ends, rng), rng)
            frames.append(_clauses(world, batch, frame, view.rows(batch.rows)))
    table = pd.concat([f for f in frames if len(f)], ignore_index=True)
    table.insert(0, "firm_id", ids[table.pop("row").to_numpy()])
    order = ["firm_id", "submitted_on", "tier", "purpose"]
    return table.sort_values(order).reset_index(drop=True)


def _batches(world: World, given: Chances, happened: Happened) -> Iterator[Batch]:
    chance = given.titles
    for tier, rule in enumerate(world.parameters.ladder):
        for purpose, asked, passed, likely in (
            ("new", happened.applied, happened.granted, chance.grant),
            ("review", happened.reviewed, happened.renewed, chance.renew),
        ):
            rows = np.flatnonzero(asked[tier])
            yield Batch(happened.year, rule, purpose, rows, passed[tier][rows], likely[tier][rows])


def _handed_in(batch: Batch, ends: Ends, rng: np.random.Generator) -> pd.DataFrame:
    """Return who handed in on which day, when it is decided, and whose end came before."""
    rule, rows = batch.rule, batch.rows
    first, last = rule["submit"]
    day = int(rule["day"]) - (REVIEWED_EARLY if batch.purpose == "review" else 0)
    decided = day_of(batch.window, np.full(len(rows), day))
    name, end = str(rule["name"]), ends.day[rows]
    year = pd.Timestamp(str(day_of(batch.window, int(rule["day"])))).year
    return pd.DataFrame(
        {
            "row": rows,
            "tier": name,
            "batch": f"{year}-{name}",
            "purpose": batch.purpose,
            "submitted_on": day_of(batch.window, rng.integers(first, last + 1, len(rows))),
            "decided_on": decided,
            "ended_on": np.where(end < decided, end, np.datetime64("NaT")),
        }
    )


def _decided(
    world: World, batch: Batch, frame: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Add the result of each level; who ended before the decision has withdrawn."""
    p, size, levels = world.parameters.section("review"), len(frame), batch.levels
    gone = frame.pop("ended_on")
    u = rng.random(size) ** (p["early"] - p["early_by_chance"] * np.minimum(batch.chance, 1.0))
    at = np.where(batch.passed, levels + 1, np.minimum((u * (levels + 1)).astype(int), levels))
    for place, level in enumerate(LEVELS[:levels]):
        result = np.select([at > place, at == place], ["passed", "failed"], "")
        shown = gone.isna() & (result != "")
        frame[f"{level}_result"] = pd.Series(result, dtype="object").where(shown)
    result = np.where(gone.notna(), "withdrawn", np.where(batch.passed, "passed", "failed"))
    frame["final_result"] = result
    first, last = p["level_days"]
    days = rng.integers(first, last + 1, size) * (at + 1)
    early = frame["submitted_on"] + pd.to_timedelta(days, unit="D")
    at_level = (at < levels) & (early < frame["decided_on"])
    decided = frame["decided_on"].mask(at_level, early)
    frame["decided_on"] = decided.mask(gone.notna(), gone)
    first, last = p["return_days"]
    back_on = frame["submitted_on"] + pd.to_timedelta(rng.integers(first, last + 1, size), unit="D")
    back = (rng.random(size) < p["returned"]) & (back_on < frame["decided_on"])
    frame["returned_on"] = back_on.where(back)
    frame["known_on"] = frame["submitted_on"]
    frame["cited"] = (result == "failed") & (rng.random(size) < p["clause_named"])
    return frame


def _clauses(world: World, batch: Batch, frame: pd.DataFrame, view: View) -> pd.DataFrame:
    """Name what a case that failed had least of: the weakest factor of what counts."""
    named = world.parameters.section("clauses")
    weakest, clause = np.full(len(frame), np.inf), np.full(len(frame), None, dtype=object)
    for term in merit_terms(world, batch.rule, batch.window):
        for factor in term.factors:
            if factor.variable not in named or factor.shape not in ("above", "rise"):
                continue
            z = (view[factor.variable] - factor.at) / factor.width
            value = SHAPES[factor.shape](z if term.weight > 0 else -z)
            clause[value < weakest] = named[factor.variable]
            weakest = np.minimum(weakest, value)
    frame["failed_clause"] = pd.Series(clause, dtype="object").where(frame.pop("cited"))
    return frame
