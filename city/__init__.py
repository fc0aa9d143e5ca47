"""A synthetic city with known truth: demo, tests and benchmarks draw from it.

``build(firms, seed)`` gives every table in the register's columns and, apart from them, the true
chance behind every label. The same seed gives the same city, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from city.ladder import Happened, chances, draw, settle
from city.names import firm_ids
from city.parameters import Parameters, streams
from city.population import firms_table, populate
from city.records import applications_table, ended, events_table, titles_table
from city.reports import annual_table
from city.truth import truth_table
from city.world import State, World, advance, begin
from features.schema import register
from tidu.errors import UsageError

__all__ = ["City", "build"]

LEAST = 50
MOST = 2_000_000


@dataclass(frozen=True)
class City:
    """Tables by name, in canonical columns plus ``known_on`` where a row has its own, and truth."""

    firms: int
    seed: int
    parameters: str  # digest
    tables: Mapping[str, pd.DataFrame]
    truth: pd.DataFrame


def build(firms: int, seed: int, draws: int | None = None) -> City:
    """Make a city of ``firms`` firms; ``draws`` continuations stand behind each 24-month chance.

    With ``draws=0`` the truth holds 12-month chances only, which are exact and cheap.
    """
    if not LEAST <= firms <= MOST:
        raise UsageError(
            f"A city has between {LEAST} and {MOST} firms, found {firms}.", "Choose --firms."
        )
    p = Parameters.load()
    whole = streams(seed)
    world = World(p, populate(p, firms, whole))
    states, history = _live(world, seed)
    stream_of = {state.year: streams(seed, state.year) for state in states}
    ids = firm_ids(firms)
    moved = whole("moved").random(firms) < p.number("leaving", "moved_share")
    end, left = ended(world, history, moved)
    events = events_table(world, states, history, end, stream_of)
    events.insert(0, "firm_id", ids[events.pop("row").to_numpy()])
    made = {
        "firms": firms_table(p, world.traits, left, whole),
        "annual": annual_table(world, states, end, ids, stream_of),
        "titles": titles_table(world, history, ids),
        "applications": applications_table(world, history, ids, whole),
        "events": events,
    }
    tables = {name: _canonical(name, made[name]) for name in made if name in register().tables}
    count = p.whole("time", "draws") if draws is None else draws
    return City(firms, seed, p.digest, tables, truth_table(world, states, seed, count, ids))


def _live(world: World, seed: int) -> tuple[list[State], list[Happened]]:
    """Return the state of every 30 June and what happened in the year after each but the last."""
    p = world.parameters
    states, history = [begin(world, streams(seed, 0))], []
    for year in range(p.whole("time", "burn_in"), p.whole("time", "last") + 1):
        state, stream = states[-1], streams(seed, year)
        happened = draw(world, state, chances(world, state), stream)
        history.append(happened)
        states.append(advance(world, state, settle(state, happened), stream))
    return states, history


def _canonical(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Bring a table to the register's column order and types."""
    columns = register().tables[name].columns
    strange = set(table.columns) - set(columns) - {"known_on"}
    if strange:
        raise UsageError(
            f"Table {name} must use columns of the register, found {sorted(strange)}.",
            "Add them to features/columns or leave them out of the city.",
        )
    made: dict[str, pd.Series] = {}
    for column in (*columns, "known_on"):
        if column in table:
            dtype = columns[column].dtype if column in columns else "date"
            kind = {"date": "datetime64[s]", "text": "str", "code": "str", "set": "str"}
            made[column] = table[column].astype(kind.get(dtype, np.float64))
    return pd.DataFrame(made)
