"""How firms live: slow latent qualities, common shocks, and one year of accounts after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from city.parameters import Floats, Parameters, Stream, score
from city.state import Books, Standing, State, Traits, View, World

__all__ = ["advance", "begin", "outlook"]


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
    titles = np.zeros((len(p.ladder), n), dtype=np.int64)
    standing = Standing(titles, zero, none, none, zero, zero, none)
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


def advance(
    world: World, state: State, standing: Standing, stream: Stream, luck: Floats | None = None
) -> State:
    """Live through ``state.year``: its accounts are made; the result is the next 30 June.

    ``luck`` gives the quantile of each firm's growth in place of a fresh draw.
    """
    p, n = world.parameters, world.firms
    view = View(world, state)
    centre, scale = outlook(world, state, view)
    u = (stream("growth").random(n) if luck is None else luck) - 0.5
    # The quantile function of the Laplace law.
    away = -np.sign(u) * np.log1p(-2.0 * np.minimum(np.abs(u), 0.5 - 1e-12))
    growth = np.clip(centre + scale * away, -2.5, 2.5)
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
        old,
        size=size,
        growth=np.stack([growth, old.growth[0]]),
        gross=np.clip(gross, 0.01, 0.9),
        opex=opex,
        debt=debt,
        rd=np.stack([rd, old.rd[0]]),
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
    aim = traits.gross - traits.rd - a["surcharge"] - interest - room
    return np.asarray(np.maximum(aim, 0.005))
