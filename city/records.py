"""What befell firms, as events, and the day each firm ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.ladder import EXITS, WINDOW, Happened
from city.merit import day_of
from city.parameters import Stream, score
from city.state import Bools, State, View, World

__all__ = ["Ends", "ended", "events_table", "fault_kinds"]

Days = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Ends:
    """The day on which each firm ended, and on which it left the city instead; NaT where not."""

    day: Days
    left_city: Days


def ended(world: World, history: Sequence[Happened], moved: Bools) -> Ends:
    """Collect the ends of all years; ``moved`` says who would move rather than dissolve."""
    day = np.full(world.firms, np.datetime64("NaT", "D"))
    left = day.copy()
    for happened in history:
        rows = happened.exit > 1
        day[rows] = day_of(happened.year, happened.exit_day)[rows]
        rows = (happened.exit == EXITS.index("leaving")) & moved
        left[rows] = day[rows]
    return Ends(day, left)


def events_table(
    world: World,
    states: Sequence[State],
    history: Sequence[Happened],
    ends: Ends,
    stream_of: Mapping[int, Stream],
) -> pd.DataFrame:
    """Return ``events`` with the firm's row number in ``row``: exits, capital market, adverse."""
    frames = []
    for state, happened in zip(states, history, strict=False):
        stream = stream_of[happened.year]
        frames += [_exits(world, happened, ends, stream)]
        frames += _market(world, state, happened, stream)
        frames += [_adverse(world, state, stream), _faults(world, happened, stream)]
    table: pd.DataFrame = pd.concat([f for f in frames if len(f)], ignore_index=True)
    last = ends.day[table["row"].to_numpy()]
    on = table["on"].to_numpy()
    today = day_of(history[-1].year + 1, 0)
    for column in ("ended_on", "repaired_on"):
        table[column] = table[column].mask(table[column] > pd.Timestamp(str(today)))
    known = (np.isnat(last) | (on <= last)) & (on <= today)
    table = table[pd.Series(known)].sort_values(["row", "on", "kind"])
    return table.drop_duplicates(["row", "on", "kind"]).reset_index(drop=True)


def _frame(rows: NDArray[np.int64], kind: object, on: Days, **more: object) -> pd.DataFrame:
    return pd.DataFrame({"row": rows, "kind": kind, "on": on.astype("datetime64[s]"), **more})


def _exits(world: World, happened: Happened, ends: Ends, stream: Stream) -> pd.DataFrame:
    """Write each exit under its kind; a default that the firm outlives ends when it has paid."""
    rng = stream("exit days")
    first, last = world.parameters.raw["distress"]["paid_after"]
    rows = np.flatnonzero(happened.exit > 0)
    kind = np.array(EXITS, dtype=object)[happened.exit[rows]]
    kind[kind == "leaving"] = "dissolved"
    kind[(kind == "dissolved") & ~np.isnat(ends.left_city[rows])] = "relocation"
    on = day_of(happened.year, happened.exit_day[rows])
    last_day = ends.day[rows]
    paid = on + rng.integers(first, last + 1, len(rows))
    outlived = (kind == "default_90d") & (np.isnat(last_day) | (paid < last_day))
    over = np.where(outlived, paid, np.datetime64("NaT", "D"))
    return _frame(rows, kind, on, ended_on=over.astype("datetime64[s]"))


def _market(world: World, state: State, happened: Happened, stream: Stream) -> list[pd.DataFrame]:
    """Date the steps on the capital market; some in guidance are accepted and withdraw."""
    p, rng = world.parameters.section("capital"), stream("market days")
    n, year = world.firms, happened.year
    any_day = rng.integers(1, WINDOW + 1, n)
    late_day = rng.integers(p["first_day"], WINDOW + 1, n)
    first, last = p["accepted_before"]
    accepted = late_day - rng.integers(first, last + 1, n)
    drops = (
        (state.standing.stage == 2)
        & ~happened.listed
        & (happened.exit < 2)
        & (rng.random(n) < p["withdrawn"])
        & ~state.standing.listed
    )
    drops &= world.present(state)
    view = View(world, state)
    boards = _boards(p, view)
    upper = np.where(view["profit"] >= p["innovation_layer"], "neeq_innov", "neeq_base")
    quoted_day = np.where(happened.listed, 1 + any_day % 5, any_day)
    steps = (
        ("reform", happened.reform, any_day, None),
        ("guidance", happened.guidance, any_day, None),
        ("quoted", happened.quoted, quoted_day, upper),
        ("accepted", happened.listed, accepted, boards),
        ("listed", happened.listed, late_day, boards),
        ("accepted", drops, accepted, boards),
        ("withdrawn", drops, late_day, boards),
    )
    frames = []
    for kind, drawn, day, board in steps:
        rows = np.flatnonzero(drawn)
        named = None if board is None else board[rows]
        frames.append(_frame(rows, kind, day_of(year, day[rows]), board=named))
    return frames


def _boards(p: Mapping[str, object], view: View) -> NDArray[np.str_]:
    """Give every firm the board that its profit and research would lead it to."""
    rule = p["boards"]
    assert isinstance(rule, Mapping)
    profit, research = view["profit"], view["rd_ratio"]
    choices = [profit >= rule["main"], research >= rule["star_rd"], profit >= rule["gem"]]
    return np.select(choices, ["main", "star", "gem"], "bse")


def _adverse(world: World, state: State, stream: Stream) -> pd.DataFrame:
    """Draw penalties, suits and the like: signs of poor management, not of distress alone."""
    p, rng, n = world.parameters, stream("adverse"), world.firms
    a = p.section("adverse")
    factor = np.exp(score(p.terms("adverse"), View(world, state), n))
    hit = (rng.random(n) < a["rate"] * factor) & world.reporting(state)
    day, u = rng.integers(1, WINDOW + 1, n), rng.random((2, n))
    kinds = np.array([k for k, _ in a["kinds"]])
    picked = rng.choice(kinds, n, p=[share for _, share in a["kinds"]])
    on = day_of(state.year, day)
    exempt = (picked == "penalty") & (u[0] < a["exempt"])
    repaired = np.where(u[1] < a["repaired"], on + a["repaired_after"], np.datetime64("NaT", "D"))
    rows = np.flatnonzero(hit)
    severity = np.where(exempt, "minor", np.where(u[0] > 0.9, "larger", "general"))
    return _frame(
        rows,
        picked[rows],
        on[rows],
        severity=severity[rows],
        exempt_minor=exempt[rows].astype(float),
        repaired_on=repaired[rows].astype("datetime64[s]"),
    )


def fault_kinds(world: World, stream: Stream) -> NDArray[np.int64]:
    """Draw for every firm the fault for which a title of it would be revoked, as a row number."""
    faults = world.parameters.section("revocation")["faults"]
    share = np.array([fault["share"] for fault in faults])
    return np.asarray(stream("faults").choice(len(faults), world.firms, p=share / share.sum()))


def _faults(world: World, happened: Happened, stream: Stream) -> pd.DataFrame:
    """Write what led to the loss of a title, some weeks before it, within the same window."""
    p = world.parameters.section("revocation")
    rows = np.flatnonzero(happened.revoked.any(axis=0))
    kind = np.array([fault["kind"] for fault in p["faults"]])
    picked = fault_kinds(world, stream)[rows]
    first, last = p["fault_before"]
    before = stream("fault days").integers(first, last + 1, world.firms)[rows]
    on = day_of(happened.year, happened.revoked_day[rows] - before)
    return _frame(rows, kind[picked], on, severity="larger", exempt_minor=0.0)
