"""A synthetic city with known truth: demo, tests and benchmarks draw from it.

``build(firms, seed)`` gives every table in the register's columns and, apart from them, the true
chance behind every label. The same seed gives the same city, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from city.activities import activities_table
from city.applications import applications_table
from city.attestations import attestations_table, pool_members
from city.awards import awards_table
from city.credit import credit_table
from city.ladder import Chances, Happened, chances, draw, settle
from city.names import firm_ids
from city.papers import materials_table
from city.parameters import Parameters, streams
from city.planted import with_leak
from city.plants import LEAK, Plants
from city.population import firms_table, populate
from city.records import ended, events_table
from city.reports import annual_tables
from city.state import State, World
from city.titles import titles_table
from city.truth import truth_table
from city.world import advance, begin
from features.schema import register
from tidu.errors import UsageError

__all__ = ["City", "Plants", "build"]

LEAST = 50
MOST = 2_000_000


@dataclass(frozen=True)
class City:
    """Tables by name, in canonical columns plus ``known_on`` where a row has its own, and truth.

    ``corrections`` is a second delivery of ``annual``: the same keys, known later, put right.
    """

    firms: int
    seed: int
    parameters: str  # digest
    tables: Mapping[str, pd.DataFrame]
    corrections: pd.DataFrame
    truth: pd.DataFrame


def build(firms: int, seed: int, draws: int | None = None, plants: Plants | None = None) -> City:
    """Make a city of ``firms`` firms; ``draws`` continuations stand behind each 24-month chance.

    With ``draws=0`` the truth holds 12-month chances only, which are exact and cheap. ``plants``
    are faults for tests to find; the truth holds the chances with them.
    """
    if not LEAST <= firms <= MOST:
        raise UsageError(
            f"A city has between {LEAST} and {MOST} firms, found {firms}.", "Choose --firms."
        )
    p = Parameters.load()
    whole = streams(seed)
    world = World(p, populate(p, firms, whole), plants or Plants())
    states, given, history = _live(world, seed)
    stream_of = {state.year: streams(seed, state.year) for state in states}
    ids = firm_ids(firms)
    moved = whole("moved").random(firms) < p.number("leaving", "moved_share")
    ends = ended(world, history, moved)
    events = events_table(world, states, history, ends, stream_of)
    credit = credit_table(world, states, events, ends.day, stream_of)
    for table in (events, credit):
        table.insert(0, "firm_id", ids[table.pop("row").to_numpy()])
    annual, corrections = annual_tables(world, states, ends.day, ids, (whole, stream_of))
    annual = with_leak(world, history, annual, ids, whole)
    corrections = with_leak(world, history, corrections, ids, whole)
    titles = titles_table(world, history, ends, ids, stream_of)
    lived = list(zip(states, given, history, strict=False))
    applications = applications_table(world, lived, ends, ids, whole)
    people = firms_table(p, world.traits, ends.left_city, whole)
    made = {
        "firms": people,
        "annual": annual,
        "titles": titles,
        "applications": applications,
        "events": events,
        "materials": materials_table(p, applications, titles, whole),
        "credit": credit,
        "attestations": pd.concat(
            [
                attestations_table(p, applications, people, whole),
                pool_members(p, events, people, whole),
            ],
            ignore_index=True,
        ),
        "awards": awards_table(p, titles, pd.Series(ends.day, ids), whole),
        "activities": activities_table(p, people, whole),
    }
    tables = {name: _canonical(name, table) for name, table in made.items()}
    count = p.whole("time", "draws") if draws is None else draws
    truth = truth_table(world, states, seed, count, ids)
    return City(firms, seed, p.digest, tables, _canonical("annual", corrections), truth)


def _live(world: World, seed: int) -> tuple[list[State], list[Chances], list[Happened]]:
    """Return the state of every 30 June; chances and what happened after each but the last."""
    p = world.parameters
    states, given, history = [begin(world, streams(seed, 0))], [], []
    for year in range(p.whole("time", "burn_in"), p.whole("time", "last") + 1):
        state, stream = states[-1], streams(seed, year)
        given.append(chances(world, state))
        happened = draw(world, state, given[-1], stream)
        history.append(happened)
        states.append(advance(world, state, settle(state, happened), stream))
    return states, given, history


def _canonical(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Bring a table to the register's column order and types."""
    columns = register().tables[name].columns
    strange = set(table.columns) - set(columns) - {"known_on", LEAK}
    if strange:
        raise UsageError(
            f"Table {name} must use columns of the register, found {sorted(strange)}.",
            "Add them to features/columns or leave them out of the city.",
        )
    made: dict[str, pd.Series[Any]] = {}
    for column in (*columns, "known_on", LEAK):
        if column in table:
            own = {"known_on": "date", LEAK: "float"}
            dtype = columns[column].dtype if column in columns else own[column]
            values = table[column]
            if dtype == "date":
                made[column] = values.astype("datetime64[s]")
            else:
                text = dtype in ("text", "code", "set")
                made[column] = values.astype("str") if text else values.astype("float64")
    return pd.DataFrame(made)
