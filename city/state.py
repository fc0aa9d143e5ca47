"""The city on a 30 June: traits for life, accounts, standing, and variables to reckon with.

The state of year Y is that of 30 June Y: accounts up to Y - 1, qualities, titles. All that happens
in (30 June Y, 30 June Y+1] is drawn from it and nothing later, which is what makes chances exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from city.parameters import Floats, Parameters
from city.plants import Plants

__all__ = [
    "HIDDEN",
    "LATENT",
    "TASTES",
    "Books",
    "Bools",
    "Ints",
    "Standing",
    "State",
    "Traits",
    "View",
    "World",
]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
TASTES = 12
LATENT = ("innovation", "management", "market", "finance")
HIDDEN = ("hidden_titles", "hidden_distress", "hidden_listing", "hidden_growth")


@dataclass(frozen=True, slots=True)
class Traits:
    """What a firm keeps for life."""

    founded_on: NDArray[np.datetime64]
    first_year: Ints  # of accounts
    initial: Bools
    industry: Ints
    sector: Ints
    manufacturing: Floats
    district: Ints
    group: Ints  # number of the control group, -1 = none
    head: Ints  # row of the group's head; the firm's own without a group
    niche: Ints
    gross: Floats
    rd: Floats
    intensity: Floats
    main_ratio: Floats
    niche_year: Floats
    ambition: Floats
    productivity: Floats
    taste: Floats  # (TASTES, N) standard normal: what keeps a firm's habits from changing yearly
    current_share: Floats
    start_size: Floats


@dataclass(frozen=True, slots=True)
class Books:
    """What the newest accounts say, before anybody writes them down."""

    size: Floats  # log revenue
    growth: Floats  # (2, N) log growth of the last two years
    gross: Floats
    opex: Floats
    margin: Floats
    before_tax: Floats
    debt: Floats
    liquidity: Floats
    intensity: Floats
    rd: Floats  # (2, N) R&D over revenue, last two years
    rd_amount: Floats  # (2, N)
    class1: Ints
    share: Floats  # logit of the niche share


@dataclass(frozen=True, slots=True)
class Standing:
    """What others have granted or done: titles, capital market, default, the end."""

    titles: Ints  # (tiers, N) window of the newest grant that still holds, 0 = none
    stage: Ints  # 1 after reform, 2 in guidance
    quoted: Bools
    listed: Bools
    default_year: Ints  # 0 = never
    banned: Ints  # window in which a title was last revoked, 0 = never
    gone: Bools


@dataclass(frozen=True, slots=True)
class State:
    """All firms on 30 June of ``year``."""

    year: int
    latent: Floats
    hidden: Floats
    shock: Floats
    stress: float
    books: Books
    standing: Standing


@dataclass(frozen=True, slots=True)
class World:
    """What does not change while the city lives."""

    parameters: Parameters
    traits: Traits
    plants: Plants = field(default_factory=Plants)

    @property
    def firms(self) -> int:
        return len(self.traits.first_year)

    def present(self, state: State) -> Bools:
        """Founded by 30 June and not gone."""
        born = self.traits.founded_on <= np.datetime64(f"{state.year}-06-30")
        return np.asarray(born & ~state.standing.gone)

    def reporting(self, state: State) -> Bools:
        """Present, with accounts of the year before."""
        return np.asarray(self.present(state) & (self.traits.first_year < state.year))


class View(Mapping[str, Floats]):
    """Variables of a state by name, computed when first asked for, for all firms or some rows."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state
        self._known: dict[str, Floats] = {}
        self._rows: NDArray[np.int64] | None = None

    def rows(self, rows: NDArray[np.int64]) -> View:
        part = View(self._world, self._state)
        part._known, part._rows = self._known, rows
        return part

    def __getitem__(self, name: str) -> Floats:
        if name not in self._known:
            self._known[name] = self._compute(name)
        values = self._known[name]
        return values if self._rows is None else values[self._rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _compute(self, name: str) -> Floats:
        state, traits = self._state, self._world.traits
        books, standing = state.books, state.standing
        if name in LATENT:
            return np.asarray(state.latent[LATENT.index(name)])
        if name in HIDDEN:
            return np.asarray(state.hidden[HIDDEN.index(name)])
        memory = self._world.parameters.whole("distress", "default_memory")
        made: dict[str, Callable[[], Floats | Bools]] = {
            "size": lambda: books.size,
            "margin": lambda: books.margin,
            "debt": lambda: books.debt,
            "liquidity": lambda: books.liquidity,
            "main_ratio": lambda: traits.main_ratio,
            "ambition": lambda: traits.ambition,
            "manufacturing": lambda: traits.manufacturing,
            "revenue": lambda: np.exp(books.size),
            "growth": lambda: books.growth[0],
            "growth_mean": lambda: books.growth.mean(axis=0),
            "rd_ratio": lambda: books.rd[0],
            "rd_low": lambda: books.rd.min(axis=0),
            "rd_amount": lambda: books.rd_amount[0],
            "rd_amount_low": lambda: books.rd_amount.min(axis=0),
            "rd_sum": lambda: books.rd_amount.sum(axis=0),
            "class1": lambda: books.class1.astype(float),
            "share": lambda: 1.0 / (1.0 + np.exp(-books.share)),
            "profit": lambda: books.margin * np.exp(books.size),
            "roe": lambda: (
                books.margin / np.exp(books.intensity) / np.maximum(1.0 - books.debt, 0.05)
            ),
            "age": lambda: (state.year - traits.first_year).astype(float),
            "niche_years": lambda: np.maximum(state.year - traits.niche_year, 0.0),
            "shock": lambda: state.shock,
            "stage": lambda: standing.stage.astype(float),
            "quoted": lambda: standing.quoted.astype(float),
            "tier": lambda: _highest(standing.titles),
            "defaulted": lambda: (standing.default_year > state.year - 1 - memory).astype(float),
        }
        return np.asarray(made[name]()).astype(np.float64)


def _highest(titles: Ints) -> Floats:
    """Return the number of the highest tier held, counted from 1; 0 without one."""
    order = np.arange(1, len(titles) + 1)[:, None]
    return np.asarray(((titles > 0) * order).max(axis=0)).astype(np.float64)
