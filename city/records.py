"""The tables of what happened: titles, applications, events; and the day each firm ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.ladder import EXITS, WINDOW, Happened
from city.parameters import Stream, score
from city.state import Bools, State, View, World

__all__ = ["Ends", "applications_table", "ended", "events_table", "titles_table"]

Days = NDArray[np.datetime64]


def _day(year: int, days: NDArray[np.int64] | int) -> Days:
    """Return the date ``days`` after 30 June of ``year``."""
    return np.asarray(np.datetime64(f"{year}-06-30") + np.asarray(days))


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
        day[rows] = _day(happened.year, happened.exit_day)[rows]
        rows = (happened.exit == EXITS.index("leaving")) & moved
        left[rows] = day[rows]
    return Ends(day, left)


def titles_table(world: World, history: Sequence[Happened], ids: NDArray[np.str_]) -> pd.DataFrame:
    """Return ``titles``: one row per grant or renewal."""
    frames = []
    for happened in history:
        for tier, rule in enumerate(world.parameters.ladder):
            for purpose, drawn in (("new", happened.granted), ("review", happened.renewed)):
                rows = np.flatnonzero(drawn[tier])
                issued = _day(happened.year, int(rule["day"]))
                frames.append(_titles(world, ids[rows], str(rule["name"]), issued, purpose))
    table = pd.concat([f for f in frames if len(f)], ignore_index=True)
    return table.sort_values(["firm_id", "issued_on", "tier"]).reset_index(drop=True)


def _titles(
    world: World, ids: NDArray[np.str_], tier: str, issued: Days, purpose: str
) -> pd.DataFrame:
    day = pd.Timestamp(str(issued))
    expires = day + pd.DateOffset(years=3)
    editions = world.parameters.raw["editions"]["since"]
    edition = next((name for since, name in editions if str(day.date()) >= since), None)
    year = day.year
    return pd.DataFrame(
        {
            "firm_id": ids,
            "tier": tier,
            "issued_on": day,
            "expires_on": expires,
            "review_due": expires - pd.Timedelta(days=90),
            "purpose": purpose,
            "rule_edition": edition,
            "batch": f"{year}-{tier}",
            "certificate_no": [f"LZ{year}{tier[:2].upper()}{i[1:]}" for i in ids],
        }
    )


def applications_table(
    world: World, history: Sequence[Happened], ids: NDArray[np.str_], stream: Stream
) -> pd.DataFrame:
    """Return ``applications`` for new titles: when submitted, how decided."""
    rng, frames = stream("applications"), []
    for happened in history:
        for tier, rule in enumerate(world.parameters.ladder):
            rows = np.flatnonzero(happened.applied[tier])
            granted = happened.granted[tier][rows]
            first, last = rule["submit"]
            issued = pd.Timestamp(str(_day(happened.year, int(rule["day"]))))
            result = np.where(granted, "passed", "failed")
            frames.append(
                pd.DataFrame(
                    {
                        "firm_id": ids[rows],
                        "tier": rule["name"],
                        "batch": f"{issued.year}-{rule['name']}",
                        "purpose": "new",
                        "submitted_on": _day(
                            happened.year, rng.integers(first, last + 1, len(rows))
                        ),
                        "final_result": result,
                        "decided_on": issued,
                    }
                )
            )
    table = pd.concat([f for f in frames if len(f)], ignore_index=True)
    return table.sort_values(["firm_id", "submitted_on", "tier"]).reset_index(drop=True)


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
        frames += [_adverse(world, state, stream)]
    table: pd.DataFrame = pd.concat([f for f in frames if len(f)], ignore_index=True)
    last = ends.day[table["row"].to_numpy()]
    on = table["on"].to_numpy()
    today = _day(history[-1].year + 1, 0)
    for column in ("ended_on", "repaired_on"):
        table[column] = table[column].mask(table[column] > pd.Timestamp(str(today)))
    known = (np.isnat(last) | (on <= last)) & (on <= today)
    return table[pd.Series(known)].sort_values(["row", "on", "kind"]).reset_index(drop=True)


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
    on = _day(happened.year, happened.exit_day[rows])
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
        frames.append(_frame(rows, kind, _day(year, day[rows]), board=named))
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
    on = _day(state.year, day)
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
