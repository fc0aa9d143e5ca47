"""How firms live: traits, slow latent qualities, and one year of accounts after another.

The state of year Y is that of 30 June Y: accounts up to Y - 1, qualities, titles. All that happens
in (30 June Y, 30 June Y+1] is drawn from it and nothing later, which is what makes chances exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from city.parameters import Floats, Parameters, Stream, score

__all__ = [
    "Books",
    "Bools",
    "Ints",
    "Standing",
    "State",
    "Traits",
    "View",
    "World",
    "advance",
    "begin",
    "outlook",
]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
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
    gross: Floats
    rd: Floats
    intensity: Floats
    main_ratio: Floats
    niche_year: Floats
    ambition: Floats
    productivity: Floats
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
            return state.latent[LATENT.index(name)]
        if name in HIDDEN:
            return state.hidden[HIDDEN.index(name)]
        if name in ("size", "margin", "debt", "liquidity"):
            return np.asarray(getattr(books, name))
        if name in ("main_ratio", "ambition", "manufacturing"):
            return np.asarray(getattr(traits, name))
        memory = self._world.parameters.whole("distress", "default_memory")
        made = {
            "revenue": lambda: np.exp(books.size),
            "growth": lambda: books.growth[0],
            "growth_mean": lambda: books.growth.mean(axis=0),
            "rd_ratio": lambda: books.rd[0],
            "rd_low": lambda: books.rd.min(axis=0),
            "rd_amount": lambda: books.rd_amount[0],
            "rd_sum": lambda: books.rd_amount.sum(axis=0),
            "class1": lambda: books.class1.astype(float),
            "share": lambda: 1.0 / (1.0 + np.exp(-books.share)),
            "profit": lambda: books.margin * np.exp(books.size),
            "roe": lambda: books.margin
            / np.exp(books.intensity)
            / np.maximum(1.0 - books.debt, 0.05),
            "age": lambda: (state.year - traits.first_year).astype(float),
            "niche_years": lambda: np.maximum(state.year - traits.niche_year, 0.0),
            "shock": lambda: state.shock,
            "stage": lambda: standing.stage.astype(float),
            "quoted": lambda: standing.quoted.astype(float),
            "tier": lambda: _highest(standing.titles),
            "defaulted": lambda: (standing.default_year > state.year - 1 - memory).astype(float),
        }
        return np.asarray(made[name](), dtype=float)


def _highest(titles: Ints) -> Floats:
    """Return the number of the highest tier held, counted from 1; 0 without one."""
    order = np.arange(1, len(titles) + 1)[:, None]
    return np.asarray(((titles > 0) * order).max(axis=0), dtype=float)


def begin(world: World, stream: Stream) -> State:
    """Return the state on the first 30 June, before any title."""
    p, traits, n = world.parameters, world.traits, world.firms
    rng = stream("begin")
    latent = _shocked(p, rng, n)
    rd = np.clip(traits.rd * np.exp(p.number("accounts", "rd_innovation") * latent[0]), 0, 0.3)
    amount = rd * np.exp(traits.start_size)
    debt = np.clip(rng.normal(p.number("accounts", "debt_target"), 0.15, n), 0.1, 0.95)
    books = Books(
        size=traits.start_size,
        growth=np.zeros((2, n)),
        gross=np.clip(rng.normal(traits.gross, 0.05), 0.02, 0.8),
        opex=_opex_target(p, traits, latent),
        margin=np.full(n, 0.03),
        before_tax=np.full(n, 0.03),
        debt=debt,
        liquidity=np.full(n, np.exp(p.number("accounts", "liquidity_log"))),
        intensity=traits.intensity,
        rd=np.stack([rd, rd]),
        rd_amount=np.stack([amount, amount]),
        class1=rng.poisson(np.where(traits.initial, 0.4, 0.05) * np.exp(0.7 * latent[0])),
        share=np.full(n, p.number("accounts", "share_log")) + rng.normal(0, 0.8, n),
    )
    none = np.zeros(n, dtype=bool)
    zero = np.zeros(n, dtype=np.int64)
    standing = Standing(
        np.zeros((len(p.ladder), n), dtype=np.int64), zero, none, none, zero, none
    )
    year = p.whole("time", "burn_in")
    shock, stress = _shocks(world, year, stream)
    return State(year, latent, rng.standard_normal((4, n)), shock, stress, books, standing)


def _shocked(p: Parameters, rng: np.random.Generator, n: int) -> Floats:
    """Draw four standard normals per firm that share one part."""
    common = p.number("latent", "common")
    shared = rng.standard_normal(n)
    own = rng.standard_normal((4, n))
    return np.asarray(np.sqrt(common) * shared + np.sqrt(1 - common) * own)


def _shocks(world: World, year: int, stream: Stream) -> tuple[Floats, float]:
    """Draw the shocks of growth and of distress that a year holds for all."""
    p, rng = world.parameters, stream("shocks")
    common = rng.normal(0, p.number("growth", "year_shock"))
    bad_year, bad = p.raw["growth"]["pandemic"]
    if year == bad_year:
        common += bad
    sectors = rng.normal(0, p.number("growth", "industry_shock"), 1 + world.traits.sector.max())
    stress = rng.normal(0, p.number("distress", "rate_shock")) - 3.0 * common
    return common + sectors[world.traits.sector], float(stress)


def outlook(world: World, state: State, view: View) -> tuple[Floats, Floats]:
    """Return centre and scale of the Laplace law of log growth in ``state.year``."""
    g = world.parameters.section("growth")
    centre = g["base"] + state.shock + score(world.parameters.terms("growth"), view, world.firms)
    scale = g["scale"] * np.exp(g["scale_by_size"] * (view["size"] - g["scale_at"]))
    return centre, np.clip(scale, g["scale_low"], g["scale_high"])


def advance(world: World, state: State, standing: Standing, stream: Stream) -> State:
    """Live through ``state.year``: its accounts are made; the result is the next 30 June."""
    p, n = world.parameters, world.firms
    view = View(world, state)
    centre, scale = outlook(world, state, view)
    growth = np.clip(stream("growth").laplace(centre, scale), -2.5, 2.5)
    books = _next_books(world, state, growth, stream("accounts"))
    rng = stream("latent")
    rho, keep = p.number("latent", "persistence"), p.number("latent", "hidden_persistence")
    latent = rho * state.latent + np.sqrt(1 - rho**2) * _shocked(p, rng, n)
    hidden = keep * state.hidden + np.sqrt(1 - keep**2) * rng.standard_normal((4, n))
    shock, stress = _shocks(world, state.year + 1, stream)
    return State(state.year + 1, latent, hidden, shock, stress, books, standing)


def _next_books(world: World, state: State, growth: Floats, rng: np.random.Generator) -> Books:
    """Make the accounts of ``state.year``; firms that have not begun keep their start size."""
    a, old, traits = world.parameters.section("accounts"), state.books, world.traits
    innovation, _, market, finance = state.latent

    def noise(sd: float) -> Floats:
        return np.asarray(rng.normal(0.0, sd, world.firms))

    running = traits.first_year < state.year
    growth = np.where(running, growth, 0.0)
    size = old.size + growth
    aim = traits.gross + a["gross_market"] * market + a["gross_innovation"] * innovation
    gross = old.gross + a["gross_speed"] * (aim - old.gross) + noise(a["gross_noise"])
    opex = old.opex + 0.4 * (_opex_target(world.parameters, traits, state.latent) - old.opex)
    opex = np.maximum(opex + noise(a["opex_noise"]) - 0.10 * growth * old.opex, 0.005)
    rd_aim = np.log(traits.rd) + a["rd_innovation"] * innovation
    rd_log = np.log(old.rd[0])
    rd = np.exp(rd_log + a["rd_speed"] * (rd_aim - rd_log) + noise(a["rd_noise"]))
    rd = np.minimum(rd, a["rd_max"])
    debt_aim = a["debt_target"] - a["debt_finance"] * finance
    debt = old.debt + a["debt_speed"] * (debt_aim - old.debt) - a["debt_margin"] * old.margin
    debt += a["debt_growth"] * np.maximum(growth, -0.3) + noise(a["debt_noise"])
    debt = np.clip(debt + 0.015, a["debt_low"], a["debt_high"])
    moved = replace(
        old, size=size, growth=np.stack([growth, old.growth[0]]), gross=np.clip(gross, 0.01, 0.9),
        opex=opex, debt=debt, rd=np.stack([rd, old.rd[0]]),
        rd_amount=np.stack([rd * np.exp(size), old.rd_amount[0]]),
    )
    return _rest(world, state, moved, rng)


def _rest(world: World, state: State, books: Books, rng: np.random.Generator) -> Books:
    """Add what follows from size, debt and R&D: liquidity, assets, profit, IP and the niche."""
    a, traits, n = world.parameters.section("accounts"), world.traits, world.firms
    innovation, _, market, finance = state.latent
    liquid = a["liquidity_log"] + a["liquidity_finance"] * finance
    liquid += a["liquidity_debt"] * (books.debt - 0.5)
    old_log = np.log(np.maximum(books.liquidity, 0.05))
    log = old_log + a["liquidity_speed"] * (liquid - old_log)
    liquidity = np.exp(log + rng.normal(0, a["liquidity_noise"], n))
    intensity = books.intensity + a["intensity_growth"] * books.growth[0]
    intensity += a["intensity_speed"] * (traits.intensity - books.intensity)
    intensity = np.clip(intensity + rng.normal(0, a["intensity_noise"], n), -2.0, 2.0)
    interest = a["interest_rate"] * a["loan_share"] * books.debt * np.exp(intensity)
    pretax = books.gross - books.opex - books.rd[0] - a["surcharge"] - interest
    pretax = pretax + rng.normal(0, a["non_operating"], n)
    rate = a["class1_rate"] + a["class1_innovation"] * innovation
    rate += a["class1_rd"] * np.log1p(books.rd_amount[0] / 100.0)
    begun = traits.first_year <= state.year
    fresh = rng.poisson(np.exp(np.minimum(rate, 4.0))) * begun
    aim = a["share_log"] + a["share_market"] * market + a["share_innovation"] * innovation
    aim += a["share_size"] * (books.size - 8.0)
    share = books.share + a["share_speed"] * (aim - books.share)
    return replace(
        books,
        liquidity=liquidity,
        intensity=intensity,
        before_tax=pretax,
        margin=pretax - a["tax"] * np.maximum(pretax, 0.0),
        class1=rng.binomial(books.class1, 1 - a["class1_loss"]) + fresh,
        share=share + rng.normal(0, a["share_noise"], n),
    )


def _opex_target(p: Parameters, traits: Traits, latent: Floats) -> Floats:
    """Return the operating expense over revenue that leaves a middling firm its usual margin."""
    a = p.section("accounts")
    interest = a["interest_rate"] * a["loan_share"] * a["debt_target"] * np.exp(traits.intensity)
    room = a["opex_room"] * np.minimum(traits.gross / 0.2, 1.0) + a["opex_management"] * latent[1]
    return np.maximum(traits.gross - traits.rd - a["surcharge"] - interest - room, 0.005)
