"""The true chances behind every label: exact for 12 months, by continuation for 24.

Twelve months: the chance that the generator itself draws with, a function of the state on 30 June.
Twenty-four: that chance plus the mean, over simulated next years, of the chance in the second year
where the first brought nothing. Only tests and benchmarks may read this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.ladder import EXITS, Chances, Happened, chances, draw, settle
from city.parameters import Floats, streams
from city.state import Bools, State, View, World
from city.world import advance, outlook

__all__ = ["GROWTH_FACTOR", "truth_table"]

GROWTH_FACTOR = 1.2
DISTRESS = EXITS[1:4]


@dataclass(frozen=True, slots=True)
class Task:
    """One task: who is in its cohort, and the chance of its label within 12 and 24 months."""

    name: str
    cohort: Bools
    year: Floats
    two_years: Floats


def truth_table(
    world: World, states: Sequence[State], seed: int, draws: int, ids: NDArray[np.str_]
) -> pd.DataFrame:
    """Return firm_id, as_of, task, probability for each 30 June of the truth years."""
    p = world.parameters
    span = range(p.whole("time", "truth_from"), p.whole("time", "truth_to") + 1)
    frames = []
    for state in states:
        if state.year in span:
            for task in _tasks(world, state, seed, draws):
                rows = np.flatnonzero(task.cohort)
                for months, chance in (("12", task.year), ("24", task.two_years)):
                    if chance.size:
                        frames.append((rows, state.year, f"{task.name}@{months}", chance[rows]))
    return _long(frames, ids)


def _long(
    frames: list[tuple[NDArray[np.int64], int, str, Floats]], ids: NDArray[np.str_]
) -> pd.DataFrame:
    """Stack the parts; names as categories, for a large city has millions of rows."""
    names = sorted({name for _, _, name, _ in frames})
    sizes = [len(rows) for rows, *_ in frames]
    days = np.array([f"{year}-06-30" for _, year, *_ in frames], dtype="datetime64[s]")
    codes = np.array([names.index(name) for _, _, name, _ in frames])
    firm = np.concatenate([rows for rows, *_ in frames])
    return pd.DataFrame(
        {
            "firm_id": pd.Categorical.from_codes(firm, pd.Index(ids)),
            "as_of": np.repeat(days, sizes),
            "task": pd.Categorical.from_codes(np.repeat(codes, sizes), pd.Index(names)),
            "probability": np.concatenate([chance for *_, chance in frames]),
        }
    )


def _tail(threshold: Floats, centre: Floats, scale: Floats) -> Floats:
    """Return P(X >= threshold) of a Laplace law."""
    z = (threshold - centre) / scale
    return np.where(z > 0, 0.5 * np.exp(-np.abs(z)), 1.0 - 0.5 * np.exp(-np.abs(z)))


def _now(world: World, given: Chances) -> dict[str, Floats]:
    """Return the chance of each label within the year that ``given`` covers."""
    now = {
        f"promotion:{rule['name']}": given.title(k)
        for k, rule in enumerate(world.parameters.ladder)
    }
    now |= {"quotation": given.market("quoted"), "listing": given.market("listed")}
    now["distress"] = given.exits[:3].sum(axis=0)
    return now | {f"distress:{kind}": given.exits[i] for i, kind in enumerate(DISTRESS)}


def _within_a_batch(world: World, state: State, given: Chances) -> list[Task]:
    """Return the tasks of one batch, for which two years have no meaning.

    ``application``: who could be promoted; the chance of applying. ``recognition``: of these, who
    may apply; the chance of the title given an application. ``lapse``: holders of a title that
    falls due within the year (granted or renewed three years before, not revoked); the chance that
    it is not renewed, the firm's end included.
    """
    here, titles, none = world.present(state), state.standing.titles, np.empty(0)
    found = []
    for k, rule in enumerate(world.parameters.ladder):
        open_, name = here & ~(titles[k:] > 0).any(axis=0), rule["name"]
        found += [
            Task(f"application:{name}", open_, given.application(k), none),
            Task(f"recognition:{name}", given.titles.apply[k] > 0, given.recognition(k), none),
            Task(f"lapse:{name}", here & (titles[k] == state.year - 3), given.lapse(k), none),
        ]
    return found


def _blocked(world: World, happened: Happened) -> dict[str, Bools]:
    """Return whose first year already brought the label, per task."""
    blocked = {
        f"promotion:{rule['name']}": happened.granted[k]
        for k, rule in enumerate(world.parameters.ladder)
    }
    blocked |= {"quotation": happened.quoted, "listing": happened.listed}
    blocked |= {f"distress:{kind}": happened.exit == i for i, kind in enumerate(DISTRESS, 1)}
    return blocked | {"distress": (happened.exit > 0) & (happened.exit <= len(DISTRESS))}


def _tasks(world: World, state: State, seed: int, draws: int) -> list[Task]:
    given = chances(world, state)
    now = _now(world, given)
    centre, scale = outlook(world, state, View(world, state))
    wanted = np.full(world.firms, np.log(GROWTH_FACTOR))
    now["growth"] = _tail(wanted, centre, scale)
    later = {name: np.zeros(world.firms) for name in now}
    clear = {name: np.zeros(world.firms) for name in now}
    # Growth is spread evenly over its law, by rotation, so that few continuations suffice.
    turn = streams(seed, 100_000 + state.year)("rotation").random(world.firms)
    for number in range(draws):
        stream = streams(seed, 100_000 + state.year, number)
        happened = draw(world, state, given, stream)
        luck = (turn + number / draws) % 1.0
        after = advance(world, state, settle(state, happened), stream, luck)
        blocked = _blocked(world, happened)
        for name, chance in _now(world, chances(world, after)).items():
            later[name] += np.where(blocked[name], 0.0, chance)
            clear[name] += ~blocked[name]
        law = outlook(world, after, View(world, after))
        later["growth"] += _tail(2 * wanted - after.books.growth[0], *law)
    two = {name: _two_years(now[name], later[name], clear[name]) for name in now}
    two["growth"] = later["growth"] / max(draws, 1)
    none = np.empty(0)
    found = [
        Task(name, cohort, now[name], two[name] if draws else none)
        for name, cohort in _cohorts(world, state).items()
    ]
    return found + _within_a_batch(world, state, given)


def _two_years(now: Floats, later: Floats, clear: Floats) -> Floats:
    """Join the exact chance of year one with the mean of year two where year one was clear.

    The mean is over clear continuations only, so the sum stays a probability. Where every
    continuation brought the label at once, the second year is taken to be like the first.
    """
    second = np.divide(later, clear, out=now.copy(), where=clear > 0)
    return np.asarray(now + (1.0 - now) * second)


def _cohorts(world: World, state: State) -> dict[str, Bools]:
    """Return who may still bring the label of each task."""
    here, standing = world.present(state), state.standing
    held = standing.titles > 0
    found = {
        f"promotion:{rule['name']}": here & ~held[k:].any(axis=0)
        for k, rule in enumerate(world.parameters.ladder)
    }
    found["quotation"] = here & ~standing.quoted & ~standing.listed
    found["listing"] = here & ~standing.listed
    found |= dict.fromkeys(("distress", *(f"distress:{kind}" for kind in DISTRESS)), here)
    found["growth"] = world.reporting(state)
    return found
