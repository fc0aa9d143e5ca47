"""What the city grants and what befalls firms between two 30 Junes: chances, draws, standing.

Every chance is fixed by the state at its start. A tier's places are a parameter: the intercept is
solved so that expected titles equal places, hence a chance depends on the field of applicants too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from city.parameters import Floats, Stream, as_terms, score, sigmoid
from city.state import Bools, Ints, Standing, State, View, World

__all__ = ["EXITS", "Chances", "Happened", "chances", "draw", "settle"]

EXITS = ("", "default_90d", "bankruptcy", "closure", "leaving")
"""What may end, or shake, a firm; at most one a year, and all but a default end it."""

WINDOW = 365  # days after 30 June on which something may happen


@dataclass(frozen=True, slots=True)
class Chances:
    """The chances of one window, per firm; each of ``apply``, ``grant`` is (tiers, N)."""

    apply: Floats
    grant: Floats
    exits: Floats  # (4, N), in the order of EXITS[1:]
    stages: Mapping[str, Floats]  # reform, guidance, quoted, listed: given that the firm stays
    days: Ints  # per tier, after 30 June

    @property
    def final(self) -> Floats:
        """The chance that the firm ends in the window."""
        return np.asarray(self.exits[1:].sum(axis=0))

    def title(self, tier: int) -> Floats:
        """The chance of the title: applied, granted, and alive on the day it is issued."""
        gone_before = self.final * (self.days[tier] - 1) / WINDOW
        return np.asarray(self.apply[tier] * self.grant[tier] * (1.0 - gone_before))

    def market(self, stage: str) -> Floats:
        """The chance of a step on the capital market: a firm that ends takes none that year."""
        return np.asarray(self.stages[stage] * (1.0 - self.final))


@dataclass(frozen=True, slots=True)
class Happened:
    """What was drawn for one window; days count from 30 June."""

    year: int
    exit: Ints  # index into EXITS
    exit_day: Ints
    applied: Bools  # (tiers, N)
    granted: Bools
    renewed: Bools
    reform: Bools
    guidance: Bools
    quoted: Bools
    listed: Bools


def chances(world: World, state: State) -> Chances:
    """Return the chances of all that may happen in the year after ``state``."""
    view = View(world, state)
    apply, grant = _titles(world, state, view)
    days = np.array([tier["day"] for tier in world.parameters.ladder])
    return Chances(apply, grant, _exits(world, state, view), _market(world, state, view), days)


def places(rule: Mapping[str, Any], firms: int, reference: int, year: int) -> float:
    """Return how many a year may expect in a city of ``firms``: more firms, fewer places each."""
    if year < rule["since"]:
        return 0.0
    growth = float(rule.get("growth", 0.0))
    size = (firms / reference) ** float(rule["power"])
    return float(rule["places"]) * float(size) * (1 + growth) ** (year - 2020)


def filled(scores: Floats, weight: Floats, wanted: float) -> Floats:
    """Return ``sigmoid(scores + c)`` with c such that the weighted sum is ``wanted`` (Newton)."""
    if wanted <= 0 or not len(scores):
        return np.zeros(len(scores))
    top = float(scores.max())
    c = np.log(wanted) - np.log(np.sum(weight * np.exp(scores - top))) - top
    for _ in range(60):
        p = sigmoid(scores + c)
        miss = float(np.sum(weight * p) - wanted)
        if abs(miss) < 1e-9 * wanted:
            break
        c -= np.clip(miss / max(float(np.sum(weight * p * (1 - p))), 1e-12), -2.0, 2.0)
    return sigmoid(scores + c)


def _spread(values: Floats, rows: NDArray[np.int64], size: int) -> Floats:
    whole = np.zeros(size)
    whole[rows] = values
    return whole


def _titles(world: World, state: State, view: View) -> tuple[Floats, Floats]:
    """Return the chances of applying, and of the title given an application, per tier."""
    p, n = world.parameters, world.firms
    held, apply, grant = state.standing.titles > 0, [], []
    able = world.reporting(state)
    for tier, rule in enumerate(p.ladder):
        may = able & ~held[tier:].any(axis=0) & (view["age"] >= rule["min_age"])
        if tier:
            may &= held[tier - 1]
        rows = np.flatnonzero(may)
        part = view.rows(rows)
        wish = score(as_terms(rule["apply"]), part, len(rows))
        wish = sigmoid(wish)
        wanted = places(rule, n, p.whole("size", "reference"), state.year)
        wanted = min(wanted, rule["cap"] * float(wish.sum()))
        merit = filled(score(as_terms(rule["merit"]), part, len(rows)), wish, wanted)
        apply.append(_spread(wish if wanted else 0 * wish, rows, n))
        grant.append(_spread(merit, rows, n))
    return np.stack(apply), np.stack(grant)


def _exits(world: World, state: State, view: View) -> Floats:
    """Return the chances of default, bankruptcy, closure and leaving: at most one happens."""
    p, n = world.parameters, world.firms
    if state.year < p.whole("time", "first_exits"):
        return np.zeros((4, n))
    rows = np.flatnonzero(world.reporting(state))
    part, size = view.rows(rows), len(rows)
    ones = np.ones(size)
    rate = p.number("distress", "rate") * np.exp(state.stress)
    any_ = filled(score(p.terms("distress"), part, size), ones, rate * size)
    left = filled(score(p.terms("leaving"), part, size), ones, p.number("leaving", "rate") * size)
    rules = p.raw["distress"]["kinds"]
    kinds = np.exp([score(as_terms(rules[kind]), part, size) for kind in EXITS[1:4]])
    shares = [*(any_ * kinds / kinds.sum(axis=0)), (1.0 - any_) * left]
    return np.stack([_spread(share, rows, n) for share in shares])


def _market(world: World, state: State, view: View) -> dict[str, Floats]:
    """Return the chances of reform, guidance, quotation and listing of the firms that stay."""
    p, n, standing = world.parameters, world.firms, state.standing
    open_ = world.reporting(state) & ~standing.listed
    cohorts = {
        "reform": open_ & (standing.stage == 0),
        "guidance": open_ & (standing.stage == 1),
        "quoted": open_ & (standing.stage >= 1) & ~standing.quoted,
        "listed": open_ & (standing.stage == 2),
    }
    found = {}
    for stage, cohort in cohorts.items():
        rule, rows = p.raw["capital"][stage], np.flatnonzero(cohort)
        terms, ones = as_terms(rule["terms"]), np.ones(len(rows))
        wanted = places(rule, n, p.whole("size", "reference"), state.year)
        wanted = min(wanted, rule["cap"] * len(rows))
        chance = filled(score(terms, view.rows(rows), len(rows)), ones, wanted)
        found[stage] = _spread(chance, rows, n)
    return found


def draw(world: World, state: State, given: Chances, stream: Stream) -> Happened:
    """Draw what happens in the year after ``state``."""
    p, n = world.parameters, world.firms
    rng = stream("exits")
    bounds = np.cumsum(given.exits, axis=0)
    u = rng.random(n)
    exit_ = np.where(u < bounds[-1], 1 + (u >= bounds).sum(axis=0), 0)
    exit_day = rng.integers(1, WINDOW + 1, n)
    ends = exit_ > 1
    alive = ~ends | (exit_day >= given.days[:, None])
    rng, tiers = stream("titles"), len(p.ladder)
    applied = (rng.random((tiers, n)) < given.apply) & alive
    granted = applied & (rng.random((tiers, n)) < given.grant)
    due = state.standing.titles == state.year - 3
    renew = np.array([tier["renew"] for tier in p.ladder])[:, None]
    # A firm that holds a higher title keeps the lower one.
    higher: Ints = np.cumsum(state.standing.titles[::-1] > 0, axis=0)[::-1] - (
        state.standing.titles > 0
    )
    keeps = (rng.random((tiers, n)) < renew) | (higher > 0)
    renewed = due & (state.standing.titles > 0) & keeps & alive & ~state.standing.gone
    market = stream("market")
    steps = {s: (market.random(n) < given.stages[s]) & ~ends for s in sorted(given.stages)}
    return Happened(
        state.year,
        exit_,
        exit_day,
        applied,
        granted,
        renewed,
        steps["reform"],
        steps["guidance"],
        steps["quoted"],
        steps["listed"],
    )


def settle(state: State, happened: Happened) -> Standing:
    """Return the standing a year later."""
    old, year = state.standing, state.year
    titles = np.where(old.titles == year - 3, 0, old.titles)
    titles = np.where(happened.granted | happened.renewed, year, titles)
    stage = np.where(happened.reform, 1, np.where(happened.guidance, 2, old.stage))
    return replace(
        old,
        titles=titles,
        stage=stage,
        quoted=old.quoted | happened.quoted,
        listed=old.listed | happened.listed,
        default_year=np.where(happened.exit == 1, year, old.default_year),
        gone=old.gone | (happened.exit > 1),
    )
